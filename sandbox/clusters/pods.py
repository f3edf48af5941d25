"""A pod that pulls one image on a node of a cluster: what `kubectl get pod -o json` would show.

Everything comes from the sandbox's own state; the words are containerd's, as the events of real clusters have them
(github.com/Azure/AKS/issues/4459 and 4593, github.com/containerd/containerd/issues/7439).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.clusters.network import reaches
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import by_app_id
from sandbox.identity.rbac import registry_permissions
from sandbox.state import State
from sandbox.storage.blobs import DIGEST
from sandbox.storage.manifest import INDEXES
from sandbox.storage.store import Manifest

Document = dict[str, Any]
_IMAGE = re.compile(r"(?P<host>[^/]+)/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?")
# Sizes with Arm processors have a "p" among the letters after the number: Standard_D4ps_v5.
_ARM_SIZE = re.compile(r"Standard_[A-Z]+\d+(?:-\d+)?[a-z]*p[a-z]*(?:_.*)?")


class PullFailed(Exception):
    """Why an image could not be pulled, as the pod's status has it."""


@dataclass(frozen=True)
class Image:
    """An image as a pod names it; `reference` is a tag or a digest, a digest going before a tag."""

    text: str
    host: str
    repository: str
    reference: str

    @classmethod
    def of(cls, text: str) -> Image | None:
        """None where it isn't the full name of an image."""
        found = _IMAGE.fullmatch(text)
        if found is None:
            return None
        whole = text if found["tag"] or found["digest"] else f"{text}:latest"
        return cls(whole, found["host"], found["repository"], found["digest"] or found["tag"] or "latest")


@dataclass(frozen=True)
class Node:
    """The first node of a pool."""

    pool: Mapping[str, Any]

    @property
    def os(self) -> str:
        return str(self.pool.get("osType", "Linux")).lower()

    @property
    def architecture(self) -> str:
        return "arm64" if _ARM_SIZE.fullmatch(self.pool["vmSize"]) else "amd64"

    @property
    def name(self) -> str:
        name = self.pool["name"]
        return f"aks-{name}-{zlib.crc32(name.encode()) % 10**8:08}-vmss000000"

    @property
    def labels(self) -> Mapping[str, str]:
        """Those by which a pod chooses it."""
        return {
            "kubernetes.io/os": self.os,
            "kubernetes.io/arch": self.architecture,
            "kubernetes.io/hostname": self.name,
            "agentpool": self.pool["name"],
            "kubernetes.azure.com/agentpool": self.pool["name"],
        }


def pod_of(state: State, cluster: Mapping[str, Any], image: Image, selector: Mapping[str, str]) -> Document:
    """The pod, once its image was pulled or refused. A selector that no node meets leaves it pending."""
    pools = cluster["properties"]["agentPoolProfiles"]
    nodes = [Node(pool) for pool in pools if pool["count"] and pool["powerState"]["code"] == "Running"]
    node = next((node for node in nodes if selector.items() <= node.labels.items()), None)
    if node is None:
        return _pod(image, selector, None, {"phase": "Pending", "conditions": [_unschedulable(nodes)]})
    container: Document = {"name": "pull", "image": image.text, "imageID": "", "ready": False, "restartCount": 0}
    try:
        manifest, runs = pull(state, cluster, node, image)
    except PullFailed as error:
        container["state"] = {"waiting": {"reason": "ErrImagePull", "message": str(error)}}
        return _pod(image, selector, node, {"phase": "Pending", "containerStatuses": [container]})
    container["imageID"] = f"{image.host}/{image.repository}@{manifest.digest}"
    ended = {"exitCode": 0, "reason": "Completed"} if runs else {"exitCode": 255, "reason": "Error"}
    container["state"] = {"terminated": ended}
    return _pod(image, selector, node, {"phase": "Succeeded" if runs else "Failed", "containerStatuses": [container]})


def pull(state: State, cluster: Mapping[str, Any], node: Node, image: Image) -> tuple[Manifest, bool]:
    """The manifest of the image's name, and whether the node can run it. Raises PullFailed.

    An index must have a child for the node's platform. A single image is pulled whatever its platform; an
    architecture that isn't the node's shows when it starts.
    """
    store = state.store
    registry = _registry(state, image)
    if not reaches(store, cluster, node.pool, registry):
        raise _unresolved(image, _token(image, "anonymous", "403 Forbidden"))
    _check_permission(state, cluster, registry, image)
    name = registry["name"]
    readable, digest = store.repository_locks(name, image.repository).read, image.reference
    if not DIGEST.fullmatch(digest):
        tag = store.get_tag(name, image.repository, digest)
        if tag is None:
            raise _not_found(image)
        digest, readable = tag.digest, readable and tag.locks.read
    manifest = store.get_manifest(name, image.repository, digest)
    if manifest is None:
        raise _not_found(image)
    if not (readable and manifest.locks.read):
        status = "405 Method Not Allowed"
        raise _unresolved(image, f"unexpected status from HEAD request to {_url(image)}: {status}")
    if manifest.media_type not in INDEXES:
        return manifest, manifest.architecture in (None, node.architecture)
    body = json.loads(store.get_manifest_body(name, image.repository, digest) or b"{}")
    child = _for_platform(body.get("manifests") or (), node)
    if child is None:
        raise PullFailed(f"{_rpc('NotFound')}{_pulling(image)}: no match for platform in manifest: not found")
    if store.get_manifest(name, image.repository, child) is None:
        missing = f"https://{image.host}/v2/{image.repository}/manifests/{child}"
        raise PullFailed(
            f"{_rpc('NotFound')}{_pulling(image)}: failed to copy: httpReadSeeker: failed open: "
            f"content at {missing} not found: not found"
        )
    return manifest, True


def _registry(state: State, image: Image) -> Document:
    for document in state.store.list_resources(REGISTRY_TYPE):
        if document["properties"]["loginServer"].lower() == image.host.lower():
            return document
    host = image.host.partition(":")[0]
    why = f'failed to do request: Head "{_url(image)}": dial tcp: lookup {host} on 168.63.129.16:53: no such host'
    raise _unresolved(image, why)


def _check_permission(state: State, cluster: Mapping[str, Any], registry: Document, image: Image) -> None:
    """As the kubelet's identity or the cluster's service principal, else anonymously."""
    properties, principal = registry["properties"], _puller(state, cluster)
    if properties.get("anonymousPullEnabled"):
        return
    held = principal and registry_permissions(state.store, registry, principal, image.repository, settled=state.settled)
    if held and "pull" in held:
        return
    nobody = _unresolved(image, _token(image, "anonymous", "401 Unauthorized"))
    if principal and properties.get("roleAssignmentMode") == "AbacRepositoryPermissions":
        # Such a registry lets everyone of the directory sign in, and refuses when it knows the repository.
        known = _unresolved(image, _token(image, "oauth", "401 Unauthorized"))
        raise PullFailed(f"[{known}, {nobody}]")
    raise nobody


def _puller(state: State, cluster: Mapping[str, Any]) -> str | None:
    """The object id of who pulls images."""
    properties = cluster["properties"]
    kubelet = (properties.get("identityProfile") or {}).get("kubeletidentity")
    if kubelet:
        return str(kubelet["objectId"])
    application = by_app_id(state.store, properties["servicePrincipalProfile"]["clientId"])
    return str(application["objectId"]) if application else None


def _for_platform(children: Sequence[Mapping[str, Any]], node: Node) -> str | None:
    """The digest of the child of an index that a node would take."""
    for child in children:
        platform = child.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == (node.os, node.architecture):
            return str(child["digest"])
    return None


def _url(image: Image) -> str:
    return f"https://{image.host}/v2/{image.repository}/manifests/{image.reference}"


def _token(image: Image, kind: str, status: str) -> str:
    scope = quote(f"repository:{image.repository}:pull", safe="")
    url = f"https://{image.host}/oauth2/token?scope={scope}&service={image.host}"
    return f"failed to authorize: failed to fetch {kind} token: unexpected status from GET request to {url}: {status}"


def _rpc(code: str) -> str:
    return f"rpc error: code = {code} desc = "


def _pulling(image: Image) -> str:
    return f'failed to pull and unpack image "{image.text}"'


def _unresolved(image: Image, why: str) -> PullFailed:
    return PullFailed(f'{_rpc("Unknown")}{_pulling(image)}: failed to resolve reference "{image.text}": {why}')


def _not_found(image: Image) -> PullFailed:
    resolving = f'failed to resolve reference "{image.text}"'
    return PullFailed(f"{_rpc('NotFound')}{_pulling(image)}: {resolving}: {image.text}: not found")


def _unschedulable(nodes: Sequence[Node]) -> Document:
    count = sum(node.pool["count"] for node in nodes)
    message = f"0/{count} nodes are available: {count} node(s) didn't match Pod's node affinity/selector."
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}


def _pod(image: Image, selector: Mapping[str, str], node: Node | None, status: Document) -> Document:
    container = {"name": "pull", "image": image.text, "imagePullPolicy": "Always"}
    spec: Document = {"containers": [container], "nodeSelector": dict(selector), "restartPolicy": "Never"}
    if node is not None:
        spec["nodeName"] = node.name
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec, "status": status}
