"""The sentence of the last action: how long it is shown."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import button

ROOT = Path(__file__).parents[3]


def page(**state: object) -> AppTest:
    """A page that says what `say` has, and runs again by itself `again` times."""

    def script() -> None:
        import streamlit as st

        from ui.elements.notices import forget_shown, run_again, say_done, show_done

        forget_shown()
        state = st.session_state
        if sentence := state.pop("say", ""):
            say_done(sentence)
            st.rerun()
        if not state.get("elsewhere"):
            show_done()
        st.button("Do something else")
        if state.get("again"):
            state.again -= 1
            run_again()

    at = AppTest.from_function(script, default_timeout=30)
    for name, value in state.items():
        at.session_state[name] = value
    return at.run()


@pytest.mark.parametrize("again", [0, 1, 5])
def test_it_stays_while_the_page_runs_again_by_itself_and_goes_with_the_next_action(again: int) -> None:
    at = page(say="2 deletions started", again=again)
    assert [one.value for one in at.success] == ["2 deletions started"]
    button(at, "Do something else").click().run()
    assert not at.success


def test_a_run_that_shows_none_brings_none_back() -> None:
    at = page(say="2 deletions started")
    at.session_state["elsewhere"] = True
    at.session_state["again"] = 2
    at.run()
    at.session_state["elsewhere"] = False
    assert not at.run().success


def test_what_waits_in_a_fragment_runs_the_page_again_so_that_it_stays() -> None:
    """A fragment with `run_every` that calls `st.rerun` would take the sentence away while it is read."""
    wrong = []
    for path in [*ROOT.glob("ui/**/*.py"), *ROOT.glob("pages/*.py")]:
        for function in [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.FunctionDef)]:
            waits = any("run_every" in ast.unparse(one) for one in function.decorator_list)
            if waits and "st.rerun" in ast.unparse(function):
                wrong.append(f"{path.relative_to(ROOT)}: {function.name}")
    assert not wrong
