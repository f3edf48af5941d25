"""Which blobs a registry has, what refers to them, and when their content may be deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sandbox.storage.blobs import Blobs
from sandbox.storage.database import Database
from sandbox.storage.manifest import digest_of


class BlobStore:
    """Rows of blobs beside their files. A row without content is a descriptor: most seeded layers are."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.files = Blobs(directory)
        self._database = database
        self._bytes: dict[str, int] = {}

    def put(self, registry: str, repository: str, data: bytes) -> str:
        """Store a small blob in full (a config); returns its digest. Seeds and tests use it."""
        digest = digest_of(data)
        with self._database.lock:
            self.files.write(digest, data)
            self.link(registry, repository, digest, len(data))
        return digest

    def keep_upload(self, registry: str, repository: str, upload: str, digest: str) -> bool:
        """Make a blob of an upload; False, and the upload is cancelled, when its digest is another."""
        if self.files.upload_digest(upload) != digest:
            self.files.cancel_upload(upload)
            return False
        with self._database.lock:
            size = self.files.keep(upload, digest)
            self.link(registry, repository, digest, size)
        return True

    def link(self, registry: str, repository: str, digest: str, size: int) -> None:
        """Record that a blob's content is there and may be read through this repository."""
        with self._database.transaction():
            blob_id = self.descriptor(registry, digest, size)
            self._database.run("UPDATE blobs SET stored = 1, size = ? WHERE id = ?", size, blob_id)
            self._database.run("INSERT OR IGNORE INTO blob_links VALUES (?, ?)", blob_id, repository)

    def size(self, registry: str, repository: str, digest: str, *, stored: bool = True) -> int | None:
        """Size of a blob that this repository may read; with stored=False a descriptor counts too."""
        row = self._database.one(
            "SELECT b.size FROM blobs b WHERE b.registry = ?1 AND b.digest = ?2 AND b.stored >= ?3 AND ("
            " EXISTS (SELECT 1 FROM blob_links l WHERE l.blob = b.id AND l.repository = ?4) OR EXISTS ("
            "  SELECT 1 FROM manifest_refs r JOIN manifests m ON m.id = r.manifest"
            "  WHERE r.blob = b.id AND m.repository = ?5))",
            registry.lower(),
            digest,
            int(stored),
            repository,
            self._database.find_repository(registry, repository),
        )
        return None if row is None else int(row[0])

    def delete(self, registry: str, digest: str) -> None:
        """Drop a blob's content; a descriptor stays while manifests refer to it."""
        sql = "SELECT id FROM blobs WHERE registry = ? AND digest = ?"
        with self._database.transaction():
            for (blob_id,) in self._database.all(sql, registry.lower(), digest):
                self._database.run("DELETE FROM blob_links WHERE blob = ?", blob_id)
                self._database.run("UPDATE blobs SET stored = 0 WHERE id = ?", blob_id)
        self.unlink([digest])

    def stored_bytes(self, registry: str) -> int:
        """Bytes of the registry's images: each referenced blob and each manifest once, whatever its repository, and
        what is deleted and not purged."""
        key = registry.lower()
        with self._database.lock:
            if key not in self._bytes:
                ((size,),) = self._database.all(
                    "SELECT (SELECT coalesce(sum(size), 0) FROM blobs b WHERE registry = ?1"
                    "  AND EXISTS (SELECT 1 FROM manifest_refs WHERE blob = b.id))"
                    " + (SELECT coalesce(sum(size), 0) FROM (SELECT digest, length(body) AS size FROM manifests"
                    "  WHERE repository IN (SELECT id FROM repositories WHERE registry = ?1)"
                    "  UNION SELECT digest, length(body) FROM deleted_manifests WHERE registry = ?1))"
                    " + (SELECT coalesce(sum(bytes), 0) FROM deferred"
                    "  WHERE repository IN (SELECT id FROM repositories WHERE registry = ?1))",
                    key,
                )
                self._bytes[key] = size
            return self._bytes[key]

    def push_times(self, registry: str) -> list[str]:
        """When each manifest that the registry has was pushed, the first one first."""
        rows = self._database.all(
            "SELECT m.created FROM manifests m JOIN repositories r ON r.id = m.repository"
            " WHERE r.registry = ? ORDER BY m.created",
            registry.lower(),
        )
        return [created for (created,) in rows]

    def forget_sizes(self) -> None:
        """To be called with every change of manifests: `stored_bytes` counts again."""
        self._bytes.clear()

    def descriptor(self, registry: str, digest: str, size: int) -> int:
        """The id of a blob's row, which is made where there is none."""
        row = self._database.one("SELECT id FROM blobs WHERE registry = ? AND digest = ?", registry.lower(), digest)
        if row is not None:
            return int(row[0])
        sql = "INSERT INTO blobs (registry, digest, size, stored) VALUES (?, ?, ?, 0)"
        inserted = self._database.insert(sql, registry.lower(), digest, size)
        assert inserted is not None
        return inserted

    def free(self, repository: int, name: str, manifests: Sequence[int], *, whole: bool = False) -> list[str]:
        """Drop what these manifests refer to, or all that a repository links. Returns the digests of content that
        nothing refers to now: to `unlink` once the change is committed."""
        self.forget_sizes()
        ids = json.dumps(manifests)
        of_these = "manifest IN (SELECT value FROM json_each(?))"
        rows = self._database.all(f"SELECT blob FROM manifest_refs WHERE {of_these}", ids)
        if whole:
            registry = "(SELECT registry FROM repositories WHERE id = ?)"
            ours = f"SELECT id FROM blobs WHERE registry = {registry}"
            rows += self._database.all(
                f"SELECT blob FROM blob_links WHERE repository = ? AND blob IN ({ours})", name, repository
            )
        blobs = json.dumps(sorted({row[0] for row in rows}))
        self._database.run(f"DELETE FROM manifest_refs WHERE {of_these}", ids)
        self._database.run(
            "DELETE FROM blob_links WHERE blob IN (SELECT value FROM json_each(?)) AND repository = ?"
            " AND NOT EXISTS (SELECT 1 FROM manifest_refs r JOIN manifests m ON m.id = r.manifest"
            "  WHERE r.blob = blob_links.blob AND m.repository = ?)",
            blobs,
            name,
            repository,
        )
        freed = self._database.all(
            "DELETE FROM blobs WHERE id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM manifest_refs WHERE blob = blobs.id)"
            " AND NOT EXISTS (SELECT 1 FROM blob_links WHERE blob = blobs.id) RETURNING digest, stored",
            blobs,
        )
        return [row[0] for row in freed if row[1]]

    def unlink(self, digests: Sequence[str]) -> None:
        """Remove the files of content that no registry has any more."""
        for digest in digests:
            with self._database.lock:
                if self._database.one("SELECT 1 FROM blobs WHERE digest = ? AND stored LIMIT 1", digest) is None:
                    self.files.remove(digest)
