"""What runs in a cluster, as the console's script lists it by kubectl and jq in a pod there.

Of the script the sandbox understands its first line, which names the namespaces, and the most bytes that it prints. A
cluster's workloads are in its document, beside what Resource Manager shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.clusters.pods import Image, Node, PullFailed, pull
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.state import State

# Azure cuts what a command prints here.
MOST_PRINTED = 512 * 1024
MARKER = re.compile(r"\A# acr-console: running images in (?P<namespaces>null|\[.*\])$", re.MULTILINE)
_MOST_BYTES = re.compile(r"wc -c < \w+\)\" -le (?P<bytes>\d+)")
# Those whose pods run, as others have none: a template alone is listed.
_WITH_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job")


def print_images(state: State, cluster: Mapping[str, Any], script: str) -> str | None:
    """What the script prints; None where it is another script."""
    marker = MARKER.search(script)
    if marker is None:
        return None
    only, most = json.loads(marker["namespaces"]), _MOST_BYTES.search(script)
    rows = [row for row in list_rows(state, cluster) if only is None or row[0] in only]
    lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows]
    if most and sum(len(line.encode()) for line in lines) > int(most["bytes"]):
        sizes: dict[str, int] = {}
        for row, line in zip(rows, lines, strict=True):
            sizes[row[0]] = sizes.get(row[0], 0) + len(line.encode())
        return json.dumps(["namespaces", [[name, size] for name, size in sorted(sizes.items())]]) + "\n"
    return "".join([*lines, json.dumps(["end", len(rows)]) + "\n"])


def list_rows(state: State, cluster: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Namespace, kind, name, reference, digest and number: of pods, then of the template that made them."""
    pulled: dict[str, str] = {}
    for workload in cluster.get("_sandbox", {}).get("workloads", ()):
        reference = _reference(state, workload)
        kind, replicas = workload["kind"], workload["replicas"]
        for number in range(workload.get("times", 1)):
            name = f"{workload['name']}-{number:05}" if "times" in workload else workload["name"]
            row = [workload["namespace"], kind, name, reference]
            if replicas and kind in _WITH_PODS:
                if reference not in pulled:
                    pulled[reference] = _pulled(state, cluster, reference)
                yield [*row, workload.get("pulled") or pulled[reference], replicas]
            if kind != "Pod":
                yield [*row, "", replicas]


def _reference(state: State, workload: Mapping[str, Any]) -> str:
    """A workload names a registry by its name: the sandbox gives each its login server."""
    if "registry" not in workload:
        return str(workload["image"])
    registry = state.store.find_resource(REGISTRY_TYPE, workload["registry"])
    server = registry["properties"]["loginServer"] if registry else f"{workload['registry']}.azurecr.io"
    return f"{server}/{workload['image']}"


def _pulled(state: State, cluster: Mapping[str, Any], reference: str) -> str:
    """The digest that a node has of it, "" where it can't pull it; of other registries' images, one of their own."""
    servers = [one["properties"]["loginServer"] for one in state.store.list_resources(REGISTRY_TYPE)]
    if not any(reference.startswith(f"{server}/") for server in servers):
        return "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
    image = Image.of(reference)
    for pool in cluster["properties"]["agentPoolProfiles"]:
        if image and pool["count"] and pool["powerState"]["code"] == "Running":
            try:
                return pull(state, cluster, Node(pool), image)[0].digest
            except PullFailed:
                continue
    return ""
