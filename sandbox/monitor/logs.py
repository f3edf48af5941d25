"""Log Analytics' query of one registry, for exactly the queries that the console sends: any other is an error.

https://learn.microsoft.com/azure/azure-monitor/logs/api/overview
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.arm.registry_path import REGISTRY, existing_registry
from sandbox.documents.errors import ArmError
from sandbox.monitor.workspaces import WORKSPACE_TYPE
from sandbox.registry.repository_events import workspaces_of
from sandbox.storage.events import RepositoryEvent
from sandbox.storage.store import timestamp

BASE = "/v1/"
_TABLE = "ContainerRegistryRepositoryEvents"
_MOST = 10_001
_COLUMNS = (
    ("TimeGenerated", "datetime"),
    ("OperationName", "string"),
    ("Repository", "string"),
    ("Tag", "string"),
    ("Digest", "string"),
    ("Identity", "string"),
    ("CallerIpAddress", "string"),
    ("UserAgent", "string"),
    ("ResultDescription", "string"),
)
_PROJECT = (
    "| project TimeGenerated, OperationName, Repository, Tag, Digest, Identity, CallerIpAddress, UserAgent, "
    "ResultDescription\n"
    "| top 10001 by TimeGenerated desc"
)
PULLS = """ContainerRegistryRepositoryEvents
| where OperationName == "Pull" and ResultDescription !startswith "4" and ResultDescription !startswith "5"
| where UserAgent !startswith "acr-console/"
| where UserAgent !contains "defender" and Identity !contains "defender"
| summarize Pulls30 = countif(TimeGenerated > ago(30d)), arg_max(TimeGenerated, Identity, UserAgent)\
 by Repository, Tag, Digest"""
LOGGED = """ContainerRegistryRepositoryEvents
| summarize First = min(TimeGenerated), Last = max(TimeGenerated), Events = count()"""
CHANGES = f'ContainerRegistryRepositoryEvents\n| where OperationName != "Pull"\n{_PROJECT}'
EVENTS = f"ContainerRegistryRepositoryEvents\n{_PROJECT}"
Table = tuple[Sequence[tuple[str, str]], list[list[Any]]]
_SPAN = re.compile(r"PT([\d.]+)S")


def routes() -> list[Route]:
    # The SDK writes an id, which starts with a slash, behind one more.
    return [Route("POST", BASE.rstrip("/") + REGISTRY + "/query", query)]


def query(call: Call) -> Response:
    """The rows of the workspaces that the caller may query; those of a registry that logs nowhere are no table."""
    text = call.body.get("query") if isinstance(call.body, dict) else None
    if text not in _QUERIES:
        raise not_parsed()
    registry = existing_registry(call)
    since, until = _span(call, call.body.get("timespan"))
    found = call.store.events.list(registry["id"], since, until)
    every = {*workspaces_of(call.store, registry["id"]), *(event.workspace for event in found)}
    readable = {one for one in every if may_query(call, registry["id"], one)}
    if every and not readable:
        raise no_access()
    if not call.store.events.list(registry["id"]):
        raise no_table(_TABLE)
    columns, rows = _QUERIES[text]([event for event in found if event.workspace in readable], call.state.clock())
    return answer_table(columns, rows)


def answer_table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> Response:
    shown = [{"name": name, "type": kind} for name, kind in columns]
    return answer({"tables": [{"name": "PrimaryResult", "columns": shown, "rows": rows}]})


def no_access() -> ArmError:
    return ArmError(
        403,
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
        more={"correlationId": str(uuid.uuid4())},
    )


def no_table(name: str) -> ArmError:
    message = f"'where' operator: Failed to resolve table or column expression named '{name}'"
    return bad_argument("SemanticError", "A semantic error occurred.", "SEM0100", message)


def not_parsed() -> ArmError:
    message = "Query could not be parsed: the sandbox knows the console's own queries only."
    return bad_argument("SyntaxError", "A recognition error occurred in the query.", "SYN0002", message)


def may_query(call: Call, resource_id: str, workspace_id: str) -> bool:
    """By a permission on the workspace; where that allows it, by one on the resource."""
    workspace = call.store.get_resource(workspace_id)
    if workspace is None:
        return False
    by_resource = workspace["properties"]["features"]["enableLogAccessUsingOnlyResourcePermissions"]
    return call.access.allows(workspace_id, WORKSPACE_TYPE + "/query/read") or (
        by_resource and call.access.allows(resource_id, "Microsoft.Insights/logs/read")
    )


def _span(call: Call, span: Any) -> tuple[str, str]:
    """From when to when a query asks, as the store writes times."""
    if not span:
        return "", "9999"
    if found := _SPAN.fullmatch(str(span)):
        return timestamp(call.state.clock() - timedelta(seconds=float(found[1]))), "9999"
    first, _, last = str(span).partition("/")
    try:
        return tuple(timestamp(datetime.fromisoformat(one).astimezone(UTC)) for one in (first, last))  # type: ignore[return-value]
    except ValueError as error:
        raise ArmError(400, "BadArgumentError", f"Invalid timespan: {span}") from error


def _pulls(events: list[RepositoryEvent], now: datetime) -> Table:
    month = timestamp(now - timedelta(days=30))
    groups: defaultdict[tuple[str, str, str], list[RepositoryEvent]] = defaultdict(list)
    for event in events:
        if _is_pull(event):
            groups[event.repository, event.tag, event.digest].append(event)
    columns = [("Repository", "string"), ("Tag", "string"), ("Digest", "string"), ("Pulls30", "long")]
    columns += [("TimeGenerated", "datetime"), ("Identity", "string"), ("UserAgent", "string")]
    return columns, [
        [*of, sum(one.at > month for one in found), found[0].at, found[0].identity, found[0].agent]
        for of, found in groups.items()
    ]


def _is_pull(event: RepositoryEvent) -> bool:
    defender = "defender" in event.agent.lower() or "defender" in event.identity.lower()
    own = event.agent.lower().startswith("acr-console/")
    return event.operation == "Pull" and not event.result.startswith(("4", "5")) and not defender and not own


def _logged(events: list[RepositoryEvent], _now: datetime) -> Table:
    columns = [("First", "datetime"), ("Last", "datetime"), ("Events", "long")]
    times = [events[-1].at, events[0].at] if events else [None, None]
    return columns, [[*times, len(events)]]


def _changes(events: list[RepositoryEvent], now: datetime) -> Table:
    return _events([event for event in events if event.operation != "Pull"], now)


def _events(events: list[RepositoryEvent], _now: datetime) -> Table:
    return _COLUMNS, [
        [
            one.at,
            one.operation,
            one.repository,
            one.tag,
            one.digest,
            one.identity,
            one.address,
            one.agent,
            one.result,
        ]
        for one in events[:_MOST]
    ]


_QUERIES: dict[object, Callable[[list[RepositoryEvent], datetime], Table]] = {
    PULLS: _pulls,
    LOGGED: _logged,
    CHANGES: _changes,
    EVENTS: _events,
}


def bad_argument(inner: str, said: str, code: str, message: str) -> ArmError:
    more = {
        "correlationId": str(uuid.uuid4()),
        "innererror": {"code": inner, "message": said, "innererror": {"code": code, "message": message}},
    }
    return ArmError(400, "BadArgumentError", "The request had some invalid properties", more=more)
