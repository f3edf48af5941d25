"""Rows of the data plane as values: repositories, tags, manifests and their locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

Order = Literal["", "timedesc", "timeasc"]
LIST_ENABLED = 8  # the bit that list queries test


def timestamp(moment: datetime) -> str:
    """A data plane time: UTC, seven fraction digits, Z. Stored times compare as text, so all have this form."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


@dataclass(frozen=True)
class Locks:
    """changeableAttributes of a repository, tag or manifest."""

    delete: bool = True
    write: bool = True
    read: bool = True
    list: bool = True

    @property
    def deletable(self) -> bool:
        """writeEnabled=false blocks deleting too (container-registry-image-lock.md)."""
        return self.delete and self.write

    def bits(self) -> int:
        return self.delete + 2 * self.write + 4 * self.read + LIST_ENABLED * self.list

    @staticmethod
    @cache
    def of(bits: int) -> Locks:
        return Locks(*(bool(bits & flag) for flag in (1, 2, 4, LIST_ENABLED)))


@dataclass(frozen=True)
class Repository:
    name: str
    created: str
    updated: str
    locks: Locks
    manifests: int
    tags: int


@dataclass(frozen=True)
class Tag:
    name: str
    digest: str
    created: str
    updated: str
    locks: Locks


@dataclass(frozen=True)
class Manifest:
    digest: str
    media_type: str
    config_media_type: str | None
    artifact_type: str | None
    size: int
    created: str
    updated: str
    architecture: str | None
    os: str | None
    subject: str | None
    locks: Locks
    tags: tuple[str, ...] = ()


TAG_COLUMNS = "name, digest, created, updated, locks"
MANIFEST_COLUMNS = ", ".join(field.name for field in fields(Manifest) if field.name != "tags")


def to_tag(row: tuple[Any, ...]) -> Tag:
    return Tag(row[0], row[1], row[2], row[3], Locks.of(row[4]))


def to_manifest(row: tuple[Any, ...], tags: Sequence[str]) -> Manifest:
    *columns, locks = row
    return Manifest(*columns, Locks.of(locks), tuple(tags))  # type: ignore[call-arg]
