"""Deletions as jobs: tags removed, manifests and repositories deleted. Visible to the identity that started one."""

from collections.abc import Mapping
from datetime import timedelta

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Progress, counter
from services.connection.session import AzureSession
from services.database.engine import read_clock
from services.deletion import by_policy
from services.deletion.by_policy import PolicyRun
from services.deletion.job_records import as_details, as_items, look, record_of
from services.deletion.job_runs import run_deletion
from services.deletion.last_pulls import PulledNow, PullsNow
from services.deletion.plan import DeletionPlan
from services.deletion.record_files import import_files
from services.deletion.records import Action, DeletionRecord, Fate
from services.deletion.repository import RepositoryDeletionPlan
from services.images.tagging import UntagPlan
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobSummary, Within, list_jobs
from services.jobs.running import RunningJob
from services.registries.registry import Registry
from services.restore.kept import keep_manifests
from services.running.known import running_now
from services.schedules.runs import was_approved
from ui.jobs import runs
from ui.jobs.kinds import JobKind
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.loaders.pulls import pulls_since
from ui.runtime import connection
from ui.runtime.database import database, shared_answers
from ui.runtime.settings import read_settings

AnyPlan = DeletionPlan | UntagPlan | RepositoryDeletionPlan


def _kind(action: Action, what: str) -> JobKind:
    """The kind of deletions of many `what`, or of a repository as one."""

    def run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
        of = 1 if what == "repository" else len(job.open)
        report(0, of, what)
        count = counter(report, what, of)
        known = contents.known_manifests(job.who, job.login_server)
        client = session.registry(job.login_server)
        if action != "remove tags":
            keep_manifests(database(), client, job, known)
        now = running_now(
            session,
            shared_answers(),
            job.who,
            job.login_server,
            lambda: read_clock(database()),
            # What nobody decided about was planned with whatever may pull by a secret that nobody sees.
            by_secret=not was_approved(database(), job.id),
        )
        pulled = pulled_now(session, job)
        return run_deletion(client, job, running, known, lambda result: count(0, result), now, pulled)

    def forget(job: Job) -> None:
        image_loaders.forget_written(job.who, job.login_server, job.repository)

    return JobKind(action, "Deleting", run, forget)


def pulled_now(session: AzureSession, job: Job) -> PulledNow:
    """What the logs say now of the pulls of a repository, at most a minute old. It reads back to the day before the
    deletion began: a pull arrives in the logs some minutes late."""
    day = job.begun.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)

    def now(repository: str, tags: Mapping[str, str]) -> PullsNow:
        try:
            found = pulls_since(job.who, job.details.get("registry_id", ""), day, session)
        except ServiceError as error:
            return PullsNow(why=error.cause)
        return PullsNow(found.last_by_digest(repository, tags), "" if found.since else found.why)

    return now


REMOVE_TAGS = _kind("remove tags", "tags")
DELETE_MANIFESTS = _kind("delete manifests", "manifests")
DELETE_REPOSITORY = _kind("delete repository", "repository")


def recorded(who: str, record_id: str) -> DeletionRecord | None:
    """The record of that id, as it is now. Raises ServiceError as `runs.find` and `import_files` do."""
    for refusal in import_files(database(), read_settings().data, who).refused:
        if refusal.what == f"{record_id}.jsonl":
            raise refusal.error
    job = runs.find(who, record_id)
    return record_of(job) if job else None


def all_recorded(who: str, *, everyone: bool = False) -> Partial[JobSummary]:
    """The jobs that `who` started, or everyone, the newest first; refused are files of older versions that can't be
    read.

    Raises ServiceError as `list_jobs` and `import_files` do.
    """
    read = import_files(database(), read_settings().data, who)
    return Partial(list_jobs(database(), None if everyone else who), read.refused)


def read_open(who: str, registry: Registry, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """The fates of the items without a recorded result, read from the registry."""
    return look(connection.session(who).registry(registry.login_server), record)


def remove_tags(who: str, registry: Registry, plan: UntagPlan) -> str:
    """Starts to remove the plan's tags; returns the id of the record."""
    return _begin(who, REMOVE_TAGS, registry, plan)


def delete_manifests(
    who: str,
    registry: Registry,
    plan: DeletionPlan,
    *,
    within: Within | None = None,
    session: AzureSession | None = None,
    policy: PolicyRun | None = None,
) -> str:
    """Starts to delete the plan's manifests; returns the id of the record. `within` and `session` as in
    `runs.begin`; `policy`: that it follows."""
    return _begin(who, DELETE_MANIFESTS, registry, plan, within, session, policy)


def delete_repository(who: str, registry: Registry, plan: RepositoryDeletionPlan) -> str:
    """Starts to delete a repository; returns the id of the record."""
    return _begin(who, DELETE_REPOSITORY, registry, plan)


def _begin(
    who: str,
    kind: JobKind,
    registry: Registry,
    plan: AnyPlan,
    within: Within | None = None,
    session: AzureSession | None = None,
    policy: PolicyRun | None = None,
) -> str:
    followed = by_policy.as_details(policy) if policy else {}
    # What was deleted although it runs, or may run, was the person's own word.
    noted = {"notes": plan.notes} if isinstance(plan, DeletionPlan) and plan.notes else {}
    return runs.begin(
        who,
        kind,
        registry.login_server,
        as_items(plan),
        {**as_details(plan), **followed, "registry_id": registry.id},
        repository=plan.repository,
        logged={**noted, **followed} or None,
        within=within,
        session=session,
    )
