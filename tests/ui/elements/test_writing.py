"""What is confirmed: the plan that was shown when its name was typed."""

from streamlit.testing.v1 import AppTest

from tests.support.app_test import button


def page(commands: tuple[str, ...] = ("az one",)) -> AppTest:
    def script() -> None:
        import streamlit as st

        from ui.elements.writing import PlainPlan, confirm

        state = st.session_state
        lines = state["commands"]
        ready = st.checkbox("I have read it")
        if confirm(PlainPlan(commands=lines), "Delete it", typed="team/app", ready=ready, in_dialog=False):
            st.success("deleted")

    at = AppTest.from_function(script, default_timeout=30)
    at.session_state["commands"] = commands
    return at.run()


def test_what_was_typed_for_one_plan_confirms_no_other() -> None:
    at = page()
    at.text_input[0].set_value("team/app").run()
    at.checkbox[0].check().run()
    assert not button(at, "Delete it").disabled  # Only what is ready has changed, not what is done.
    at.session_state["commands"] = ("az one", "az two")
    at.run()
    assert at.text_input[0].value == ""
    assert button(at, "Delete it").disabled
    at.session_state["commands"] = ("az one",)
    at.run()
    assert button(at, "Delete it").disabled
    at.text_input[0].set_value("team/app").run()
    button(at, "Delete it").click().run()
    assert [one.value for one in at.success] == ["deleted"]
