"""What runs in the estate, as tables: images of every registry in its clusters, and what may become of them.

Beside its clusters: Container Apps (one scaled to zero, one with two revisions, one by digest), a job, and Container
Instances with an init container.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.clusters.container_apps import APP_TYPE, GROUP_TYPE, JOB_TYPE
from sandbox.seeds.places import ABAC, BASE, BUILD, CI, CLUSTERS, DATA, HUB, PAYMENTS, PRIVATE, SMALL, Group
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


@dataclass(frozen=True)
class App:
    """`images` are references; one with @ and a tag has the digest of that tag. `before`: the image of an older
    revision that runs beside the newest."""

    kind: str
    group: Group
    name: str
    images: Sequence[str]
    init: Sequence[str] = ()
    fewest: int = 1
    before: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


CONTAINER_APPS = (
    App(APP_TYPE, CLUSTERS, "checkout-preview", (f"{HUB.name}.azurecr.io/web/checkout:v1.2.1",), fewest=0),
    App(
        APP_TYPE, CLUSTERS, "orders-bff", (f"{HUB.name}.azurecr.io/api/orders:v1.2.1",),
        fewest=2, before=f"{HUB.name}.azurecr.io/api/orders:v1.1.0",
    ),
    App(
        APP_TYPE, PAYMENTS, "catalog-search",
        (f"{HUB.name}.azurecr.io/api/catalog@v1.1.0", "docker.io/envoyproxy/envoy:v1.31.0"),
    ),
    App(JOB_TYPE, DATA, "nightly-mailing", (f"{HUB.name}.azurecr.io/jobs/mailer:v1.1.0",)),
    App(
        GROUP_TYPE, DATA, "load-test", (f"{CI.name}.azurecr.io/ci/runner:build-0290",),
        init=("mcr.microsoft.com/azure-cli:2.80.0",),
    ),
)  # fmt: skip


def add_container_apps(store: Store) -> None:
    """Adds them; the images must be there."""
    for app in CONTAINER_APPS:
        store.put_resource(_app_document(store, app))


def _app_document(store: Store, app: App) -> dict[str, Any]:
    images, init = [_reference(store, one) for one in app.images], [_reference(store, one) for one in app.init]
    sandbox: dict[str, Any] = {}
    if app.kind == GROUP_TYPE:
        properties: dict[str, Any] = {
            "provisioningState": "Succeeded",
            "osType": "Linux",
            "containers": [{"name": f"c{at}", "properties": {"image": one}} for at, one in enumerate(images)],
            "initContainers": [{"name": f"i{at}", "properties": {"image": one}} for at, one in enumerate(init)],
        }
    else:
        properties = {"provisioningState": "Succeeded", "template": _template(images, init, app.fewest)}
    if app.kind == APP_TYPE:
        newest = f"{app.name}--0000002"
        properties |= {
            "configuration": {"activeRevisionsMode": "Multiple" if app.before else "Single"},
            "latestRevisionName": newest,
            "latestReadyRevisionName": newest,
        }
        sandbox["revisions"] = [_revision(app, newest, images)]
        if app.before:
            sandbox["revisions"] += [
                _revision(app, f"{app.name}--0000001", [_reference(store, app.before)]),
            ]
    return {
        "id": f"{app.group.id}/providers/{app.kind}/{app.name}",
        "name": app.name,
        "type": app.kind,
        "location": app.group.location,
        "tags": dict(app.tags),
        "properties": properties,
        "_sandbox": sandbox,
    }


def _template(images: Sequence[str], init: Sequence[str], fewest: int) -> dict[str, Any]:
    return {
        "containers": [{"name": f"c{at}", "image": one} for at, one in enumerate(images)],
        "initContainers": [{"name": f"i{at}", "image": one} for at, one in enumerate(init)] or None,
        "scale": {"minReplicas": fewest, "maxReplicas": 10},
    }


def _revision(app: App, name: str, images: Sequence[str]) -> dict[str, Any]:
    return {
        "id": f"{app.group.id}/providers/{app.kind}/{app.name}/revisions/{name}",
        "name": name,
        "type": f"{app.kind}/revisions",
        "properties": {"active": True, "template": _template(images, (), app.fewest)},
    }


def _reference(store: Store, image: str) -> str:
    named, at, tag = image.partition("@")
    if not at:
        return image
    server, _, repository = named.partition("/")
    found = store.get_tag(server.partition(".")[0], repository, tag)
    if found is None:
        raise LookupError(image)
    return f"{named}@{found.digest}"
