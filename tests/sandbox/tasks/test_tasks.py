"""Tasks of the sandbox by the SDK as it is: timers under the clock, runs that purge, logs by signature, rights."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient, models

from sandbox.server import Sandbox
from services.tasks.steps import encode
from tests.support.azure_clients import SUBSCRIPTION, client

AT = ("resource-group-4", "casaacr01")
YAML = "version: v1.1.0\nsteps:\n  - cmd: {}\n"
START = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path, clock: Clock) -> Iterator[Sandbox]:  # type: ignore[no-untyped-def]
    with Sandbox.start(tmp_path / "data", "walkthrough", clock=clock) as running:
        yield running


def connect(sandbox: Sandbox, who: str = "client") -> ContainerRegistryTasksMgmtClient:
    return client(ContainerRegistryTasksMgmtClient, sandbox.ready, SUBSCRIPTION, who=who)


def a_task(command: str, schedule: str = "0 1 * * *") -> models.Task:
    return models.Task(
        location="eastus",
        properties=models.TaskProperties(
            step=models.EncodedTaskStep(encoded_task_content=encode(YAML.format(command))),
            trigger=models.TriggerProperties(timer_triggers=[models.TimerTrigger(name="t", schedule=schedule)]),
        ),
    )


def test_a_timer_runs_a_task_that_purges_the_registry(sandbox: Sandbox, clock: Clock) -> None:
    tags = {tag.name for tag in sandbox.store.list_tags("casaacr01", "nodejstemplate")}
    assert tags
    sdk = connect(sandbox)
    created = sdk.tasks.create(*AT, "nightly", a_task("acr purge --filter 'nodejstemplate:.*' --ago 0d --untagged"))
    assert created.properties.status == "Enabled"
    assert list(sdk.runs.list(*AT)) == []
    clock.now = datetime(2026, 11, 29, 0, 59, tzinfo=UTC)
    assert list(connect(sandbox).runs.list(*AT)) == []
    clock.now = datetime(2026, 11, 29, 1, 0, 5, tzinfo=UTC)
    (run,) = connect(sandbox).runs.list(*AT)
    assert (run.properties.status, run.properties.task, run.properties.run_type) == ("Succeeded", "nightly", "AutoRun")
    assert run.properties.timer_trigger.timer_trigger_name == "t"
    assert run.properties.create_time == datetime(2026, 11, 29, 1, 0, tzinfo=UTC)
    assert sandbox.store.list_tags("casaacr01", "nodejstemplate") == []
    clock.now += timedelta(days=2)
    assert [one.name for one in connect(sandbox).runs.list(*AT)] == ["ca3", "ca2", "ca1"]


def test_a_disabled_task_does_not_run_by_timer_or_by_hand(sandbox: Sandbox, clock: Clock) -> None:
    sdk = connect(sandbox)
    sdk.tasks.create(*AT, "nightly", a_task("acr purge --filter '.*:.*' --ago 9d"))
    off = models.TaskUpdateParameters(properties=models.TaskPropertiesUpdateParameters(status="Disabled"))
    assert sdk.tasks.update(*AT, "nightly", off).properties.status == "Disabled"
    clock.now += timedelta(days=3)
    sdk = connect(sandbox)
    assert list(sdk.runs.list(*AT)) == []
    task_id = sdk.tasks.get(*AT, "nightly").id or ""
    with pytest.raises(HttpResponseError, match="disabled"):
        sdk.registries.schedule_run(*AT, models.TaskRunRequest(task_id=task_id))


def test_what_the_sandbox_can_t_run_fails_and_its_log_says_so(sandbox: Sandbox) -> None:
    sdk = connect(sandbox)
    task = sdk.tasks.create(*AT, "hello", a_task("mcr.microsoft.com/hello-world"))
    queued = sdk.registries.schedule_run(*AT, models.TaskRunRequest(task_id=task.id or ""))
    assert queued is not None and queued.properties and queued.properties.status == "Queued"
    run = sdk.runs.get(*AT, queued.properties.run_id or "")
    assert (run.properties.status, run.properties.timer_trigger) == ("Failed", None)
    assert "exit status 1" in (run.properties.run_error_message or "")
    link = sdk.runs.get_log_sas_url(*AT, "ca1").log_link
    log = requests.get(link, verify=sandbox.ready["ca_file"], timeout=10)
    assert "the sandbox runs no containers but acr purge: mcr.microsoft.com/hello-world" in log.text
    assert log.headers["x-ms-meta-Complete"] == "failed"


def test_a_log_needs_its_signature_and_comes_in_parts(sandbox: Sandbox, clock: Clock) -> None:
    sdk = connect(sandbox)
    task = sdk.tasks.create(*AT, "nightly", a_task("acr purge --filter '.*:.*' --ago 9d"))
    sdk.registries.schedule_run(*AT, models.TaskRunRequest(task_id=task.id or ""))
    link = sdk.runs.get_log_sas_url(*AT, "ca1").log_link or ""
    asked = {"verify": sandbox.ready["ca_file"], "timeout": 10}
    whole = requests.get(link, **asked).content
    part = requests.get(link, headers={"x-ms-range": "bytes=5-9"}, **asked)
    assert (part.status_code, part.content) == (206, whole[5:10])
    assert requests.head(link, **asked).headers["Content-Length"] == str(len(whole))
    assert requests.get(link.replace("sig=", "sig=0"), **asked).status_code == 403
    clock.now += timedelta(hours=2)
    assert requests.get(link, **asked).status_code == 403


def test_a_reader_sees_tasks_and_runs_and_changes_nothing(sandbox: Sandbox) -> None:
    task = connect(sandbox).tasks.create(*AT, "nightly", a_task("acr purge --filter '.*:.*' --ago 9d"))
    connect(sandbox).registries.schedule_run(*AT, models.TaskRunRequest(task_id=task.id or ""))
    reader = connect(sandbox, "reader_client")
    assert [one.name for one in reader.tasks.list(*AT)] == ["nightly"]
    assert [one.name for one in reader.runs.list(*AT)] == ["ca1"]
    for refused in (
        lambda: reader.tasks.create(*AT, "other", a_task("acr purge --filter '.*:.*' --ago 9d")),
        lambda: reader.tasks.delete(*AT, "nightly"),
        lambda: reader.runs.get_log_sas_url(*AT, "ca1"),
        lambda: reader.registries.schedule_run(*AT, models.TaskRunRequest(task_id=task.id or "")),
    ):
        with pytest.raises(HttpResponseError) as raised:
            refused()
        assert raised.value.status_code == 403


def test_a_schedule_that_is_none_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(HttpResponseError, match="has 2 fields, and not five"):
        connect(sandbox).tasks.create(*AT, "nightly", a_task("acr purge --filter '.*:.*' --ago 9d", "every day"))
