"""The images in an archive, and what of one is pushed, in which order."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from services.connection.errors import ServiceError
from services.transfer.archive_files import Limits, Part, Progress, archive_error
from services.transfer.tar_members import Member, follow_link


@dataclass(frozen=True)
class Blob:
    """A layer or a config: its digest, its size in bytes, and where its bytes are."""

    digest: str
    size: int
    part: Part


@dataclass(frozen=True)
class RawManifest:
    """A manifest in its own bytes; `media_type` is what it is pushed as."""

    digest: str
    media_type: str
    raw: bytes


@dataclass(frozen=True)
class Content:
    """What is pushed: every blob once, then the manifests, children before parents; the last is the image itself."""

    blobs: tuple[Blob, ...]
    manifests: tuple[RawManifest, ...]

    @property
    def digest(self) -> str:
        return self.manifests[-1].digest

    @property
    def blob_bytes(self) -> int:
        return sum(blob.size for blob in self.blobs)


@dataclass(frozen=True)
class ArchiveImage:
    """An image in an archive. `names` as the archive has them, such as docker.io/team/app:v1 or v1; there may be none.

    `key` tells it from the others. `size` is bytes in the archive. `missing` names what of it the archive lacks: it
    can't be pushed then. `of_index` marks a platform that is offered because its index can't be pushed.
    `not_pushed` names what of it stays where it is: layers that clients load from elsewhere. `configs` are the digests
    of its configs. `prepare(progress, stop)` checks every digest and returns what is to be pushed; `progress(done, of)`
    is in bytes. Raises ServiceError: Incomplete, WrongDigest, NotRead (a compression), TooLarge, Truncated,
    DiskFull, Stopped.
    """

    key: str
    names: tuple[str, ...]
    platforms: tuple[str, ...]
    size: int
    missing: tuple[str, ...]
    not_pushed: tuple[str, ...]
    configs: frozenset[str]
    of_index: bool
    prepare: Callable[[Progress, Event], Content]


@dataclass(frozen=True)
class ExcludedEntry:
    """An entry of an archive that is not offered: its name there, and the error it would give by itself."""

    name: str
    error: ServiceError


@dataclass(frozen=True)
class Archive:
    """The images of an archive, and what else it lists."""

    images: tuple[ArchiveImage, ...]
    left_out: tuple[ExcludedEntry, ...]


# What is wrong with one entry alone: the others are offered. Damage, and what exceeds a limit, refuse the archive.
_OF_ONE_ENTRY = frozenset({"Incomplete", "LayersDiffer", "NotAManifest", "NotJson", "Schema1", "Unsupported"})


def is_of_one_entry(error: ServiceError) -> bool:
    """Whether the error is about one entry, and the others can be offered."""
    return error.code in _OF_ONE_ENTRY


@dataclass(frozen=True)
class Tar:
    """The members of an archive, by name. Without `ended` it has no end mark: it may have been cut off."""

    members: Mapping[str, Member]
    ended: bool
    limits: Limits

    def part(self, name: str) -> Part | None:
        """The bytes of a file; those that a link leads to. None where there is no such file."""
        found = follow_link(self.members, name)
        return found.part if found else None

    def small(self, name: str) -> bytes:
        """A file of JSON. Raises ServiceError: Incomplete where it is not there, TooLarge."""
        part = self.part(name)
        if part is None:
            raise archive_error(f"It lacks {name}.", "Incomplete")
        return small(part, name, self.limits)


def small(part: Part, what: str, limits: Limits) -> bytes:
    """The bytes of a member that may be no larger than a manifest."""
    if part.size > limits.manifest:
        raise archive_error(
            f"{what} has {part.size:,} bytes; a registry takes {limits.manifest:,} at most.", "TooLarge"
        )
    return part.read(0, part.size)


def incomplete_error(missing: tuple[str, ...], tar: Tar) -> ServiceError:
    """The error for an image of which the archive has only a part."""
    named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    if not tar.ended:
        return truncated_error(f"a part of the image: {named}")
    return archive_error(
        f"The archive lacks a part of the image: {named}.",
        "Incomplete",
        "Save it with all its platforms (`skopeo copy --all`), or push one platform that is there.",
    )


def truncated_error(what: str) -> ServiceError:
    """The error for an archive that ends without an end mark and lacks something."""
    return archive_error(f"It ends before its end mark and lacks {what}. It was probably cut off.", "Truncated")


def parsed(raw: bytes, what: str) -> Any:
    """JSON. Raises ServiceError (NotJson)."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise archive_error(f"{what} is not JSON.", "NotJson") from exc


# The first part of a name is a registry's where it has a dot or a port, or is localhost:
# https://github.com/distribution/reference/blob/main/normalize.go
_DOCKER_HUB = ("docker.io", "index.docker.io")
_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")


def propose_name(name: str) -> tuple[str, str]:
    """The repository and tag in a registry for a name in an archive, "" for what it lacks.

    Of a local name, or one of Docker Hub, the last part: contoso/app:v1 is app and v1, as `docker tag` is used before a
    push. A name of another registry keeps its path: contoso.azurecr.io/team/app:v1 is team/app and v1. v1 is a tag.
    """
    name = name.partition("@")[0]
    head, slash, path = name.partition("/")
    elsewhere = bool(slash) and bool(_HOST.fullmatch(head)) and head not in _DOCKER_HUB
    name = path if elsewhere else name.rpartition("/")[2]
    repository, colon, tag = name.rpartition(":")
    if colon:
        return repository, tag
    return (name, "") if slash else ("", name)
