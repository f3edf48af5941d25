"""Tasks of a registry. https://learn.microsoft.com/rest/api/containerregistry/tasks"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.registry_path import REGISTRY, existing_registry, registry_id
from sandbox.documents.errors import ArmError, Document
from sandbox.identity.principals import TENANT_ID
from sandbox.tasks.cron import InvalidSchedule, parse

TASK_TYPE = "Microsoft.ContainerRegistry/registries/tasks"
_ALL = REGISTRY + "/tasks"
_ONE = _ALL + "/{task}"
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry
_NAME = re.compile(r"[A-Za-z0-9_-]{5,50}")
_GIVEN = ("status", "platform", "agentConfiguration", "agentPoolName", "timeout", "step", "credentials", "logTemplate")
# Azure shows them to nobody.
_SECRET = ("contextAccessToken",)


def routes() -> list[Route]:
    return [
        Route("GET", _ALL, list_tasks, TASK_TYPE + "/read", REGISTRY),
        Route("GET", _ONE, get_task, TASK_TYPE + "/read"),
        Route("POST", _ONE + "/listDetails", get_task, TASK_TYPE + "/listDetails/action", _ONE),
        Route("PUT", _ONE, put_task, TASK_TYPE + "/write"),
        Route("PATCH", _ONE, patch_task, TASK_TYPE + "/write"),
        Route("DELETE", _ONE, delete_task, TASK_TYPE + "/delete"),
    ]


def task(registry: Document, name: str, created: str, properties: Mapping[str, Any]) -> Document:
    """The ARM document of a task, with the defaults that Azure gives it."""
    return {
        "id": f"{registry['id']}/tasks/{name}",
        "type": TASK_TYPE,
        "name": name,
        "location": registry["location"],
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "creationDate": created,
            "status": "Enabled",
            "platform": {"os": "Linux", "architecture": "amd64"},
            "agentConfiguration": {"cpu": 2},
            "timeout": 3600,
            "isSystemTask": False,
            **properties,
        },
        # Timers have been looked at until then.
        "_sandbox": {"checked": created},
    }


def list_tasks(call: Call) -> Response:
    return listing(call, call.store.list_resources(TASK_TYPE, existing_registry(call)["id"]))


def get_task(call: Call) -> Response:
    return answer(public(existing_task(call)))


def put_task(call: Call) -> Response:
    registry, given, name = existing_registry(call), call.properties(), call.params["task"]
    if registry["sku"]["name"] == "Classic":
        raise ArmError(400, "NotSupported", "Tasks are only supported for managed registries.")
    if not _NAME.fullmatch(name):
        message = f"The task name {name} must be 5 to 50 letters, digits, hyphens or underscores."
        raise ArmError(400, "InvalidTaskName", message)
    if not isinstance(given.get("step"), dict) or not given["step"].get("type"):
        raise ArmError(400, "InvalidTaskStep", "A task needs a step with a type.")
    document = task(registry, name, call.now(), {})
    return _store(call, document, given, 201 if call.store.get_resource(document["id"]) is None else 200)


def patch_task(call: Call) -> Response:
    document = existing_task(call)
    document["_sandbox"]["checked"] = call.now()
    return _store(call, document, call.properties(), 200)


def delete_task(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None:
        existing_registry(call)
        return Response(status_code=204)
    call.store.delete_resource(document["id"])
    return Response(status_code=200)


def _store(call: Call, document: Document, given: Document, status: int) -> Response:
    properties = document["properties"]
    for key in _GIVEN:
        value = given.get(key)
        if isinstance(value, dict) and isinstance(properties.get(key), dict) and key != "step":
            properties[key] |= {name: one for name, one in value.items() if one is not None}
        elif value is not None:
            properties[key] = value
    properties["step"] = {key: value for key, value in properties["step"].items() if key not in _SECRET}
    if isinstance(trigger := given.get("trigger"), dict):
        properties["trigger"] = (properties.get("trigger") or {}) | _checked(trigger)
    document["tags"] = call.body.get("tags") or document["tags"]
    if isinstance(identity := call.body.get("identity"), dict):
        document["identity"] = _identity(identity, document)
    call.store.put_resource(document)
    return answer(public(document), status)


def _checked(trigger: Document) -> Document:
    for timer in trigger.get("timerTriggers") or ():
        try:
            parse(str(timer.get("schedule")))
        except InvalidSchedule as error:
            raise ArmError(
                400, "InvalidTimerTrigger", f"The schedule of a timer trigger is invalid. {error}"
            ) from error
        timer.setdefault("status", "Enabled")
    return {key: value for key, value in trigger.items() if value is not None}


def _identity(given: Document, document: Document) -> Document:
    """With the principal that Azure makes for a system-assigned identity: the same as long as the task is there."""
    if "SystemAssigned" not in str(given.get("type")):
        return given
    made = uuid.uuid5(uuid.NAMESPACE_URL, f"{document['id']} {document['properties']['creationDate']}".lower())
    return {**given, "principalId": str(made), "tenantId": TENANT_ID}


def existing_task(call: Call) -> Document:
    document = call.store.get_resource(f"{registry_id(call)}/tasks/{call.params['task']}")
    if document is None:
        existing_registry(call)
        raise not_found(TASK_TYPE, call.params["task"], call.params["group"])
    return document
