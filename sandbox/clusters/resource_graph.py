"""Azure Resource Graph: a few queries, known by their text; another is an error.

What the caller may not read it says nothing of. https://learn.microsoft.com/azure/governance/resource-graph/overview
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.arm.registries import registry_rows
from sandbox.clusters.container_apps import APPS_QUERY, app_rows
from sandbox.documents.errors import ArmError, Document

# A user has so many queries in five seconds.
_QUOTA = 15
_REGISTRIES_QUERY = (
    "resources"
    " | where type =~ 'microsoft.containerregistry/registries'"
    " | project id, name, type, location, tags, sku, identity, properties, subscriptionId"
    " | order by id asc"
)


def routes() -> list[Route]:
    return [Route("POST", "/providers/Microsoft.ResourceGraph/resources", _query)]


def _query(call: Call) -> Response:
    body = call.body if isinstance(call.body, dict) else {}
    text = " ".join(str(body.get("query", "")).split())
    rows_of = _QUERIES.get(text)
    if rows_of is None:
        raise ArmError(400, "InvalidQuery", f"The sandbox does not know the query: {text[:200]}")
    options = body.get("options") or {}
    if options.get("resultFormat") != "objectArray":
        raise ArmError(400, "InvalidQuery", "The sandbox answers with arrays of objects.")
    rows = rows_of(call)
    start, top = int(options.get("$skipToken") or 0), min(int(options.get("$top") or 100), 1000)
    page = rows[start : start + top]
    more = start + top < len(rows)
    found: Document = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": page,
        "facets": [],
        "resultTruncated": "false",
    }
    if more:
        found["$skipToken"] = str(start + top)
    headers = {"x-ms-user-quota-remaining": str(_QUOTA - 1), "x-ms-user-quota-resets-after": "00:00:05"}
    return answer(found, headers=headers)


_QUERIES: Mapping[str, Callable[[Call], list[Document]]] = {
    APPS_QUERY: app_rows,
    _REGISTRIES_QUERY: registry_rows,
}
