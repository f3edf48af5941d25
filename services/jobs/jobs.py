"""Jobs in the database: begun, taken over, stopped and read. `services/jobs/running.py` is one that runs here."""

import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, case, func, insert, or_, select, update

from services.connection.changes import Outcome, SentChange
from services.database.engine import clock, reading, writing
from services.database.tables import job_items, jobs
from services.jobs.audit import BEGAN, IMPORTED, add_entry, items_hash, login_of, text_hash

# The host, the process, and a random part: process numbers come again.
RUNNER = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(3)}"
# So many are listed, the newest.
LISTED = 500
# As long a process may ask for, whatever its own lease is (ACR_CONSOLE_LEASE_S).
LONGEST_LEASE = timedelta(hours=1)
# A job whose lease ran out longer ago goes on when its person asks for it: what it was begun for may be over.
CONTINUED_WITHIN = timedelta(hours=24)
_UNREADABLE = "The jobs could not be read"
_NOT_DONE = (Outcome.REFUSED, Outcome.NOT_CONFIRMED)
# Writes what belongs to a job of that id to the transaction that begins it; raises ServiceError where it may not begin.
Within = Callable[[Connection, str], None]


@dataclass(frozen=True)
class JobItem:
    """One thing to change, by `name`: a tag, or a digest with its `tags`."""

    name: str
    digest: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobResult:
    """What became of one item: an Outcome, or another word of the job's own; `cause` why it was refused."""

    outcome: str
    cause: str = ""


@dataclass(frozen=True)
class Job:
    """One job. `results` has the items that ended, by name; `ended` is None until all that was tried has.

    `details` is what is needed to plan it again. `attempt` counts its runners, 0 for one that nobody may continue.
    `runs` says whether its runner's lease was valid when it was read. `overdue_since`: when that ran out, of one that
    goes on only where its person asks for it; None of any other.
    """

    id: str
    who: str
    action: str
    login_server: str
    repository: str
    details: Mapping[str, Any]
    begun: datetime
    items: tuple[JobItem, ...]
    results: Mapping[str, JobResult]
    attempt: int
    runs: bool
    stop_requested: bool = False
    ended: datetime | None = None
    answer: str = ""
    error: str = ""
    damaged_lines: int = 0
    incomplete: bool = False
    login: str = ""
    overdue_since: datetime | None = None

    @property
    def open(self) -> tuple[JobItem, ...]:
        """The items without a result."""
        return tuple(item for item in self.items if item.name not in self.results)

    @property
    def sent(self) -> tuple[SentChange, ...]:
        """What its last runner sent that changes something; known once it has ended."""
        return tuple(SentChange(*one) for one in self.details.get("sent", ()))

    @property
    def target(self) -> str:
        """See `target_of`."""
        return target_of(self.login_server, self.repository)

    @property
    def title(self) -> str:
        """The action as a sentence begins: Delete manifests, Change SKU."""
        return self.action[:1].upper() + self.action[1:]

    @property
    def state(self) -> str:
        """See `state_of`."""
        left = any(result.outcome in _NOT_DONE for result in self.results.values())
        return state_of(
            self.runs, self.error, self.ended, len(self.open), self.damaged_lines, incomplete=self.incomplete or left
        )


@dataclass(frozen=True)
class JobSummary:
    """A job without its items: how many there are, and how many have a result."""

    id: str
    action: str
    login_server: str
    repository: str
    begun: datetime
    ended: datetime | None
    error: str
    items: int
    recorded: int
    runs: bool
    damaged_lines: int = 0
    incomplete: bool = False
    who: str = ""
    login: str = ""

    @property
    def target(self) -> str:
        """See `target_of`."""
        return target_of(self.login_server, self.repository)

    @property
    def state(self) -> str:
        """See `state_of`."""
        left = self.items - self.recorded
        return state_of(self.runs, self.error, self.ended, left, self.damaged_lines, incomplete=self.incomplete)


def state_of(
    runs: bool,
    error: str,
    ended: datetime | None,
    without_result: int,
    damaged_lines: int = 0,
    *,
    incomplete: bool = False,
) -> str:
    """Running; Failed; Interrupted: its process ended before it did; Unknown: its record is damaged; Stopped;
    Incomplete: something was refused or is not confirmed; or Completed."""
    if runs:
        return "Running"
    if error:
        return "Failed"
    if not ended:
        return "Interrupted"
    if without_result and damaged_lines:
        return "Unknown"
    if without_result:
        return "Stopped"
    return "Incomplete" if incomplete else "Completed"


def target_of(login_server: str, repository: str) -> str:
    """'contoso.azurecr.io/app'; what a job changes that is no repository stands alone."""
    return f"{login_server}/{repository}" if repository else login_server


def named_target(target: str, names: Mapping[str, str]) -> str:
    """`target` with the registry's name for its login server, where `names` (by login server in lower case) has it."""
    server, slash, rest = target.partition("/")
    return f"{names.get(server.casefold(), server)}{slash}{rest}"


def new_id() -> str:
    """An id that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def begin(
    engine: Engine,
    who: str,
    action: str,
    login_server: str,
    repository: str,
    items: Iterable[JobItem],
    details: Mapping[str, Any],
    lease: timedelta,
    *,
    attempt: int = 1,
    logged: Mapping[str, Any] | None = None,
    within: Within | None = None,
) -> Job:
    """Writes the job, its items and the log's entry in one transaction, before anything is changed.

    `attempt` is 0 for a job that nobody may continue. `logged`: what the log's entry has besides. `within` writes to
    the same transaction. Raises ServiceError (NoDatabase), or as `within` does: then nothing may begin.
    """
    listed = tuple(items)
    with writing(engine, "The job could not be recorded") as db:
        now, job, login = clock(db), new_id(), login_of(db, who)
        db.execute(
            insert(jobs).values(
                id=job, who=who, login=login, action=action, login_server=login_server, repository=repository,
                details=dict(details), begun=now, runner=RUNNER, attempt=attempt, lease_until=now + lease,
                stop_requested=False, answer="", error="", damaged_lines=0,
            )
        )  # fmt: skip
        _insert_items(db, job, listed, {})
        add_entry(
            db, who, BEGAN, job, login=login, action=action, target=target_of(login_server, repository),
            items=len(listed), plan_hash=items_hash(db, job, with_outcomes=False), **(logged or {}),
        )  # fmt: skip
        if within:
            within(db, job)
        return _read(db, job)


def add_finished(engine: Engine, job: Job) -> bool:
    """Adds a job as another store kept it, for reading alone; False where there is one of its id."""
    with writing(engine, "An older record could not be added") as db:
        if db.execute(select(jobs.c.id).where(jobs.c.id == job.id)).scalar():
            return False
        db.execute(
            insert(jobs).values(
                id=job.id, who=job.who, action=job.action, login_server=job.login_server, repository=job.repository,
                details={}, begun=job.begun, runner="", attempt=0, lease_until=job.begun, stop_requested=False,
                ended=job.ended, answer=job.answer, error=job.error, damaged_lines=job.damaged_lines,
            )
        )  # fmt: skip
        _insert_items(db, job.id, job.items, job.results)
        add_entry(
            db, job.who, IMPORTED, job.id, action=job.action, items=len(job.items),
            target=target_of(job.login_server, job.repository), error=job.error, answer_hash=text_hash(job.answer),
            outcomes_hash=items_hash(db, job.id, with_outcomes=True),
        )  # fmt: skip
        return True


def _insert_items(db: Connection, job: str, items: Sequence[JobItem], results: Mapping[str, JobResult]) -> None:
    none = JobResult("", "")
    rows = [
        {
            "job": job, "name": item.name, "position": at, "digest": item.digest, "tags": list(item.tags),
            "outcome": results.get(item.name, none).outcome or None, "cause": results.get(item.name, none).cause,
        }
        for at, item in enumerate(items)
    ]  # fmt: skip
    if rows:
        db.execute(insert(job_items), rows)


def owners_of_lost(engine: Engine, actions: Iterable[str]) -> tuple[str, ...]:
    """Whose jobs `take_over` would find now. Raises ServiceError (NoDatabase)."""
    with reading(engine, _UNREADABLE) as db:
        lost = _lost(clock(db), actions)
        found = db.execute(select(jobs.c.who).where(lost).distinct().order_by(jobs.c.who))
        return tuple(found.scalars())


def _lost(now: datetime, actions: Iterable[str]) -> ColumnElement[bool]:
    lately = and_(jobs.c.lease_until < now, jobs.c.lease_until >= now - CONTINUED_WITHIN)
    run_out = or_(lately, jobs.c.lease_until > now + 1.1 * LONGEST_LEASE)  # A clock is set back by seconds often.
    return and_(jobs.c.ended.is_(None), jobs.c.attempt > 0, jobs.c.action.in_(list(actions)), run_out)


def take_over(
    engine: Engine, who: str, lease: timedelta, actions: Iterable[str], unreadable: set[str] | None = None
) -> Job | None:
    """A job of `who` whose runner's lease has run out, not longer ago than `CONTINUED_WITHIN`, now leased to this
    process; None where there is none. The ids of those that can't be read are added to `unreadable`: they are left.

    `actions` are those that this process can continue: others are left to the version of the console that can. A lease
    that ends later than any can was given before a clock was set back: it counts as run out. Its runner, if it lives,
    finds a higher attempt and stops. Raises ServiceError (NoDatabase).
    """
    left = set() if unreadable is None else unreadable
    with writing(engine, "No job could be taken over") as db:
        now = clock(db)
        while True:
            row = db.execute(
                select(jobs.c.id, jobs.c.attempt)
                .where(jobs.c.who == who, _lost(now, actions), jobs.c.id.not_in(left))
                .order_by(jobs.c.begun)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            try:
                _read(db, row.id)
                break
            except ValueError:
                left.add(row.id)
        db.execute(
            update(jobs)
            .where(jobs.c.id == row.id)
            .values(attempt=row.attempt + 1, runner=RUNNER, lease_until=now + lease)
        )
        add_entry(db, who, "taken over", row.id, attempt=row.attempt + 1, runner=RUNNER)
        return _read(db, row.id)


def request_stop(engine: Engine, who: str, job: str) -> None:
    """Asks the job's runner, wherever it runs, to begin nothing more. Raises ServiceError (NoDatabase)."""
    with writing(engine, "The job could not be stopped") as db:
        open_one = (jobs.c.id == job) & (jobs.c.who == who) & jobs.c.ended.is_(None)
        if db.execute(update(jobs).where(open_one, ~jobs.c.stop_requested).values(stop_requested=True)).rowcount:
            add_entry(db, who, "stop requested", job)


def find_job(engine: Engine, who: str | None, job: str) -> Job | None:
    """The job of that id, if `who` began it, or whoever did where that is None. Raises ServiceError (NoDatabase)."""
    with reading(engine, _UNREADABLE) as db:
        wanted = select(jobs.c.id).where(jobs.c.id == job)
        found = db.execute(wanted.where(jobs.c.who == who) if who is not None else wanted).scalar()
        return _read(db, found) if found else None


def open_jobs(engine: Engine, who: str, actions: Iterable[str], recent: timedelta = timedelta(0)) -> tuple[Job, ...]:
    """The jobs of `who` with these actions that run or that another process may continue, the oldest first; and those
    that ended not longer than `recent` ago.

    Raises ServiceError (NoDatabase).
    """
    with reading(engine, _UNREADABLE) as db:
        now = clock(db)
        alive = _alive(now)
        of_kind = and_(jobs.c.who == who, jobs.c.action.in_(list(actions)))
        wanted = and_(of_kind, or_(alive, jobs.c.ended > now - recent) if recent else alive)
        found = db.execute(select(jobs.c.id).where(wanted).order_by(jobs.c.begun, jobs.c.id)).scalars().all()
        return tuple(_readable(db, found))


def open_jobs_of(engine: Engine, who: str, login_server: str) -> tuple[Job, ...]:
    """The jobs of `who` on a registry that have not ended and run, or that another process may continue; the oldest
    first. Raises ServiceError (NoDatabase)."""
    with reading(engine, _UNREADABLE) as db:
        mine = and_(jobs.c.who == who, jobs.c.login_server == login_server, _alive(clock(db)))
        found = db.execute(select(jobs.c.id).where(mine).order_by(jobs.c.begun, jobs.c.id)).scalars().all()
        return tuple(_readable(db, found))


def _alive(now: datetime) -> ColumnElement[bool]:
    return and_(jobs.c.ended.is_(None), or_(jobs.c.attempt > 0, jobs.c.lease_until >= now))


def list_jobs(engine: Engine, who: str | None) -> tuple[JobSummary, ...]:
    """The newest `LISTED` jobs of `who`, of everyone where it is None, the newest first.

    Raises ServiceError (NoDatabase)."""
    listed = [column for column in jobs.c if column is not jobs.c.details]
    newest = select(*listed).order_by(jobs.c.begun.desc(), jobs.c.id.desc()).limit(LISTED)
    newest = newest.where(jobs.c.who == who) if who is not None else newest
    with reading(engine, _UNREADABLE) as db:
        now = clock(db)
        rows = db.execute(newest).all()
        not_done = case((job_items.c.outcome.in_(_NOT_DONE), 1))
        counted = (
            select(job_items.c.job, func.count(), func.count(job_items.c.outcome), func.count(not_done))
            .where(job_items.c.job.in_([row.id for row in rows]))
            .group_by(job_items.c.job)
        )
        numbers = {job: (items, recorded, left) for job, items, recorded, left in db.execute(counted)}
    none = (0, 0, 0)
    return tuple(
        JobSummary(
            row.id, row.action, row.login_server, row.repository, row.begun, row.ended, row.error,
            numbers.get(row.id, none)[0], numbers.get(row.id, none)[1], _runs(row, now), row.damaged_lines,
            row.incomplete or bool(numbers.get(row.id, none)[2]), row.who, row.login,
        )
        for row in rows
    )  # fmt: skip


def _runs(row: Row[Any], now: datetime) -> bool:
    return row.ended is None and row.lease_until >= now


def _readable(db: Connection, found: Iterable[str]) -> Iterator[Job]:
    """Those that can be read: of another its record says that it can't."""
    for job in found:
        with suppress(ValueError):
            yield _read(db, job)


def _read(db: Connection, job: str) -> Job:
    """Raises ValueError where what is there is no job's: its row was damaged, or edited."""
    row = db.execute(select(jobs).where(jobs.c.id == job)).one()
    items = db.execute(select(job_items).where(job_items.c.job == job).order_by(job_items.c.position)).all()
    if not isinstance(row.details, dict) or not all(isinstance(one.tags, list) for one in items):
        raise ValueError(f"The job {job} is damaged")
    now = clock(db)
    waits = row.ended is None and row.attempt > 0 and row.lease_until < now - CONTINUED_WITHIN
    return Job(
        row.id, row.who, row.action, row.login_server, row.repository, row.details, row.begun,
        tuple(JobItem(one.name, one.digest, tuple(one.tags)) for one in items),
        {one.name: JobResult(one.outcome, one.cause) for one in items if one.outcome},
        row.attempt, _runs(row, now), row.stop_requested, row.ended, row.answer, row.error, row.damaged_lines,
        row.incomplete, row.login, row.lease_until if waits else None,
    )  # fmt: skip
