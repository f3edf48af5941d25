"""ACR Tasks on their page: listed with what failed first, opened, run with its log, disabled and deleted; and created
from a policy."""

import pytest

from sandbox.documents.errors import Document
from sandbox.tasks.execution import Result
from sandbox.tasks.runs import run
from sandbox.tasks.tasks import task
from services.jobs.jobs import list_jobs
from services.policies.store import create_policy
from services.sign_in.app_roles import OPERATOR_PERMISSION
from services.tasks import runs as services_runs
from services.tasks.steps import encode
from services.tasks.tasks import get_task, list_tasks
from tests.support.app_test import Open, actions, button, confirm_button, everything, facts, open_dialog, reopen, texts
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.runtime import connection
from ui.runtime.database import database

HERE = {"registry": REGISTRY}
POLICY = """\
name: Pull requests
rules:
  - {name: pull requests, action: delete, tags: pr-*, older_than_days: 0}
  - {name: leftovers, action: delete untagged, older_than_days: 0}
"""

pytestmark = pytest.mark.usefixtures("own")


def document(own: OwnSandbox) -> Document:
    found = own.sandbox.store.get_resource(own.registry().id)
    assert found
    return found


def plant(own: OwnSandbox) -> None:
    """A task that purges and one that builds, whose last run failed."""
    store, registry = own.sandbox.store, document(own)
    definition = f"version: v1.1.0\nsteps:\n  - cmd: acr purge --filter '({APP}):^pr-.*$' --ago 0d\n"
    purge = {"step": {"type": "EncodedTask", "encodedTaskContent": encode(definition)}}
    build = {"step": {"type": "Docker", "contextPath": "https://github.com/contoso/app.git"}}
    for name, properties in (("nightly", purge), ("z-build", build)):
        store.put_resource(task(registry, name, "2026-01-01T00:00:00Z", properties))
    failed = Result("Failed", "<b>no *such* base</b>\r\n", "no base image")
    for number, (name, result) in enumerate((("nightly", Result("Succeeded", "done\r\n")), ("z-build", failed)), 1):
        store.put_resource(run(registry, f"ca{number}", name, f"2026-02-0{number}T00:00:00Z", result))


def test_tasks_are_listed_with_those_that_failed_first(open_view: Open, own: OwnSandbox) -> None:
    plant(own)
    at = open_view("tasks.py", **HERE)
    tasks, runs = at.dataframe
    assert list(tasks.value["Name"]) == ["z-build", "nightly"]
    assert list(tasks.value["Last run"]) == ["Failed", "Succeeded"]
    assert list(tasks.value["Does"])[1].startswith("acr purge --filter")
    assert list(runs.value["Run"]) == ["ca2", "ca1"]
    assert next(one.value.replace("\\", "") for one in at.error).startswith("z-build: Failed ")


def test_a_task_whose_last_run_is_not_among_the_latest_is_asked_for_by_itself(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(own)
    failed = run(document(own), "ca0", "nightly", "2026-02-01T12:00:00Z", Result("Failed", "x", "no such repository"))
    own.sandbox.store.put_resource(failed)
    monkeypatch.setattr(services_runs, "MOST_RUNS", 1)
    at = open_view("tasks.py", **HERE)
    assert list(at.dataframe[0].value["Last run"]) == ["Failed", "Failed"]
    assert any("no such repository" in one.value for one in at.error)


def test_a_registry_without_tasks_says_what_would_be_there(open_view: Open) -> None:
    at = open_view("tasks.py", **HERE)
    assert "No tasks" in texts(at)
    assert "No runs listed" in texts(at)
    assert not at.dataframe


def test_runs_that_can_t_be_read_are_unknown_and_the_tasks_are_shown(open_view: Open, own: OwnSandbox) -> None:
    plant(own)
    own.break_({"method": "GET", "path": "/runs$", "status": 403})
    at = open_view("tasks.py", **HERE)
    assert list(at.dataframe[0].value["Last run"]) == ["Unknown", "Unknown"]
    assert "Could not list the runs" in texts(at)
    assert "No runs listed" not in texts(at)


def test_a_task_is_run_and_its_log_shown(open_view: Open, own: OwnSandbox) -> None:
    plant(own)
    own.push("pr-1")
    at = open_view("tasks.py", **HERE, task="nightly")
    assert facts(at)["Signs in as"] == "The registry itself"
    open_dialog(at, "Run task")
    assert confirm_button(at, "Run task").disabled and own.tags() != {}
    at.text_input(key="confirm nightly").set_value("nightly")
    open_dialog(at, "Run task")
    reopen(at, "Run task")
    confirm_button(at, "Run task").click().run()
    assert own.tags() == {}
    assert list_jobs(database(), connection.who())[0].action == "Run task"
    at = open_view("tasks.py", **HERE, run="ca3")
    assert facts(at)["State"] == "Succeeded"
    assert "Number of deleted tags: 1" in at.code[0].value


def test_the_log_of_a_failed_run_is_text(open_view: Open, own: OwnSandbox) -> None:
    plant(own)
    at = open_view("tasks.py", **HERE, run="ca2")
    assert at.error[0].value == "no base image"
    assert at.code[0].value == "<b>no *such* base</b>"


def test_an_operator_sees_no_log_of_a_build(open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(own)
    monkeypatch.setattr(write_permission, "current", lambda: OPERATOR_PERMISSION)
    at = open_view("tasks.py", **HERE, run="ca2")
    assert "such" not in everything(at)
    assert "may contain secrets" in at.info[0].value
    at = open_view("tasks.py", **HERE, run="ca1")
    assert at.code[0].value == "done"


def test_a_task_is_disabled_and_deleted(open_view: Open, own: OwnSandbox) -> None:
    plant(own)
    at = open_view("tasks.py", **HERE, task="nightly")
    assert actions(at) == ["Disable task", "Delete task"]
    open_dialog(at, "Disable task")
    reopen(at, "Disable task")
    confirm_button(at, "Disable task").click().run()
    assert not get_task(own.session(), own.registry(), "nightly").enabled
    at = open_view("tasks.py", **HERE, task="nightly")
    assert button(at, "Run task").disabled
    open_dialog(at, "Delete task")
    reopen(at, "Delete task")
    confirm_button(at, "Delete task").click().run()
    assert [one.name for one in list_tasks(own.session(), own.registry()).values] == ["z-build"]
    at = open_view("tasks.py", **HERE, task="nightly")
    assert "No such task" in texts(at)


def test_a_policy_becomes_a_task(open_view: Open, own: OwnSandbox) -> None:
    policy = create_policy(database(), "me", POLICY).id
    at = open_view("policies.py", policy=policy, show="acr purge", registry=REGISTRY)
    open_dialog(at, "Create ACR Task")
    assert "2 commands" in texts(at)
    assert "images that run too" in at.warning[0].value
    reopen(at, "Create ACR Task")
    confirm_button(at, "Create ACR Task").click().run()
    (made,) = list_tasks(own.session(), own.registry()).values
    assert (made.name, made.runs) == ("retention-pull-requests", "Every day at 01:00 UTC")
    assert len(made.commands) == 2
    assert list_jobs(database(), connection.who())[0].action == "Create ACR Task"


def test_a_task_that_exists_is_not_created_again(open_view: Open, own: OwnSandbox) -> None:
    properties = {"step": {"type": "EncodedTask", "encodedTaskContent": ""}}
    own.sandbox.store.put_resource(task(document(own), "retention-pull-requests", "2026-01-01T00:00:00Z", properties))
    policy = create_policy(database(), "me", POLICY).id
    at = open_view("policies.py", policy=policy, show="acr purge", registry=REGISTRY)
    open_dialog(at, "Create ACR Task")
    assert "There is a task retention-pull-requests already" in at.error[0].value.replace("\\", "")
    assert confirm_button(at, "Create ACR Task").disabled
