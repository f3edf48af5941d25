"""The sandbox's one SQLite connection: schema, transactions, settings and ARM documents."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resources (
    key TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resources_by_type ON resources (type, name);
CREATE TABLE IF NOT EXISTS repositories (
    id INTEGER PRIMARY KEY, registry TEXT NOT NULL, name TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, locks INTEGER NOT NULL,
    manifests INTEGER NOT NULL DEFAULT 0, tags INTEGER NOT NULL DEFAULT 0,
    UNIQUE (registry, name));
CREATE TABLE IF NOT EXISTS manifests (
    id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL,
    config_media_type TEXT, artifact_type TEXT, size INTEGER NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, architecture TEXT, os TEXT, subject TEXT,
    locks INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (repository, digest));
CREATE INDEX IF NOT EXISTS manifests_by_time ON manifests (repository, updated, digest);
CREATE INDEX IF NOT EXISTS manifests_by_subject ON manifests (repository, subject) WHERE subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS tags (
    repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, locks INTEGER NOT NULL,
    PRIMARY KEY (repository, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tags_by_digest ON tags (repository, digest, name);
CREATE INDEX IF NOT EXISTS tags_by_time ON tags (repository, updated, name);
CREATE TRIGGER IF NOT EXISTS manifest_in AFTER INSERT ON manifests BEGIN
    UPDATE repositories SET manifests = manifests + 1 WHERE id = new.repository; END;
CREATE TRIGGER IF NOT EXISTS manifest_out AFTER DELETE ON manifests BEGIN
    UPDATE repositories SET manifests = manifests - 1 WHERE id = old.repository; END;
CREATE TRIGGER IF NOT EXISTS tag_in AFTER INSERT ON tags BEGIN
    UPDATE repositories SET tags = tags + 1 WHERE id = new.repository; END;
CREATE TRIGGER IF NOT EXISTS tag_out AFTER DELETE ON tags BEGIN
    UPDATE repositories SET tags = tags - 1 WHERE id = old.repository; END;
CREATE TABLE IF NOT EXISTS blobs (
    id INTEGER PRIMARY KEY, registry TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    stored INTEGER NOT NULL, UNIQUE (registry, digest));
CREATE INDEX IF NOT EXISTS blobs_by_digest ON blobs (digest) WHERE stored;
CREATE TABLE IF NOT EXISTS manifest_refs (
    manifest INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY (manifest, blob)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS manifest_refs_by_blob ON manifest_refs (blob);
CREATE TABLE IF NOT EXISTS blob_links (
    blob INTEGER NOT NULL, repository TEXT NOT NULL, PRIMARY KEY (blob, repository)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS costs (
    scope TEXT NOT NULL, resource TEXT NOT NULL, day TEXT NOT NULL, meter TEXT NOT NULL,
    quantity TEXT NOT NULL, cost TEXT NOT NULL, currency TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS costs_by_scope ON costs (scope, day);
"""


class DataDirectoryInUse(RuntimeError):
    """Another sandbox has this data directory open."""


class Database:
    """One connection behind a re-entrant lock; every change is committed before its method returns."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0.5)
        try:
            # Exclusive: a second process on the same directory would serve ports the first one owns.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(SCHEMA)
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "locked" not in str(error):
                raise
            raise DataDirectoryInUse(f"another sandbox is using {file.parent}") from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another one joins it."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def get_setting(self, key: str) -> str | None:
        row = self._one("SELECT value FROM settings WHERE key = ?", key)
        return None if row is None else str(row[0])

    def set_setting(self, key: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, value)

    def put_resource(self, resource: dict[str, Any]) -> None:
        """Insert or replace an ARM document; ids are compared without case, as ARM does."""
        key, kind, name = (str(resource[member]).lower() for member in ("id", "type", "name"))
        body = json.dumps(resource, separators=(",", ":"))
        self._run("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)", key, kind, name, body)

    def get_resource(self, resource_id: str) -> dict[str, Any] | None:
        row = self._one("SELECT body FROM resources WHERE key = ?", resource_id.lower())
        return None if row is None else _document(row[0])

    def delete_resource(self, resource_id: str) -> bool:
        """Remove one document; True when it was there. Nested resources stay: list them and delete them."""
        return self._run("DELETE FROM resources WHERE key = ?", resource_id.lower()) > 0

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
        rows = self._all(f"SELECT body FROM resources WHERE {' AND '.join(wheres)} ORDER BY key", *values)
        return [_document(row[0]) for row in rows]

    def find_resource(self, type: str, name: str) -> dict[str, Any] | None:
        """A document by type and name: for names that are unique across subscriptions, as registries' are."""
        sql = "SELECT body FROM resources WHERE type = ? AND name = ?"
        row = self._one(sql, type.lower(), name.lower())
        return None if row is None else _document(row[0])

    def put_costs(self, rows: Iterable[tuple[str, str, str, str, str, str]]) -> None:
        """Add rows of resource id, day, meter, quantity, cost and currency."""
        with self._lock:
            self._connection.executemany(
                "INSERT INTO costs VALUES (lower(?1), ?1, ?2, ?3, ?4, ?5, ?6)",
                rows,
            )

    def list_costs(self, scope: str, first: str, last: str) -> list[tuple[Any, ...]]:
        """Rows of resources at or below the id `scope`, of days from first to last, by day."""
        prefix = scope.rstrip("/").lower()
        sql = (
            "SELECT resource, day, meter, quantity, cost, currency FROM costs "
            "WHERE scope > ? AND scope < ? AND day BETWEEN ? AND ? ORDER BY day, scope, meter"
        )
        return self._all(sql, prefix + "/", prefix + "0", first, last)

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return row

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: object) -> int:
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def _insert(self, sql: str, *values: object) -> int | None:
        """The new row's id; None when OR IGNORE kept it out."""
        with self._lock:
            cursor = self._connection.execute(sql, values)
            return cursor.lastrowid if cursor.rowcount else None


def _document(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
