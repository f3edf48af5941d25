"""Registries of any size, for benchmarks and tests of paging."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sandbox.seeds.images import layer
from sandbox.seeds.resources import group, group_id, registry
from sandbox.seeds.walkthrough import SUBSCRIPTION
from sandbox.storage.manifest import OCI_MANIFEST
from sandbox.storage.store import Store, timestamp

GROUP = "bulk-rg"


def bulk(store: Store, name: str, repositories: int, manifests_each: int, tags: bool, now: datetime) -> None:
    """Add a Premium registry of this name with that many repositories and manifests, tagged if asked."""
    start = now - timedelta(days=365)
    with store.transaction():
        store.put_resource(group(SUBSCRIPTION, GROUP, "eastus"))
        store.put_resource(registry(group_id(SUBSCRIPTION, GROUP), name, "Premium", "eastus", timestamp(start)))
        for repository in range(repositories):
            for number in range(manifests_each):
                at = timestamp(start + timedelta(seconds=60 * number, milliseconds=repository))
                _add(store, name, f"bulk/repository-{repository:04}", number, at, tags)


def _add(store: Store, name: str, repository: str, number: int, at: str, tagged: bool) -> None:
    layers = [("base", 30_000_000), (f"{repository}/{number}", 1_000_000 + number)]
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor("application/vnd.oci.image.config.v1+json", f"config {repository}/{number}", 1_469),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", *item) for item in layers],
    }
    digest = store.add_manifest(
        name, repository, json.dumps(body).encode(), OCI_MANIFEST, at, architecture="amd64", os="linux"
    )
    if tagged:
        store.add_tag(name, repository, f"v{number}", digest, at)


def _descriptor(media_type: str, name: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": layer(name, size, "").digest, "size": size}
