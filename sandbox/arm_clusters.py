"""Microsoft.ContainerService/managedClusters, to read."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm import Call, Route, answer, listing, not_found, public
from sandbox.arm_groups import existing_group

CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_IN_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters"


def routes() -> list[Route]:
    return [
        Route("GET", _SUBSCRIPTION + f"/providers/{CLUSTER_TYPE}", list_clusters),
        Route("GET", _IN_GROUP, list_group_clusters),
        Route("GET", _IN_GROUP + "/{cluster}", get_cluster, CLUSTER_TYPE + "/read"),
    ]


def list_clusters(call: Call) -> Response:
    return _list(call, f"/subscriptions/{call.params['subscription']}")


def list_group_clusters(call: Call) -> Response:
    return _list(call, existing_group(call)["id"])


def _list(call: Call, scope: str) -> Response:
    documents = call.store.list_resources(CLUSTER_TYPE, scope)
    return listing(call, call.readable(documents, CLUSTER_TYPE + "/read", scope))


def get_cluster(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None:
        existing_group(call)
        raise not_found(CLUSTER_TYPE, call.params["cluster"], call.params["group"])
    return answer(public(document))
