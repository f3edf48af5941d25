"""Runs of schedules in the console's database: one of a registry at a due time, what it proposed, what was decided."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, func, insert, or_, select

from services.connection.changes import Outcome
from services.database.engine import clock, reading
from services.database.tables import (
    job_items,
    jobs,
    policies,
    scheduled_jobs,
    scheduled_parts,
    scheduled_runs,
    schedules,
)
from services.deletion.running_images import list_places
from services.jobs.jobs import new_id, state_of
from services.schedules.schedule import Schedule

# So many of a policy are listed, the newest.
LISTED = 200
_TITLE = "The scheduled runs could not be read"
_NOT_DONE = (Outcome.REFUSED, Outcome.NOT_CONFIRMED)


class RunState(StrEnum):
    """What became of a run, as it is shown. One that began deletions has the state of these besides."""

    QUEUED = "Queued"
    PLANNING = "Planning"
    PROPOSED = "Waits for approval"
    NOTHING = "Nothing to delete"
    BLOCKED = "Blocked"
    FAILED = "Failed"
    APPROVED = "Approved"
    STARTED = "Started by the schedule"
    DECLINED = "Declined"
    REPLACED = "Replaced by a newer one"


@dataclass(frozen=True)
class Figures:
    """What a run would delete and what stays. `freed` bytes of `total`, at most so many where not `exact`.

    `stays`: what keeps manifests, as it reads after a number; `unread`: what could not be read, so that nothing of it
    is deleted; `unasked`: the clusters that may run any of it and did not answer, each with why: it is deleted where
    a person approves that alone; `above`: what is above the policy's ceiling, a sentence each; `created`: when the
    registry was created, "" where that is unknown."""

    repositories: int
    manifests: int
    tags: int
    freed: int
    total: int
    exact: bool
    stays: tuple[tuple[str, int], ...] = ()
    unread: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    created: str = ""

    @property
    def unknown(self) -> tuple[str, ...]:
        """What is not known, a sentence each; empty where all is."""
        running = f"Unknown what runs in {list_places(self.unasked)}."
        return (*((running,) if self.unasked else ()), *self.unread)


@dataclass(frozen=True)
class ProposedManifest:
    """A manifest that a run would delete, with its tags."""

    digest: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class ProposedPart:
    """What a run would delete of a repository. `freed`: bytes, if this repository alone were cleaned up."""

    repository: str
    freed: int
    deleted: tuple[ProposedManifest, ...]


@dataclass(frozen=True)
class BegunJob:
    """The deletion of one repository that a run began, with its job's state."""

    repository: str
    job: str
    state: str


@dataclass(frozen=True)
class ScheduledRun:
    """One run. `version` of the policy and `planned` are None until it is planned, `figures` where it failed with
    `error` before. `jobs` were begun, of the `wanted` that were to be. `approved_all`: whether its approval left out
    nothing that it proposed and that was still there."""

    id: str
    policy: str
    registry: str
    due: datetime
    state: RunState
    version: int | None
    planned: datetime | None
    figures: Figures | None
    error: str
    wanted: int
    jobs: tuple[BegunJob, ...]
    decided: datetime | None
    decided_by: str
    decided_login: str
    reason: str
    approved_all: bool

    @property
    def waits(self) -> bool:
        """Whether a person may decide about it: also where it was approved, and the process ended before it began each
        deletion."""
        return self.state is RunState.PROPOSED or (
            self.state is RunState.APPROVED
            and (not self.jobs or self.progress == "Interrupted")
            and len(self.jobs) < max(self.wanted, 1)
        )

    @property
    def begun(self) -> frozenset[str]:
        """The repositories whose deletion was begun, which is begun once."""
        return frozenset(one.repository for one in self.jobs)

    @property
    def done(self) -> bool:
        """Whether a person approved all that it proposed, and all of that is deleted."""
        return (
            self.approved_all
            and bool(self.wanted)
            and len(self.jobs) == self.wanted
            and all(one.state == "Completed" for one in self.jobs)
        )

    @property
    def progress(self) -> str:
        """What became of its deletions, such as 'Completed'; "" where it began none."""
        if self.state not in (RunState.APPROVED, RunState.STARTED):
            return ""
        if len(self.jobs) < self.wanted:
            return "Interrupted" if not any(one.state == "Running" for one in self.jobs) else "Running"
        states = Counter(one.state for one in self.jobs)
        order = ("Running", "Interrupted", "Failed", "Unknown", "Stopped", "Incomplete", "Completed")
        return next((state for state in order if states[state]), "")


def queue_runs(db: Connection, schedule: Schedule, due: datetime, *, requested: bool = False) -> int:
    """Adds a run of each registry of the schedule at that time, in the transaction `db`; those that are there already
    stay as they are. One that is `requested` by a person only proposes. Returns how many were added."""
    there = set(
        db.execute(
            select(scheduled_runs.c.registry).where(
                scheduled_runs.c.policy == schedule.policy, scheduled_runs.c.due == due
            )
        ).scalars()
    )
    rows = [
        {
            "id": new_id(), "policy": schedule.policy, "runs_as": schedule.runs_as, "registry": registry, "due": due,
            "state": RunState.QUEUED, "attempt": 0, "lease_until": due, "error": "", "jobs": 0, "decided_by": "",
            "decided_login": "", "reason": "", "requested": requested, "approved_all": False,
        }
        for registry in schedule.spec.registries
        if registry not in there
    ]  # fmt: skip
    if rows:
        db.execute(insert(scheduled_runs), rows)
    return len(rows)


def list_runs(engine: Engine, policy: str) -> tuple[ScheduledRun, ...]:
    """The newest `LISTED` runs of a policy, the newest first. Raises ServiceError (NoDatabase)."""
    newest = select(scheduled_runs).where(scheduled_runs.c.policy == policy)
    newest = newest.order_by(scheduled_runs.c.due.desc(), scheduled_runs.c.id.desc()).limit(LISTED)
    with reading(engine, _TITLE) as db:
        return read_runs(db, db.execute(newest).all())


def find_run(engine: Engine, run: str) -> ScheduledRun | None:
    """The run of that id; None where there is none. Raises ServiceError (NoDatabase)."""
    with reading(engine, _TITLE) as db:
        found = read_runs(db, db.execute(select(scheduled_runs).where(scheduled_runs.c.id == run)).all())
        return found[0] if found else None


def waiting_runs(engine: Engine) -> tuple[ScheduledRun, ...]:
    """The runs that wait for approval, and of active schedules those that failed or are blocked: the last of each
    policy that is not deleted, and registry. Raises ServiceError (NoDatabase)."""
    last = (
        select(func.max(scheduled_runs.c.id))
        .where(scheduled_runs.c.state.not_in((RunState.QUEUED, RunState.PLANNING)))
        .group_by(scheduled_runs.c.policy, scheduled_runs.c.registry)
    )
    active = select(schedules.c.policy).where(schedules.c.active)
    wrong = scheduled_runs.c.state.in_((RunState.FAILED, RunState.BLOCKED)) & scheduled_runs.c.policy.in_(active)
    wanted = or_(scheduled_runs.c.state == RunState.PROPOSED, wrong)
    there = select(policies.c.id).where(policies.c.deleted.is_(None))
    found = select(scheduled_runs).where(scheduled_runs.c.id.in_(last), scheduled_runs.c.policy.in_(there), wanted)
    with reading(engine, _TITLE) as db:
        return read_runs(db, db.execute(found.order_by(scheduled_runs.c.id)).all())


def was_approved(engine: Engine, job: str) -> bool:
    """Whether a person decided about the deletion of that job: False where a schedule began it by itself. Raises
    ServiceError (NoDatabase)."""
    run = select(scheduled_runs.c.state).join(scheduled_jobs, scheduled_jobs.c.run == scheduled_runs.c.id)
    with reading(engine, _TITLE) as db:
        state = db.execute(run.where(scheduled_jobs.c.job == job)).scalar()
    return state in (None, RunState.APPROVED)


def read_parts(engine: Engine, run: str) -> tuple[ProposedPart, ...]:
    """What a run would delete, by repository, the most bytes first. Raises ServiceError (NoDatabase)."""
    found = select(scheduled_parts).where(scheduled_parts.c.run == run)
    with reading(engine, _TITLE) as db:
        rows = db.execute(found.order_by(scheduled_parts.c.freed.desc(), scheduled_parts.c.repository)).all()
    return tuple(
        ProposedPart(
            row.repository, row.freed, tuple(ProposedManifest(digest, tuple(tags)) for digest, tags in row.deleted)
        )
        for row in rows
    )


def count_done(db: Connection, policy: str, version: int, registry: str, created: str) -> int:
    """How many runs of that version of the policy on the registry deleted all that they proposed, each approved by a
    person since the schedule was last saved or resumed: who does either need not be who may delete. A registry that was
    deleted and `created` again under its name is another one."""
    saved = select(schedules.c.saved).where(schedules.c.policy == policy).scalar_subquery()
    approved = select(scheduled_runs).where(
        scheduled_runs.c.policy == policy,
        scheduled_runs.c.registry == registry,
        scheduled_runs.c.version == version,
        scheduled_runs.c.state == RunState.APPROVED,
        scheduled_runs.c.decided >= saved,
    )
    runs = read_runs(db, db.execute(approved).all())
    return sum(one.done for one in runs if created and one.figures and one.figures.created == created)


def approvals(engine: Engine, policy: str, version: int, registries: Collection[str]) -> Mapping[str, int]:
    """`count_done` of each registry, as it was planned last. Raises ServiceError (NoDatabase)."""
    with reading(engine, _TITLE) as db:
        return {
            registry: count_done(db, policy, version, registry, _last_created(db, policy, registry))
            for registry in registries
        }


def _last_created(db: Connection, policy: str, registry: str) -> str:
    """When the registry was created, as the last run that was planned found it; "" where none was."""
    planned = select(scheduled_runs.c.figures).where(
        scheduled_runs.c.policy == policy,
        scheduled_runs.c.registry == registry,
        scheduled_runs.c.version.is_not(None),
        scheduled_runs.c.state != RunState.FAILED,
    )
    newest = planned.order_by(scheduled_runs.c.planned.desc(), scheduled_runs.c.id.desc()).limit(1)
    figures = figures_of(db.execute(newest).scalar())
    return figures.created if figures else ""


def read_runs(db: Connection, rows: Sequence[Row[Any]]) -> tuple[ScheduledRun, ...]:
    """The runs of these rows, each with the jobs that it began."""
    begun = _jobs_of(db, [row.id for row in rows])
    return tuple(
        ScheduledRun(
            row.id, row.policy, row.registry, row.due, RunState(row.state), row.version, row.planned,
            figures_of(row.figures), row.error, row.jobs, tuple(begun.get(row.id, ())), row.decided, row.decided_by,
            row.decided_login, row.reason, row.approved_all,
        )
        for row in rows
    )  # fmt: skip


def _jobs_of(db: Connection, runs: Iterable[str]) -> Mapping[str, list[BegunJob]]:
    found = db.execute(
        select(scheduled_jobs, jobs.c.ended, jobs.c.error, jobs.c.lease_until, jobs.c.incomplete, jobs.c.damaged_lines)
        .join(jobs, jobs.c.id == scheduled_jobs.c.job)
        .where(scheduled_jobs.c.run.in_(list(runs)))
        .order_by(scheduled_jobs.c.repository)
    ).all()
    not_done = case((job_items.c.outcome.in_(_NOT_DONE), 1))
    counted = (
        select(job_items.c.job, func.count() - func.count(job_items.c.outcome), func.count(not_done))
        .where(job_items.c.job.in_([row.job for row in found]))
        .group_by(job_items.c.job)
    )
    numbers = {job: (left, refused) for job, left, refused in db.execute(counted)}
    begun: defaultdict[str, list[BegunJob]] = defaultdict(list)
    now = clock(db)
    for row in found:
        left, refused = numbers.get(row.job, (0, 0))
        runs_now = row.ended is None and row.lease_until >= now
        state = state_of(
            runs_now, row.error, row.ended, left, row.damaged_lines, incomplete=row.incomplete or bool(refused)
        )
        begun[row.run].append(BegunJob(row.repository, row.job, state))
    return begun


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures as they are kept."""
    return asdict(figures)


def figures_of(kept: Mapping[str, Any] | None) -> Figures | None:
    """The figures of what is kept; None where there are none."""
    if kept is None:
        return None
    stays = tuple((str(by), int(number)) for by, number in kept["stays"])
    lists = {name: tuple(kept[name]) for name in ("unread", "unasked", "above")}
    return Figures(**{**kept, "stays": stays, **lists})
