"""Schedules in the console's database: one a policy, with who saved it in the activity log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, select, update

from services.connection.errors import ServiceError
from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import policies, scheduled_runs, schedules
from services.jobs.audit import add_entry, login_of
from services.schedules.runs import RunState, queue_runs
from services.schedules.schedule import MOST_PROPOSALS, Schedule, ScheduleSpec, Timing, next_due

SAVED, PAUSED, RESUMED, DELETED, REQUESTED = (
    "saved schedule of retention policy",
    "paused schedule of retention policy",
    "resumed schedule of retention policy",
    "deleted schedule of retention policy",
    "requested scheduled run of retention policy",
)
_NOT_SAVED = "The schedule was not saved"


def find_schedule(engine: Engine, policy: str) -> Schedule | None:
    """The schedule of a policy; None where it has none. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The schedule could not be read") as db:
        row = db.execute(select(schedules).where(schedules.c.policy == policy)).one_or_none()
        return schedule_of(row) if row else None


def list_schedules(engine: Engine) -> Mapping[str, Schedule]:
    """The schedules of all policies that are not deleted, by the policy's id. Raises ServiceError (NoDatabase)."""
    found = select(schedules).join(policies, policies.c.id == schedules.c.policy).where(policies.c.deleted.is_(None))
    with reading(engine, "The schedules could not be read") as db:
        return {row.policy: schedule_of(row) for row in db.execute(found)}


def save_schedule(engine: Engine, who: str, policy: str, spec: ScheduleSpec, runs_as: str) -> Schedule:
    """Saves the schedule of a policy, over the one that it has; it is active. What waits to be planned of another
    registry, or by another console, is not run. Raises ServiceError: NoDatabase, NoPolicy, BadSchedule."""
    if not spec.registries or not 0 <= spec.timing.hour <= 23 or not 1 <= spec.proposals <= MOST_PROPOSALS:
        cause = f"It needs a registry, an hour from 0 to 23, and from 1 to {MOST_PROPOSALS} proposals."
        raise ServiceError(_NOT_SAVED, cause, "Choose them, then save it again.", "BadSchedule")
    with writing(engine, _NOT_SAVED) as db:
        _require_policy(db, policy)
        now = clock(db)
        values: dict[str, Any] = {
            "policy": policy,
            "runs_as": runs_as,
            "registries": list(spec.registries),
            "weekday": spec.timing.weekday,
            "hour": spec.timing.hour,
            "proposals": spec.proposals,
            "asks_clusters": spec.asks_clusters,
            "active": True,
            "due": next_due(spec.timing, now),
            "who": who,
            "login": login_of(db, who),
            "saved": now,
        }
        put_rows(db, schedules, [values])
        _drop_queued(
            db, policy, scheduled_runs.c.registry.not_in(spec.registries) | (scheduled_runs.c.runs_as != runs_as)
        )
        add_entry(
            db, who, SAVED, "", policy=policy, registries=list(spec.registries), when=spec.timing.label,
            proposals=spec.proposals, asks_clusters=spec.asks_clusters, runs_as=runs_as,
        )  # fmt: skip
        return schedule_of(db.execute(select(schedules).where(schedules.c.policy == policy)).one())


def set_active(engine: Engine, who: str, policy: str, *, active: bool) -> None:
    """Pauses a schedule, or resumes it: what was due meanwhile is not run, and what was approved before does not count.
    Raises ServiceError: NoDatabase,
    NoSchedule."""
    with writing(engine, _NOT_SAVED) as db:
        schedule = _require_schedule(db, policy)
        if schedule.active == active:
            return
        due = next_due(schedule.spec.timing, clock(db))
        values: dict[str, Any] = {"active": active, "due": due}
        if active:
            values |= {"who": who, "login": login_of(db, who), "saved": clock(db)}
        db.execute(update(schedules).where(schedules.c.policy == policy).values(values))
        if not active:
            _drop_queued(db, policy)
        add_entry(db, who, RESUMED if active else PAUSED, "", policy=policy)


def delete_schedule(engine: Engine, who: str, policy: str) -> None:
    """Removes a schedule; its runs are kept. Raises ServiceError: NoDatabase, NoSchedule."""
    with writing(engine, "The schedule was not deleted") as db:
        _require_schedule(db, policy)
        db.execute(delete(schedules).where(schedules.c.policy == policy))
        _drop_queued(db, policy)
        add_entry(db, who, DELETED, "", policy=policy)


def request_run(engine: Engine, who: str, policy: str) -> datetime:
    """Makes a run due now beside those of the schedule, which only proposes; returns its time. Raises
    ServiceError: NoDatabase, NoSchedule."""
    with writing(engine, "The run was not requested") as db:
        schedule = _require_schedule(db, policy)
        now = clock(db)
        queue_runs(db, schedule, now, requested=True)
        add_entry(db, who, REQUESTED, "", policy=policy, registries=list(schedule.spec.registries))
        return now


def _drop_queued(db: Connection, policy: str, *which: ColumnElement[bool]) -> None:
    queued = (scheduled_runs.c.policy == policy) & (scheduled_runs.c.state == RunState.QUEUED)
    db.execute(delete(scheduled_runs).where(queued, *which))


def _require_policy(db: Connection, policy: str) -> None:
    """Locks the policy until the transaction's end."""
    found = select(policies.c.id).where(policies.c.id == policy, policies.c.deleted.is_(None))
    if db.execute(found.with_for_update()).scalar() is None:
        raise ServiceError(_NOT_SAVED, "The policy was deleted.", "Schedule another one.", "NoPolicy")


def _require_schedule(db: Connection, policy: str) -> Schedule:
    """Locks the schedule until the transaction's end."""
    row = db.execute(select(schedules).where(schedules.c.policy == policy).with_for_update()).one_or_none()
    if row is None:
        cause = "The policy has no schedule any more."
        raise ServiceError("The schedule could not be changed", cause, "Save a new one.", "NoSchedule")
    return schedule_of(row)


def schedule_of(row: Row[Any]) -> Schedule:
    """The schedule of a row."""
    spec = ScheduleSpec(tuple(row.registries), Timing(row.hour, row.weekday), row.proposals, row.asks_clusters)
    return Schedule(row.policy, spec, row.runs_as, row.active, row.due, row.who, row.login, row.saved)
