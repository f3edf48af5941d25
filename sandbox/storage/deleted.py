"""What was deleted while soft delete was on: manifests and tags that can be restored until they are purged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.storage.blob_store import BlobStore
from sandbox.storage.database import Database

_MANIFEST = (
    "digest, media_type, config_media_type, artifact_type, size, created, updated, architecture, os, subject, locks"
)


@dataclass(frozen=True)
class Deleted:
    """A deleted repository, tag or manifest: what it is called, its digest ("" of a repository), and its times."""

    name: str
    digest: str
    created: str
    deleted: str


class DeletedStore:
    """Rows of what is deleted beside those of what is there. A deleted manifest refers to its blobs by its negative
    id, so that they stay stored."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    def keep_manifests(self, registry: str, repository: str, digests: Sequence[str] | None, at: str) -> None:
        """Keep these manifests of a repository, all of them where None, with their tags: to be called before they are
        deleted."""
        repository_id = self._database.find_repository(registry, repository)
        of_these = "" if digests is None else " AND digest IN (SELECT value FROM json_each(?))"
        values = [] if digests is None else [json.dumps(digests)]
        with self._database.transaction():
            self._database.run(
                f"INSERT OR REPLACE INTO deleted_manifests (registry, repository, deleted, body, {_MANIFEST})"
                f" SELECT ?, ?, ?, body, {_MANIFEST} FROM manifests WHERE repository = ?{of_these}",
                registry.lower(),
                repository,
                at,
                repository_id,
                *values,
            )
            self._database.run(
                "INSERT OR IGNORE INTO manifest_refs SELECT -d.id, r.blob FROM deleted_manifests d"
                " JOIN manifests m ON m.repository = ? AND m.digest = d.digest"
                " JOIN manifest_refs r ON r.manifest = m.id"
                " WHERE d.registry = ? AND d.repository = ? AND d.deleted = ?",
                repository_id,
                registry.lower(),
                repository,
                at,
            )
            self._keep_tags(registry, repository, repository_id, at, of_these, values)

    def keep_tag(self, registry: str, repository: str, name: str, at: str) -> None:
        """Keep one tag: to be called before it is removed, or moved."""
        repository_id = self._database.find_repository(registry, repository)
        self._keep_tags(registry, repository, repository_id, at, " AND name = ?", [name])

    def _keep_tags(
        self, registry: str, repository: str, repository_id: int | None, at: str, which: str, values: Sequence[str]
    ) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO deleted_tags (registry, repository, deleted, name, digest, created)"
            f" SELECT ?, ?, ?, name, digest, created FROM tags WHERE repository = ?{which}",
            registry.lower(),
            repository,
            at,
            repository_id,
            *values,
        )

    def repositories(self, registry: str) -> list[Deleted]:
        """The repositories that have nothing left that is not deleted, by name."""
        rows = self._database.all(
            "SELECT repository, '', min(created), max(deleted) FROM deleted_manifests d WHERE registry = ?1"
            " AND NOT EXISTS (SELECT 1 FROM repositories r WHERE r.registry = ?1 AND r.name = d.repository)"
            " GROUP BY repository ORDER BY repository",
            registry.lower(),
        )
        return [Deleted(*row) for row in rows]

    def manifests(self, registry: str, repository: str) -> list[Deleted]:
        """The deleted manifests of a repository, the last that was deleted last."""
        sql = (
            "SELECT '', digest, created, deleted FROM deleted_manifests WHERE registry = ? AND repository = ?"
            " ORDER BY deleted, digest"
        )
        return [Deleted(*row) for row in self._database.all(sql, registry.lower(), repository)]

    def tags(self, registry: str, repository: str) -> list[Deleted]:
        """The deleted tags of a repository, one of each name and digest, the last that was deleted last."""
        sql = (
            "SELECT name, digest, created, deleted FROM deleted_tags WHERE registry = ? AND repository = ?"
            " ORDER BY deleted, name"
        )
        return [Deleted(*row) for row in self._database.all(sql, registry.lower(), repository)]

    def subject(self, registry: str, repository: str, digest: str) -> str | None:
        """The subject of a deleted manifest; None where it has none."""
        sql = "SELECT subject FROM deleted_manifests WHERE registry = ? AND repository = ? AND digest = ?"
        row = self._database.one(sql, registry.lower(), repository, digest)
        return None if row is None else row[0]

    def restore_manifest(self, registry: str, repository: str, repository_id: int, digest: str) -> None:
        """Put a deleted manifest back with its blobs, without its tags; nothing where there is none."""
        sql = "SELECT id FROM deleted_manifests WHERE registry = ? AND repository = ? AND digest = ?"
        with self._database.transaction():
            row = self._database.one(sql, registry.lower(), repository, digest)
            if row is None:
                return
            manifest_id = self._database.insert(
                f"INSERT OR IGNORE INTO manifests (repository, body, {_MANIFEST})"
                f" SELECT ?, body, {_MANIFEST} FROM deleted_manifests WHERE id = ?",
                repository_id,
                row[0],
            )
            if manifest_id is not None:
                sql = "INSERT OR IGNORE INTO manifest_refs SELECT ?, blob FROM manifest_refs WHERE manifest = ?"
                self._database.run(sql, manifest_id, -row[0])
            self._forget([row[0]])

    def forget_tag(self, registry: str, repository: str, name: str, digest: str) -> None:
        """Drop a deleted tag: it was restored."""
        sql = "DELETE FROM deleted_tags WHERE registry = ? AND repository = ? AND name = ? AND digest = ?"
        self._database.run(sql, registry.lower(), repository, name, digest)

    def purge(self, registry: str, before: str | None = None) -> None:
        """Drop what was deleted before a time, all of a registry where None, with the content that nothing else has."""
        with self._database.transaction():
            until = "9999" if before is None else before
            sql = "SELECT id FROM deleted_manifests WHERE registry = ? AND deleted < ?"
            ids = [row[0] for row in self._database.all(sql, registry.lower(), until)]
            freed = self._forget(ids) if ids else []
            sql = "DELETE FROM deleted_tags WHERE registry = ? AND deleted < ?"
            self._database.run(sql, registry.lower(), until)
        self._blobs.unlink(freed)

    def _forget(self, ids: Sequence[int]) -> list[str]:
        freed = self._blobs.free(0, "", [-one for one in ids])
        of_these = "id IN (SELECT value FROM json_each(?))"
        self._database.run(f"DELETE FROM deleted_manifests WHERE {of_these}", json.dumps(ids))
        return freed
