"""The end of every dialog that changes something: shown first, run once, forgotten however it ends."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.errors import ServiceError
from services.jobs.audit import SIGN_INS, newest_entries, read_entries
from services.jobs.changes import Answer, Change
from services.jobs.jobs import find_job, list_jobs
from tests.support.app_test import REFUSED, button, confirm_button, texts
from ui.elements import write_permission, writing
from ui.elements.writing import counted_action
from ui.runtime import connection
from ui.runtime.changes import run
from ui.runtime.database import database

pytestmark = pytest.mark.usefixtures("recorded")


def page(**state: object) -> AppTest:
    """One change on a page; its plan and what becomes of it as the session's state says."""

    def script() -> None:
        import streamlit as st

        from services.connection.errors import ServiceError
        from ui.elements.notices import show_done
        from ui.elements.writing import PlainPlan
        from ui.runtime.changes import confirm_and_run

        state = st.session_state
        state.setdefault("calls", [])

        def apply(report):  # type: ignore[no-untyped-def]
            report("deleting")
            state.calls.append("apply")
            if state.get("fails"):
                raise ServiceError("Could not delete", "**Refused.**", "Ask an owner.", "Refused")
            return 3

        show_done()
        confirm_and_run(
            PlainPlan(state.get("blockers", ()), state.get("warnings", ()), state.get("commands", ())),
            "Delete 3 tags",
            "contoso.azurecr.io/app",
            apply,
            lambda: state.calls.append("forget"),
            lambda result: f"{result} tags: deleted and verified.",
            typed=state.get("typed", ""),
            ready=state.get("ready", True),
            in_dialog=state.get("in_dialog", True),
        )

    at = AppTest.from_function(script, default_timeout=30)
    for name, value in state.items():
        at.session_state[name] = value
    return at.run()


def test_a_change_is_run_once_forgotten_and_reported_on_the_next_run() -> None:
    at = page(commands=("az acr repository untag --name contoso --image app:v1",))
    assert "az acr repository untag" in texts(at)
    assert at.session_state.calls == []
    confirm_button(at, "Delete 3 tags").click().run()
    assert not at.exception
    assert at.session_state.calls == ["apply", "forget"]
    assert [one.value for one in at.success] == ["3 tags: deleted and verified."]
    at.run()
    assert not at.success
    assert at.session_state.calls == ["apply", "forget"]


def test_what_failed_is_forgotten_too_and_shown_as_a_panel() -> None:
    at = page(fails=True)
    confirm_button(at, "Delete 3 tags").click().run()
    assert at.session_state.calls == ["apply", "forget"]
    assert "Could not delete" in texts(at)
    assert "**Refused.**" in texts(at)
    assert not at.success


def test_a_change_is_recorded_with_its_plan_and_how_it_ended(recorded: str) -> None:
    at = page(commands=("az acr repository untag --name contoso --image app:v1",))
    assert list_jobs(database(), recorded) == ()
    confirm_button(at, "Delete 3 tags").click().run()
    (listed,) = list_jobs(database(), recorded)
    assert (listed.action, listed.target, listed.state) == ("Delete 3 tags", "contoso.azurecr.io/app", "Completed")
    job = find_job(database(), recorded, listed.id)
    assert job
    assert job.details["commands"] == ["az acr repository untag --name contoso --image app:v1"]
    assert job.answer == "3 tags: deleted and verified."
    began, ended = (entry.fields for entry in read_entries(database(), recorded))
    assert (began["what"], began["commands"]) == ("began", job.details["commands"])
    assert (ended["what"], ended["error"]) == ("ended", "")


def test_a_change_that_failed_is_recorded_with_its_error(recorded: str) -> None:
    confirm_button(page(fails=True), "Delete 3 tags").click().run()
    (listed,) = list_jobs(database(), recorded)
    assert listed.state == "Failed" and "Refused" in listed.error


def test_nothing_is_changed_that_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ACR_CONSOLE_DATABASE", f"sqlite:///{tmp_path / 'file' / 'console.db'}")
    at = page()
    confirm_button(at, "Delete 3 tags").click().run()
    assert "apply" not in at.session_state.calls
    assert "Nothing was changed." in texts(at)


def test_a_blocker_is_shown_and_nothing_can_be_sent() -> None:
    at = page(blockers=("The tag is *locked*.",), warnings=("It runs.",))
    assert [one.value for one in at.error] == [r"The tag is \*locked\*\."]
    assert [one.value for one in at.warning] == [r"It runs\."]
    assert confirm_button(at, "Delete 3 tags").disabled


def test_a_name_is_typed_first() -> None:
    at = page(typed="team/app")
    assert confirm_button(at, "Delete 3 tags").disabled
    at.text_input(key="confirm team/app").set_value("team/ap").run()
    assert confirm_button(at, "Delete 3 tags").disabled
    at.text_input(key="confirm team/app").set_value(" team/app ").run()
    assert not confirm_button(at, "Delete 3 tags").disabled


def test_what_else_is_asked_for_keeps_the_button_off() -> None:
    assert confirm_button(page(ready=False), "Delete 3 tags").disabled


def test_a_read_only_console_shows_all_and_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = page(commands=("az acr delete",))
    assert "Read-only" in texts(at)
    assert "az acr delete" in texts(at)
    assert confirm_button(at, "Delete 3 tags").disabled


def test_cancel_sends_nothing_and_a_page_has_none() -> None:
    at = page()
    button(at, "Cancel").click().run()
    assert at.session_state.calls == []
    assert [one.label for one in page(in_dialog=False).button] == ["Delete 3 tags"]


def test_of_thousands_of_reasons_and_commands_the_first_are_shown_and_the_rest_counted() -> None:
    at = page(
        blockers=tuple(f"Reason {number}" for number in range(1000)),
        commands=tuple(f"az {number}" for number in range(2000)),
    )
    assert len(at.error) == writing.SHOWN_BLOCKERS
    assert [one.label for one in at.expander] == ["997 more reasons"]
    assert "897 more, not shown." in [one.value for one in at.markdown]
    (code,) = at.code
    lines = str(code.value).splitlines()
    assert len(lines) == writing.SHOWN_COMMANDS + 1
    assert lines[-1] == "# … and 1,980 more"


def test_a_dialog_that_could_not_read_what_it_needs_can_be_cancelled() -> None:
    def script() -> None:
        from services.connection.errors import ServiceError
        from ui.elements.writing import PlainPlan, confirm, dialog_panel

        with dialog_panel():
            raise ServiceError("Could not read the tag", "It is gone.", "Refresh.")
        confirm(PlainPlan(), "Delete tag")

    at = AppTest.from_function(script, default_timeout=30).run()
    assert "It is gone." in texts(at)
    assert [one.label for one in at.button] == ["Cancel", "Delete tag", "Cancel"]
    at.button[0].click().run()
    assert not at.exception


def test_a_button_never_says_that_it_deletes_none() -> None:
    assert counted_action("Delete", 0, "manifest") == "Delete manifests"
    assert counted_action("Delete", 1, "manifest") == "Delete 1 manifest"
    assert counted_action("Delete", 1200, "manifest") == "Delete 1,200 manifests"


def test_who_goes_past_a_disabled_button_is_refused_and_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    tried: list[str] = []
    with pytest.raises(ServiceError) as refused:
        run("Delete", Change("Delete tag", "contoso"), tried.append, lambda: None, lambda _: Answer(""))
    assert refused.value.code == "ReadOnly"
    (entry,) = newest_entries(database(), connection.who(), SIGN_INS, 10)
    assert (entry.fields["action"], entry.fields["target"], entry.fields["by"]) == ("Delete tag", "contoso", "console")
    assert not tried
    assert not list_jobs(database(), connection.who())
