"""Tasks created, run and deleted at the sandbox, also where answers are lost or refused; runs and logs as read."""

import base64

import pytest

from sandbox.documents.errors import Document
from sandbox.seeds.resources import assignment
from sandbox.storage.store import timestamp
from sandbox.tasks.execution import Result
from sandbox.tasks.runs import run
from sandbox.tasks.tasks import task
from services.access.role_definitions import BUILT_IN
from services.connection.changes import Outcome, is_unknown
from services.connection.errors import ServiceError
from services.registries.registry import Mode
from services.sign_in.app_roles import OPERATOR_PERMISSION
from services.tasks import runs as services_runs
from services.tasks.changes import (
    apply_task,
    apply_task_removal,
    apply_task_status,
    plan_task_removal,
    plan_task_status,
    read_facts,
    run_task,
)
from services.tasks.plan import ABAC_ROLES, NewTask, TaskPlan, plan_task
from services.tasks.runs import get_run, list_runs, read_log
from services.tasks.steps import encode
from services.tasks.tasks import Task, get_task, list_tasks
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

PURGE = f"acr purge --filter '({APP}):^(pr-.*)$' --ago 0d"
LEFTOVERS = f"acr purge --filter '({APP}):^$' --ago 0d --untagged"
WANTED = NewTask("retention-app", (PURGE, LEFTOVERS), "0 1 * * 1")
TASKS = "/tasks/"


def planned(own: OwnSandbox, name: str = REGISTRY) -> TaskPlan:
    session, registry = own.session(), own.registry(name)
    return plan_task(registry, read_facts(session, registry), WANTED)


def created(own: OwnSandbox) -> Task:
    assert apply_task(own.session(), planned(own)) is Outcome.CREATED
    return get_task(own.session(), own.registry(), WANTED.name)


def document(own: OwnSandbox) -> Document:
    found = own.sandbox.store.get_resource(own.registry().id)
    assert found
    return found


def test_a_task_is_created_as_planned_and_purges_when_run(own: OwnSandbox) -> None:
    own.push("pr-1", number=1)
    own.push("v1", number=2)
    made = created(own)
    assert made.commands == (PURGE, LEFTOVERS)
    assert (made.runs, made.timeout, made.enabled, made.purges) == ("Every Monday at 01:00 UTC", 7200, True, True)
    assert run_task(own.session(), own.registry(), made) == "ca1"
    assert own.tags() == {"v1": own.tags()["v1"]}
    (found,) = list_runs(own.session(), own.registry(), made.name).values
    assert (found.status, found.trigger, found.failed, found.over) == ("Succeeded", "Manual", False, True)
    log = read_log(own.session(), own.registry(), "ca1")
    assert log and "Number of deleted tags: 1\nNumber of deleted manifests: 0" in log.text
    assert "Number of deleted tags: 0\nNumber of deleted manifests: 1" in log.text
    assert "\r" not in log.text


def test_another_task_of_the_name_is_not_replaced(own: OwnSandbox) -> None:
    plan = planned(own)
    created(own)
    with pytest.raises(ServiceError, match=r"Blocked since it was planned: There is a task retention-app already\."):
        apply_task(own.session(), plan)
    with pytest.raises(ServiceError, match="already"):
        apply_task(own.session(), planned(own))


def test_a_creation_whose_answer_is_lost_is_read_back(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_({"method": "PUT", "path": TASKS, "status": 502, "late": True})
    assert apply_task(own.session(), plan) is Outcome.CREATED


@pytest.mark.parametrize("status", [403, 409, 429])
def test_a_creation_that_is_refused_creates_nothing(own: OwnSandbox, status: int) -> None:
    plan = planned(own)
    own.break_({"method": "PUT", "path": TASKS, "status": status})
    with pytest.raises(ServiceError) as raised:
        apply_task(own.session(), plan)
    assert raised.value.status == status
    own.break_()
    assert list_tasks(own.session(), own.registry()).values == ()


def test_a_creation_of_which_nothing_can_be_read_is_unknown(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_(
        {"method": "PUT", "path": TASKS, "status": 502},
        {"method": "GET", "path": "/tasks/retention-app", "status": 403},
    )
    with pytest.raises(ServiceError) as raised:
        apply_task(own.session(), plan)
    assert is_unknown(raised.value)


def test_it_is_disabled_enabled_and_deleted_as_it_was_shown(own: OwnSandbox) -> None:
    session, registry, made = own.session(), own.registry(), created(own)
    off = plan_task_status(registry, made, enabled=False)
    assert apply_task_status(session, off) is Outcome.CHANGED
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        apply_task_status(session, off)
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        run_task(session, registry, made)
    now = get_task(session, registry, made.name)
    assert plan_task_status(registry, now, enabled=False).blockers
    assert apply_task_removal(session, plan_task_removal(registry, now)) is Outcome.DELETED
    assert apply_task_removal(session, plan_task_removal(registry, now)) is Outcome.ALREADY_DONE


def test_in_abac_mode_its_identity_needs_roles_before_a_run_succeeds(own: OwnSandbox) -> None:
    registry = own.make_registry("contosoabac01", roleAssignmentMode="AbacRepositoryPermissions")
    assert registry.access.mode is Mode.ABAC
    session, store = own.session(), own.sandbox.store
    assert apply_task(session, planned(own, registry.name)) is Outcome.CREATED
    made = get_task(session, registry, WANTED.name)
    assert made.principal_id
    assert made.signs_in_as == "its own identity"
    assert get_run(session, registry, run_task(session, registry, made)).failed
    for role in ABAC_ROLES:
        guid = next(one.id for one in BUILT_IN.values() if one.name == role)
        at = timestamp(own.sandbox.state.clock())
        store.put_resource(assignment(registry.id, guid, made.principal_id, "ServicePrincipal", at))
    assert get_run(session, registry, run_task(session, registry, made)).status == "Succeeded"


def test_tasks_that_others_made_are_read_without_what_is_secret_in_them(own: OwnSandbox) -> None:
    build = {
        "step": {"type": "Docker", "contextPath": "https://me:secret@github.com/x/y.git?token=secret#main"},
        "trigger": {"sourceTriggers": [{"name": "s", "status": "Enabled"}], "baseImageTrigger": {"status": "Disabled"}},
        "credentials": {"sourceRegistry": {"loginMode": "None"}},
    }
    odd = {"step": {"type": "EncodedTask", "encodedTaskContent": "?"}}
    definition = "steps:\n  - cmd: acr purge --ago 1d\n  - build: --build-arg TOKEN=secret .\n"
    both = {"step": {"type": "EncodedTask", "encodedTaskContent": encode(definition)}}
    for name, properties in (("build", build), ("odd-one", odd), ("purge-and-build", both)):
        own.sandbox.store.put_resource(task(document(own), name, "2026-01-01T00:00:00Z", properties))
    first, second, third = list_tasks(own.session(), own.registry()).values
    assert first.source == "Build Dockerfile of https://github.com/x/y.git#main"
    assert (first.runs, first.signs_in_as, first.purges) == ("On a commit", "nobody", False)
    assert (second.does, second.runs, second.purges) == ("Commands", "", False)
    assert (third.does, third.purges) == ("acr purge --ago 1d && (build step)", False)


def test_of_a_long_log_the_end_is_read_and_control_characters_are_left_out(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_runs, "MOST_LOG_BYTES", 40)
    log = "first\r\n" * 10 + "\x1b[31mfailed\x1b[0m\x07: <b>here</b>\r\n"
    made = run(document(own), "ca1", "", "2026-01-01T00:00:00Z", Result("Failed", log, "err"))
    own.sandbox.store.put_resource(made)
    found = read_log(own.session(), own.registry(), "ca1")
    assert found
    assert found.text.endswith("failed: <b>here</b>\n")
    assert found.left_out == len(log) - 40


def test_a_log_is_asked_for_without_a_token_and_its_refusal_does_not_name_the_signature(own: OwnSandbox) -> None:
    own.sandbox.store.put_resource(run(document(own), "ca1", "", "2026-01-01T00:00:00Z", Result("Failed", "x")))
    own.break_({"path": "^/logs/", "status": 403, "body": "sig=secret"})
    with pytest.raises(ServiceError) as raised:
        read_log(own.session(), own.registry(), "ca1")
    assert (raised.value.code, raised.value.status) == ("LogRefused", 403)
    assert "sig" not in str(raised.value)
    own.break_({"path": "^/logs/", "status": 404})
    assert read_log(own.session(), own.registry(), "ca1") is None


def test_an_operator_creates_a_purge_and_no_other_task(own: OwnSandbox) -> None:
    plan = planned(own)
    operator = own.session().limited_to(OPERATOR_PERMISSION)
    assert apply_task(operator, plan) is Outcome.CREATED
    made = get_task(operator, own.registry(), WANTED.name)
    assert run_task(operator, own.registry(), made) == "ca1"
    assert apply_task_status(operator, plan_task_status(own.registry(), made, enabled=False)) is Outcome.CHANGED
    client = operator.tasks(own.registry().subscription_id)
    other = base64.b64encode(b"version: v1.1.0\nsteps:\n  - cmd: bash -c env\n").decode()
    body = {"location": "eastus", "properties": {"step": {"type": "EncodedTask", "encodedTaskContent": other}}}
    request = {"type": "EncodedTaskRunRequest", "encodedTaskContent": other, "platform": {"os": "Linux"}}
    where = (own.registry().resource_group, REGISTRY)
    with pytest.raises(ServiceError, match="does not change access"):
        client.tasks.create(*where, "other", body)
    with pytest.raises(ServiceError, match="does not change access"):
        client.registries.schedule_run(*where, request)
