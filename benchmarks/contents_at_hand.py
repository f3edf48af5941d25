"""A registry's contents as they are once read, made without one: what plans and storage figures are measured on."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.images.manifests import OCI_INDEX, OCI_MANIFEST, Manifest, parse_manifest
from services.images.repositories import Locks, ManifestRow, Repository, Tag
from services.images.repository_contents import RepositoryContents

PLATFORMS = ("amd64", "arm64")
# An index, and for each platform an image and its attestation.
MANIFESTS_A_RELEASE = 1 + 2 * len(PLATFORMS)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def contents_at_hand(manifests: int, repositories: int) -> tuple[RepositoryContents, ...]:
    """So many manifests as buildx pushes them, in repositories on one base. Every third release has lost its tag."""
    releases = manifests // MANIFESTS_A_RELEASE // repositories
    return tuple(repository_at_hand(f"team/app-{number:02}", releases) for number in range(repositories))


def repository_at_hand(name: str, releases: int) -> RepositoryContents:
    """A repository of so many releases."""
    rows: list[ManifestRow] = []
    found: dict[str, Manifest] = {}
    tags: list[Tag] = []
    for release in range(releases):
        at = FIRST + timedelta(hours=release)
        pushed = _release(name, release)
        index = pushed[-1]
        tagged = (f"v{release}",) if release % 3 else ()
        tags += [Tag(tag, index.digest, at, at, Locks()) for tag in tagged]
        for manifest in pushed:
            size = manifest.size + manifest.layer_bytes
            names = tagged if manifest is index else ()
            config = manifest.config.media_type if manifest.config else ""
            rows.append(
                ManifestRow(manifest.digest, manifest.media_type, config, "", size, at, at, "", "", names, Locks())
            )
            found[manifest.digest] = manifest
    attributes = Repository("bench", name, FIRST, FIRST, len(rows), len(tags), Locks())
    return RepositoryContents(attributes, tuple(tags), tuple(rows), found)


def _release(name: str, release: int) -> list[Manifest]:
    """The index comes last, as it is pushed last."""
    pushed: list[Manifest] = []
    children = []
    for platform in PLATFORMS:
        base = [_descriptor(LAYER, f"base {platform} {layer}", 30_000_000) for layer in range(4)]
        own = [
            _descriptor(LAYER, f"{name} {platform} dependencies {release // 5}", 40_000_000),
            _descriptor(LAYER, f"{name} {platform} source {release}", 1_000_000 + release),
        ]
        image = _image(f"{name} {platform} {release}", [*base, *own])
        attestation = _image(
            f"{name} {platform} {release} provenance", [_descriptor(LAYER, f"provenance {image.digest}", 6_231)]
        )
        pushed += [image, attestation]
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.digest}
        children += [
            {**_pointing_to(image), "platform": {"os": "linux", "architecture": platform}},
            {**_pointing_to(attestation), "annotations": about},
        ]
    return [*pushed, _manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children})]


def _image(name: str, layers: list[dict[str, Any]]) -> Manifest:
    config = _descriptor(CONFIG, f"config {name}", 1_469)
    return _manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers})


def _manifest(body: dict[str, Any]) -> Manifest:
    return parse_manifest(json.dumps(body).encode(), body["mediaType"])


def _descriptor(media_type: str, name: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(name.encode()).hexdigest(), "size": size}


def _pointing_to(manifest: Manifest) -> dict[str, Any]:
    return {"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size}
