"""Whether the layers of an image are those that its config names: a runtime refuses an image whose layers are not.

Each layer's plain tar has the digest that stands at its place in the config's rootfs.diff_ids:
https://github.com/opencontainers/image-spec/blob/main/config.md#properties
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from services.connection.errors import ServiceError
from services.connection.names import is_digest
from services.images.manifests import IMAGE_CONFIGS, Descriptor, Manifest
from services.transfer.archive_files import TITLE, Budget, Part, archive_error, compression_of, stopped

_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_SAVE_AGAIN = "Save the image again with a current docker, or copy it with skopeo."


def runs(manifest: Manifest) -> bool:
    """Whether the manifest is of an image to be run: artifacts may have an image's config too, but no such layers."""
    if manifest.config is None or manifest.config.media_type not in IMAGE_CONFIGS:
        return False
    return not manifest.layers or any(layer.media_type.startswith(_LAYERS) for layer in manifest.layers)


def read_diff_ids(config: Any, what: str) -> tuple[str, ...]:
    """The digests of the plain layers that a config names, lowest first. Raises ServiceError (NotAManifest)."""
    try:
        # docker leaves diff_ids out where there are none; what has no rootfs at all is no image's config.
        found = tuple(str(one) for one in config["rootfs"].get("diff_ids") or ())
    except (AttributeError, KeyError, TypeError) as exc:
        raise archive_error(f"{what} does not say which layers the image has.", "NotAManifest", _SAVE_AGAIN) from exc
    if not all(is_digest(one) for one in found):
        raise archive_error(f"{what} names a layer by what is no SHA-256 digest.", "NotAManifest", _SAVE_AGAIN)
    return found


def layers_differ_error(layers: int, diff_ids: int) -> ServiceError:
    """The error for an image whose config names another number of layers than it has."""
    return archive_error(
        f"The image has {layers} layers, and its config names {diff_ids} (rootfs.diff_ids): it would not run.",
        "LayersDiffer",
        _SAVE_AGAIN,
    )


def pair_layers(layers: Sequence[Descriptor], diff_ids: Sequence[str]) -> list[tuple[Descriptor, str]]:
    """Each layer with its place in the config. Raises ServiceError (LayersDiffer).

    A config may leave out the foreign layers, which no builder had: then they are left out here too.
    """
    own = [layer for layer in layers if not layer.is_foreign]
    for named in (layers, own):
        if len(named) == len(diff_ids):
            return list(zip(named, diff_ids, strict=True))
    raise layers_differ_error(len(layers), len(diff_ids))


def can_compare(layer: Descriptor) -> bool:
    """Whether what the layer expands to can be compared: not where it is encrypted, or is no tar."""
    return ".tar" in layer.media_type and not layer.media_type.endswith("encrypted")


@dataclass(frozen=True)
class LayerDigests:
    """Of a layer as it lies in the archive, and of what it expands to if it is gzipped: the same if it is not.

    `plain` is '' where the gzip data are damaged.
    """

    stored: str
    plain: str


def digests_of(
    part: Part, budget: Budget, stop: Event, read: Callable[[int], None], *, expand: bool = True
) -> LayerDigests:
    """Both digests in one pass; `read(bytes)` after each block. Without `expand`, gzip is not looked into.

    Raises ServiceError: Stopped, TooLarge, Truncated.
    """
    stored, plain = hashlib.sha256(), hashlib.sha256()

    def on_read(block: bytes) -> None:
        if stop.is_set():
            raise stopped(TITLE)
        stored.update(block)
        read(len(block))

    if not (expand and part.is_gzip):
        for block in part.blocks():
            on_read(block)
        return LayerDigests(f"sha256:{stored.hexdigest()}", f"sha256:{stored.hexdigest()}")
    try:
        for block in part.expanded(budget, on_read):
            if stop.is_set():
                raise stopped(TITLE)
            plain.update(block)
    except ServiceError as error:
        if error.code not in ("BadGzip", "Truncated"):
            raise
        # Damaged, but where: the digests tell.
        stored = hashlib.sha256()
        for block in part.blocks():
            stored.update(block)
        return LayerDigests(f"sha256:{stored.hexdigest()}", "")
    return LayerDigests(f"sha256:{stored.hexdigest()}", f"sha256:{plain.hexdigest()}")


def require_layer(part: Part, found: str, diff_id: str, *, as_it_is: bool) -> None:
    """That `found`, the digest of the plain layer, is `diff_id`. Raises ServiceError: WrongDigest, NotRead.

    `as_it_is`: the layer is pushed in its own bytes, proven by a manifest that is in the archive too. Then one that is
    compressed with what is not read here passes.
    """
    if found == diff_id:
        return
    compression = compression_of(part.read(0, 8))
    if not compression:
        raise archive_error(f"The layer {diff_id} has another digest: it was changed or damaged.", "WrongDigest")
    if not as_it_is:
        raise archive_error(
            f"The layer {diff_id} is compressed with {compression}, which is not read here: its content can't be "
            "compared with what the image's config says.",
            "NotRead",
            "Write the image as an OCI layout (`docker buildx build --output type=oci`), or push it with skopeo.",
        )
