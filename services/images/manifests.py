"""What a manifest says: an index and its platforms, an image's layers, config and history, and what refers to it.

A manifest is read as the registry's own bytes, and they are checked against their digest.
Formats: https://github.com/opencontainers/image-spec (index, manifest, config) and
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.connection.answers import parse_json
from services.connection.errors import ServiceError

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)

# What reading a member of JSON of any shape may raise.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

# https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+")

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema, and cosign's
# sha256-….sig, .att, .sbom, which came before it.
_ATTACHED = re.compile(r"^sha256-(?P<hex>[0-9a-f]{64})(?:\.(?P<kind>[a-z]+))?$")


class Kind(StrEnum):
    """What a manifest is."""

    INDEX = "index"
    IMAGE = "image"
    ARTIFACT = "artifact"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content. `size` in bytes; `platform` such as linux/arm64/v8, '' where none is given.

    `urls` are where clients load it from instead of the registry.
    """

    digest: str
    media_type: str
    size: int
    platform: str = ""
    artifact_type: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()

    def annotation(self, key: str) -> str:
        return dict(self.annotations).get(key, "")

    @property
    def attests(self) -> str:
        """The digest that this attestation is for, '' where it is none (BuildKit's attestation-storage.md)."""
        if self.annotation("vnd.docker.reference.type") != "attestation-manifest":
            return ""
        return self.annotation("vnd.docker.reference.digest")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as its own bytes say. `size` is that of the bytes; `subject` the digest it refers to, or ''."""

    digest: str
    media_type: str
    size: int
    kind: Kind
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    subject: str
    artifact_type: str
    annotations: tuple[tuple[str, str], ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of an index; attestations have none."""
        return tuple(child.platform for child in self.children if child.platform and not child.attests)

    @property
    def layer_bytes(self) -> int:
        return sum(layer.size for layer in self.layers)


@dataclass(frozen=True)
class HistoryStep:
    """One step of the build. `empty` steps made no layer."""

    created: str
    command: str
    comment: str
    empty: bool


@dataclass(frozen=True)
class ImageConfig:
    """What an image is made to run, and how it was built. Texts are the builder's own."""

    created: str
    platform: str
    user: str
    command: str
    ports: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    history: tuple[HistoryStep, ...]


def attached_to(tag: str) -> str:
    """The digest that a tag such as sha256-….sig belongs to; '' for a user's own tag."""
    found = _ATTACHED.match(tag)
    return f"sha256:{found['hex']}" if found else ""


def parse_manifest(raw: bytes, media_type: str, title: str = "Could not read the manifest") -> Manifest:
    """The bytes of a manifest as a Manifest. OCI manifests may leave mediaType to the Content-Type header."""
    try:
        body = parse_json(raw)
    except (ValueError, RecursionError) as exc:
        raise _not_a_manifest(title, "It is not JSON.") from exc
    if not isinstance(body, dict):
        raise _not_a_manifest(title, "It is JSON, but no object.")
    declared = body.get("mediaType")
    media_type = declared if declared and isinstance(declared, str) else media_type.partition(";")[0]
    try:
        return _manifest(body, raw, media_type)
    except _MALFORMED as exc:
        raise _not_a_manifest(title, f"It lacks what {media_type or 'a manifest'} must have: {exc}.") from exc


def _not_a_manifest(title: str, cause: str) -> ServiceError:
    return ServiceError(
        title,
        cause,
        "It was pushed broken: push it again, or delete it. Other tags are not touched by it.",
        "NotAManifest",
    )


def _manifest(body: Mapping[str, Any], raw: bytes, media_type: str) -> Manifest:
    config = _descriptor(body["config"]) if body.get("config") else None
    children = tuple(_descriptor(child) for child in body.get("manifests") or ())
    subject = body.get("subject") or {}
    if media_type in (OCI_INDEX, DOCKER_LIST):
        kind = Kind.INDEX
    elif config and config.media_type in IMAGE_CONFIGS and not subject:
        kind = Kind.IMAGE
    else:
        kind = Kind.ARTIFACT
    return Manifest(
        digest="sha256:" + hashlib.sha256(raw).hexdigest(),
        media_type=media_type,
        size=len(raw),
        kind=kind,
        config=config,
        layers=tuple(_descriptor(layer) for layer in body.get("layers") or ()),
        children=children,
        subject=str(subject.get("digest") or ""),
        artifact_type=str(body.get("artifactType") or (config.media_type if config and kind is Kind.ARTIFACT else "")),
        annotations=_pairs(body.get("annotations")),
    )


def _descriptor(entry: Mapping[str, Any]) -> Descriptor:
    platform = entry.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    known = [str(part) for part in parts if part and part != "unknown"]
    if not _DIGEST.fullmatch(str(entry["digest"])):  # It becomes part of a path.
        raise ValueError("a digest that is none")
    return Descriptor(
        # A registry's manifests name the same layers over and over: one string serves them all.
        digest=sys.intern(str(entry["digest"])),
        media_type=sys.intern(str(entry.get("mediaType") or "")),
        size=int(entry.get("size") or 0),
        platform="/".join(known),
        artifact_type=str(entry.get("artifactType") or ""),
        annotations=_pairs(entry.get("annotations")),
        urls=tuple(str(url) for url in entry.get("urls") or ()),
    )


def _pairs(entry: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(key), str(value)) for key, value in (entry or {}).items()))


def parse_config(body: Mapping[str, Any]) -> ImageConfig:
    """An image config's JSON as an ImageConfig."""
    run = body.get("config") or {}
    parts = (body.get("os"), body.get("architecture"), body.get("variant"))
    words = [*(run.get("Entrypoint") or ()), *(run.get("Cmd") or ())]
    return ImageConfig(
        created=str(body.get("created") or ""),
        platform="/".join(str(part) for part in parts if part),
        user=str(run.get("User") or ""),
        command=" ".join(str(word) for word in words),
        ports=tuple(sorted(run.get("ExposedPorts") or ())),
        labels=_pairs(run.get("Labels")),
        history=tuple(
            HistoryStep(
                str(step.get("created") or ""),
                str(step.get("created_by") or ""),
                str(step.get("comment") or ""),
                bool(step.get("empty_layer")),
            )
            for step in body.get("history") or ()
        ),
    )


def parse_time(text: str) -> datetime | None:
    """An image's own time in UTC; None where it has none, or no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
