"""What a repository of a large estate holds, as a pure function of its name: the same images whenever it is asked.

No blob is shared with another repository, so that the bytes of a registry are the sum of its repositories'.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.storage.manifest import OCI_MANIFEST, Blob, digest_of
from sandbox.storage.records import timestamp

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG_SIZE = 1_469
_LEAST_LAYER, _LAYER_STEP = 1_000_000, 400
# Sizes all have as many digits, so that every manifest has as many bytes.
_LEAST_BASE, _BASES = 20_000_000, 60_000_000


@dataclass(frozen=True)
class Image:
    """One image of a repository: its manifest, what that refers to, its time, and its tag ("" without one)."""

    digest: str
    body: bytes
    blobs: tuple[Blob, ...]
    at: str
    tag: str

    @property
    def size(self) -> int:
        return len(self.body) + sum(blob.size for blob in self.blobs)


def images(registry: str, repository: str, number: int, first: datetime, last: datetime) -> Iterator[Image]:
    """So many images, the oldest first, at even steps between two times. One in five has lost its tag, and the newest
    never has."""
    name = f"{registry.lower()}/{repository}"
    step = (last - first) / max(number - 1, 1)
    for index in range(number):
        blobs = (
            Blob(_digest(f"{name} config {index}"), _CONFIG_SIZE),
            Blob(_digest(f"{name} base"), _base_size(name)),
            Blob(_digest(f"{name} layer {index}"), _LEAST_LAYER + _LAYER_STEP * index),
        )
        body = _manifest(blobs)
        at = last if index == number - 1 else first + index * step
        yield Image(digest_of(body), body, blobs, timestamp(at), f"1.{index}.0" if is_tagged(index, number) else "")


def is_tagged(index: int, number: int) -> bool:
    """Whether the image of this index has kept its tag."""
    return index == number - 1 or index % 5 != 2


def tags(number: int) -> int:
    """How many tags a repository of so many images has."""
    return sum(is_tagged(index, number) for index in range(number))


def stored_bytes(registry: str, repository: str, number: int) -> int:
    """The bytes of a repository: each manifest, and each blob once."""
    name = f"{registry.lower()}/{repository}"
    blobs = (Blob(_digest("config"), _CONFIG_SIZE), Blob(_digest("base"), _LEAST_BASE), Blob(_digest(""), _LEAST_LAYER))
    each = len(_manifest(blobs)) + _CONFIG_SIZE + _LEAST_LAYER
    return _base_size(name) + number * each + _LAYER_STEP * (number * (number - 1) // 2)


def interval(now: datetime, registry: int, repository: int) -> tuple[datetime, datetime]:
    """When the first and the last image of a repository were pushed: some are pushed to every day, others have not
    been for a year."""
    first = now - timedelta(days=730, minutes=registry)
    idle = (repository * 37 + registry * 11) % 400
    return first, now - timedelta(days=idle, minutes=repository + 1)


def _base_size(name: str) -> int:
    return _LEAST_BASE + int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % _BASES


def _manifest(blobs: tuple[Blob, ...]) -> bytes:
    config, *layers = blobs
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CONFIG_TYPE, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": _LAYER_TYPE, "digest": one.digest, "size": one.size} for one in layers],
    }
    return json.dumps(body).encode()


def _digest(text: str) -> str:
    return digest_of(text.encode())
