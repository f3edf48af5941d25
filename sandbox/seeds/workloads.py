"""What runs in the estate's clusters, as a table: images of every registry, and what may become of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.seeds.places import ABAC, BASE, BUILD, CI, HUB, PRIVATE, SMALL
from sandbox.storage.manifest import INDEXES
from sandbox.storage.store import Store

# An image that was deleted while its pods ran on.
DELETED = "sha256:" + "5e" * 32


@dataclass(frozen=True)
class Workload:
    """`registry` "": `image` is the full reference. An `image` with @ and a tag has the digest of that tag. `before`:
    the tag of the image that its pods pulled, where the tag that it names has moved since."""

    cluster: str
    kind: str
    owner: str
    registry: str
    image: str
    replicas: int = 1
    before: str = ""


WORKLOADS = (
    # The walkthrough's cluster can't pull: its pod waits.
    Workload("aks1", "Deployment", "default/nodejstemplate", "casaacr01", "nodejstemplate:v1.0.0"),
    Workload("aks1", "DaemonSet", "kube-system/kube-proxy", "", "mcr.microsoft.com/oss/kubernetes/kube-proxy:v1.34.2"),
    Workload("aks-platform", "Deployment", "shop/storefront", HUB.name, "web/storefront:latest", 6, "v1.3.1"),
    Workload("aks-platform", "Deployment", "shop/checkout", HUB.name, "web/checkout:v1.3.0", 4),
    Workload("aks-platform", "ReplicaSet", "shop/checkout-6c9f7d4b8", HUB.name, "web/checkout:v1.2.2", 0),
    Workload("aks-platform", "Deployment", "shop/checkout-2024", HUB.name, "web/checkout:v0.9.3", 1, DELETED),
    Workload("aks-platform", "Deployment", "shop/admin", HUB.name, "web/admin:v1.1.2", 0),
    Workload("aks-platform", "Deployment", "api/orders", HUB.name, "api/orders:v1.2.1", 3),
    Workload("aks-platform", "Deployment", "api/catalog", HUB.name, "api/catalog@v1.1.1", 2),
    Workload("aks-platform", "Deployment", "api/gateway", HUB.name, "api/gateway:v1.0.2", 2),
    Workload("aks-platform", "CronJob", "jobs/mailer", HUB.name, "jobs/mailer:v1.2.0", 0),
    Workload("aks-platform", "Job", "jobs/mailer-29405520", HUB.name, "jobs/mailer:v1.2.0"),
    Workload("aks-platform", "Deployment", "tools/node-shell", BASE.name, "node:latest"),
    Workload("aks-platform", "Pod", "tools/viewer", HUB.name, "Tools/Markdown-Viewer:v1"),
    Workload("aks-platform", "Pod", "tools/debug", "", "busybox"),
    Workload("aks-platform", "StatefulSet", "monitoring/prometheus", "", "prom/prometheus:v3.1.0", 2),
    Workload(
        "aks-platform", "DaemonSet", "ingress/controller", "", "registry.k8s.io/ingress-nginx/controller:v1.12.1", 5
    ),
    Workload("aks-batch", "StatefulSet", "legacy/intranet", BUILD.name, "legacy/intranet:v1.1.1"),
    Workload("aks-batch", "CronJob", "legacy/reports", BUILD.name, "legacy/reports:v1.0.2", 0),
    Workload("aks-batch", "Deployment", "ci/runner", CI.name, "ci/runner:build-0297", 12),
    Workload("aks-batch", "Deployment", "ci/storefront-preview", CI.name, "ci/storefront:main", 1, "untagged"),
    Workload("aks-batch", "Deployment", "mail/mailer", HUB.name, "jobs/mailer:v1.1.2", 2),
    Workload("aks-payments", "Deployment", "payments/api", ABAC.name, "team/payments/api:v1.2.0", 3),
    Workload("aks-payments", "Deployment", "payments/worker", ABAC.name, "team/payments/worker:v1.1.2", 2),
    Workload("aks-payments", "Deployment", "payments/ui", ABAC.name, "team/payments/ui@v1.1.1", 2),
    Workload("aks-secure", "Deployment", "vault/signer", PRIVATE.name, "vault/signer:v1.1.0", 2),
    Workload("aks-secure", "Deployment", "vault/keys", PRIVATE.name, "vault/keys:v1.0.2", 0),
    Workload("aks-dev", "Deployment", "dev/playground", SMALL.name, "playground:main"),
)


def add_workloads(store: Store) -> None:
    """Put them into their clusters; the images must be there."""
    clusters = {document["name"]: document for document in store.list_resources(CLUSTER_TYPE)}
    for workload in WORKLOADS:
        kept = clusters[workload.cluster].setdefault("_sandbox", {})
        kept.setdefault("workloads", []).append(_document(store, workload))
    for document in clusters.values():
        store.put_resource(document)


def _document(store: Store, workload: Workload) -> dict[str, Any]:
    namespace, name = workload.owner.split("/")
    repository, at, of_tag = workload.image.partition("@")
    image = f"{repository}@{_digest(store, workload.registry, repository, of_tag)}" if at else workload.image
    document: dict[str, Any] = {
        "kind": workload.kind,
        "namespace": namespace,
        "name": name,
        "image": image,
        "replicas": workload.replicas,
    }
    if workload.registry:
        document["registry"] = workload.registry
    if workload.before:
        repository = workload.image.partition(":")[0]
        document["pulled"] = _digest(store, workload.registry, repository, workload.before)
    return document


def _digest(store: Store, registry: str, repository: str, tag: str) -> str:
    """Of a tag; a digest itself; or the first index that a moving tag has left."""
    if tag.startswith("sha256:"):
        return tag
    if tag == "untagged":
        return next(
            one.digest
            for one in store.list_manifests(registry, repository)
            if one.media_type in INDEXES and not one.tags
        )
    found = store.get_tag(registry, repository, tag)
    if found is None:
        raise LookupError(f"{registry}/{repository}:{tag}")
    return found.digest
