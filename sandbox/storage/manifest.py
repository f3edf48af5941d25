"""What a registry reads out of a manifest's bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
_FOREIGN = ("application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.")
# Artifacts of before OCI 1.1: what an image manifest calls layers are their blobs, and they have no config.
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
ARTIFACTS = frozenset({OCI_ARTIFACT, ORAS_ARTIFACT})
# Kept where it was pushed long ago; no registry takes it any more.
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
MEDIA_TYPES = INDEXES | ARTIFACTS | {OCI_MANIFEST, DOCKER_MANIFEST}


@dataclass(frozen=True)
class Blob:
    digest: str
    size: int


@dataclass(frozen=True)
class Parsed:
    """The parts of a manifest that the registry indexes."""

    config: str | None
    config_media_type: str | None
    artifact_type: str | None
    subject: str | None
    children: tuple[str, ...]
    blobs: tuple[Blob, ...]
    size: int


class InvalidManifest(ValueError):
    """The body isn't a manifest of its media type."""


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest_digest(body: bytes, media_type: str) -> str:
    """The digest under which a manifest is kept; of signed schema 1, that of what was signed."""
    if media_type != SCHEMA_1:
        return digest_of(body)
    protected = json.loads(_decoded(json.loads(body)["signatures"][0]["protected"]))
    return digest_of(body[: protected["formatLength"]] + _decoded(protected["formatTail"]))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parse(body: bytes, media_type: str) -> Parsed:
    """Indexed parts of a manifest; size is ACR's imageSize: manifest, config and layers; an index's own bytes."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidManifest("the manifest is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidManifest("the manifest is not an object")
    if media_type == SCHEMA_1:
        layers = tuple(Blob(layer["blobSum"], 0) for layer in _members(document, "fsLayers"))
        return Parsed(None, None, None, None, (), layers, len(body))
    if media_type not in ARTIFACTS and document.get("schemaVersion") != 2:
        raise InvalidManifest("schemaVersion is not 2")
    declared = document.get("mediaType")
    if declared != media_type and (declared is not None or media_type in (DOCKER_LIST, DOCKER_MANIFEST)):
        raise InvalidManifest(f"mediaType {declared!r} is not the Content-Type {media_type!r}")
    subject = _descriptor(document["subject"]).digest if document.get("subject") else None
    if media_type in INDEXES:
        children = tuple(_descriptor(item).digest for item in _members(document, "manifests"))
        return Parsed(None, None, document.get("artifactType"), subject, children, (), len(body))
    if media_type in ARTIFACTS:
        blobs = tuple(_descriptor(item) for item in _members(document, "blobs"))
        size = len(body) + sum(blob.size for blob in blobs)
        return Parsed(None, None, document.get("artifactType"), subject, (), blobs, size)
    config = document.get("config")
    if not isinstance(config, dict):
        raise InvalidManifest("config is missing")
    # A registry need not have the layers that clients load from elsewhere (Windows base layers).
    own = (item for item in _members(document, "layers") if not _is_foreign(item))
    blobs = (_descriptor(config), *(_descriptor(item) for item in own))
    return Parsed(
        config=blobs[0].digest,
        config_media_type=config.get("mediaType"),
        artifact_type=document.get("artifactType"),
        subject=subject,
        children=(),
        blobs=blobs,
        size=len(body) + sum(blob.size for blob in blobs),
    )


def _is_foreign(layer: object) -> bool:
    return isinstance(layer, dict) and str(layer.get("mediaType", "")).startswith(_FOREIGN) and bool(layer.get("urls"))


def _members(document: dict[str, Any], key: str) -> list[Any]:
    members = document.get(key)
    if not isinstance(members, list):
        raise InvalidManifest(f"{key} is not a list")
    return members


def _descriptor(value: object) -> Blob:
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        raise InvalidManifest("a descriptor has no digest")
    size = value.get("size", 0)  # the SDK's own descriptors may say sizeInBytes instead
    if not isinstance(size, int) or size < 0:
        raise InvalidManifest("a descriptor's size is not a number")
    return Blob(value["digest"], size)
