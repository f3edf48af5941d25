"""Which blobs a registry has, who refers to them, and when their content may go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sandbox.storage.blobs import Blobs
from sandbox.storage.database import Database
from sandbox.storage.manifest import digest_of


class BlobStore(Database):
    """Blob rows beside the files of `blobs`. A row without content is a descriptor: seeds have layers like that."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(directory / "sandbox.db")
        self.blobs = Blobs(directory)
        self._bytes: dict[str, int] = {}

    def put_blob(self, registry: str, repository: str, data: bytes) -> str:
        """Store a small blob in full (a config); returns its digest. Seeds and tests use it."""
        digest = digest_of(data)
        with self._lock:
            self.blobs.write(digest, data)
            self.link_blob(registry, repository, digest, len(data))
        return digest

    def keep_upload(self, registry: str, repository: str, upload: str, digest: str) -> bool:
        """Make a blob of an upload; False, and the upload is gone, when its digest is another."""
        if self.blobs.upload_digest(upload) != digest:
            self.blobs.cancel_upload(upload)
            return False
        with self._lock:
            size = self.blobs.keep(upload, digest)
            self.link_blob(registry, repository, digest, size)
        return True

    def link_blob(self, registry: str, repository: str, digest: str, size: int) -> None:
        """Record that a blob's content is there and may be read through this repository."""
        with self.transaction():
            blob_id = self._blob(registry, digest, size)
            self._run("UPDATE blobs SET stored = 1, size = ? WHERE id = ?", size, blob_id)
            self._run("INSERT OR IGNORE INTO blob_links VALUES (?, ?)", blob_id, repository)

    def blob_size(self, registry: str, repository: str, digest: str, *, stored: bool = True) -> int | None:
        """Size of a blob that this repository may read; with stored=False a descriptor counts too."""
        row = self._one(
            "SELECT b.size FROM blobs b WHERE b.registry = ?1 AND b.digest = ?2 AND b.stored >= ?3 AND ("
            " EXISTS (SELECT 1 FROM blob_links l WHERE l.blob = b.id AND l.repository = ?4) OR EXISTS ("
            "  SELECT 1 FROM manifest_refs r JOIN manifests m ON m.id = r.manifest"
            "  WHERE r.blob = b.id AND m.repository = ?5))",
            registry.lower(),
            digest,
            int(stored),
            repository,
            self._find_repository(registry, repository),
        )
        return None if row is None else int(row[0])

    def delete_blob(self, registry: str, digest: str) -> None:
        """Drop a blob's content; a descriptor stays while manifests refer to it."""
        sql = "SELECT id FROM blobs WHERE registry = ? AND digest = ?"
        with self.transaction():
            for (blob_id,) in self._all(sql, registry.lower(), digest):
                self._run("DELETE FROM blob_links WHERE blob = ?", blob_id)
                self._run("UPDATE blobs SET stored = 0 WHERE id = ?", blob_id)
        self._unlink([digest])

    def stored_bytes(self, registry: str) -> int:
        """What the registry's images take: every referenced blob once, and every manifest once, wherever it lies."""
        key = registry.lower()
        with self._lock:
            if key not in self._bytes:
                ((size,),) = self._all(
                    "SELECT (SELECT coalesce(sum(size), 0) FROM blobs b WHERE registry = ?1"
                    "  AND EXISTS (SELECT 1 FROM manifest_refs WHERE blob = b.id))"
                    " + (SELECT coalesce(sum(size), 0) FROM (SELECT length(body) AS size FROM manifests"
                    "  WHERE repository IN (SELECT id FROM repositories WHERE registry = ?1) GROUP BY digest))",
                    key,
                )
                self._bytes[key] = size
            return self._bytes[key]

    def _find_repository(self, registry: str, name: str) -> int | None:
        row = self._one("SELECT id FROM repositories WHERE registry = ? AND name = ?", registry.lower(), name)
        return None if row is None else int(row[0])

    def _blob(self, registry: str, digest: str, size: int) -> int:
        row = self._one("SELECT id FROM blobs WHERE registry = ? AND digest = ?", registry.lower(), digest)
        if row is not None:
            return int(row[0])
        sql = "INSERT INTO blobs (registry, digest, size, stored) VALUES (?, ?, ?, 0)"
        inserted = self._insert(sql, registry.lower(), digest, size)
        assert inserted is not None
        return inserted

    def _free(self, repository: int, name: str, manifests: Sequence[int], *, whole: bool = False) -> list[str]:
        """Drop what these manifests refer to, or all that a repository links; digests of content nobody needs now."""
        self._bytes.clear()
        ids = json.dumps(manifests)
        rows = self._all("SELECT blob FROM manifest_refs WHERE manifest IN (SELECT value FROM json_each(?))", ids)
        if whole:
            registry = "(SELECT registry FROM repositories WHERE id = ?)"
            ours = f"SELECT id FROM blobs WHERE registry = {registry}"
            rows += self._all(
                f"SELECT blob FROM blob_links WHERE repository = ? AND blob IN ({ours})", name, repository
            )
        blobs = json.dumps(sorted({row[0] for row in rows}))
        self._run("DELETE FROM manifest_refs WHERE manifest IN (SELECT value FROM json_each(?))", ids)
        self._run(
            "DELETE FROM blob_links WHERE blob IN (SELECT value FROM json_each(?)) AND repository = ?"
            " AND NOT EXISTS (SELECT 1 FROM manifest_refs r JOIN manifests m ON m.id = r.manifest"
            "  WHERE r.blob = blob_links.blob AND m.repository = ?)",
            blobs,
            name,
            repository,
        )
        freed = self._all(
            "DELETE FROM blobs WHERE id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM manifest_refs WHERE blob = blobs.id)"
            " AND NOT EXISTS (SELECT 1 FROM blob_links WHERE blob = blobs.id) RETURNING digest, stored",
            blobs,
        )
        return [row[0] for row in freed if row[1]]

    def _unlink(self, digests: Sequence[str]) -> None:
        for digest in digests:
            with self._lock:
                if self._one("SELECT 1 FROM blobs WHERE digest = ? AND stored LIMIT 1", digest) is None:
                    self.blobs.remove(digest)
