"""The images of an OCI image layout: of `skopeo copy … oci-archive:`, `buildx --output type=oci`, `docker save` ≥ 25.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from urllib.parse import urlsplit

from services.connection.errors import ServiceError
from services.connection.names import is_digest
from services.connection.parallel import all_or_none
from services.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Kind,
    Manifest,
    parse_config,
    parse_manifest,
)
from services.transfer.archive_files import Budget, Progress, archive_error
from services.transfer.archive_images import (
    Archive,
    ArchiveImage,
    Blob,
    Content,
    ExcludedEntry,
    RawManifest,
    Tar,
    incomplete_error,
    is_of_one_entry,
    parsed,
    small,
)
from services.transfer.image_layers import (
    can_compare,
    digests_of,
    pair_layers,
    read_diff_ids,
    require_layer,
    runs,
)

INDEX = "index.json"
_SCHEMA_1 = "docker.distribution.manifest.v1"
_MEDIA_TYPES = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)
# https://github.com/opencontainers/image-spec/blob/main/annotations.md; containerd's, with the full name, is docker's.
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def oci_images(tar: Tar) -> Archive:
    """The images that the layout's index names. Of an index that can't be pushed, the platforms that can.

    Raises ServiceError: NotAManifest or NotJson (of index.json), WrongDigest or WrongSize (of a manifest), TooLarge,
    TooDeep.
    """
    top = _manifest(tar.small(INDEX), OCI_INDEX, INDEX)
    entries: dict[str, Descriptor] = {}
    names: defaultdict[str, list[str]] = defaultdict(list)
    for entry in top.children:
        entries.setdefault(entry.digest, entry)
        if name := next((entry.annotation(key) for key in _NAMES if entry.annotation(key)), ""):
            names[entry.digest].append(name)
    read = _Read(tar)
    images: dict[str, ArchiveImage] = {}
    others: list[ExcludedEntry] = []
    for entry in entries.values():
        named = tuple(names[entry.digest])
        try:
            image = _image(read, entry, named)
        except ServiceError as error:
            if not is_of_one_entry(error):
                raise
            others.append(ExcludedEntry(", ".join(named) or entry.digest, error))
            offered = _images_by_platform(read, entry, named)
        else:
            offered = [*(_images_by_platform(read, entry, named) if image.missing else ()), image]
        for one in offered:
            # A platform that is on the top list too has names of its own.
            if one.key == entry.digest or one.key not in entries:
                images[one.key] = one
    return Archive(tuple(images.values()), tuple(others))


def _images_by_platform(read: "_Read", entry: Descriptor, names: tuple[str, ...]) -> list[ArchiveImage]:
    """The platforms of an index of which nothing is missing."""
    manifest = read.manifests.get(entry.digest)
    found: list[ArchiveImage] = []
    for child in manifest[1].children if manifest else ():
        if child.attests:
            continue
        try:
            image = _image(read, child, names)
        except ServiceError as error:
            if not is_of_one_entry(error):
                raise
        else:
            found += [replace(image, of_index=True)] if not image.missing else []
    return found


@dataclass
class _Read:
    """The manifests of an archive that were read and checked so far, and its configs, by digest."""

    tar: Tar
    manifests: dict[str, tuple[RawManifest, Manifest]] = field(default_factory=dict)
    configs: dict[str, "_Config"] = field(default_factory=dict)
    bytes_read: int = 0

    def manifest(self, entry: Descriptor) -> tuple[RawManifest, Manifest] | None:
        """The manifest at `entry`; None where the archive lacks it."""
        if entry.digest not in self.manifests:
            name = f"The manifest {entry.digest}"
            if entry.media_type and entry.media_type not in _MEDIA_TYPES and _SCHEMA_1 not in entry.media_type:
                raise _unsupported_error(name, entry.media_type)
            blob = self.blob(entry, name)
            if blob is None:
                return None
            raw = self._small(blob, name)
            if "sha256:" + hashlib.sha256(raw).hexdigest() != entry.digest:
                raise _wrong_digest_error(entry.digest)
            manifest = _manifest(raw, entry.media_type, name)
            self.manifests[entry.digest] = RawManifest(entry.digest, manifest.media_type, raw), manifest
        return self.manifests[entry.digest]

    def config(self, blob: Blob) -> "_Config":
        """What the config of an image says. Raises ServiceError: NotJson, NotAManifest, TooLarge."""
        if blob.digest not in self.configs:
            name = f"The config {blob.digest}"
            body = parsed(self._small(blob, name), name)
            diff_ids = read_diff_ids(body, name)
            try:
                platform = parse_config(body).platform
            except (AttributeError, TypeError, ValueError):  # Not ours to judge: it is pushed as it is.
                platform = ""
            self.configs[blob.digest] = _Config(platform, diff_ids)
        return self.configs[blob.digest]

    def _small(self, blob: Blob, what: str) -> bytes:
        raw = small(blob.part, what, self.tar.limits)
        self.bytes_read += len(raw)
        if self.bytes_read > self.tar.limits.manifests:
            raise archive_error(
                f"Its manifests and configs have more than {self.tar.limits.manifests:,} bytes.",
                "TooLarge",
                "Save fewer images at once.",
            )
        return raw

    def blob(self, entry: Descriptor, what: str) -> Blob | None:
        """The blob at `entry`, its size checked; None where the archive lacks it."""
        if not is_digest(entry.digest):
            raise archive_error(
                f"{what} has a digest that the registry does not compute: it uses SHA-256.",
                "Unsupported",
                "Write the archive again with SHA-256 digests.",
            )
        part = self.tar.part(f"blobs/sha256/{entry.digest.removeprefix('sha256:')}")
        if part is None:
            return None
        if part.size != entry.size:
            raise archive_error(f"{what} has {part.size:,} bytes, and {entry.size:,} are promised.", "WrongSize")
        return Blob(entry.digest, part.size, part)


@dataclass(frozen=True)
class _Config:
    platform: str
    diff_ids: tuple[str, ...]


@dataclass
class _Walk:
    """An image from the leaves up: what is pushed of it, each once, and what is not there.

    `diff_ids` are what a layer must expand to, by its digest: one, unless two configs disagree.
    """

    blobs: dict[str, Blob] = field(default_factory=dict)
    manifests: dict[str, RawManifest] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    configs: set[str] = field(default_factory=set)
    diff_ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, read: _Read, entry: Descriptor, words: str, depth: int) -> None:
        """`entry` and all below it. `words` name what is missing where something is."""
        if entry.digest in self.manifests:
            return
        if depth > read.tar.limits.depth:
            raise archive_error(f"It has indexes in indexes, more than {depth - 1} deep.", "TooDeep")
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
            elif blob.is_foreign:
                hosts = ", ".join(dict.fromkeys(urlsplit(url).netloc or url for url in blob.urls))
                self.foreign[blob.digest] = f"the layer {blob.digest}: clients load it from {hosts}"
            else:
                self.missing[blob.digest] = words if depth else f"the blob {blob.digest}"
        if manifest.config and manifest.config.digest in self.blobs and runs(manifest):
            self._compare(read, manifest, self.blobs[manifest.config.digest])
        self.manifests[entry.digest] = raw

    def _compare(self, read: _Read, manifest: Manifest, config: Blob) -> None:
        """That the config names as many layers as there are; what each must be is for `prepare`."""
        self.configs.add(config.digest)
        for layer, diff_id in pair_layers(manifest.layers, read.config(config).diff_ids):
            if can_compare(layer):
                self.diff_ids[layer.digest].add(diff_id)


def _image(read: _Read, entry: Descriptor, names: tuple[str, ...]) -> ArchiveImage:
    walk = _Walk()
    walk.add(read, entry, f"the manifest {entry.digest}", 0)
    content = Content(tuple(walk.blobs.values()), tuple(walk.manifests.values()))
    missing = tuple(dict.fromkeys(walk.missing.values()))
    return ArchiveImage(
        key=entry.digest,
        names=names,
        platforms=_platforms(read, entry, walk),
        size=content.blob_bytes,
        missing=missing,
        not_pushed=tuple(walk.foreign.values()),
        configs=frozenset(walk.configs),
        of_index=False,
        prepare=partial(_check_blobs, content, walk.diff_ids, missing, read.tar),
    )


def _platforms(read: _Read, entry: Descriptor, walk: _Walk) -> tuple[str, ...]:
    found = read.manifests.get(entry.digest)
    if found is None:
        return ()
    manifest = found[1]
    if manifest.kind is Kind.INDEX or entry.platform or manifest.config is None:
        return manifest.platforms or ((entry.platform,) if entry.platform else ())
    config = walk.blobs.get(manifest.config.digest)
    if config is None or not runs(manifest):
        return ()
    platform = read.config(config).platform
    return (platform,) if platform else ()


def _manifest(raw: bytes, media_type: str, what: str) -> Manifest:
    """Raises ServiceError: NotJson, Schema1, NotAManifest, Unsupported."""
    body = parsed(raw, what)
    if isinstance(body, dict) and (body.get("schemaVersion") == 1 or _SCHEMA_1 in media_type):
        raise schema_1_error(what)
    try:
        manifest = parse_manifest(raw, media_type)
    except ServiceError as error:
        raise archive_error(f"{what} can't be read. {error.cause}", error.code) from error
    declared = body.get("mediaType") or media_type
    if manifest.media_type not in _MEDIA_TYPES:
        raise _unsupported_error(what, manifest.media_type)
    if media_type and declared != media_type:
        raise archive_error(f"{what} says that it is {declared}, and is listed as {media_type}.", "NotAManifest")
    return manifest


def _unsupported_error(what: str, media_type: str) -> ServiceError:
    return archive_error(
        f"{what} is of a kind that is not pushed here: {media_type or 'none'}.",
        "Unsupported",
        "Push it with the tool that made it.",
    )


def schema_1_error(what: str) -> ServiceError:
    """Registries take no image manifest of version 1 any more."""
    return archive_error(
        f"{what} is of schema 1, which registries no longer take.",
        "Schema1",
        "Load it into a docker of today and save it again: `docker load`, then `docker save`.",
    )


def _check_blobs(
    content: Content,
    diff_ids: Mapping[str, set[str]],
    missing: tuple[str, ...],
    tar: Tar,
    progress: Progress,
    stop: Event,
) -> Content:
    """`content`, every blob of it read completely and compared with its digest, and a layer with its config's too."""
    if missing:
        raise incomplete_error(missing, tar)
    done: dict[str, int] = {}
    budget = Budget(tar.limits.expanded)

    def check(blob: Blob) -> None:
        def read(count: int) -> None:
            done[blob.digest] = done.get(blob.digest, 0) + count
            progress(sum(list(done.values())), content.blob_bytes)

        expected = diff_ids.get(blob.digest, ())
        found = digests_of(blob.part, budget, stop, read, expand=bool(expected))
        if found.stored != blob.digest:
            raise _wrong_digest_error(blob.digest)
        for diff_id in expected:
            require_layer(blob.part, found.plain, diff_id, as_it_is=True)

    all_or_none(check, content.blobs)
    return content


def _wrong_digest_error(digest: str) -> ServiceError:
    return archive_error(f"The content of {digest} has another digest: it was changed or damaged.", "WrongDigest")
