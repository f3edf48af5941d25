"""What a person decides about a proposal: approved, once, or declined."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, select, update

from services.connection.errors import ServiceError
from services.database.engine import clock, writing
from services.database.tables import policies, scheduled_runs
from services.deletion.several import RepositoryPart, SeveralPlan
from services.jobs.audit import add_entry, login_of
from services.schedules.claiming import add_job
from services.schedules.runs import ProposedPart, RunState, ScheduledRun, read_runs

MOST_REASON = 500
_APPROVED, _DECLINED = "approved scheduled run", "declined scheduled run"


def approves_all(proposed: Iterable[ProposedPart], plan: SeveralPlan) -> bool:
    """Whether a plan deletes all that was proposed, but for manifests that are gone from repositories that it read
    completely. What it could not read, or keeps, was approved by nobody. Pure."""
    read = {one.name: one for one in (*plan.parts, *plan.staying)}
    return all(part.repository in read and _deletes(read[part.repository], part) for part in proposed)


def _deletes(now: RepositoryPart, proposed: ProposedPart) -> bool:
    there = {row.digest for row in now.contents.rows}
    left = {one.digest for one in proposed.deleted} - {one.item.digest for one in now.deleted}
    return not left or (now.contents.complete and not left & there)


def approve_run(engine: Engine, who: str, run: ScheduledRun, jobs: int, *, everything: bool) -> None:
    """Records that `who` approves a proposal, which begins so many deletions by `begin_job`: of `everything` that was
    proposed, as `approves_all` has it. Only that counts towards runs without approval. Where an approval before began
    some of them, `jobs` are the others. Raises ServiceError: NoDatabase, ChangedMeanwhile where it was decided or
    replaced, or the policy has a newer version."""
    title = "The proposal was not approved"
    with writing(engine, title) as db:
        now = _require_waiting(db, title, run)
        newest = db.execute(
            select(policies.c.version).where(policies.c.id == run.policy, policies.c.deleted.is_(None))
        ).scalar()
        if newest != run.version:
            cause = "The policy was changed or deleted since."
            raise ServiceError(title, cause, "Propose again: the run follows the new version.", "ChangedMeanwhile")
        everything = everything and (now.approved_all or not now.jobs)
        _decide(db, who, run, RunState.APPROVED, jobs=len(now.jobs) + jobs, approved_all=everything)
        add_entry(
            db,
            who,
            _APPROVED,
            "",
            policy=run.policy,
            registry=run.registry,
            run=run.id,
            deletions=jobs,
            everything=everything,
        )


def begin_job(db: Connection, run: ScheduledRun, repository: str, job: str) -> None:
    """Notes the deletion of a repository in the transaction that begins it. Raises ServiceError (AlreadyBegun)."""
    add_job(db, run.id, repository, job)


def decline_run(engine: Engine, who: str, run: ScheduledRun, reason: str) -> None:
    """Records that `who` declines a proposal, and why. Raises ServiceError: NoDatabase, ChangedMeanwhile."""
    title = "The proposal was not declined"
    with writing(engine, title) as db:
        if _require_waiting(db, title, run).jobs:
            cause = "Some of its deletions were begun."
            raise ServiceError(title, cause, "Approve the others, or leave them.", "ChangedMeanwhile")
        _decide(db, who, run, RunState.DECLINED, reason=reason[:MOST_REASON])
        add_entry(
            db, who, _DECLINED, "", policy=run.policy, registry=run.registry, run=run.id, reason=reason[:MOST_REASON]
        )


def _require_waiting(db: Connection, title: str, run: ScheduledRun) -> ScheduledRun:
    """The run as it is now, locked until the transaction's end."""
    found = select(scheduled_runs).where(scheduled_runs.c.id == run.id).with_for_update()
    now = next(iter(read_runs(db, db.execute(found).all())), None)
    if now is None or not now.waits:
        state = now and now.state
        cause = f"It does not wait any more: {state or 'it was removed'}."
        raise ServiceError(title, cause, "Open the schedule again.", "ChangedMeanwhile")
    return now


def _decide(db: Connection, who: str, run: ScheduledRun, state: RunState, **values: object) -> None:
    decided = {"state": state, "decided": clock(db), "decided_by": who, "decided_login": login_of(db, who), **values}
    db.execute(update(scheduled_runs).where(scheduled_runs.c.id == run.id).values(decided))
