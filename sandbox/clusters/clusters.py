"""Microsoft.ContainerService/managedClusters, to read. What runs in them is in commands.py."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.groups import existing_group
from sandbox.documents.errors import Document

CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_IN_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters"
CLUSTER = _IN_GROUP + "/{cluster}"


def routes() -> list[Route]:
    return [
        Route("GET", _SUBSCRIPTION + f"/providers/{CLUSTER_TYPE}", list_clusters),
        Route("GET", _IN_GROUP, list_group_clusters),
        Route("GET", CLUSTER, get_cluster, CLUSTER_TYPE + "/read"),
    ]


def list_clusters(call: Call) -> Response:
    return _list(call, f"/subscriptions/{call.params['subscription']}")


def list_group_clusters(call: Call) -> Response:
    return _list(call, existing_group(call)["id"])


def _list(call: Call, scope: str) -> Response:
    documents = call.store.list_resources(CLUSTER_TYPE, scope)
    return listing(call, call.readable(documents, CLUSTER_TYPE + "/read", scope))


def get_cluster(call: Call) -> Response:
    return answer(public(existing_cluster(call)))


def existing_cluster(call: Call) -> Document:
    """The cluster that the path names."""
    group, name = call.params["group"], call.params["cluster"]
    scope = f"/subscriptions/{call.params['subscription']}/resourcegroups/{group}"
    document = call.store.get_resource(f"{scope}/providers/{CLUSTER_TYPE}/{name}")
    if document is None:
        existing_group(call)
        raise not_found(CLUSTER_TYPE, name, group)
    return document
