"""What a session began: under way, then how it ended, until it is dismissed."""

import pytest
from streamlit.testing.v1 import AppTest

from services.jobs.jobs import find_job, list_jobs
from tests.support.app_test import button, texts
from ui.runtime.database import database

pytestmark = pytest.mark.usefixtures("recorded")


def page(**state: object) -> AppTest:
    """A page that begins a run for each of `begun`, whose plan is its name, and shows those of `shown`."""

    def script() -> None:
        import streamlit as st

        from services.connection.errors import ServiceError
        from services.jobs.changes import Answer, Change
        from ui.runtime.session_runs import RunKind, begin, show

        state = st.session_state
        forgotten = state.setdefault("forgotten", [])
        kind = RunKind[str, int]("tests")

        def work(name):  # type: ignore[no-untyped-def]
            if name == "broken":
                raise ServiceError("Could not run broken", "Refused.", "Ask an owner.", "Refused")
            return len(name)

        begun = state.get("begun", [])
        if begun:
            name = begun.pop()
            begin(
                kind,
                name,
                name,
                lambda _run: work(name),
                lambda: forgotten.append(name),
                Change("Run", name),
                lambda length: Answer(f"{length} letters"),
                verb="Running",
            )
        show(
            kind,
            lambda plan, result: st.markdown(f"{plan} ended with {result}"),
            only=lambda plan: plan in state.get("shown", (plan,)),
        )

    at = AppTest.from_function(script, default_timeout=30)
    for name, value in state.items():
        at.session_state[name] = value
    at.run()
    for run in at.session_state["runs: tests"].values():
        assert run.reading.finished.wait(30)
    return at.run()


def test_a_run_shows_how_it_ended_until_it_is_dismissed() -> None:
    at = page(begun=["app"])
    assert "app ended with 3" in texts(at)
    assert at.session_state.forgotten == ["app"]
    assert "app ended with 3" in texts(at.run())
    button(at, "Dismiss").click().run()
    assert "app ended" not in texts(at)
    assert not at.button


def test_what_failed_is_forgotten_too_and_shown() -> None:
    at = page(begun=["broken"])
    assert at.session_state.forgotten == ["broken"]
    assert "Could not run broken" in texts(at)
    button(at, "Dismiss").click().run()
    assert "Could not run broken" not in texts(at)


def test_runs_are_apart_and_a_page_shows_its_own() -> None:
    at = page(begun=["app", "broken"], shown=("app",))
    assert "app ended with 3" in texts(at)
    assert "broken" not in texts(at)
    button(at, "Dismiss").click().run()
    assert list(at.session_state["runs: tests"]) == ["broken"]


def test_each_run_is_recorded_with_how_it_ended(recorded: str) -> None:
    page(begun=["app"])
    page(begun=["broken"])
    failed, done = list_jobs(database(), recorded)
    assert (done.action, done.target, done.state) == ("Run", "app", "Completed")
    job = find_job(database(), recorded, done.id)
    assert job and job.answer == "3 letters"
    assert (failed.target, failed.state) == ("broken", "Failed")
