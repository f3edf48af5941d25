"""Log Analytics workspaces: stored documents, to read and to list by subscription.

https://learn.microsoft.com/rest/api/loganalytics/workspaces
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.documents.errors import Document

WORKSPACE_TYPE = "Microsoft.OperationalInsights/workspaces"
_ALL = "/subscriptions/{subscription}/providers/" + WORKSPACE_TYPE
_ONE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + WORKSPACE_TYPE + "/{workspace}"
_READ = WORKSPACE_TYPE + "/read"


def routes() -> list[Route]:
    return [Route("GET", _ALL, list_workspaces), Route("GET", _ONE, get_workspace, _READ)]


def workspace(group_id: str, name: str, location: str, customer_id: str, *, by_resource: bool = True) -> Document:
    """The document of a workspace. `by_resource`: whoever may read a resource may read its logs there, too."""
    return {
        "id": f"{group_id}/providers/{WORKSPACE_TYPE}/{name}",
        "type": WORKSPACE_TYPE,
        "name": name,
        "location": location,
        "tags": {},
        "properties": {
            "customerId": customer_id,
            "provisioningState": "Succeeded",
            "sku": {"name": "PerGB2018"},
            "retentionInDays": 365,
            "features": {"enableLogAccessUsingOnlyResourcePermissions": by_resource},
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
    }


def list_workspaces(call: Call) -> Response:
    scope = f"/subscriptions/{call.params['subscription']}"
    return listing(call, call.readable(call.store.list_resources(WORKSPACE_TYPE, scope), _READ, scope))


def get_workspace(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None:
        raise not_found(WORKSPACE_TYPE, call.params["workspace"], call.params["group"])
    return answer(public(document))
