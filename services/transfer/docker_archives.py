"""The images of a `docker save` archive of before docker 25, and of `skopeo copy … docker-archive:`.

Layers lie in it as plain tars. They are pushed gzip-compressed, under a manifest that is made here:
https://distribution.github.io/distribution/spec/manifest-v2-2/ (the same that skopeo and docker make of them).
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from services.connection.names import is_digest
from services.connection.parallel import all_or_none
from services.images.manifests import DOCKER_MANIFEST, parse_config
from services.transfer.archive_files import TITLE, Part, Progress, RandomAccess, broken, spooled, stopped, whole
from services.transfer.archive_images import ArchiveImage, Blob, Content, RawManifest, Tar, parsed, small
from services.transfer.oci_layouts import incomplete

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


def docker_images(tar: Tar) -> tuple[ArchiveImage, ...]:
    """The images that manifest.json lists.

    Raises ServiceError: NotAManifest, NotJson, WrongDigest (of a config that is named by it), TooLarge.
    """
    entries = parsed(tar.small(MANIFEST), MANIFEST)
    try:
        return tuple(_image(tar, entry) for entry in entries)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise broken(f"{MANIFEST} lacks what it must have: {exc}.", "NotAManifest") from exc


def _image(tar: Tar, entry: dict[str, Any]) -> ArchiveImage:
    config_name = str(entry["Config"])
    config_part = tar.part(config_name)
    if config_part is None:
        raise broken(f"It lacks {config_name}, the config of an image.", "Incomplete")
    config = small(config_part, config_name, tar.limits)
    digest = hashlib.sha256(config).hexdigest()
    stem = config_name.rpartition("/")[2].removesuffix(".json")
    if is_digest(f"sha256:{stem}") and stem != digest:
        raise broken(f"The config {config_name} is not the one that its name says.", "WrongDigest")
    body = parsed(config, config_name)
    diff_ids = [str(diff_id) for diff_id in body["rootfs"]["diff_ids"]]
    names = [str(name) for name in entry["Layers"]]
    if len(names) != len(diff_ids) or not all(is_digest(diff_id) for diff_id in diff_ids):
        raise broken(f"{len(names)} layers are listed, and the config knows {len(diff_ids)}.", "NotAManifest")
    parts = [tar.part(name) for name in names]
    layers = tuple(_Layer(diff_id, part) for diff_id, part in zip(diff_ids, parts, strict=True) if part)
    missing = tuple(f"the layer {name}" for name, part in zip(names, parts, strict=True) if part is None)
    platform = parse_config(body).platform
    return ArchiveImage(
        f"sha256:{digest}",
        tuple(str(name) for name in entry.get("RepoTags") or ()),
        (platform,) if platform else (),
        len(config) + sum(layer.part.size for layer in set(layers)),
        missing,
        False,
        partial(_made, _Image(Blob(f"sha256:{digest}", len(config), config_part), layers, missing), tar),
    )


def _made(image: _Image, tar: Tar, progress: Progress, stop: Event) -> Content:
    """The image as it is pushed: its layers compressed into temporary files, its config, and a manifest of them."""
    if image.missing:
        raise incomplete(image.missing)
    layers = list(dict.fromkeys(image.layers))
    of = sum(layer.part.size for layer in layers)
    done: dict[_Layer, int] = {}

    def compress(layer: _Layer) -> Blob:
        def read(count: int) -> None:
            done[layer] = done.get(layer, 0) + count
            progress(sum(list(done.values())), of)

        return _already(layer, tar, stop, read) if layer.part.is_gzip else _compressed(layer, tar, stop, read)

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


def _compressed(layer: _Layer, tar: Tar, stop: Event, read: Callable[[int], None]) -> Blob:
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

    file = spooled(counted(), tar.limits, stop, lambda _written: None)
    _require(layer, plain.hexdigest())
    part = whole(RandomAccess(file, owned=True))
    return Blob(f"sha256:{packed.hexdigest()}", part.size, part)


def _already(layer: _Layer, tar: Tar, stop: Event, read: Callable[[int], None]) -> Blob:
    """A layer that lies in the archive compressed: pushed as it is, once what it expands to was checked."""
    plain, packed = hashlib.sha256(), hashlib.sha256()
    for block in layer.part.expanded(tar.limits.expanded):
        if stop.is_set():
            raise stopped(TITLE)
        plain.update(block)
    for block in layer.part.blocks():
        packed.update(block)
        read(len(block))
    _require(layer, plain.hexdigest())
    return Blob(f"sha256:{packed.hexdigest()}", layer.part.size, layer.part)


def _require(layer: _Layer, found: str) -> None:
    if f"sha256:{found}" != layer.diff_id:
        raise broken(f"The layer {layer.diff_id} has another digest: it was changed or damaged.", "WrongDigest")


def _descriptor(media_type: str, blob: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "size": blob.size, "digest": blob.digest}
