"""What runs outside the estate's clusters: Container Apps, one scaled to zero, one with two revisions, one by digest; a
job; and Container Instances with an init container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.clusters.container_apps import APP_TYPE, GROUP_TYPE, JOB_TYPE
from sandbox.seeds.places import CI, CLUSTERS, DATA, HUB, PAYMENTS, Group
from sandbox.storage.store import Store


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
        store.put_resource(_document(store, app))


def _document(store: Store, app: App) -> dict[str, Any]:
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
