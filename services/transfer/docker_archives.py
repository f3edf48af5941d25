"""The images of a `docker save` archive of before docker 25, and of `skopeo copy … docker-archive:`.

Layers lie in it as plain tars. They are pushed gzip-compressed, under a manifest that is made here:
https://distribution.github.io/distribution/spec/manifest-v2-2/ (the same that skopeo and docker make of them).
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

from services.connection.errors import ServiceError
from services.connection.names import is_digest
from services.connection.parallel import all_or_none
from services.images.manifests import DOCKER_MANIFEST, parse_config
from services.transfer.archive_files import Budget, Part, Progress, RandomAccess, archive_error, part_of_file, spool
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
    truncated_error,
)
from services.transfer.image_layers import digests_of, layers_differ_error, read_diff_ids, require_layer

MANIFEST = "manifest.json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# zlib's own middle: what gzip and docker use.
_LEVEL = 6


@dataclass(frozen=True)
class _Layer:
    """A layer as it lies in the archive, and the digest of the plain tar that it must be."""

    diff_id: str
    part: Part


@dataclass(frozen=True)
class _Image:
    config: Blob
    layers: tuple[_Layer, ...]
    missing: tuple[str, ...]


def docker_images(tar: Tar) -> Archive:
    """The images that manifest.json lists; one that it lists twice has the names of both.

    Raises ServiceError: NotAManifest, NotJson, WrongDigest (of a config that is named by it), TooLarge.
    """
    entries = parsed(tar.small(MANIFEST), MANIFEST)
    if not isinstance(entries, list):
        raise archive_error(f"{MANIFEST} is not a list of images.", "NotAManifest")
    images: dict[str, ArchiveImage] = {}
    others: list[ExcludedEntry] = []
    config_bytes = 0
    for number, entry in enumerate(entries, 1):
        try:
            name, part = _config(tar, entry)
            config_bytes += part.size
            if config_bytes > tar.limits.manifests:
                raise archive_error(f"Its configs have more than {tar.limits.manifests:,} bytes.", "TooLarge")
            image = _image(tar, entry, name, part)
        except ServiceError as error:
            if not is_of_one_entry(error):
                raise
            others.append(ExcludedEntry(f"Image {number} of {MANIFEST}", error))
        else:
            images[image.key] = _merge_entries(images[image.key], image) if image.key in images else image
    return Archive(tuple(images.values()), tuple(others))


def _merge_entries(first: ArchiveImage, second: ArchiveImage) -> ArchiveImage:
    """The same image, listed twice: as the entry that has more of it, under the names of both."""
    fuller = second if len(second.missing) < len(first.missing) else first
    return replace(fuller, names=tuple(dict.fromkeys((*first.names, *second.names))))


def _config(tar: Tar, entry: Any) -> tuple[str, Part]:
    if not isinstance(entry, dict) or not isinstance(entry.get("Config"), str):
        raise archive_error(f"{MANIFEST} does not say which config the image has.", "NotAManifest")
    name = str(entry["Config"])
    part = tar.part(name)
    if part is None and not tar.ended:
        raise truncated_error(f"{name}, the config of an image")
    if part is None:
        raise archive_error(f"It lacks {name}, the config of an image.", "Incomplete")
    return name, part


def _image(tar: Tar, entry: dict[str, Any], config_name: str, config_part: Part) -> ArchiveImage:
    config = small(config_part, config_name, tar.limits)
    digest = hashlib.sha256(config).hexdigest()
    stem = config_name.rpartition("/")[2].removesuffix(".json")
    if is_digest(f"sha256:{stem}") and stem != digest:
        raise archive_error(f"The config {config_name} is not the one that its name says.", "WrongDigest")
    body = parsed(config, config_name)
    diff_ids = read_diff_ids(body, f"The config {config_name}")
    try:
        # docker writes null for an image of no layers.
        names = [str(name) for name in (entry["Layers"] or ())]
        tags = tuple(str(name) for name in entry.get("RepoTags") or ())
        platform = parse_config(body).platform
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise archive_error(f"{MANIFEST} or {config_name} lacks what it must have: {exc}.", "NotAManifest") from exc
    if len(names) != len(diff_ids):
        raise layers_differ_error(len(names), len(diff_ids))
    parts = [tar.part(name) for name in names]
    layers = tuple(_Layer(diff_id, part) for diff_id, part in zip(diff_ids, parts, strict=True) if part)
    missing = tuple(
        f"the layer {name}" if name else f"layer {number} of {len(names)}, which has no path"
        for number, (name, part) in enumerate(zip(names, parts, strict=True), 1)
        if part is None
    )
    return ArchiveImage(
        key=f"sha256:{digest}",
        names=tags,
        platforms=(platform,) if platform else (),
        size=len(config) + sum(layer.part.size for layer in set(layers)),
        missing=missing,
        not_pushed=(),
        configs=frozenset({f"sha256:{digest}"}),
        of_index=False,
        prepare=partial(
            _build_content, _Image(Blob(f"sha256:{digest}", len(config), config_part), layers, missing), tar
        ),
    )


def _build_content(image: _Image, tar: Tar, progress: Progress, stop: Event) -> Content:
    """The image as it is pushed: its layers compressed into temporary files, its config, and a manifest of them."""
    if image.missing:
        raise incomplete_error(image.missing, tar)
    layers = list(dict.fromkeys(image.layers))
    of = sum(layer.part.size for layer in layers)
    done: dict[_Layer, int] = {}
    budget = Budget(tar.limits.expanded)

    def compress(layer: _Layer) -> Blob:
        def read(count: int) -> None:
            done[layer] = done.get(layer, 0) + count
            progress(sum(list(done.values())), of)

        return _keep_layer(layer, budget, stop, read) if layer.part.is_gzip else _compress_layer(layer, tar, stop, read)

    blobs = dict(zip(layers, all_or_none(compress, layers), strict=True))
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": _descriptor(CONFIG_TYPE, image.config),
        "layers": [_descriptor(LAYER_TYPE, blobs[layer]) for layer in image.layers],
    }
    raw = json.dumps(manifest, separators=(",", ":")).encode()
    by_digest = {blob.digest: blob for blob in (image.config, *blobs.values())}
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return Content(tuple(by_digest.values()), (RawManifest(digest, DOCKER_MANIFEST, raw),))


def _compress_layer(layer: _Layer, tar: Tar, stop: Event, read: Callable[[int], None]) -> Blob:
    """The layer in gzip, in a temporary file: the same bytes for the same layer, since no name or time is in them."""
    plain, packed = hashlib.sha256(), hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        # With a header of its own that says neither when nor by whom (RFC 1952).
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        for block in layer.part.blocks():
            plain.update(block)
            read(len(block))
            yield compressor.compress(block)
        yield compressor.flush()

    def counted() -> Iterator[bytes]:
        for block in blocks():
            packed.update(block)
            yield block

    file = spool(counted(), tar.limits, stop, lambda _json_member: None)
    require_layer(layer.part, f"sha256:{plain.hexdigest()}", layer.diff_id, as_it_is=False)
    part = part_of_file(RandomAccess(file, owned=True))
    return Blob(f"sha256:{packed.hexdigest()}", part.size, part)


def _keep_layer(layer: _Layer, budget: Budget, stop: Event, read: Callable[[int], None]) -> Blob:
    """A layer that the archive has gzipped: pushed unchanged, once what it expands to was checked."""
    found = digests_of(layer.part, budget, stop, read)
    require_layer(layer.part, found.plain, layer.diff_id, as_it_is=False)
    return Blob(found.stored, layer.part.size, layer.part)


def _descriptor(media_type: str, blob: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "size": blob.size, "digest": blob.digest}
