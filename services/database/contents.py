"""Contents of registries by their digest, which all processes of the console share: what a digest names never changes.

A row is checked against its digest when it is read: one that was tampered with is as if it were not there. Who may see
it is for the caller to know: it asks only for digests that the registry itself has listed for the same person.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Engine, delete, exists, func, select, update

from services.connection.errors import ServiceError
from services.database.engine import put_rows, reading, writing
from services.database.tables import contents, kept_manifests

# As large as a registry lets a manifest be.
LARGEST = 4 * 1024 * 1024
# Of all rows but those of `kept_manifests`: a hundred thousand manifests of the usual size. Beyond it, what was used
# least lately goes.
MOST_BYTES = 256 * 1024 * 1024
# Rows added by this process between two looks at how much there is.
_ROWS_A_LOOK = 1000
# How exactly the last use is known: not every reading is worth a write.
_USED_EVERY = timedelta(days=1)
# After a failure nothing is asked of the database for so long: what it would save is not worth waiting for it.
_PAUSE_S = 60
# Digests in one statement.
_PART = 500
_LOG = logging.getLogger(__name__)
_TITLE = "What processes of the console share could not be read"


class ContentStore:
    """The contents in `database()`. Never raises ServiceError: without the database there is nothing shared."""

    def __init__(self, database: Callable[[], Engine], most_bytes: int = MOST_BYTES) -> None:
        self._database = database
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._added = _ROWS_A_LOOK  # A process that begins looks at its first.
        self._rests_until = 0.0

    def find(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of those of `digests` that are there."""
        found: dict[str, bytes] = {}
        try:
            for part in self._parts(list(digests)):
                with reading(self._database(), _TITLE) as db:
                    rows = db.execute(select(contents).where(contents.c.digest.in_(part))).all()
                now = datetime.now(UTC)
                old = [row.digest for row in rows if row.used < now - _USED_EVERY]
                if old:
                    with writing(self._database(), _TITLE) as db:
                        db.execute(update(contents).where(contents.c.digest.in_(old)).values(used=now))
                found |= {row.digest: row.raw for row in rows if is_content_of(row.digest, row.raw)}
        except ServiceError as error:
            self._rest(error)
        return found

    def add(self, read: Mapping[str, bytes]) -> None:
        """Adds the bytes that a registry sent for these digests, but for what is too large, and what goes by another
        digest than that of its bytes."""
        rows = {digest: raw for digest, raw in read.items() if len(raw) <= LARGEST and is_content_of(digest, raw)}
        try:
            for part in self._parts(sorted(rows)):  # In one order: of two processes that add the same, one waits.
                with writing(self._database(), _TITLE) as db:
                    now = datetime.now(UTC)
                    put_rows(db, contents, [content_row(digest, rows[digest], now) for digest in part])
                self._trim(len(part))
        except ServiceError as error:
            self._rest(error)

    def _parts(self, items: list[str]) -> Iterable[list[str]]:
        if time.monotonic() < self._rests_until:
            return ()
        return (items[at : at + _PART] for at in range(0, len(items), _PART))

    def _rest(self, error: ServiceError) -> None:
        self._rests_until = time.monotonic() + _PAUSE_S
        _LOG.warning("%s", error)

    def _trim(self, added: int) -> None:
        """Removes what was used least lately, where all together is too much."""
        with self._lock:
            self._added += added
            if self._added < _ROWS_A_LOOK:
                return
            self._added = 0
        with writing(self._database(), _TITLE) as db:
            kept = exists().where(kept_manifests.c.digest == contents.c.digest)
            if (db.execute(select(func.sum(contents.c.size)).where(~kept)).scalar() or 0) <= self._most_bytes:
                return
            newest_first = func.sum(contents.c.size).over(order_by=(contents.c.used.desc(), contents.c.digest))
            counted = select(contents.c.digest, newest_first.label("together")).where(~kept).subquery()
            beyond = select(counted.c.digest).where(counted.c.together > self._most_bytes * 9 // 10)
            db.execute(delete(contents).where(contents.c.digest.in_(beyond)))


def content_row(digest: str, raw: bytes, now: datetime) -> Mapping[str, Any]:
    """The row of `contents` for bytes that were used `now`."""
    return {"digest": digest, "size": len(raw), "raw": raw, "used": now}


def is_content_of(digest: str, raw: bytes) -> bool:
    """Whether the bytes have this digest."""
    return digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
