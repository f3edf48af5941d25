"""The images of an OCI image layout: of `skopeo copy … oci-archive:`, `buildx --output type=oci`, `docker save` ≥ 25.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

from services.connection.errors import ServiceError
from services.connection.names import is_digest
from services.connection.parallel import all_or_none
from services.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    IMAGE_CONFIGS,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Kind,
    Manifest,
    parse_config,
    parse_manifest,
)
from services.transfer.archive_files import TITLE, Progress, broken, stopped
from services.transfer.archive_images import ArchiveImage, Blob, Content, RawManifest, Tar, parsed, small

INDEX = "index.json"
_MEDIA_TYPES = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)
# https://github.com/opencontainers/image-spec/blob/main/annotations.md; containerd's, with the whole name, is docker's.
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def oci_images(tar: Tar) -> tuple[ArchiveImage, ...]:
    """The images that the layout's index names. Of an index that is not whole, its whole platforms too.

    Raises ServiceError: NotAManifest, Schema1, WrongDigest or WrongSize (of a manifest), Unsupported, TooLarge.
    """
    top = _manifest(tar.small(INDEX), OCI_INDEX, INDEX)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for entry in top.children:
        if name := next((entry.annotation(key) for key in _NAMES if entry.annotation(key)), ""):
            names[entry.digest].append(name)
    read = _Read(tar)
    images: dict[str, ArchiveImage] = {}
    for entry in top.children:
        if entry.digest not in images:
            images |= {image.key: image for image in _offered(read, entry, tuple(names[entry.digest]))}
    return tuple(images.values())


def _offered(read: "_Read", entry: Descriptor, names: tuple[str, ...]) -> list[ArchiveImage]:
    """The image at `entry`, and where it is an index that is not whole, those of its platforms that are."""
    image = _image(read, entry, names)
    manifest = read.manifests.get(entry.digest)
    if not image.missing or manifest is None:
        return [image]
    alone = [_image(read, child, names) for child in manifest[1].children if not child.attests]
    return [*(replace(one, of_index=True) for one in alone if not one.missing), image]


@dataclass
class _Read:
    """The manifests of an archive that were read and checked so far, by digest."""

    tar: Tar
    manifests: dict[str, tuple[RawManifest, Manifest]] = field(default_factory=dict)
    bytes: int = 0

    def manifest(self, entry: Descriptor) -> tuple[RawManifest, Manifest] | None:
        """The manifest at `entry`; None where the archive lacks it."""
        if entry.digest not in self.manifests:
            name = f"The manifest {entry.digest}"
            blob = self.blob(entry, name)
            if blob is None:
                return None
            raw = small(blob.part, name, self.tar.limits)
            self.bytes += len(raw)
            if self.bytes > self.tar.limits.manifests:
                raise broken(f"Its manifests have more than {self.tar.limits.manifests:,} bytes.", "TooLarge")
            if "sha256:" + hashlib.sha256(raw).hexdigest() != entry.digest:
                raise _wrong_digest(entry.digest)
            manifest = _manifest(raw, entry.media_type, name)
            self.manifests[entry.digest] = RawManifest(entry.digest, manifest.media_type, raw), manifest
        return self.manifests[entry.digest]

    def blob(self, entry: Descriptor, what: str) -> Blob | None:
        """The blob at `entry`, its size checked; None where the archive lacks it."""
        if not is_digest(entry.digest):
            raise broken(f"{what} has a digest that the registry does not compute: it takes SHA-256.", "Unsupported")
        part = self.tar.part(f"blobs/sha256/{entry.digest.removeprefix('sha256:')}")
        if part is None:
            return None
        if part.size != entry.size:
            raise broken(f"{what} has {part.size:,} bytes, and {entry.size:,} are promised.", "WrongSize")
        return Blob(entry.digest, part.size, part)


@dataclass
class _Walk:
    """An image from the leaves up: what is pushed of it, each once, and what is not there."""

    blobs: dict[str, Blob] = field(default_factory=dict)
    manifests: dict[str, RawManifest] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, read: _Read, entry: Descriptor, words: str, depth: int) -> None:
        """`entry` and all below it. `words` name what is missing where something is."""
        if entry.digest in self.manifests:
            return
        if depth > read.tar.limits.depth:
            raise broken(f"It has indexes in indexes, more than {depth - 1} deep.", "TooDeep")
        found = read.manifest(entry)
        if found is None:
            self.missing[entry.digest] = words
            return
        raw, manifest = found
        for child in manifest.children:
            self.add(read, child, child.platform or child.digest, depth + 1)
        for blob in (*((manifest.config,) if manifest.config else ()), *manifest.layers):
            if here := read.blob(blob, f"The blob {blob.digest}"):
                self.blobs[blob.digest] = here
            else:
                self.missing[blob.digest] = words if depth else f"the blob {blob.digest}"
        self.manifests[entry.digest] = raw


def _image(read: _Read, entry: Descriptor, names: tuple[str, ...]) -> ArchiveImage:
    walk = _Walk()
    walk.add(read, entry, f"the manifest {entry.digest}", 0)
    content = Content(tuple(walk.blobs.values()), tuple(walk.manifests.values()))
    missing = tuple(dict.fromkeys(walk.missing.values()))
    return ArchiveImage(
        entry.digest,
        names,
        _platforms(read, entry, walk),
        content.blob_bytes,
        missing,
        False,
        partial(_checked, content, missing),
    )


def _platforms(read: _Read, entry: Descriptor, walk: _Walk) -> tuple[str, ...]:
    found = read.manifests.get(entry.digest)
    if found is None:
        return ()
    manifest = found[1]
    if manifest.kind is Kind.INDEX or entry.platform or manifest.config is None:
        return manifest.platforms or ((entry.platform,) if entry.platform else ())
    config = walk.blobs.get(manifest.config.digest)
    if config is None or config.size > read.tar.limits.manifest or manifest.config.media_type not in IMAGE_CONFIGS:
        return ()
    try:
        platform = parse_config(parsed(config.part.read(0, config.size), "The config")).platform
    except (AttributeError, TypeError, ValueError):  # Not ours to judge: it is pushed as it is.
        return ()
    return (platform,) if platform else ()


def _manifest(raw: bytes, media_type: str, what: str) -> Manifest:
    """Raises ServiceError: NotJson, Schema1, NotAManifest, Unsupported."""
    body = parsed(raw, what)
    if isinstance(body, dict) and (body.get("schemaVersion") == 1 or "docker.distribution.manifest.v1" in media_type):
        raise schema_1(what)
    try:
        manifest = parse_manifest(raw, media_type)
    except ServiceError as error:
        raise broken(f"{what} can't be read. {error.cause}", error.code) from error
    declared = body.get("mediaType") or media_type
    if manifest.media_type not in _MEDIA_TYPES:
        raise broken(f"{what} is of a kind that is not pushed here: {manifest.media_type or 'none'}.", "Unsupported")
    if media_type and declared != media_type:
        raise broken(f"{what} says that it is {declared}, and is listed as {media_type}.", "NotAManifest")
    return manifest


def schema_1(what: str) -> ServiceError:
    """Registries take no image manifest of version 1 any more."""
    return broken(
        f"{what} is of schema 1, which registries no longer take.",
        "Schema1",
        "Load it into a docker of today and save it again: `docker load`, then `docker save`.",
    )


def _checked(content: Content, missing: tuple[str, ...], progress: Progress, stop: Event) -> Content:
    """`content`, every blob of it read whole and compared with its digest."""
    if missing:
        raise incomplete(missing)
    done: dict[str, int] = {}

    def check(blob: Blob) -> None:
        digest = hashlib.sha256()
        for block in blob.part.blocks():
            if stop.is_set():
                raise stopped(TITLE)
            digest.update(block)
            done[blob.digest] = done.get(blob.digest, 0) + len(block)
            progress(sum(list(done.values())), content.blob_bytes)
        if f"sha256:{digest.hexdigest()}" != blob.digest:
            raise _wrong_digest(blob.digest)

    all_or_none(check, content.blobs)
    return content


def incomplete(missing: tuple[str, ...]) -> ServiceError:
    """What is said of an image that the archive has only a part of."""
    named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return broken(
        f"The archive lacks a part of the image: {named}.",
        "Incomplete",
        "Save it with all its platforms (`skopeo copy --all`), or push one platform that is there.",
    )


def _wrong_digest(digest: str) -> ServiceError:
    return broken(f"The content of {digest} has another digest: it was changed or damaged.", "WrongDigest")
