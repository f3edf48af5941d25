"""The sandbox's one SQLite connection: its schema, transactions and statements."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
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
CREATE TABLE IF NOT EXISTS deferred (
    repository INTEGER PRIMARY KEY, manifests INTEGER NOT NULL, bytes INTEGER NOT NULL);
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
CREATE TABLE IF NOT EXISTS deleted_manifests (
    id INTEGER PRIMARY KEY, registry TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL,
    media_type TEXT NOT NULL, config_media_type TEXT, artifact_type TEXT, size INTEGER NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, architecture TEXT, os TEXT, subject TEXT,
    locks INTEGER NOT NULL, body BLOB NOT NULL, deleted TEXT NOT NULL,
    UNIQUE (registry, repository, digest));
CREATE TABLE IF NOT EXISTS deleted_tags (
    registry TEXT NOT NULL, repository TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
    created TEXT NOT NULL, deleted TEXT NOT NULL, PRIMARY KEY (registry, repository, name, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS costs (
    scope TEXT NOT NULL, resource TEXT NOT NULL, day TEXT NOT NULL, meter TEXT NOT NULL,
    quantity TEXT NOT NULL, cost TEXT NOT NULL, currency TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS costs_by_scope ON costs (scope, day);
CREATE TABLE IF NOT EXISTS registry_events (
    registry TEXT NOT NULL, workspace TEXT NOT NULL, at TEXT NOT NULL, operation TEXT NOT NULL,
    repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, identity TEXT NOT NULL,
    address TEXT NOT NULL, agent TEXT NOT NULL, result TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS registry_events_by_time ON registry_events (registry, at);
"""


class DataDirectoryInUse(RuntimeError):
    """Another sandbox has this data directory open."""


class Database:
    """One connection behind a re-entrant lock; every change is committed before its method returns, or with its
    transaction."""

    # Makes the contents of a repository, by its row's id, that were put off until now.
    fill: Callable[[int], None]

    def __init__(self, file: Path) -> None:
        self.lock = threading.RLock()
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
        with self.lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another one joins it."""
        with self.lock:
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

    def one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with self.lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """The number of rows that a statement changed."""
        with self.lock:
            return self._connection.execute(sql, values).rowcount

    def run_for_each(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """A statement once for each row of values."""
        with self.lock:
            self._connection.executemany(sql, rows)

    def insert(self, sql: str, *values: object) -> int | None:
        """The new row's id; None when OR IGNORE kept it out."""
        with self.lock:
            cursor = self._connection.execute(sql, values)
            return cursor.lastrowid if cursor.rowcount else None

    def find_repository(self, registry: str, name: str) -> int | None:
        """The id of a repository's row; what it holds is there from now on."""
        sql = "SELECT id, EXISTS (SELECT 1 FROM deferred WHERE repository = id) FROM repositories"
        row = self.one(f"{sql} WHERE registry = ? AND name = ?", registry.lower(), name)
        if row is None:
            return None
        if row[1]:
            self.fill(row[0])
        return int(row[0])
