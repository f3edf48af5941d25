"""Runs: what is begun by hand or by a timer, and what it said. A run is over as soon as it has begun here; its answer
calls it Queued, as Azure's does.

https://learn.microsoft.com/rest/api/containerregistry/runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.registry_path import REGISTRY, existing_registry, registry_id
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.state import State
from sandbox.storage.store import Store, timestamp
from sandbox.tasks.execution import Result, execute
from sandbox.tasks.logs import Logs
from sandbox.tasks.tasks import TASK_TYPE

RUN_TYPE = "Microsoft.ContainerRegistry/registries/runs"
_ALL = REGISTRY + "/runs"
_ONE = _ALL + "/{run}"
_FILTER = re.compile(r"(TaskName|Status|RunId|RunType) eq '([^']*)'", re.IGNORECASE)
_MEMBERS = {"taskname": "task", "status": "status", "runid": "runId", "runtype": "runType"}


def routes(logs: Logs) -> list[Route]:
    def log_url(call: Call) -> Response:
        return answer({"logLink": logs.url(call.url, _existing(call)["id"])})

    return [
        Route("POST", REGISTRY + "/scheduleRun", schedule_run, REGISTRY_TYPE + "/scheduleRun/action", REGISTRY),
        Route("GET", _ALL, list_runs, RUN_TYPE + "/read", REGISTRY),
        Route("GET", _ONE, get_run, RUN_TYPE + "/read"),
        Route("POST", _ONE + "/listLogSasUrl", log_url, RUN_TYPE + "/listLogSasUrl/action", _ONE),
        Route("POST", _ONE + "/cancel", cancel, RUN_TYPE + "/cancel/action", _ONE),
    ]


def schedule_run(call: Call) -> Response:
    registry = existing_registry(call)
    body = call.body if isinstance(call.body, dict) else {}
    name, step, document = "", body, None
    if body.get("type") == "TaskRunRequest":
        document = call.store.get_resource(str(body.get("taskId")))
        if document is None or document["type"] != TASK_TYPE:
            raise ArmError(404, "TaskNotFound", f"The task '{body.get('taskId')}' was not found.")
        if document["properties"]["status"] != "Enabled":
            raise ArmError(400, "TaskDisabled", f"The task {document['name']} is disabled.")
        name, step = document["name"], document["properties"]["step"]
    elif body.get("type") not in ("EncodedTaskRunRequest", "DockerBuildRequest", "FileTaskRunRequest"):
        raise ArmError(400, "InvalidRunRequest", "The type of the run request is not known.")
    run = begin(call.state, registry, name, step, document, call.state.clock())
    return answer({**public(run), "properties": {**run["properties"], "status": "Queued"}})


def begin(
    state: State,
    registry: Document,
    name: str,
    step: Document,
    task: Document | None,
    at: datetime,
    timer: Mapping[str, str] | None = None,
) -> Document:
    """Runs a step to its end and keeps the run. `name` of its task, "" without one; `timer` that began it."""
    result = execute(state, registry, step, _principal(registry, task), at)
    document = run(registry, next_id(state.store, registry), name, timestamp(at), result, timer)
    state.store.put_resource(document)
    return document


def run(
    registry: Document,
    run_id: str,
    task: str,
    at: str,
    result: Result,
    timer: Mapping[str, str] | None = None,
    finished: str = "",
) -> Document:
    """The ARM document of a run that is over."""
    properties: dict[str, Any] = {
        "runId": run_id,
        "status": result.status,
        "lastUpdatedTime": finished or at,
        "runType": "AutoRun" if timer else "QuickRun",
        "createTime": at,
        "startTime": at,
        "finishTime": finished or at,
        "platform": {"os": "linux", "architecture": "amd64"},
        "agentConfiguration": {"cpu": 2},
        "provisioningState": "Succeeded",
        "isArchiveEnabled": False,
        **({"task": task} if task else {}),
        **({"timerTrigger": dict(timer)} if timer else {}),
        **({"runErrorMessage": result.error} if result.error else {}),
    }
    return {
        "id": f"{registry['id']}/runs/{run_id}",
        "type": RUN_TYPE,
        "name": run_id,
        "properties": properties,
        "_sandbox": {"log": result.log},
    }


def next_id(store: Store, registry: Document) -> str:
    """ca1, ca2, and so on."""
    numbers = [int(one["name"].removeprefix("ca")) for one in store.list_resources(RUN_TYPE, registry["id"])]
    return f"ca{max(numbers, default=0) + 1}"


def _principal(registry: Document, task: Document | None) -> str | None:
    """As whom a run signs in to its registry; None as the registry itself, "" as nobody."""
    properties = task["properties"] if task else {}
    source = (properties.get("credentials") or {}).get("sourceRegistry") or {}
    identity = (task or {}).get("identity") or {}
    if source.get("identity") == "[system]" and identity.get("principalId"):
        return str(identity["principalId"])
    abac = registry["properties"].get("roleAssignmentMode") == "AbacRepositoryPermissions"
    return "" if abac or str(source.get("loginMode", "")).lower() == "none" else None


def list_runs(call: Call) -> Response:
    """The newest first; of those that the filter names."""
    found = call.store.list_resources(RUN_TYPE, existing_registry(call)["id"])
    wanted = call.query.get("$filter", "")
    for member, value in _FILTER.findall(wanted):
        key = _MEMBERS[member.lower()]
        found = [one for one in found if str(one["properties"].get(key, "")).lower() == value.lower()]
    rest = _FILTER.sub("", wanted).replace("and", "").strip()
    if rest:
        raise ArmError(400, "InvalidFilter", f"The filter '{wanted}' is not supported.")
    newest = sorted(found, key=lambda one: (one["properties"]["createTime"], int(one["name"][2:])), reverse=True)
    return listing(call, newest)


def get_run(call: Call) -> Response:
    return answer(public(_existing(call)))


def cancel(call: Call) -> Response:
    _existing(call)
    raise ArmError(409, "RunNotCancelable", "The run is over.")


def _existing(call: Call) -> Document:
    document = call.store.get_resource(f"{registry_id(call)}/runs/{call.params['run']}")
    if document is None:
        existing_registry(call)
        raise not_found(RUN_TYPE, call.params["run"], call.params["group"])
    return document
