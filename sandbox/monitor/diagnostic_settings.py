"""Diagnostic settings of a registry: which logs go to which workspace.

https://learn.microsoft.com/rest/api/monitor/diagnostic-settings, 2021-05-01-preview
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, public
from sandbox.arm.registry_path import REGISTRY, existing_registry
from sandbox.documents.errors import ArmError, Document
from sandbox.monitor.workspaces import WORKSPACE_TYPE
from sandbox.registry.repository_events import CATEGORY, SETTING_TYPE

CATEGORIES = (CATEGORY, "ContainerRegistryLoginEvents")
MOST = 5
_ALL = REGISTRY + "/providers/" + SETTING_TYPE
_ONE = _ALL + "/{setting}"
# What the setting's writer must be allowed on the workspace.
_LINKED = WORKSPACE_TYPE + "/sharedKeys/action"


def routes() -> list[Route]:
    return [
        Route("GET", _ALL, list_settings, SETTING_TYPE + "/read", REGISTRY),
        Route("GET", _ONE, get_setting, SETTING_TYPE + "/read", REGISTRY),
        Route("PUT", _ONE, put_setting, SETTING_TYPE + "/write", REGISTRY),
        Route("DELETE", _ONE, delete_setting, SETTING_TYPE + "/delete", REGISTRY),
    ]


def setting(registry_id: str, name: str, workspace_id: str, logs: list[Document]) -> Document:
    """The document of a diagnostic setting, with all the members that Azure gives it."""
    return {
        "id": f"{registry_id}/providers/microsoft.insights/diagnosticSettings/{name}",
        "type": SETTING_TYPE,
        "name": name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": None,
            "serviceBusRuleId": None,
            "workspaceId": workspace_id,
            "eventHubAuthorizationRuleId": None,
            "eventHubName": None,
            "metrics": [],
            "logs": [
                {"category": None, "categoryGroup": None, "retentionPolicy": {"enabled": False, "days": 0}, **log}
                for log in logs
            ],
            "logAnalyticsDestinationType": None,
        },
        "identity": None,
    }


def list_settings(call: Call) -> Response:
    """Without a next page: a resource has five at most."""
    found = call.store.list_resources(SETTING_TYPE, existing_registry(call)["id"])
    return answer({"value": [public(document) for document in found]})


def get_setting(call: Call) -> Response:
    return answer(public(_existing(call)))


def put_setting(call: Call) -> Response:
    registry, given, name = existing_registry(call), call.properties(), call.params["setting"]
    others = [one for one in call.store.list_resources(SETTING_TYPE, registry["id"]) if one["name"] != name]
    if len(others) >= MOST:
        raise ArmError(409, "Conflict", f"The resource '{registry['id']}' has {MOST} diagnostic settings already.")
    logs, workspace_id = given.get("logs") or [], str(given.get("workspaceId") or "")
    if not workspace_id:
        raise ArmError(400, "BadRequest", "At least one data sink needs to be specified.")
    for log in logs:
        if "category" in log and log["category"] not in (None, *CATEGORIES):
            raise ArmError(400, "BadRequest", f"Category '{log['category']}' is not supported.")
    _check_workspace(call, workspace_id)
    _check_conflict(others, workspace_id, logs)
    document = setting(registry["id"], name, workspace_id, logs)
    call.store.put_resource(document)
    return answer(public(document))


def delete_setting(call: Call) -> Response:
    registry = existing_registry(call)
    there = call.store.delete_resource(
        f"{registry['id']}/providers/microsoft.insights/diagnosticSettings/{call.params['setting']}"
    )
    return Response(status_code=200 if there else 204)


def _check_workspace(call: Call, workspace_id: str) -> None:
    if call.store.get_resource(workspace_id) is None:
        raise ArmError(404, "ResourceNotFound", f"The Resource '{workspace_id}' was not found.")
    if not call.access.allows(workspace_id, _LINKED):
        message = (
            f"The client '{call.caller.name}' with object id '{call.caller.object_id}' has permission to perform "
            f"action '{SETTING_TYPE}/write' on scope '{call.path}'; however, it does not have permission to perform "
            f"action(s) '{_LINKED}' on the linked scope(s) '{workspace_id}' (respectively) or the linked scope(s) are "
            "invalid."
        )
        raise ArmError(403, "LinkedAuthorizationFailed", message)


def _check_conflict(others: list[Document], workspace_id: str, logs: list[Document]) -> None:
    """Two settings must not send the same category to the same workspace."""
    wanted = {log.get("category") for log in logs if log.get("enabled")}
    for other in others:
        there = {log.get("category") for log in other["properties"]["logs"] if log.get("enabled")}
        if str(other["properties"]["workspaceId"]).lower() == workspace_id.lower() and wanted & there:
            message = (
                f"Data sink '{workspace_id}' is already used in diagnostic setting '{other['name']}' for category "
                f"'{next(iter(wanted & there))}'. Data sinks can't be reused in different settings on the same "
                "category for the same resource."
            )
            raise ArmError(409, "Conflict", message)


def _existing(call: Call) -> Document:
    registry = existing_registry(call)
    name = call.params["setting"]
    document = call.store.get_resource(f"{registry['id']}/providers/microsoft.insights/diagnosticSettings/{name}")
    if document is None:
        message = f"The diagnostic setting '{name}' doesn't exist."
        raise ArmError(404, "ResourceNotFound", message)
    return document
