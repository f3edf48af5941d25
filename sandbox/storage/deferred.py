"""Repositories whose contents are made when something of them is first asked for: only their rows are there before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sandbox.large.contents import CONFIG_TYPE, Image, images
from sandbox.storage.database import Database
from sandbox.storage.manifest import OCI_MANIFEST
from sandbox.storage.records import MANIFEST_COLUMNS, Locks, timestamp


@dataclass(frozen=True)
class DeferredRepository:
    """A repository as its row has it: so many manifests and tags between two times, of so many bytes."""

    registry: str
    name: str
    first: datetime
    last: datetime
    manifests: int
    tags: int
    bytes: int


class DeferredStore:
    """Rows of repositories that stand for their contents. What finds a repository's id fills it: from then on it is as
    any other, and what is changed in it is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.fill = self.fill

    def add(self, found: Iterable[DeferredRepository]) -> None:
        """Add repositories that are not there."""
        with self._database.transaction():
            for one in found:
                repository = self._database.insert(
                    "INSERT INTO repositories (registry, name, created, updated, locks, manifests, tags)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    one.registry.lower(),
                    one.name,
                    timestamp(one.first),
                    timestamp(one.last),
                    Locks().bits(),
                    one.manifests,
                    one.tags,
                )
                self._database.run("INSERT INTO deferred VALUES (?, ?, ?)", repository, one.manifests, one.bytes)

    def fill(self, repository: int) -> None:
        """Make the contents of a repository that is deferred."""
        with self._database.transaction():
            row = self._database.one(
                "SELECT r.registry, r.name, r.created, r.updated, d.manifests FROM repositories r"
                " JOIN deferred d ON d.repository = r.id WHERE r.id = ?",
                repository,
            )
            if row is None:
                return
            registry, name, first, last, number = row
            made = list(images(registry, name, number, _moment(first), _moment(last)))
            self._database.run("DELETE FROM deferred WHERE repository = ?", repository)
            # The triggers count what is inserted.
            self._database.run("UPDATE repositories SET manifests = 0, tags = 0 WHERE id = ?", repository)
            self._insert(registry, repository, made)

    def _insert(self, registry: str, repository: int, made: list[Image]) -> None:
        marks = ", ".join("?" * len(MANIFEST_COLUMNS.split(",")))
        self._database.run_for_each(
            f"INSERT INTO manifests (repository, body, {MANIFEST_COLUMNS}) VALUES (?, ?, {marks})",
            (
                (
                    repository,
                    one.body,
                    one.digest,
                    OCI_MANIFEST,
                    CONFIG_TYPE,
                    None,
                    one.size,
                    one.at,
                    one.at,
                    "amd64",
                    "linux",
                    None,
                    Locks().bits(),
                )
                for one in made
            ),
        )
        self._database.run_for_each(
            "INSERT INTO tags (repository, name, digest, created, updated, locks) VALUES (?, ?, ?, ?, ?, ?)",
            ((repository, one.tag, one.digest, one.at, one.at, Locks().bits()) for one in made if one.tag),
        )
        blobs = {blob for one in made for blob in one.blobs}
        self._database.run_for_each(
            "INSERT OR IGNORE INTO blobs (registry, digest, size, stored) VALUES (?, ?, ?, 0)",
            ((registry, blob.digest, blob.size) for blob in blobs),
        )
        self._database.run_for_each(
            "INSERT INTO manifest_refs SELECT m.id, b.id FROM manifests m, blobs b"
            " WHERE m.repository = ? AND m.digest = ? AND b.registry = ? AND b.digest = ?",
            ((repository, one.digest, registry, blob.digest) for one in made for blob in one.blobs),
        )

    def forget(self, registry: str) -> None:
        """Drop what a registry has that is not made yet: it is being deleted."""
        of_it = "(SELECT id FROM repositories WHERE registry = ?)"
        self._database.run(f"DELETE FROM deferred WHERE repository IN {of_it}", registry.lower())


def _moment(text: str) -> datetime:
    """The time of `timestamp`, whose seventh fraction digit is 0."""
    return datetime.fromisoformat(text[:-2] + "+00:00")
