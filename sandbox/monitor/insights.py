"""Container insights: the logs of a cluster's containers, for exactly the query that the console sends.

They are of the cluster's own workloads, whose pods could pull their image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route
from sandbox.clusters.clusters import CLUSTER, existing_cluster
from sandbox.clusters.workloads import list_rows
from sandbox.monitor.logs import BASE, answer_table, may_query, no_access, no_table, not_parsed
from sandbox.state import State
from sandbox.storage.store import timestamp

QUERY = """let pods = KubePodInventory
| where isnotempty(ContainerID)
| summarize arg_max(TimeGenerated, Namespace, ControllerKind, ControllerName, Name) by ContainerID;
ContainerInventory
| where isnotempty(ContainerID)
| summarize arg_max(TimeGenerated, Repository, Image, ImageTag, ImageID, ContainerState) by ContainerID
| join kind=leftouter pods on ContainerID
| summarize Last = max(TimeGenerated), Running = countif(ContainerState == "Running")\
 by Repository, Image, ImageTag, ImageID, Namespace, ControllerKind, ControllerName, Name"""
# The agent sends what it sees each minute; logs arrive some minutes later.
_LATE = timedelta(minutes=4)
_COLUMNS = (
    ("Repository", "string"),
    ("Image", "string"),
    ("ImageTag", "string"),
    ("ImageID", "string"),
    ("Namespace", "string"),
    ("ControllerKind", "string"),
    ("ControllerName", "string"),
    ("Name", "string"),
    ("Last", "datetime"),
    ("Running", "long"),
)


def routes() -> list[Route]:
    return [Route("POST", BASE.rstrip("/") + CLUSTER + "/query", query)]


def query(call: Call) -> Response:
    """The containers of a cluster, whose add-on says where they are logged; no table where it is off."""
    cluster = existing_cluster(call)
    if not isinstance(call.body, dict) or call.body.get("query") != QUERY:
        raise not_parsed()
    addon = cluster["properties"].get("addonProfiles", {}).get("omsagent", {})
    workspace = addon.get("config", {}).get("logAnalyticsWorkspaceResourceID", "") if addon.get("enabled") else ""
    if workspace and not may_query(call, cluster["id"], workspace):
        raise no_access()
    if not workspace:
        raise no_table("ContainerInventory")
    return answer_table(_COLUMNS, [*_rows(call.state, cluster)])


def _rows(state: State, cluster: Mapping[str, Any]) -> Iterator[list[Any]]:
    last = timestamp(state.clock() - _LATE)
    if cluster["properties"]["powerState"]["code"] != "Running":
        return
    for namespace, kind, name, reference, digest, number in list_rows(state, cluster):
        if not digest:
            continue  # A template, or a pod whose container never began.
        host, slash, rest = reference.partition("/")
        image, _, tag = (rest if slash else host).partition(":")
        made = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()
        controller = ("ReplicaSet", f"{name}-{made[:8]}") if kind == "Deployment" else (kind, name)
        if kind == "Pod":
            controller = ("", "")
        for pod in range(number):
            pod_name = name if kind == "Pod" else f"{controller[1]}-{made[8 + pod : 13 + pod]}"
            yield [host if slash else "", image, tag, digest, namespace, *controller, pod_name, last, 1]
