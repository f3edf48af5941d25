"""Builders of what a registry holds: images, indexes, attestations, signatures, charts.

Manifests and configs are real and stored in full; layers are descriptors only, so a seed takes no room. A repository
that `keeps_layers` has real ones, a thousandth as large as what they stand for: its images can be pulled.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from sandbox.storage.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from sandbox.storage.store import Locks, Store

MIB = 2**20
_OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_EMPTY = "application/vnd.oci.empty.v1+json"
_IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Layer:
    """One layer: its digest, its compressed size, and the Dockerfile line that made it. A descriptor has no `content`;
    `diff_id` is the digest of the content uncompressed."""

    digest: str
    size: int
    made_by: str
    diff_id: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Descriptor:
    """What points to a manifest."""

    media_type: str
    digest: str
    size: int
    platform: tuple[str, str] | None = None


@dataclass(frozen=True)
class Shelf:
    """A repository to push to; `keeps_layers`: its layers are real."""

    store: Store
    registry: str
    repository: str
    keeps_layers: bool = False


@dataclass(frozen=True)
class Build:
    """What one image is made of, beside its platform; `at` is when it was built and pushed."""

    at: str
    base: tuple[Layer, ...]
    layers: tuple[Layer, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    command: str = "node server.js"
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()


def layer(name: str, size: int, made_by: str) -> Layer:
    """A layer whose digest follows from its name: the same name is the same layer, in any image."""
    return Layer("sha256:" + hashlib.sha256(name.encode()).hexdigest(), size, made_by)


@cache
def _real(item: Layer) -> Layer:
    """A small tar of noise in place of the layer."""
    data = Random(item.digest).randbytes(max(32, item.size // 1000))
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(f"usr/share/seed/{item.digest[7:19]}")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    content = gzip.compress(file.getvalue(), 1, mtime=0)
    return Layer(_digest(content), len(content), item.made_by, _digest(file.getvalue()), content)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _artifact_content(shelf: Shelf, media_type: str, name: str, size: int) -> dict[str, Any]:
    """What an artifact has for a layer: noise of its size, or the descriptor of some."""
    if shelf.keeps_layers:
        return _blob(shelf, media_type, Random(name).randbytes(size))
    item = layer(name, size, "")
    return {"mediaType": media_type, "digest": item.digest, "size": item.size}


def push_image(
    shelf: Shelf,
    build: Build,
    platform: tuple[str, str] = ("linux", "amd64"),
    *,
    docker: bool = False,
    locks: Locks | None = None,
) -> Descriptor:
    """One platform's image, in OCI form or Docker's."""
    os, architecture = platform
    layers = [_on(item, architecture) for item in (*build.base, *build.layers)]
    if shelf.keeps_layers:
        layers = [_real(item) for item in layers]
        for item in layers:
            shelf.store.blobs.put(shelf.registry, shelf.repository, item.content)
    config = _json(_config(build, layers, os, architecture))
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
        "config": _blob(shelf, _DOCKER_CONFIG if docker else _OCI_CONFIG, config),
        "layers": [
            {"mediaType": _DOCKER_LAYER if docker else _OCI_LAYER, "digest": item.digest, "size": item.size}
            for item in layers
        ],
    }
    if build.annotations:
        manifest["annotations"] = dict(build.annotations)
    return _push(shelf, manifest, build.at, platform=platform, locks=locks)


def push_index(
    shelf: Shelf,
    at: str,
    children: Sequence[Descriptor | dict[str, Any]],
    *,
    docker: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> Descriptor:
    """An index (or Docker's manifest list) over manifests that are there already."""
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": DOCKER_LIST if docker else OCI_INDEX,
        "manifests": [_child(child) if isinstance(child, Descriptor) else child for child in children],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return _push(shelf, manifest, at)


def push_buildx(shelf: Shelf, build: Build, platforms: Sequence[tuple[str, str]] = (("linux", "amd64"),)) -> Descriptor:
    """What `docker buildx build --push` makes: an index of images, each with its provenance attestation."""
    images = [push_image(shelf, build, platform) for platform in platforms]
    attestations = [_attestation(shelf, build.at, image) for image in images]
    return push_index(shelf, build.at, [*images, *attestations], annotations=build.annotations)


def _attestation(shelf: Shelf, at: str, image: Descriptor) -> dict[str, Any]:
    """buildx's own form: a manifest that only the index ties to its image."""
    provenance = _artifact_content(shelf, _IN_TOTO, f"provenance {image.digest}", 6_231)
    config = {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [provenance["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(shelf, _OCI_CONFIG, _json(config)),
        "layers": [{**provenance, "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}],
    }
    pushed = _push(shelf, manifest, at, platform=("unknown", "unknown"))
    annotations = {
        "vnd.docker.reference.digest": image.digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    return {**_child(pushed), "annotations": annotations}


def push_referrer(
    shelf: Shelf,
    at: str,
    subject: Descriptor,
    artifact_type: str,
    content_type: str,
    size: int,
    *,
    annotations: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> Descriptor:
    """An artifact that belongs to another by its `subject`: a signature, an SBOM, a scan report. Without `content` it
    has `size` bytes of noise."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": _blob(shelf, _EMPTY, b"{}"),
        "layers": [
            _blob(shelf, content_type, content)
            if content
            else _artifact_content(shelf, content_type, f"{artifact_type} {subject.digest} {at}", size)
        ],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
        "annotations": {"org.opencontainers.image.created": at, **(annotations or {})},
    }
    return _push(shelf, manifest, at)


def push_notation_signature(shelf: Shelf, at: str, subject: Descriptor) -> Descriptor:
    thumbprint = {"io.cncf.notary.x509chain.thumbprint#S256": '["' + subject.digest[7:47] + '"]'}
    kind = "application/vnd.cncf.notary.signature"
    return push_referrer(shelf, at, subject, kind, "application/jose+json", 2_094, annotations=thumbprint)


def push_cosign_signature(shelf: Shelf, at: str, subject: Descriptor) -> Descriptor:
    kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
    return push_referrer(shelf, at, subject, kind, "application/vnd.dev.cosign.simplesigning.v1+json", 251)


def push_sbom(
    shelf: Shelf, at: str, subject: Descriptor, content: bytes, media_type: str = "application/spdx+json"
) -> Descriptor:
    return push_referrer(shelf, at, subject, media_type, media_type, len(content), content=content)


def push_signature_tag(shelf: Shelf, at: str, subject: Descriptor) -> None:
    """The older schema, without `subject`: only the tag's name has what is signed."""
    media_type = "application/vnd.dev.cosign.simplesigning.v1+json"
    signature = _artifact_content(shelf, media_type, f"sig {subject.digest}", 243)
    rootfs = {"type": "layers", "diff_ids": [signature["digest"]]}
    config = {"architecture": "", "os": "", "config": {}, "rootfs": rootfs}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(shelf, _OCI_CONFIG, _json(config)),
        "layers": [signature],
    }
    pushed = _push(shelf, manifest, at)
    tag(shelf, subject.digest.replace(":", "-") + ".sig", pushed, at)


def push_chart(shelf: Shelf, at: str, name: str, version: str) -> Descriptor:
    """A Helm chart."""
    media_type = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    config = _json({"name": name, "version": version, "apiVersion": "v2", "type": "application"})
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(shelf, "application/vnd.cncf.helm.config.v1+json", config),
        "layers": [_artifact_content(shelf, media_type, f"chart {name} {version}", 41_873)],
        "annotations": {"org.opencontainers.image.title": name, "org.opencontainers.image.version": version},
    }
    return _push(shelf, manifest, at)


def tag(shelf: Shelf, name: str, target: Descriptor, at: str, locks: Locks | None = None) -> None:
    shelf.store.add_tag(shelf.registry, shelf.repository, name, target.digest, at, locks=locks)


def _on(item: Layer, architecture: str) -> Layer:
    """The layer of another architecture; its name alone is that of amd64."""
    if architecture == "amd64":
        return item
    return layer(f"{item.digest} {architecture}", item.size, item.made_by)


def _config(build: Build, layers: Sequence[Layer], os: str, architecture: str) -> dict[str, Any]:
    history = [
        {"created": build.at, "created_by": item.made_by, "comment": "buildkit.dockerfile.v0"} for item in layers
    ]
    last = {
        "created": build.at,
        "created_by": f"CMD {json.dumps(build.command.split())}",
        "comment": "buildkit.dockerfile.v0",
        "empty_layer": True,
    }
    return {
        "architecture": architecture,
        "os": os,
        "created": build.at,
        "config": {
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                *(f"{name}={value}" for name, value in build.env.items()),
            ],
            **({"ExposedPorts": {port: {} for port in build.ports}} if build.ports else {}),
            "Cmd": build.command.split(),
            "WorkingDir": "/app",
            "Labels": dict(build.labels),
        },
        # The uncompressed digest differs from the compressed one.
        "rootfs": {
            "type": "layers",
            "diff_ids": [item.diff_id or layer(f"diff {item.digest}", 0, "").digest for item in layers],
        },
        "history": [*history, last],
    }


def _child(child: Descriptor) -> dict[str, Any]:
    shown: dict[str, Any] = {"mediaType": child.media_type, "digest": child.digest, "size": child.size}
    if child.platform is not None:
        os, architecture = child.platform
        shown["platform"] = {"architecture": architecture, "os": os}
    return shown


def _push(
    shelf: Shelf,
    manifest: dict[str, Any],
    at: str,
    *,
    platform: tuple[str, str] | None = None,
    locks: Locks | None = None,
) -> Descriptor:
    body = _json(manifest)
    os, architecture = platform or (None, None)
    digest = shelf.store.add_manifest(
        shelf.registry,
        shelf.repository,
        body,
        manifest["mediaType"],
        at,
        architecture=architecture,
        os=os,
        locks=locks,
    )
    return Descriptor(manifest["mediaType"], digest, len(body), platform)


def _blob(shelf: Shelf, media_type: str, data: bytes) -> dict[str, Any]:
    digest = shelf.store.blobs.put(shelf.registry, shelf.repository, data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()
