"""What the sandbox remembers: ARM documents (see database.py) and the contents of its registries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.storage.blob_store import BlobStore
from sandbox.storage.database import DataDirectoryInUse
from sandbox.storage.manifest import Parsed, digest_of, parse
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


class Store(BlobStore):
    """The state of one sandbox, in one directory. A registry is named by its ARM name, in any case."""

    # Repositories

    def add_repository(self, registry: str, name: str, at: str, locks: Locks | None = None) -> None:
        """Make the repository if it isn't there; `at` becomes its last update if later. Adding a manifest does this."""
        self._touch(registry, name, at)
        if locks is not None:
            self.set_repository_locks(registry, name, locks)

    def get_repository(self, registry: str, name: str) -> Repository | None:
        sql = "SELECT name, created, updated, locks, manifests, tags FROM repositories WHERE registry = ? AND name = ?"
        row = self._one(sql, registry.lower(), name)
        return None if row is None else Repository(row[0], row[1], row[2], Locks.of(row[3]), row[4], row[5])

    def list_repositories(self, registry: str, last: str = "", limit: int = 1000) -> list[str]:
        """Names after `last` in byte order, without those whose listEnabled is false."""
        sql = "SELECT name FROM repositories WHERE registry = ? AND name > ? AND locks & 8 ORDER BY name LIMIT ?"
        return [row[0] for row in self._all(sql, registry.lower(), last, limit)]

    def repository_locks(self, registry: str, name: str) -> Locks:
        """Locks of a repository; of one that doesn't exist, none."""
        row = self._one("SELECT locks FROM repositories WHERE registry = ? AND name = ?", registry.lower(), name)
        return Locks() if row is None else Locks.of(row[0])

    def set_repository_locks(self, registry: str, name: str, locks: Locks, at: str | None = None) -> None:
        self._run(
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
        return self._one(f"SELECT * FROM ({sql}) LIMIT 1", repository) is not None

    def delete_repository(self, registry: str, name: str) -> tuple[list[str], list[str]]:
        """Remove it with all in it; the digests and the tags that went."""
        with self.transaction():
            repository = self._repository(registry, name)
            rows = self._all("SELECT id, digest FROM manifests WHERE repository = ? ORDER BY digest", repository)
            tags = self._all("SELECT name FROM tags WHERE repository = ? ORDER BY name", repository)
            freed = self._free(repository, name, [row[0] for row in rows], whole=True)
            for table in ("manifests", "tags"):
                self._run(f"DELETE FROM {table} WHERE repository = ?", repository)
            self._run("DELETE FROM repositories WHERE id = ?", repository)
        self._unlink(freed)
        return [row[1] for row in rows], [row[0] for row in tags]

    def delete_registry_data(self, registry: str) -> None:
        """Forget all contents of a registry (its ARM document is the caller's)."""
        with self.transaction():
            for row in self._all("SELECT name FROM repositories WHERE registry = ?", registry.lower()):
                self.delete_repository(registry, row[0])
            stored = self._all("SELECT digest FROM blobs WHERE registry = ? AND stored", registry.lower())
            self._run("DELETE FROM blobs WHERE registry = ?", registry.lower())
        self._unlink([row[0] for row in stored])

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
        digest = digest_of(body)
        updated = updated or at
        self._bytes.clear()
        with self.transaction():
            repository_id = self._touch(registry, repository, at, updated)
            manifest_id = self._insert(
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
                self._run(sql, updated, repository_id, digest)
                return digest
            for blob in found.blobs:
                blob_id = self._blob(registry, blob.digest, blob.size)
                self._run("INSERT OR IGNORE INTO manifest_refs VALUES (?, ?)", manifest_id, blob_id)
        return digest

    def get_manifest(self, registry: str, repository: str, digest: str) -> Manifest | None:
        repository_id = self._find_repository(registry, repository)
        sql = f"SELECT {MANIFEST_COLUMNS} FROM manifests WHERE repository = ? AND digest = ?"
        row = self._one(sql, repository_id, digest)
        return None if row is None else self._manifests(repository_id, [row])[0]

    def get_manifest_body(self, registry: str, repository: str, digest: str) -> bytes | None:
        sql = "SELECT body FROM manifests WHERE repository = ? AND digest = ?"
        row = self._one(sql, self._find_repository(registry, repository), digest)
        return None if row is None else bytes(row[0])

    def list_manifests(
        self, registry: str, repository: str, last: str = "", limit: int = 1000, order: Order = ""
    ) -> list[Manifest]:
        """Listed manifests after `last` (a digest) in the order asked: by digest or by last update."""
        repository_id = self._find_repository(registry, repository)
        rows = self._page("manifests", MANIFEST_COLUMNS, "digest", repository_id, last, limit, order)
        return self._manifests(repository_id, rows)

    def list_referrers(self, registry: str, repository: str, digest: str) -> list[Manifest]:
        repository_id = self._find_repository(registry, repository)
        sql = f"SELECT {MANIFEST_COLUMNS} FROM manifests WHERE repository = ? AND subject = ? ORDER BY digest"
        return self._manifests(repository_id, self._all(sql, repository_id, digest))

    def set_manifest_locks(self, registry: str, repository: str, digest: str, locks: Locks, at: str) -> None:
        sql = "UPDATE manifests SET locks = ?, updated = ? WHERE repository = ? AND digest = ?"
        self._run(sql, locks.bits(), at, self._repository(registry, repository), digest)

    def delete_manifest(self, registry: str, repository: str, digest: str, at: str) -> None:
        """Remove it, its tags, and all that refers to it as its subject (container-registry-manage-artifact.md)."""
        with self.transaction():
            repository_id = self._repository(registry, repository)
            digests, ids = [digest], []
            for current in digests:  # grows while it runs: referrers may have referrers
                sql = "SELECT digest FROM manifests WHERE repository = ? AND subject = ?"
                referrers = [row[0] for row in self._all(sql, repository_id, current)]
                digests += [referrer for referrer in referrers if referrer not in digests]
            for current in digests:
                sql = "SELECT id FROM manifests WHERE repository = ? AND digest = ?"
                ids += [row[0] for row in self._all(sql, repository_id, current)]
                self._run("DELETE FROM tags WHERE repository = ? AND digest = ?", repository_id, current)
                self._run("DELETE FROM manifests WHERE repository = ? AND digest = ?", repository_id, current)
            freed = self._free(repository_id, repository, ids)
            if self._one("SELECT 1 FROM manifests WHERE repository = ? LIMIT 1", repository_id) is None:
                # A repository goes with its last manifest (github.com/Azure/azure-sdk/issues/2676).
                freed += self._free(repository_id, repository, [], whole=True)
                self._run("DELETE FROM repositories WHERE id = ?", repository_id)
            else:
                self._touch(registry, repository, at)
        self._unlink(freed)

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
            self._run(
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
        row = self._one(sql, self._find_repository(registry, repository), name)
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
        repository_id = self._find_repository(registry, repository)
        rows = self._page("tags", TAG_COLUMNS, "name", repository_id, last, limit, order, digest)
        return [to_tag(row) for row in rows]

    def set_tag_locks(self, registry: str, repository: str, name: str, locks: Locks, at: str) -> None:
        sql = "UPDATE tags SET locks = ?, updated = ? WHERE repository = ? AND name = ?"
        self._run(sql, locks.bits(), at, self._repository(registry, repository), name)

    def delete_tag(self, registry: str, repository: str, name: str, at: str) -> None:
        """Untag: the manifest stays."""
        with self.transaction():
            repository_id = self._touch(registry, repository, at)
            self._run("DELETE FROM tags WHERE repository = ? AND name = ?", repository_id, name)

    # Helpers

    def _repository(self, registry: str, name: str) -> int:
        found = self._find_repository(registry, name)
        if found is None:
            raise KeyError(f"{registry}/{name}")
        return found

    def _touch(self, registry: str, name: str, at: str, updated: str | None = None) -> int:
        row = self._one(
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
        return self._all(sql, *values, limit)

    def _manifests(self, repository: int | None, rows: Sequence[tuple[Any, ...]]) -> list[Manifest]:
        marks = ", ".join("?" * len(rows))
        sql = f"SELECT digest, name FROM tags WHERE repository = ? AND digest IN ({marks}) ORDER BY name"
        tags: dict[str, list[str]] = {}
        for digest, name in self._all(sql, repository, *(row[0] for row in rows)):
            tags.setdefault(digest, []).append(name)
        return [to_manifest(row, tags.get(row[0], [])) for row in rows]
