"""The registry's own log of its repositories, sent to the workspaces that its diagnostic settings name.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryrepositoryevents
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.documents.errors import Document
from sandbox.registry.auth import ADMIN, ANONYMOUS, TOKEN, subject_of
from sandbox.registry.call import Call
from sandbox.storage.events import RepositoryEvent
from sandbox.storage.store import Store

SETTING_TYPE = "Microsoft.Insights/diagnosticSettings"
CATEGORY = "ContainerRegistryRepositoryEvents"
_GROUPS = ("alllogs", "audit")


def log_event(call: Call, operation: str, tag: str = "", digest: str = "") -> None:
    """Send what just happened to the repository of the path to each workspace that gets the registry's events."""
    workspaces = dict.fromkeys(workspaces_of(call.store, call.document["id"]))
    if not workspaces:
        return
    client = call.request.client
    call.store.events.add(
        RepositoryEvent(
            call.document["id"],
            workspace,
            call.state.stamp(),
            operation,
            call.name,
            tag,
            digest,
            _identity(call),
            client.host if client else "",
            call.request.headers.get("user-agent", ""),
        )
        for workspace in workspaces
    )


def workspaces_of(store: Store, registry_id: str) -> Iterator[str]:
    """The ids of the workspaces that get a registry's repository events."""
    for setting in store.list_resources(SETTING_TYPE, registry_id):
        properties: Document = setting["properties"]
        if properties.get("workspaceId") and any(map(_sends, properties.get("logs") or ())):
            yield str(properties["workspaceId"]).lower()


def _sends(log: Document) -> bool:
    named = log.get("category") == CATEGORY or str(log.get("categoryGroup") or "").lower() in _GROUPS
    return named and bool(log.get("enabled"))


def _identity(call: Call) -> str:
    """As the table has it: an object id, the name of a token, or that of the registry for its admin user."""
    subject = subject_of(call)
    if subject == ADMIN:
        return str(call.document["name"])
    return "" if subject == ANONYMOUS else subject.removeprefix(TOKEN)
