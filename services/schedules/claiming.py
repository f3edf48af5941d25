"""What a process takes of the schedules that are due: each run once, whichever process is first; continued by another
where that one ends."""

import threading
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, or_, select, update

from services.connection.errors import ServiceError
from services.database import leases
from services.database.engine import clock, reading, writing
from services.database.tables import (
    policies,
    policy_versions,
    scheduled_jobs,
    scheduled_parts,
    scheduled_runs,
    schedules,
)
from services.jobs.audit import add_entry
from services.jobs.jobs import LONGEST_LEASE
from services.policies.policy import Policy
from services.policies.text import PolicyTextError, parse_policy
from services.schedules.runs import Figures, ProposedPart, RunState, as_json, count_done, queue_runs
from services.schedules.schedule import Schedule, ScheduleSpec, next_due
from services.schedules.store import schedule_of

# A run that ends its process each time is not begun for ever.
MOST_ATTEMPTS = 3
_PROPOSED, _FAILED, _STARTED = "proposed scheduled run", "scheduled run failed", "started scheduled run"
# As long as the activity log has them.
KEPT = timedelta(days=400)
_NOT_BEGUN = "The scheduled deletion was not begun"
_DELETED = "The policy was deleted."


@dataclass(frozen=True)
class ClaimedRun:
    """A run that this process plans now. One that a person `requested` only proposes. `spec` is None where the schedule
    was deleted since, or paused."""

    id: str
    policy: str
    registry: str
    due: datetime
    runs_as: str
    attempt: int
    requested: bool
    version: int
    text: str
    spec: ScheduleSpec | None

    @property
    def rules(self) -> Policy:
        """What `text` says: read outside of the transaction that claims the run, since a long text takes its time.
        Raises ServiceError where this version of the console does not understand it."""
        try:
            return parse_policy(self.text)
        except PolicyTextError as error:
            cause = f"This version of the console does not understand the policy. {error.problems[0]}"
            raise ServiceError("The run was not planned", cause, "Edit the policy.", "NoPolicy") from error

    @property
    def asks_clusters(self) -> bool:
        """Whether it first asks clusters what runs."""
        return bool(self.spec and self.spec.asks_clusters)


def has_work(engine: Engine) -> bool:
    """Whether a schedule is due, or a run waits for a process, of whichever console: looked up without a lock. Raises
    ServiceError (NoDatabase)."""
    with reading(engine, "The due schedules could not be read") as db:
        now = clock(db)
        due = select(schedules.c.policy).where(schedules.c.active, _is_due(now)).limit(1)
        late = scheduled_runs.c.lease_until < now
        lost = and_(scheduled_runs.c.state == RunState.PLANNING, or_(late, scheduled_runs.c.lease_until > _latest(now)))
        waiting = select(scheduled_runs.c.id).where(or_(scheduled_runs.c.state == RunState.QUEUED, lost)).limit(1)
        return db.execute(due).first() is not None or db.execute(waiting).first() is not None


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Also one that is due later than any can be: a clock was wrong."""
    return or_(schedules.c.due <= now, schedules.c.due > now + timedelta(days=8))


def _latest(now: datetime) -> datetime:
    """Later than any lease that is given now."""
    return now + 1.1 * LONGEST_LEASE


def queue_due(engine: Engine, runs_as: str) -> int:
    """Adds the runs of each active schedule of `runs_as` that is due, and moves that to its next time: what was missed
    is run once. Returns how many were added. Raises ServiceError (NoDatabase).

    A schedule that is due later than its next time can be was moved by a clock that was wrong: its time is set again,
    and nothing is run.
    """
    added = 0
    with writing(engine, "The due schedules could not be read") as db:
        now = clock(db)
        found = (
            select(schedules)
            .join(policies, policies.c.id == schedules.c.policy)
            .where(
                schedules.c.active,
                schedules.c.runs_as == runs_as,
                policies.c.deleted.is_(None),
                _is_due(now),
            )
            .order_by(schedules.c.due)
            .with_for_update(skip_locked=True, of=schedules)
        )
        for row in db.execute(found).all():
            schedule = schedule_of(row)
            if schedule.due <= now:
                added += queue_runs(db, schedule, schedule.due)
            due = next_due(schedule.spec.timing, now)
            db.execute(update(schedules).where(schedules.c.policy == schedule.policy).values(due=due))
        if added:
            db.execute(delete(scheduled_runs).where(scheduled_runs.c.due < now - KEPT))
    return added


def claim_run(engine: Engine, runs_as: str, lease: timedelta) -> ClaimedRun | None:
    """A run of `runs_as` that nobody plans, now leased to this process; None where there is none. One that was begun
    `MOST_ATTEMPTS` times, or whose policy was deleted, fails with the reason. Raises ServiceError (NoDatabase)."""
    with writing(engine, "No scheduled run could be taken") as db:
        while True:
            now = clock(db)
            late = or_(scheduled_runs.c.lease_until < now, scheduled_runs.c.lease_until > _latest(now))
            lost = (scheduled_runs.c.state == RunState.PLANNING) & late
            row = db.execute(
                select(scheduled_runs)
                .where(scheduled_runs.c.runs_as == runs_as, or_(scheduled_runs.c.state == RunState.QUEUED, lost))
                .order_by(scheduled_runs.c.due, scheduled_runs.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            claimed = _claimed(db, row.id, row.attempt + 1)
            if isinstance(claimed, str):
                _end(db, row.id, RunState.FAILED, error=claimed)
                add_entry(db, runs_as, _FAILED, "", policy=row.policy, registry=row.registry, run=row.id, error=claimed)
                continue
            db.execute(
                update(scheduled_runs)
                .where(scheduled_runs.c.id == row.id)
                .values(state=RunState.PLANNING, attempt=claimed.attempt, lease_until=now + lease)
            )
            return claimed


def _claimed(db: Connection, run: str, attempt: int) -> ClaimedRun | str:
    """The run with the newest version of its policy and its schedule, or why it can't be planned."""
    row = db.execute(select(scheduled_runs).where(scheduled_runs.c.id == run)).one()
    newest = (
        select(policy_versions.c.version, policy_versions.c.text)
        .join(policies, (policies.c.id == policy_versions.c.policy) & (policies.c.version == policy_versions.c.version))
        .where(policies.c.id == row.policy, policies.c.deleted.is_(None))
    )
    found = db.execute(newest).one_or_none()
    if found is None:
        return _DELETED
    if attempt > MOST_ATTEMPTS:
        return f"The console's process ended {MOST_ATTEMPTS} times while it was planned: see the log."
    schedule = db.execute(select(schedules).where(schedules.c.policy == row.policy)).one_or_none()
    spec = schedule_of(schedule).spec if schedule else None
    return ClaimedRun(
        run, row.policy, row.registry, row.due, row.runs_as, attempt, row.requested, found.version, found.text, spec
    )


def keep_lease(
    engine: Engine, run: ClaimedRun, lease: timedelta, stop: threading.Event, ends: threading.Event
) -> AbstractContextManager[None]:
    """Renews the lease of a run while its work goes on, as `services.database.leases`."""

    def renew(db: Connection) -> bool:
        kept = update(scheduled_runs).where(_mine(run)).values(lease_until=clock(db) + lease)
        return bool(db.execute(kept).rowcount)

    return leases.keep_lease(engine, "a scheduled run", renew, lease, stop, ends)


def release_run(engine: Engine, run: ClaimedRun) -> None:
    """Gives a run up that was not planned: any process may take it at once, and this attempt does not count. Raises
    ServiceError (NoDatabase)."""
    with writing(engine, "The scheduled run could not be given up") as db:
        given = update(scheduled_runs).where(_mine(run)).values(state=RunState.QUEUED, attempt=run.attempt - 1)
        db.execute(given)


def fail_run(engine: Engine, run: ClaimedRun, error: str) -> None:
    """Records that a run could not be planned, and why. Raises ServiceError: NoDatabase, TakenOver."""
    with writing(engine, "The failure of a scheduled run could not be recorded") as db:
        _require_lease(db, run)
        _end(db, run.id, RunState.FAILED, error=error, version=run.version)
        add_entry(db, run.runs_as, _FAILED, "", policy=run.policy, registry=run.registry, run=run.id, error=error)


def record_plan(engine: Engine, run: ClaimedRun, figures: Figures, parts: Sequence[ProposedPart]) -> RunState:
    """Records what a run would delete, and returns its state: STARTED where the deletions may begin, by `begin_part`,
    since nobody requested it, as many of the registry as the schedule asks for were approved and done with this version
    of the policy, schedule and policy are still those that it was planned by, nothing is above its ceiling, and every
    cluster that could run any of it answered; FAILED where the policy was deleted meanwhile. An older proposal of the
    registry is replaced.

    Raises ServiceError: NoDatabase, TakenOver.
    """
    with writing(engine, "The scheduled run could not be recorded") as db:
        _require_lease(db, run)
        state = _state(db, run, figures)
        # By an attempt before this one, whose process ended.
        begun = set(db.execute(select(scheduled_jobs.c.repository).where(scheduled_jobs.c.run == run.id)).scalars())
        if not begun and _schedule_now(db, run) == _DELETED:
            # Nobody can approve it: it must not wait for that.
            _end(db, run.id, RunState.FAILED, error=_DELETED, version=run.version)
            add_entry(
                db, run.runs_as, _FAILED, "", policy=run.policy, registry=run.registry, run=run.id, error=_DELETED
            )
            return RunState.FAILED
        _put_parts(db, run.id, [one for one in parts if one.repository not in begun], begun)
        db.execute(update(scheduled_runs).where(_older(run)).values(state=RunState.REPLACED))
        values: dict[str, object] = {"version": run.version, "planned": clock(db), "figures": as_json(figures)}
        if state is RunState.STARTED:
            # It stays leased until all its deletions are begun: another process begins the others where this one ends.
            values["jobs"] = len(begun | {one.repository for one in parts})
        elif begun:
            values |= {"state": RunState.STARTED, "jobs": len(begun), "decided": clock(db), "decided_by": run.runs_as}
        else:
            values["state"] = state
        db.execute(update(scheduled_runs).where(scheduled_runs.c.id == run.id).values(values))
        add_entry(
            db, run.runs_as, _STARTED if state is RunState.STARTED else _PROPOSED, "", policy=run.policy,
            version=run.version, registry=run.registry, run=run.id, state=state, manifests=figures.manifests,
            freed=figures.freed, above=list(figures.above),
        )  # fmt: skip
        return state


def _put_parts(db: Connection, run: str, parts: Sequence[ProposedPart], kept: Collection[str]) -> None:
    """Writes the parts of a run over those that it has, but for the repositories of `kept`."""
    theirs = scheduled_parts.c.run == run
    db.execute(delete(scheduled_parts).where(theirs, scheduled_parts.c.repository.not_in(list(kept))))
    rows = [
        {
            "run": run,
            "repository": one.repository,
            "freed": one.freed,
            "deleted": [[each.digest, list(each.tags)] for each in one.deleted],
        }
        for one in parts
    ]
    if rows:
        db.execute(insert(scheduled_parts), rows)


def _older(run: ClaimedRun) -> ColumnElement[bool]:
    """The proposals of the registry that wait."""
    return and_(
        scheduled_runs.c.policy == run.policy,
        scheduled_runs.c.registry == run.registry,
        scheduled_runs.c.state == RunState.PROPOSED,
    )


def _state(db: Connection, run: ClaimedRun, figures: Figures) -> RunState:
    if not figures.manifests:
        return RunState.BLOCKED if figures.unread else RunState.NOTHING
    schedule = _schedule_now(db, run)
    if run.requested or isinstance(schedule, str) or figures.above or figures.unasked:
        return RunState.PROPOSED
    done = count_done(db, run.policy, run.version, run.registry, figures.created)
    return RunState.STARTED if done >= schedule.spec.proposals else RunState.PROPOSED


def _schedule_now(db: Connection, run: ClaimedRun) -> Schedule | str:
    """The schedule that the run follows, or why it follows none any more. Where that changes, the log's lock is held
    until the commit: in a transaction that has it already, this stays true until its end."""
    policy = select(policies.c.version, policies.c.deleted).where(policies.c.id == run.policy)
    kept = db.execute(policy).one_or_none()
    if kept is None or kept.deleted:
        return _DELETED
    if kept.version != run.version:
        return "The policy has a newer version."
    row = db.execute(select(schedules).where(schedules.c.policy == run.policy)).one_or_none()
    if row is None or not row.active:
        return "The schedule was paused or deleted."
    schedule = schedule_of(row)
    if schedule.runs_as != run.runs_as:
        return "Another console runs the schedule now."
    if run.registry not in schedule.spec.registries:
        return "The registry was taken out of the schedule."
    return schedule


def link_job(db: Connection, run: ClaimedRun, repository: str, job: str) -> None:
    """Notes in the transaction that begins it that the run deletes of a repository by that job. Raises ServiceError
    where it may not: AlreadyBegun, TakenOver, TakenBack."""
    _require_lease(db, run)
    schedule = _schedule_now(db, run)
    if isinstance(schedule, str):
        raise ServiceError(_NOT_BEGUN, schedule, "See the schedule: its next run follows what it is now.", "TakenBack")
    add_job(db, run.id, repository, job)


def add_job(db: Connection, run: str, repository: str, job: str) -> None:
    """Notes the job of a repository, in the transaction that begins it. Raises ServiceError (AlreadyBegun)."""
    there = (scheduled_jobs.c.run == run) & (scheduled_jobs.c.repository == repository)
    if db.execute(select(scheduled_jobs.c.job).where(there)).scalar():
        raise ServiceError(_NOT_BEGUN, f"That of {repository} was begun before.", "See Activity.", "AlreadyBegun")
    db.execute(insert(scheduled_jobs).values(run=run, repository=repository, job=job))


def end_run(engine: Engine, run: ClaimedRun, error: str = "") -> None:
    """Records that all deletions of a run are begun, or with `error` why the others are not. Raises ServiceError:
    NoDatabase, TakenOver."""
    with writing(engine, "The scheduled run could not be recorded") as db:
        _require_lease(db, run)
        now = clock(db)
        db.execute(
            update(scheduled_runs)
            .where(scheduled_runs.c.id == run.id)
            .values(state=RunState.STARTED, error=error, decided=now, decided_by=run.runs_as)
        )


def _end(db: Connection, run: str, state: RunState, **values: object) -> None:
    db.execute(
        update(scheduled_runs).where(scheduled_runs.c.id == run).values(state=state, planned=clock(db), **values)
    )


def _mine(run: ClaimedRun) -> ColumnElement[bool]:
    return and_(
        scheduled_runs.c.id == run.id,
        scheduled_runs.c.attempt == run.attempt,
        scheduled_runs.c.state == RunState.PLANNING,
    )


def _require_lease(db: Connection, run: ClaimedRun) -> None:
    """Locks the run until the transaction's end."""
    mine = select(scheduled_runs.c.id).where(_mine(run)).with_for_update()
    if db.execute(mine).scalar() is None:
        cause = "This one did not renew its lease in time, or the schedule was deleted."
        raise ServiceError("Another process plans this run", cause, "See the schedule.", "TakenOver")
