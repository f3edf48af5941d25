"""Which monthly reports were delivered, which are due, and why one was not: each once for each target, whichever
process is first; by another where that one ends. A row of the database decides."""

import threading
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, or_, select, update

from services.connection.errors import ServiceError
from services.cost_reports.months import MOST_MONTHS, due_months, last_settled
from services.costs.review import month_before
from services.database import leases
from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import cost_reports as table
from services.jobs.audit import add_entry
from services.jobs.jobs import LONGEST_LEASE

# What failed is tried again.
AGAIN_AFTER = timedelta(hours=1)
# A report that ends its process each time is left for so long.
AFTER_ENDED = timedelta(days=1)
MOST_ATTEMPTS = 3
_ENDED = f"The console's process ended {MOST_ATTEMPTS} times while it made the report: see the log."
_SENT, _FAILED = "delivered cost report", "cost report failed"
# So many of its own versions are known, for a file of which another process wrote one.
_MOST_VERSIONS = 20


class Target(StrEnum):
    """Where a report goes."""

    FOLDER = "folder"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class ClaimedReport:
    """What this process delivers now. `versions`: the SHA-256 of each file that was about to be written for it, also by
    a process that ended. `failures`: how often it failed before as what may pass was not read. `lease`: the number of
    this claim, which no other has."""

    runs_as: str
    target: Target
    month: date
    attempt: int
    lease: int
    failures: int
    versions: tuple[str, ...]

    @property
    def estate(self) -> str:
        """What the report is of, whichever identity of the console makes it: the cloud and the tenant."""
        return _estate(self.runs_as)


@dataclass(frozen=True)
class Delivery:
    """How far a report is. `done`: when it was delivered, `place`: as which file, or to which host; `lacks`: what could
    not be read for it. `tried` and `error`: when it failed last since, and why."""

    target: Target
    month: date
    done: datetime | None
    place: str
    lacks: str
    tried: datetime | None
    error: str
    running: bool


def deliveries(engine: Engine, targets: Collection[Target]) -> tuple[Delivery, ...]:
    """By target the last report that was delivered, whichever identity of the console made it, and those of other
    months that are due and were not, in the order of the months. Raises ServiceError (NoDatabase)."""
    found: list[Delivery] = []
    with reading(engine, "The state of the monthly reports could not be read") as db:
        now = clock(db)
        mine = select(table).where(table.c.month <= last_settled(now)).order_by(table.c.month)
        for target in sorted(targets):
            rows = db.execute(mine.where(table.c.target == target)).all()
            done = {row.month: row for row in rows if row.done}
            open_ = {row.month: row for row in rows if row.month not in done and row.month >= _oldest(now)}
            last = [done[max(done)]] if done else []
            shown = sorted([*last, *open_.values()], key=lambda row: row.month)
            found += [_delivery(row, now) for row in shown]
    return tuple(found)


def _delivery(row: Row[tuple[object, ...]], now: datetime) -> Delivery:
    running = bool(row.lease_until and now <= row.lease_until <= _latest(now))
    return Delivery(
        Target(row.target), row.month, row.done, row.place, row.lacks, row.tried if row.error else None, row.error,
        running,
    )  # fmt: skip


def has_due(engine: Engine, runs_as: str, targets: Collection[Target]) -> bool:
    """Whether a report is due now, looked up without a lock. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The monthly reports that are due could not be read") as db:
        now = clock(db)
        if any(_missing(db, runs_as, target, now) for target in targets):
            return True
        return db.execute(select(table.c.month).where(_due(runs_as, targets, now)).limit(1)).first() is not None


def claim_report(engine: Engine, runs_as: str, targets: Collection[Target], lease: timedelta) -> ClaimedReport | None:
    """A report that is due and that nobody makes, now leased to this process: what was not tried first, then the oldest
    month. None where there is none. Raises ServiceError (NoDatabase)."""
    with writing(engine, "No monthly report could be begun") as db:
        now = clock(db)
        for target in targets:
            if new := [_new(runs_as, target, month) for month in _missing(db, runs_as, target, now)]:
                put_rows(db, table, new, where=table.c.attempt < 0)
        while True:
            row = db.execute(
                select(table)
                .where(_due(runs_as, targets, now))
                .order_by(table.c.tried.is_not(None), table.c.month, table.c.target)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            claim = ClaimedReport(
                runs_as, Target(row.target), row.month, row.attempt + 1, row.leases + 1, row.failures,
                tuple(row.versions),
            )  # fmt: skip
            this = _is(runs_as, row.target, row.month)
            if claim.attempt > MOST_ATTEMPTS:
                _note_failure(db, row, _ENDED)
                ended = {"lease_until": None, "attempt": 0, "tried": now, "again": now + AFTER_ENDED, "error": _ENDED}
                db.execute(update(table).where(this).values(ended))
                continue
            db.execute(
                update(table).where(this).values(attempt=claim.attempt, leases=claim.lease, lease_until=now + lease)
            )
            return claim


def hold_report(engine: Engine, claim: ClaimedReport, lease: timedelta) -> None:
    """Renews the lease before what can't be undone. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "That the report is about to be sent could not be recorded") as db:
        _require_lease(db, claim)
        db.execute(update(table).where(_mine(claim)).values(lease_until=clock(db) + lease))


def note_versions(engine: Engine, claim: ClaimedReport, versions: Iterable[str], there: Collection[str] = ()) -> None:
    """Records the files that are about to be written, by their SHA-256: whoever finds one knows it as the console's
    own. Of those before, the ones that are `there` are not forgotten. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "The files of the report could not be recorded") as db:
        _require_lease(db, claim)
        known = [*(one for one in claim.versions if one not in there), *there, *versions][-_MOST_VERSIONS:]
        db.execute(update(table).where(_mine(claim)).values(versions=known))


def end_report(engine: Engine, claim: ClaimedReport, place: str, lacks: str = "") -> None:
    """Records that the report was delivered, and adds it to the activity log. Raises ServiceError: NoDatabase,
    TakenOver."""
    with writing(engine, "That the report was delivered could not be recorded") as db:
        _require_lease(db, claim)
        add_entry(db, claim.runs_as, _SENT, "", month=_name(claim.month), target=f"{claim.target} {place}", lacks=lacks)
        done = {"done": clock(db), "place": place, "lacks": lacks, "lease_until": None, "error": "", "attempt": 0}
        db.execute(update(table).where(_mine(claim)).values(done))


def fail_report(engine: Engine, claim: ClaimedReport, error: str, *, unread: bool = False) -> None:
    """Records why the report was not delivered, in the activity log too where the reason is another: it is tried again
    later. `unread`: as something was not read that may pass. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "The failure of a monthly report could not be recorded") as db:
        _require_lease(db, claim)
        row = db.execute(select(table).where(_mine(claim))).one()
        if row.error != error:
            _note_failure(db, row, error)
        now = clock(db)
        failed = {"lease_until": None, "attempt": 0, "tried": now, "again": now + AGAIN_AFTER, "error": error}
        db.execute(update(table).where(_mine(claim)).values(**failed, failures=claim.failures + unread))


def release_report(engine: Engine, claim: ClaimedReport) -> None:
    """Gives up what was not delivered: any process may take it at once, and this attempt does not count. Raises
    ServiceError (NoDatabase)."""
    with writing(engine, "The monthly report could not be given up") as db:
        db.execute(update(table).where(_mine(claim)).values(lease_until=None, attempt=claim.attempt - 1))


def keep_report(
    engine: Engine, claim: ClaimedReport, lease: timedelta, stop: threading.Event, ends: threading.Event
) -> AbstractContextManager[None]:
    """Renews the lease while the report is made, as `services.database.leases`."""

    def renew(db: Connection) -> bool:
        kept = update(table).where(_mine(claim)).values(lease_until=clock(db) + lease)
        return bool(db.execute(kept).rowcount)

    return leases.keep_lease(engine, "a monthly report", renew, lease, stop, ends)


def _missing(db: Connection, runs_as: str, target: Target, now: datetime) -> tuple[date, ...]:
    """The months that are due and have no row yet, nor were delivered by another identity of the console before. Rows
    of months to come are of a clock that was wrong."""
    known = or_(table.c.runs_as == runs_as, and_(_of_estate(table.c.runs_as, runs_as), table.c.done.is_not(None)))
    mine = and_(known, table.c.target == target, table.c.month <= last_settled(now))
    latest: date | None = db.execute(select(func.max(table.c.month)).where(mine)).scalar()
    return due_months(now, latest)


def _due(runs_as: str, targets: Collection[Target], now: datetime) -> ColumnElement[bool]:
    """What is not delivered and made by nobody. What failed waits, but not longer than it can have to: then a clock was
    wrong. What is too old to be read is left, and what another identity of the console has delivered."""
    other = table.alias()
    delivered = select(other.c.month).where(
        _of_estate(other.c.runs_as, runs_as),
        other.c.target == table.c.target,
        other.c.month == table.c.month,
        other.c.done.is_not(None),
    )
    return and_(
        ~delivered.correlate(table).exists(),
        table.c.runs_as == runs_as,
        table.c.target.in_([str(target) for target in targets]),
        table.c.month <= last_settled(now),
        table.c.month >= _oldest(now),
        table.c.done.is_(None),
        or_(table.c.lease_until.is_(None), table.c.lease_until < now, table.c.lease_until > _latest(now)),
        or_(table.c.again.is_(None), table.c.again <= now, table.c.again > now + 1.1 * AFTER_ENDED),
    )


def _estate(runs_as: str) -> str:
    return runs_as.rpartition("/")[0]


def _of_estate(column: ColumnElement[str], runs_as: str) -> ColumnElement[bool]:
    return column.startswith(f"{_estate(runs_as)}/", autoescape=True)


def _oldest(now: datetime) -> date:
    """The earliest month whose bills are still read."""
    month = last_settled(now)
    for _ in range(MOST_MONTHS - 1):
        month = month_before(month)
    return month


def _latest(now: datetime) -> datetime:
    """Later than any lease that is given now."""
    return now + 1.1 * LONGEST_LEASE


def _is(runs_as: str, target: str, month: date) -> ColumnElement[bool]:
    return and_(table.c.runs_as == runs_as, table.c.target == str(target), table.c.month == month)


def _mine(claim: ClaimedReport) -> ColumnElement[bool]:
    return and_(
        _is(claim.runs_as, claim.target, claim.month),
        table.c.leases == claim.lease,
        table.c.lease_until.is_not(None),
    )


def _new(runs_as: str, target: Target, month: date) -> dict[str, object]:
    unset = dict.fromkeys(("lease_until", "tried", "again", "done"))
    texts = dict.fromkeys(("place", "lacks", "error"), "")
    key = {"runs_as": runs_as, "target": str(target), "month": month}
    return {**key, "attempt": 0, "leases": 0, "failures": 0, "versions": [], **texts, **unset}


def _note_failure(db: Connection, row: Row[tuple[object, ...]], error: str) -> None:
    add_entry(db, row.runs_as, _FAILED, "", month=_name(row.month), target=row.target, error=error)


def _name(month: date) -> str:
    return f"{month:%Y-%m}"


def _require_lease(db: Connection, claim: ClaimedReport) -> None:
    """Locks the row until the transaction's end."""
    if db.execute(select(table.c.month).where(_mine(claim)).with_for_update()).scalar() is not None:
        return
    cause = "This one did not renew its lease in time."
    raise ServiceError("Another process makes this report", cause, "Nothing needs to be done.", "TakenOver")
