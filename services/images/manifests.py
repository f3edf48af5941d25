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
from services.images import schema_1

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = (OCI_INDEX, DOCKER_LIST)
# Before OCI 1.1 artifacts had manifests of their own, whose `blobs` are what `layers` are of an image manifest:
# https://github.com/opencontainers/image-spec/blob/v1.1.0-rc2/artifact.md and
# https://github.com/oras-project/artifacts-spec/blob/main/artifact-manifest.md
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
ARTIFACTS = (OCI_ARTIFACT, ORAS_ARTIFACT)
IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
# Registries take layers of up to 200 GiB: a size above this one is no size.
LARGEST_CONTENT = 2**50

_FOREIGN = ("application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.")

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
    """A pointer to content. `size` in bytes, None where it gives none, or one that can't be; `platform` such as
    linux/arm64/v8 or windows/amd64:10.0.20348.2227, '' where none is given.

    `urls` are where clients load it from instead of the registry.
    """

    digest: str
    media_type: str
    size: int | None
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

    @property
    def kind(self) -> Kind:
        """What it points to, as far as a pointer to a manifest says."""
        if self.media_type in INDEXES:
            return Kind.INDEX
        return Kind.ARTIFACT if self.artifact_type or self.media_type in ARTIFACTS else Kind.IMAGE

    @property
    def is_foreign(self) -> bool:
        """Whether clients load the layer from its own URLs: a registry need not have it. Windows base layers were
        such."""
        return self.media_type.startswith(_FOREIGN) and bool(self.urls)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as its own bytes say. `size` is that of the bytes; `subject` the digest it refers to, or ''.

    `layers` from the base up; of an artifact manifest they are its blobs. Schema 1 has no config, and gives no sizes.
    """

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
    def layer_bytes(self) -> int | None:
        """The sizes of all layers; None where one gives none."""
        sizes = [layer.size for layer in self.layers if layer.size is not None]
        return sum(sizes) if len(sizes) == len(self.layers) else None

    @property
    def is_schema_1(self) -> bool:
        """Whether it is of Docker's old format, which registries no longer take and containerd 2 does not pull."""
        return self.media_type in schema_1.SCHEMA_1


@dataclass(frozen=True)
class HistoryStep:
    """One step of the build. `empty` steps made no layer."""

    created: str
    command: str
    comment: str
    empty: bool


@dataclass(frozen=True)
class ImageConfig:
    """What an image is made to run, and how it was built. Texts are the builder's own.

    `env`: name and value, in the order of the config. `author`: as its builder wrote it.
    """

    created: str = ""
    platform: str = ""
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    ports: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    history: tuple[HistoryStep, ...] = ()
    author: str = ""


def attached_to(tag: str) -> str:
    """The digest that a tag such as sha256-….sig belongs to; '' for a user's own tag."""
    found = _ATTACHED.match(tag)
    return f"sha256:{found['hex']}" if found else ""


def manifest_digest(raw: bytes, media_type: str) -> str:
    """The digest of a manifest's bytes; of schema 1, that of its payload."""
    try:
        body = parse_json(raw)
    except (ValueError, RecursionError):
        body = None
    signed = isinstance(body, dict) and schema_1.is_schema_1(body, _essence(media_type))
    return _sha256(schema_1.payload_of(raw) if signed else raw)


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip()


def _sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def parse_manifest(raw: bytes, media_type: str, title: str = "Could not read the manifest") -> Manifest:
    """The bytes of a manifest as a Manifest. OCI manifests may leave mediaType to the Content-Type header.

    Raises ServiceError (NotAManifest).
    """
    body = _object(raw, title)
    declared = body.get("mediaType")
    media_type = _text(declared) if declared and isinstance(declared, str) else _essence(media_type)
    try:
        if schema_1.is_schema_1(body, media_type):
            payload = schema_1.payload_of(raw)
            signed = schema_1.SIGNED if payload != raw else schema_1.UNSIGNED
            media_type = media_type if media_type in schema_1.SCHEMA_1 else signed
            return _schema_1_manifest(_object(payload, title), _sha256(payload), len(raw), media_type)
        return _manifest(body, raw, media_type)
    except _MALFORMED as exc:
        raise _not_a_manifest(title, f"It lacks what {media_type or 'a manifest'} must have: {exc}.") from exc


def _object(raw: bytes, title: str) -> dict[str, Any]:
    try:
        body = parse_json(raw)
    except (ValueError, RecursionError) as exc:
        raise _not_a_manifest(title, "It is not JSON.") from exc
    if not isinstance(body, dict):
        raise _not_a_manifest(title, "It is JSON, but no object.")
    return body


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
    if media_type in INDEXES:
        kind = Kind.INDEX
    elif config and config.media_type in IMAGE_CONFIGS and not subject:
        kind = Kind.IMAGE
    else:
        kind = Kind.ARTIFACT
    content = body.get("blobs" if media_type in ARTIFACTS else "layers") or ()
    return Manifest(
        digest=_sha256(raw),
        media_type=media_type,
        size=len(raw),
        kind=kind,
        config=config,
        layers=tuple(_descriptor(layer) for layer in content),
        children=children,
        subject=str(subject.get("digest") or ""),
        artifact_type=_text(
            body.get("artifactType") or (config.media_type if config and kind is Kind.ARTIFACT else "")
        ),
        annotations=_pairs(body.get("annotations")),
    )


def _schema_1_manifest(body: Mapping[str, Any], digest: str, size: int, media_type: str) -> Manifest:
    """An image, whose layers are listed from the top down."""
    layers = [_descriptor({"digest": layer["blobSum"], "mediaType": schema_1.LAYER}) for layer in body["fsLayers"]]
    return Manifest(digest, media_type, size, Kind.IMAGE, None, tuple(reversed(layers)), (), "", "", ())


def _descriptor(entry: Mapping[str, Any]) -> Descriptor:
    if not _DIGEST.fullmatch(str(entry["digest"])):  # It becomes part of a path.
        raise ValueError("a digest that is none")
    return Descriptor(
        # A registry's manifests name the same layers over and over: one string serves them all.
        digest=sys.intern(str(entry["digest"])),
        media_type=sys.intern(_text(entry.get("mediaType"))),
        size=known_size(entry.get("size")),
        platform=_platform(entry.get("platform") or {}),
        artifact_type=_text(entry.get("artifactType")),
        annotations=_pairs(entry.get("annotations")),
        urls=tuple(_text(url) for url in entry.get("urls") or ()),
    )


def known_size(value: object) -> int | None:
    """A size in bytes, as JSON has it; None for one that can't be: negative, absurdly large, or no whole number."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_CONTENT
    return int(value) if known and isinstance(value, int) else None


def _platform(entry: Mapping[str, Any]) -> str:
    """linux/arm64/v8, or windows/amd64:10.0.20348.2227: Windows nodes run images of their own build alone."""
    parts = (entry.get("os"), entry.get("architecture"), entry.get("variant"))
    name = "/".join(_text(part) for part in parts if part and part != "unknown")
    version = _text(entry.get("os.version"))
    return f"{name}:{version}" if name and version else name


def _text(value: object) -> str:
    """Text of JSON, '' for none."""
    return "" if value is None else str(value)


def _pairs(entry: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((_text(key), _text(value)) for key, value in (entry or {}).items()))


def parse_config(body: Mapping[str, Any]) -> ImageConfig:
    """An image config's JSON as an ImageConfig."""
    run = body.get("config") or {}
    return ImageConfig(
        created=_text(body.get("created")),
        platform=_platform(body),
        user=_text(run.get("User")),
        entrypoint=_words(run.get("Entrypoint")),
        cmd=_words(run.get("Cmd")),
        working_dir=_text(run.get("WorkingDir")),
        env=tuple(_variable(_text(entry)) for entry in run.get("Env") or ()),
        ports=tuple(sorted(_text(port) for port in run.get("ExposedPorts") or ())),
        labels=_pairs(run.get("Labels")),
        history=tuple(
            HistoryStep(
                _text(step.get("created")),
                _text(step.get("created_by")),
                _text(step.get("comment")),
                bool(step.get("empty_layer")),
            )
            for step in body.get("history") or ()
        ),
        author=_text(body.get("author")),
    )


def _variable(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value


def _words(command: Any) -> tuple[str, ...]:
    """A command's words; docker takes a text for a list of one."""
    return (_text(command),) if isinstance(command, str) else tuple(_text(word) for word in command or ())


def parse_time(text: str) -> datetime | None:
    """An image's own time in UTC; None where it has none, or no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
