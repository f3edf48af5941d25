"""What the sandbox keeps: documents of Resource Manager, and the contents of its registries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sandbox.storage.blob_store import BlobStore
from sandbox.storage.database import Database, DataDirectoryInUse
from sandbox.storage.deferred import DeferredStore
from sandbox.storage.deleted import DeletedStore
from sandbox.storage.events import EventStore
from sandbox.storage.manifest import Parsed, manifest_digest, parse
from sandbox.storage.records import (
    MANIFEST_COLUMNS,
    TAG_COLUMNS,
    Locks,
    Manifest,
    Order,
    Repository,
    Tag,
    timestamp,
    to_manifest,
    to_tag,
)

__all__ = ["DataDirectoryInUse", "Locks", "Manifest", "Order", "Repository", "Store", "Tag", "timestamp"]


class Store:
    """The state of one sandbox, in one directory. A registry is named by its ARM name, in any case."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.database = Database(directory / "sandbox.db")
        self.blobs = BlobStore(self.database, directory)
        self.deferred = DeferredStore(self.database)
        self.deleted = DeletedStore(self.database, self.blobs)
        self.events = EventStore(self.database)

    def close(self) -> None:
        self.database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; a transaction inside another one joins it."""
        return self.database.transaction()

    # Documents of Resource Manager, and what is kept beside them

    def get_setting(self, key: str) -> str | None:
        row = self.database.one("SELECT value FROM settings WHERE key = ?", key)
        return None if row is None else str(row[0])

    def set_setting(self, key: str, value: str) -> None:
        self.database.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, value)

    def put_resource(self, resource: dict[str, Any]) -> None:
        """Insert or replace an ARM document; ids are compared without case, as ARM does."""
        key, kind, name = (str(resource[member]).lower() for member in ("id", "type", "name"))
        body = json.dumps(resource, separators=(",", ":"))
        self.database.run("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)", key, kind, name, body)

    def get_resource(self, resource_id: str) -> dict[str, Any] | None:
        row = self.database.one("SELECT body FROM resources WHERE key = ?", resource_id.lower())
        return None if row is None else _document(row[0])

    def delete_resource(self, resource_id: str) -> bool:
        """Remove one document; True when it was there. Nested resources stay: list them and delete them."""
        return self.database.run("DELETE FROM resources WHERE key = ?", resource_id.lower()) > 0

    def list_resources(self, type: str | None = None, under: str | None = None) -> list[dict[str, Any]]:
        """Documents of a type, at or below the id `under` (whole path segments), ordered by id."""
        wheres, values = ["1"], []
        if type is not None:
            wheres.append("type = ?")
            values.append(type.lower())
        prefix = (under or "").rstrip("/").lower()
        if prefix:
            wheres.append("(key = ? OR (key > ? AND key < ?))")
            values += [prefix, prefix + "/", prefix + "0"]  # "0" follows "/" in ASCII
        rows = self.database.all(f"SELECT body FROM resources WHERE {' AND '.join(wheres)} ORDER BY key", *values)
        return [_document(row[0]) for row in rows]

    def find_resource(self, type: str, name: str) -> dict[str, Any] | None:
        """A document by type and name: for names that are unique across subscriptions, as registries' are."""
        sql = "SELECT body FROM resources WHERE type = ? AND name = ?"
        row = self.database.one(sql, type.lower(), name.lower())
        return None if row is None else _document(row[0])

    def put_costs(self, rows: Iterable[tuple[str, str, str, str, str, str]]) -> None:
        """Add rows of resource id, day, meter, quantity, cost and currency."""
        self.database.run_for_each("INSERT INTO costs VALUES (lower(?1), ?1, ?2, ?3, ?4, ?5, ?6)", rows)

    def list_costs(self, scope: str, first: str, last: str) -> list[tuple[Any, ...]]:
        """Rows of resources at or below the id `scope`, of days from first to last, by day."""
        prefix = scope.rstrip("/").lower()
        sql = (
            "SELECT resource, day, meter, quantity, cost, currency FROM costs "
            "WHERE scope > ? AND scope < ? AND day BETWEEN ? AND ? ORDER BY day, scope, meter"
        )
        return self.database.all(sql, prefix + "/", prefix + "0", first, last)

    # Repositories

    def add_repository(self, registry: str, name: str, at: str, locks: Locks | None = None) -> None:
        """Make the repository if it isn't there; `at` becomes its last update if later. Adding a manifest does this."""
        self._touch(registry, name, at)
        if locks is not None:
            self.set_repository_locks(registry, name, locks)

    def get_repository(self, registry: str, name: str) -> Repository | None:
        sql = "SELECT name, created, updated, locks, manifests, tags FROM repositories WHERE registry = ? AND name = ?"
        row = self.database.one(sql, registry.lower(), name)
        return None if row is None else Repository(row[0], row[1], row[2], Locks.of(row[3]), row[4], row[5])

    def list_repositories(self, registry: str, last: str = "", limit: int = 1000) -> list[str]:
        """Names after `last` in byte order, without those whose listEnabled is false."""
        sql = "SELECT name FROM repositories WHERE registry = ? AND name > ? AND locks & 8 ORDER BY name LIMIT ?"
        return [row[0] for row in self.database.all(sql, registry.lower(), last, limit)]

    def repository_locks(self, registry: str, name: str) -> Locks:
        """Locks of a repository; of one that doesn't exist, none."""
        row = self.database.one(
            "SELECT locks FROM repositories WHERE registry = ? AND name = ?", registry.lower(), name
        )
        return Locks() if row is None else Locks.of(row[0])

    def set_repository_locks(self, registry: str, name: str, locks: Locks, at: str | None = None) -> None:
        self.database.run(
            "UPDATE repositories SET locks = ?, updated = coalesce(?, updated) WHERE id = ?",
            locks.bits(),
            at,
            self._repository(registry, name),
        )

    def repository_is_locked(self, registry: str, name: str) -> bool:
        """True when the repository, or anything in it, may not be deleted."""
        repository = self._repository(registry, name)
        sql = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE {key} = ?1 AND locks & 3 <> 3"
            for table, key in (("repositories", "id"), ("tags", "repository"), ("manifests", "repository"))
        )
        return self.database.one(f"SELECT * FROM ({sql}) LIMIT 1", repository) is not None

    def delete_repository(self, registry: str, name: str) -> tuple[list[str], list[str]]:
        """Delete it with all in it; returns the deleted digests and tags."""
        with self.transaction():
            repository = self._repository(registry, name)
            rows = self.database.all(
                "SELECT id, digest FROM manifests WHERE repository = ? ORDER BY digest", repository
            )
            tags = self.database.all("SELECT name FROM tags WHERE repository = ? ORDER BY name", repository)
            freed = self.blobs.free(repository, name, [row[0] for row in rows], whole=True)
            for table in ("manifests", "tags"):
                self.database.run(f"DELETE FROM {table} WHERE repository = ?", repository)
            self.database.run("DELETE FROM repositories WHERE id = ?", repository)
        self.blobs.unlink(freed)
        return [row[1] for row in rows], [row[0] for row in tags]

    def delete_registry_data(self, registry: str) -> None:
        """Forget all contents of a registry (its ARM document is the caller's)."""
        self.deleted.purge(registry)
        with self.transaction():
            self.deferred.forget(registry)
            for row in self.database.all("SELECT name FROM repositories WHERE registry = ?", registry.lower()):
                self.delete_repository(registry, row[0])
            stored = self.database.all("SELECT digest FROM blobs WHERE registry = ? AND stored", registry.lower())
            self.database.run("DELETE FROM blobs WHERE registry = ?", registry.lower())
        self.blobs.unlink([row[0] for row in stored])

    # Manifests

    def add_manifest(
        self,
        registry: str,
        repository: str,
        body: bytes,
        media_type: str,
        at: str,
        *,
        updated: str | None = None,
        architecture: str | None = None,
        os: str | None = None,
        locks: Locks | None = None,
        parsed: Parsed | None = None,
    ) -> str:
        """Insert a manifest and descriptors of its blobs; returns its digest. A known one is only touched."""
        found = parsed or parse(body, media_type)
        digest = manifest_digest(body, media_type)
        updated = updated or at
        self.blobs.forget_sizes()
        with self.transaction():
            repository_id = self._touch(registry, repository, at, updated)
            manifest_id = self.database.insert(
                f"INSERT OR IGNORE INTO manifests (repository, body, {MANIFEST_COLUMNS}) VALUES (?{', ?' * 12})",
                repository_id,
                body,
                digest,
                media_type,
                found.config_media_type,
                found.artifact_type,
                found.size,
                at,
                updated,
                architecture,
                os,
                found.subject,
                (locks or Locks()).bits(),
            )
            if manifest_id is None:
                sql = "UPDATE manifests SET updated = ? WHERE repository = ? AND digest = ?"
                self.database.run(sql, updated, repository_id, digest)
                return digest
            for blob in found.blobs:
                blob_id = self.blobs.descriptor(registry, blob.digest, blob.size)
                self.database.run("INSERT OR IGNORE INTO manifest_refs VALUES (?, ?)", manifest_id, blob_id)
        return digest

    def get_manifest(self, registry: str, repository: str, digest: str) -> Manifest | None:
        repository_id = self.database.find_repository(registry, repository)
        sql = f"SELECT {MANIFEST_COLUMNS} FROM manifests WHERE repository = ? AND digest = ?"
        row = self.database.one(sql, repository_id, digest)
        return None if row is None else self._manifests(repository_id, [row])[0]

    def get_manifest_body(self, registry: str, repository: str, digest: str) -> bytes | None:
        sql = "SELECT body FROM manifests WHERE repository = ? AND digest = ?"
        row = self.database.one(sql, self.database.find_repository(registry, repository), digest)
        return None if row is None else bytes(row[0])

    def list_manifests(
        self, registry: str, repository: str, last: str = "", limit: int = 1000, order: Order = ""
    ) -> list[Manifest]:
        """Listed manifests after `last` (a digest) in the order asked: by digest or by last update."""
        repository_id = self.database.find_repository(registry, repository)
        rows = self._page("manifests", MANIFEST_COLUMNS, "digest", repository_id, last, limit, order)
        return self._manifests(repository_id, rows)

    def list_referrers(self, registry: str, repository: str, digest: str) -> list[Manifest]:
        repository_id = self.database.find_repository(registry, repository)
        sql = f"SELECT {MANIFEST_COLUMNS} FROM manifests WHERE repository = ? AND subject = ? ORDER BY digest"
        return self._manifests(repository_id, self.database.all(sql, repository_id, digest))

    def set_manifest_locks(self, registry: str, repository: str, digest: str, locks: Locks, at: str) -> None:
        sql = "UPDATE manifests SET locks = ?, updated = ? WHERE repository = ? AND digest = ?"
        self.database.run(sql, locks.bits(), at, self._repository(registry, repository), digest)

    def with_referrers(self, registry: str, repository: str, digest: str) -> list[str]:
        """A digest, and what refers to it as its subject, to any depth."""
        repository_id, digests = self._repository(registry, repository), [digest]
        for current in digests:  # grows while it runs: referrers may have referrers
            sql = "SELECT digest FROM manifests WHERE repository = ? AND subject = ?"
            referrers = [row[0] for row in self.database.all(sql, repository_id, current)]
            digests += [referrer for referrer in referrers if referrer not in digests]
        return digests

    def restore_manifest(self, registry: str, repository: str, digest: str, at: str) -> None:
        """Put a deleted manifest back; its repository too where that is deleted."""
        self.blobs.forget_sizes()
        with self.transaction():
            self.deleted.restore_manifest(registry, repository, self._touch(registry, repository, at), digest)

    def delete_manifest(self, registry: str, repository: str, digest: str, at: str) -> None:
        """Remove it, its tags, and all that refers to it as its subject (container-registry-manage-artifact.md)."""
        with self.transaction():
            repository_id = self._repository(registry, repository)
            ids = []
            for current in self.with_referrers(registry, repository, digest):
                sql = "SELECT id FROM manifests WHERE repository = ? AND digest = ?"
                ids += [row[0] for row in self.database.all(sql, repository_id, current)]
                self.database.run("DELETE FROM tags WHERE repository = ? AND digest = ?", repository_id, current)
                self.database.run("DELETE FROM manifests WHERE repository = ? AND digest = ?", repository_id, current)
            freed = self.blobs.free(repository_id, repository, ids)
            if self.database.one("SELECT 1 FROM manifests WHERE repository = ? LIMIT 1", repository_id) is None:
                # A repository is deleted with its last manifest (github.com/Azure/azure-sdk/issues/2676).
                freed += self.blobs.free(repository_id, repository, [], whole=True)
                self.database.run("DELETE FROM repositories WHERE id = ?", repository_id)
            else:
                self._touch(registry, repository, at)
        self.blobs.unlink(freed)

    # Tags

    def add_tag(
        self,
        registry: str,
        repository: str,
        name: str,
        digest: str,
        at: str,
        *,
        updated: str | None = None,
        locks: Locks | None = None,
    ) -> None:
        """Insert a tag, or move it: then it keeps its creation time and its locks."""
        with self.transaction():
            repository_id = self._touch(registry, repository, at, updated)
            self.database.run(
                "INSERT INTO tags (repository, name, digest, created, updated, locks) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET digest = excluded.digest, updated = excluded.updated",
                repository_id,
                name,
                digest,
                at,
                updated or at,
                (locks or Locks()).bits(),
            )

    def get_tag(self, registry: str, repository: str, name: str) -> Tag | None:
        sql = f"SELECT {TAG_COLUMNS} FROM tags WHERE repository = ? AND name = ?"
        row = self.database.one(sql, self.database.find_repository(registry, repository), name)
        return None if row is None else to_tag(row)

    def list_tags(
        self,
        registry: str,
        repository: str,
        last: str = "",
        limit: int = 1000,
        order: Order = "",
        digest: str | None = None,
    ) -> list[Tag]:
        """Listed tags after `last` (a name) in the order asked; of one manifest when `digest` is given."""
        repository_id = self.database.find_repository(registry, repository)
        rows = self._page("tags", TAG_COLUMNS, "name", repository_id, last, limit, order, digest)
        return [to_tag(row) for row in rows]

    def set_tag_locks(self, registry: str, repository: str, name: str, locks: Locks, at: str) -> None:
        sql = "UPDATE tags SET locks = ?, updated = ? WHERE repository = ? AND name = ?"
        self.database.run(sql, locks.bits(), at, self._repository(registry, repository), name)

    def delete_tag(self, registry: str, repository: str, name: str, at: str) -> None:
        """Untag: the manifest stays."""
        with self.transaction():
            repository_id = self._touch(registry, repository, at)
            self.database.run("DELETE FROM tags WHERE repository = ? AND name = ?", repository_id, name)

    def _repository(self, registry: str, name: str) -> int:
        found = self.database.find_repository(registry, name)
        if found is None:
            raise KeyError(f"{registry}/{name}")
        return found

    def _touch(self, registry: str, name: str, at: str, updated: str | None = None) -> int:
        self.database.find_repository(registry, name)  # What is deferred is made with the times of its row.
        row = self.database.one(
            "INSERT INTO repositories (registry, name, created, updated, locks) VALUES (?, ?, ?, ?, 15)"
            " ON CONFLICT DO UPDATE SET created = min(created, excluded.created),"
            " updated = max(updated, excluded.updated) RETURNING id",
            registry.lower(),
            name,
            at,
            updated or at,
        )
        assert row is not None
        return int(row[0])

    def _page(
        self,
        table: str,
        columns: str,
        key: str,
        repository: int | None,
        last: str,
        limit: int,
        order: Order,
        digest: str | None = None,
    ) -> list[tuple[Any, ...]]:
        wheres = ["repository = ?", "locks & 8"]
        values: list[object] = [repository]
        if digest is not None:
            wheres.append("digest = ?")
            values.append(digest)
        down = order == "timedesc"
        way = "DESC" if down else "ASC"
        position = f"(updated, {key})" if order else f"({key})"
        if last:
            sign = "<" if down else ">"
            found = f"(SELECT updated, {key} FROM {table} WHERE repository = ? AND {key} = ?)"
            wheres.append(f"{position} {sign} {found}" if order else f"{key} > ?")
            values += [repository, last] if order else [last]
        ordered = f"updated {way}, {key} {way}" if order else key
        sql = f"SELECT {columns} FROM {table} WHERE {' AND '.join(wheres)} ORDER BY {ordered} LIMIT ?"
        return self.database.all(sql, *values, limit)

    def _manifests(self, repository: int | None, rows: Sequence[tuple[Any, ...]]) -> list[Manifest]:
        marks = ", ".join("?" * len(rows))
        sql = f"SELECT digest, name FROM tags WHERE repository = ? AND digest IN ({marks}) ORDER BY name"
        tags: dict[str, list[str]] = {}
        for digest, name in self.database.all(sql, repository, *(row[0] for row in rows)):
            tags.setdefault(digest, []).append(name)
        return [to_manifest(row, tags.get(row[0], [])) for row in rows]


def _document(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
