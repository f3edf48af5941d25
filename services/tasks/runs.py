"""Runs of a registry's tasks, and what they wrote. https://learn.microsoft.com/rest/api/containerregistry/runs"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.containerregistrytasks import models

from services.arm.pages import items
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, flatten, parallel_map
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry

# The latest; Azure keeps runs of weeks.
MOST_RUNS = 100
# Of a log, its end: what failed is there.
MOST_LOG_BYTES = 256 * 1024
_OVER = ("Succeeded", "Failed", "Canceled", "Error", "Timeout")
_FAILED = ("Failed", "Error", "Timeout")
# Colours of a terminal, and all other control characters but tab and line feed.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Run:
    """A run of a task, or of a command without one: then `task` is "". `trigger`: Manual, Timer, Commit or Base image.
    `error`: why Azure says that it failed, "" where it says nothing."""

    id: str
    task: str
    status: str
    trigger: str
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    error: str

    @property
    def over(self) -> bool:
        return self.status in _OVER

    @property
    def failed(self) -> bool:
        return self.status in _FAILED

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it is not over, or where Azure does not report it."""
        return self.finished - self.started if self.over and self.started and self.finished else None


@dataclass(frozen=True)
class RunLog:
    """The end of what a run wrote, without control characters; `left_out` bytes before it."""

    text: str
    left_out: int = 0


def list_runs(session: AzureSession, registry: Registry, task: str = "") -> Partial[Run]:
    """The latest runs of the registry, of one task where it is named, the newest first; at most `MOST_RUNS`. Raises
    ServiceError."""
    of = {"filter": f"TaskName eq '{task}'"} if task else {}
    with as_service_error(f"Could not list the runs of {task or registry.name}"):
        client = session.tasks(registry.subscription_id).runs
        listed = items(session, client.list, registry.resource_group, registry.name, **of)
        return read_entries(f"runs of {task or registry.name}", islice(listed, MOST_RUNS), _run)


def latest_runs(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The newest run of each task; `runs` has the newest first."""
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.task, run)
    return tuple(found.values())


def last_runs(session: AzureSession, registry: Registry, tasks: Iterable[str]) -> Partial[Run]:
    """The newest run of each of these tasks that has one, each asked for by itself."""

    def read(task: str) -> Partial[Run]:
        found = list_runs(session, registry, task)
        return replace(found, values=found.values[:1])

    return flatten(parallel_map(read, tasks))


def get_run(session: AzureSession, registry: Registry, run: str) -> Run:
    """One run. Raises ServiceError."""
    with as_service_error(f"Could not read the run {run}"):
        client = session.tasks(registry.subscription_id).runs
        return checked(_run(client.get(registry.resource_group, registry.name, run)))


def read_log(session: AzureSession, registry: Registry, run: str) -> RunLog | None:
    """The end of a run's log; None where there is none yet. Raises ServiceError.

    Azure gives an address with a signature, which this asks without a token, and which goes to nobody else.
    """
    title = f"Could not read the log of the run {run}"
    with as_service_error(title):
        client = session.tasks(registry.subscription_id).runs
        found = client.get_log_sas_url(registry.resource_group, registry.name, run)
        address = found.log_link or ""
        if urlsplit(address).scheme != "https":
            raise ValueError("the address of the log is missing")
        size = _ask(title, session, HttpRequest("HEAD", address))
        if size is None:
            return None
        length = int(size.headers.get("Content-Length", 0))
        if not length:
            return RunLog("")
        first = max(0, length - MOST_LOG_BYTES)
        # A running task's log grows meanwhile.
        part = _ask(title, session, HttpRequest("GET", address, headers={"x-ms-range": f"bytes={first}-{length - 1}"}))
        return RunLog(_plain_lines(part.read()), first) if part else None


def _ask(title: str, session: AzureSession, request: HttpRequest) -> HttpResponse | None:
    """The answer of the storage account; None where it has no such log. Its errors are not passed on: they may name
    the signature."""
    response: HttpResponse = session.signed_addresses().send_request(request)
    if response.status_code == 404:
        return None
    if response.status_code not in (200, 206):
        raise ServiceError(
            title,
            "The storage account that has the log refused it.",
            "Try again: the address of a log is valid for a short time.",
            "LogRefused",
            response.status_code,
        )
    return response


def _plain_lines(body: bytes) -> str:
    return _CONTROL.sub("", body.decode(errors="replace").replace("\r\n", "\n"))


def _run(model: models.Run) -> Run:
    properties = model.properties or models.RunProperties()
    name = properties.run_id or model.name
    if not name:
        raise ValueError("its id is missing")
    return Run(
        id=name,
        task=properties.task or "",
        status=sdk_text(properties.status),
        trigger=_trigger(properties),
        created=time_or_none(properties.create_time),
        started=time_or_none(properties.start_time),
        finished=time_or_none(properties.finish_time),
        error=properties.run_error_message or "",
    )


def _trigger(properties: models.RunProperties) -> str:
    if properties.timer_trigger:
        return "Timer"
    if properties.source_trigger:
        return "Commit"
    return "Base image" if properties.image_update_trigger else "Manual"
