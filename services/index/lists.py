"""The lists of a repository that the index has, where the repository did not change since: they need not be read."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from services.database.engine import reading
from services.database.index_tables import contents, manifests, registries, tags, words
from services.database.index_tables import digests as digest_table
from services.images.repositories import Locks, ManifestRow, Repository, Tag
from services.images.repository_contents import RepositoryContents
from services.index.packing import unpack_digest
from services.index.store import (
    IndexStore,
    IndexTarget,
    KnownRepository,
    counts_key,
    created_key,
    updated_key,
)


def indexed_repositories(store: IndexStore, target: IndexTarget) -> dict[str, KnownRepository]:
    """The repositories of a registry by name; none where it is not indexed. Raises ServiceError (NoDatabase)."""
    mine = (
        (registries.c.azure == store.azure)
        & (registries.c.resource == target.id.lower())
        & (registries.c.created == created_key(target.created))
    )
    with reading(store.engine, "The index could not be read") as db:
        number = db.execute(select(registries.c.id).where(mine)).scalar_one_or_none()
    return store.repositories(number) if number is not None else {}


def indexed_lists(store: IndexStore, known: KnownRepository | None, now: Repository) -> RepositoryContents | None:
    """The rows and tags of a repository, without manifests, where its update and counts `now` are those of the index
    and each of its manifests could be read then; else None. Platforms and the type of an artifact are not in them, and
    the size of an index is that of its images. Raises ServiceError (NoDatabase)."""
    if (
        known is None
        or known.unread
        or not now.updated
        or (known.updated, known.counts) != (updated_key(now), counts_key(now))
    ):
        return None
    with reading(store.engine, "The index could not be read") as db:
        listed = db.execute(
            select(manifests, digest_table.c.digest.label("packed"), words.c.word)
            .join(digest_table, digest_table.c.id == manifests.c.digest)
            .join(contents, contents.c.digest == manifests.c.digest)
            .join(words, words.c.id == contents.c.media_type)
            .where(manifests.c.repository == known.number)
        ).all()
        tagged = db.execute(
            select(tags, digest_table.c.digest.label("packed"))
            .join(digest_table, digest_table.c.id == tags.c.digest)
            .where(tags.c.repository == known.number)
        ).all()
    found = tuple(
        Tag(row.name, unpack_digest(bytes(row.packed)), _time(row.created), _time(row.updated), Locks())
        for row in tagged
    )
    names: dict[str, list[str]] = {}
    for one in found:
        names.setdefault(one.digest, []).append(one.name)
    rows = tuple(_row(row, names) for row in listed)
    return RepositoryContents(now, found, rows, {}) if len(rows) == now.manifest_count else None


def _row(row: Any, names: dict[str, list[str]]) -> ManifestRow:
    digest = unpack_digest(bytes(row.packed))
    return ManifestRow(
        digest, row.word, "", "", row.size, _time(row.created), _time(row.updated), "", "",
        tuple(names.get(digest, ())), Locks(),
    )  # fmt: skip


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
