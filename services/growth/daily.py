"""Which registries are read each day for their snapshots: each once, whichever process is first; by another where that
one ends. A row of the database decides."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, or_, select, update

from services.connection.errors import ServiceError
from services.database import leases
from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import snapshot_reads as table
from services.growth.history import Snapshot
from services.growth.store import put_snapshots, remove_ahead
from services.jobs.jobs import LONGEST_LEASE

# The row of the list of registries: none has this key.
LIST = ""
# What failed is tried again.
AGAIN_AFTER = timedelta(hours=1)
# A registry whose reading ends its process each time is not read for ever, on one day.
MOST_ATTEMPTS = 3
_ENDED = f"The console's process ended {MOST_ATTEMPTS} times while it was read today: see the log."


@dataclass(frozen=True)
class ClaimedRead:
    """What this process reads now for the snapshots of `day`: a registry, by its `key_of` and resource id, or the
    `LIST`."""

    runs_as: str
    registry: str
    resource: str
    day: date
    attempt: int


@dataclass(frozen=True)
class ReadState:
    """How far the daily snapshot of a registry is. `day`: the last that was read; `today`: whether that is today;
    `running`: whether it is read now; `tried` and `error`: when reading it failed since, and why."""

    day: date | None
    today: bool
    running: bool
    tried: datetime | None
    error: str


def read_state(engine: Engine, registry: str) -> ReadState | None:
    """How far the daily snapshot of the registry with this `key_of` is; None where no worker has it on its list. Raises
    ServiceError (NoDatabase)."""
    with reading(engine, "The state of the daily snapshots could not be read") as db:
        now = clock(db)
        rows = db.execute(select(table).where(table.c.registry == registry)).all()
    if not rows:
        return None
    # Of the identity that reads now, where the console had another before.
    row = max(rows, key=lambda one: (one.begun or date.min, one.day or date.min))
    running = any(one.lease_until and now <= one.lease_until <= _latest(now) for one in rows)
    return ReadState(row.day, row.day == now.date(), running, row.tried if row.error else None, row.error)


def has_reads(engine: Engine, runs_as: str) -> bool:
    """Whether anything is to be read now, looked up without a lock. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The daily snapshots that are due could not be read") as db:
        now = clock(db)
        listed = select(table.c.registry).where(table.c.runs_as == runs_as)
        if db.execute(listed.where(table.c.registry == LIST)).first() is None:
            return True
        return db.execute(listed.where(_due(now)).limit(1)).first() is not None


def claim_read(engine: Engine, runs_as: str, lease: timedelta) -> ClaimedRead | None:
    """What is due and nobody reads, now leased to this process: the list of registries first. None where there is
    nothing. Raises ServiceError (NoDatabase)."""
    with writing(engine, "No daily snapshot could be taken") as db:
        if db.execute(select(table.c.registry).where(_is(runs_as, LIST))).first() is None:
            put_rows(db, table, [_new(runs_as, LIST, "")], where=table.c.attempt < 0)
        while True:
            now = clock(db)
            row = db.execute(
                select(table)
                .where(table.c.runs_as == runs_as, _due(now))
                # The list, then what was not tried, so that what fails holds up no other; then what is oldest.
                .order_by(table.c.registry != LIST, table.c.tried.is_not(None), table.c.day.is_not(None), table.c.day)
                .order_by(table.c.registry)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            attempt = row.attempt + 1 if row.begun == now.date() else 1
            this = _is(runs_as, row.registry)
            if attempt > MOST_ATTEMPTS:
                ended = update(table).where(this).values(lease_until=None, tried=now, error=_ENDED)
                db.execute(ended)
                continue
            begun = {"begun": now.date(), "attempt": attempt, "lease_until": now + lease}
            db.execute(update(table).where(this).values(begun))
            return ClaimedRead(runs_as, row.registry, row.resource, now.date(), attempt)


def end_list(engine: Engine, claim: ClaimedRead, found: Mapping[str, str], error: str = "") -> None:
    """Records the registries that are there: by `key_of`, their resource ids. Others are read no more, unless with an
    `error` not all could be listed: then they are listed again later. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "The registries of the daily snapshots could not be recorded") as db:
        _require_lease(db, claim)
        known = set(db.execute(select(table.c.registry).where(table.c.runs_as == claim.runs_as)).scalars())
        if new := [_new(claim.runs_as, key, resource) for key, resource in found.items() if key not in known]:
            put_rows(db, table, new)
        if error:
            _fail(db, claim, error)
            return
        for gone in known - found.keys() - {LIST}:
            db.execute(delete(table).where(_is(claim.runs_as, gone)))
        _end(db, claim)


def end_read(engine: Engine, claim: ClaimedRead, found: Sequence[Snapshot]) -> None:
    """Records the snapshots of a registry whose clock was found to be that of `claim.day`. Raises ServiceError:
    NoDatabase, TakenOver."""
    with writing(engine, "The snapshot of the registry could not be recorded") as db:
        _require_lease(db, claim)
        put_snapshots(db, claim.registry, found)
        remove_ahead(db, claim.registry, claim.day)
        _end(db, claim)


def fail_read(engine: Engine, claim: ClaimedRead, error: str) -> None:
    """Records why there is no snapshot: it is tried again later. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "The failure of a daily snapshot could not be recorded") as db:
        _require_lease(db, claim)
        _fail(db, claim, error)


def release_read(engine: Engine, claim: ClaimedRead) -> None:
    """Gives up what was not read: any process may take it at once, and this attempt does not count. Raises ServiceError
    (NoDatabase)."""
    with writing(engine, "The daily snapshot could not be given up") as db:
        given = update(table).where(_mine(claim)).values(lease_until=None, attempt=claim.attempt - 1)
        db.execute(given)


def keep_read(
    engine: Engine, claim: ClaimedRead, lease: timedelta, stop: threading.Event, ends: threading.Event
) -> AbstractContextManager[None]:
    """Renews the lease while the reading goes on, as `services.database.leases`."""

    def renew(db: Connection) -> bool:
        kept = update(table).where(_mine(claim)).values(lease_until=clock(db) + lease)
        return bool(db.execute(kept).rowcount)

    return leases.keep_lease(engine, "a daily snapshot", renew, lease, stop, ends)


def _due(now: datetime) -> ColumnElement[bool]:
    """What has no snapshot of today and is read by nobody. What failed waits, unless it did on another day, or later
    than now: a clock was wrong."""
    today = now.date()
    unread = or_(table.c.day.is_(None), table.c.day != today)
    free = or_(table.c.lease_until.is_(None), table.c.lease_until < now, table.c.lease_until > _latest(now))
    tried = table.c.tried
    rested = or_(
        tried.is_(None), tried < now - AGAIN_AFTER, tried > now, table.c.begun.is_(None), table.c.begun != today
    )
    # Ended so often today, and said so.
    given_up = and_(table.c.attempt >= MOST_ATTEMPTS, table.c.begun == today, table.c.lease_until.is_(None))
    return and_(unread, free, rested, or_(table.c.begun.is_(None), ~given_up))


def _latest(now: datetime) -> datetime:
    """Later than any lease that is given now."""
    return now + 1.1 * LONGEST_LEASE


def _is(runs_as: str, registry: str) -> ColumnElement[bool]:
    return and_(table.c.runs_as == runs_as, table.c.registry == registry)


def _mine(claim: ClaimedRead) -> ColumnElement[bool]:
    return and_(
        _is(claim.runs_as, claim.registry),
        table.c.begun == claim.day,
        table.c.attempt == claim.attempt,
        table.c.lease_until.is_not(None),
    )


def _new(runs_as: str, registry: str, resource: str) -> dict[str, object]:
    unset = dict.fromkeys(("day", "begun", "lease_until", "tried"))
    return {"runs_as": runs_as, "registry": registry, "resource": resource, "attempt": 0, "error": "", **unset}


def _end(db: Connection, claim: ClaimedRead) -> None:
    done = {"day": claim.day, "attempt": 0, "lease_until": None, "tried": None, "error": ""}
    db.execute(update(table).where(_mine(claim)).values(done))


def _fail(db: Connection, claim: ClaimedRead, error: str) -> None:
    failed = {"attempt": claim.attempt - 1, "lease_until": None, "tried": clock(db), "error": error}
    db.execute(update(table).where(_mine(claim)).values(failed))


def _require_lease(db: Connection, claim: ClaimedRead) -> None:
    """Locks the row until the transaction's end."""
    if db.execute(select(table.c.registry).where(_mine(claim)).with_for_update()).scalar() is not None:
        return
    cause = "This one did not renew its lease in time, or the registry is on the list no more."
    raise ServiceError("Another process reads this registry", cause, "Nothing needs to be done.", "TakenOver")
