"""Running deletions: each in its own thread, which outlives the page, as a job of the database that another process
takes over where this one ends (services/jobs). Visible to the identity that started it."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, counter
from services.connection.session import AzureSession
from services.deletion.job_records import as_details, as_items, look, record_of
from services.deletion.job_runs import run_deletion
from services.deletion.plan import DeletionPlan
from services.deletion.record_files import import_files
from services.deletion.records import Action, DeletionRecord, Fate
from services.deletion.repository import RepositoryDeletionPlan
from services.images.tagging import UntagPlan
from services.jobs.jobs import (
    Job,
    JobSummary,
    begin,
    find_job,
    list_jobs,
    owners_of_lost,
    request_stop,
    take_over,
)
from services.jobs.running import RunningJob
from services.registries.registry import Registry
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.database import database
from ui.runtime.settings import read_settings

AnyPlan = DeletionPlan | UntagPlan | RepositoryDeletionPlan

_LOG = logging.getLogger("acr_console")
# Between two looks for jobs whose process ended.
LOOK_EVERY_S = 5


@dataclass(frozen=True)
class _Run:
    """A deletion that this process runs or ran. Its job also has what could not be written to the database."""

    job: RunningJob
    reading: Reading[None]


@st.cache_resource(show_spinner=False)
def _runs() -> dict[tuple[str, str], _Run]:
    """The deletions that this process runs or ran, by who began them and the id of their job."""
    return {}


def under_way(who: str, record_id: str) -> Reading[None] | None:
    """The deletion of that record, if this process runs or ran it."""
    run = _runs().get((who, record_id))
    return run.reading if run else None


def find(who: str, record_id: str) -> Job | None:
    """The job of that id, as it is now. Raises ServiceError (NoDatabase)."""
    if run := _runs().get((who, record_id)):
        return run.job.read()
    return find_job(database(), who, record_id)


def recorded(who: str, record_id: str) -> DeletionRecord | None:
    """The record of that id, as it is now. Raises ServiceError as `find` and `import_files` do."""
    for refusal in import_files(database(), read_settings().data, who).refused:
        if refusal.what == f"{record_id}.jsonl":
            raise refusal.error
    job = find(who, record_id)
    return record_of(job) if job else None


def all_recorded(who: str) -> Partial[JobSummary]:
    """The jobs that `who` started, the newest first; refused are files of older versions that can't be read.

    Raises ServiceError as `find` and `import_files` do.
    """
    read = import_files(database(), read_settings().data, who)
    return Partial(list_jobs(database(), who), read.refused)


def stop(who: str, record_id: str) -> None:
    """Asks the deletion to begin nothing more, whichever process runs it. Raises ServiceError (NoDatabase)."""
    if run := _runs().get((who, record_id)):
        run.reading.stop.set()
    request_stop(database(), who, record_id)


def read_open(who: str, registry: Registry, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """The fates of the items without a recorded result, read from the registry."""
    return look(connection.session(who).registry(registry.login_server), record)


def remove_tags(who: str, registry: Registry, plan: UntagPlan) -> str:
    """Starts to remove the plan's tags; returns the id of the record."""
    return _begin(who, "remove tags", registry, plan)


def delete_manifests(who: str, registry: Registry, plan: DeletionPlan) -> str:
    """Starts to delete the plan's manifests; returns the id of the record."""
    return _begin(who, "delete manifests", registry, plan)


def delete_repository(who: str, registry: Registry, plan: RepositoryDeletionPlan) -> str:
    """Starts to delete a repository; returns the id of the record."""
    return _begin(who, "delete repository", registry, plan)


def _begin(
    who: str, action: Action, registry: Registry, plan: DeletionPlan | UntagPlan | RepositoryDeletionPlan
) -> str:
    session = connection.session(who)
    try:
        job = begin(
            database(),
            who,
            action,
            registry.login_server,
            plan.repository,
            as_items(plan),
            as_details(plan),
            read_settings().lease,
        )
    except ServiceError as error:
        remedy = f"Nothing was deleted. {error.remedy}"
        raise replace(error, title="The deletion could not start", remedy=remedy) from error
    _start(who, session, job)
    return job.id


def continue_lost(session: AzureSession, who: str) -> list[str]:
    """Takes over the jobs of `who` whose process ended, and starts each where it was left; returns their ids.

    `session` is one that may change Azure: whoever began the jobs was allowed to. Raises ServiceError (NoDatabase).
    """
    found = []
    while job := take_over(database(), who, read_settings().lease):
        _LOG.warning(
            "Continuing the job %s, whose process ended or could not write to the database",
            job.id,
            extra={"job": job.id},
        )
        lost = _runs().get((who, job.id))
        _start(who, session, job, lost.job if lost else None)
        found.append(job.id)
    return found


def continue_until(stopped: threading.Event) -> None:
    """Looks for jobs to continue until `stopped` is set, in a thread of its own. One whose person must sign in first
    waits for that."""
    problems: set[str] = set()
    while not stopped.is_set():
        found = set(_continue_all())
        for problem in found - problems:  # Once, not every few seconds.
            _LOG.warning("Jobs cannot be continued. %s", problem)
        problems = found
        stopped.wait(LOOK_EVERY_S)


def _continue_all() -> Iterator[str]:
    """Continues what can be; yields why the rest can't."""
    try:
        owners = owners_of_lost(database(), read_settings().lease)
    except ServiceError as error:
        yield str(error)
        return
    for who in owners:
        try:
            continue_lost(connection.session_for_jobs(who), who)
        except LookupError:
            continue  # Of another identity, which this console does not have.
        except ServiceError as error:
            yield str(error)


def release_all() -> None:
    """Gives up the leases of what this process runs: it ends, and another may continue at once."""
    for run in [*_runs().values()]:
        if run.reading.running:
            try:
                run.job.release()
                _LOG.info("The job %s was given up: this process ends", run.job.id, extra={"job": run.job.id})
            except ServiceError as error:
                _LOG.warning("%s", error, extra={"job": run.job.id})


def _start(who: str, session: AzureSession, job: Job, lost: RunningJob | None = None) -> None:
    """Runs a job in a thread. `lost` is the same job as this process ran it before: its results may be unwritten."""
    client = session.registry(job.login_server)
    known = contents.known_manifests(who, job.login_server)
    what = {"remove tags": "tags", "delete manifests": "manifests"}.get(job.action, "repository")
    stopping = threading.Event()
    running = RunningJob(database(), job, read_settings().lease, stopping)

    def run(reading: Reading[None]) -> None:
        of = len(job.open) if what != "repository" else 1
        reading.report(0, of, what)
        count = counter(reading.report, what, of)
        _LOG.info("%s: begun", job.action.capitalize(), extra={"job": job.id})
        try:
            current = job
            if lost and lost.unwritten:
                running.add_results(lost.unwritten)
                current = running.read()
            run_deletion(client, current, running, known, lambda result: count(0, result))
            _LOG.info("%s: ended", job.action.capitalize(), extra={"job": job.id})
        except ServiceError as error:
            _LOG.warning("%s: %s", job.action.capitalize(), error, extra={"job": job.id})
            raise
        finally:
            image_loaders.forget_written(who, job.login_server, job.repository)

    reading: Reading[None] = start(None, run, verb="Deleting", stop=stopping)
    _runs()[who, job.id] = _Run(running, reading)
