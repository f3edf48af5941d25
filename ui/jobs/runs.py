"""Running jobs: each in its own thread, which outlives the page. Another process takes a job over where this one ends
(services/jobs). Visible to the identity that began it."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.jobs import continuation, jobs
from services.jobs.changes import nothing_changed
from services.jobs.jobs import Job, JobItem
from services.jobs.running import RunningJob
from services.jobs.work import run_to_end
from ui.jobs.kinds import JobKind, JobKinds
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.changes import require_permission
from ui.runtime.database import database
from ui.runtime.settings import read_settings

_LOG = logging.getLogger("acr_console")
# Between two looks for jobs whose process ended.
LOOK_EVERY_S = 5


@dataclass(frozen=True)
class _Run:
    """A job that this process runs or ran. It also has what could not be written to the database."""

    job: RunningJob
    reading: Reading[None]


@st.cache_resource(show_spinner=False)
def _runs() -> dict[tuple[str, str], _Run]:
    """The jobs that this process runs or ran, by who began them and their id."""
    return {}


def begin(
    who: str,
    kind: JobKind,
    login_server: str,
    items: Iterable[JobItem],
    details: Mapping[str, Any],
    *,
    repository: str = "",
    attempt: int = 1,
    logged: Mapping[str, Any] | None = None,
    within: jobs.Within | None = None,
    session: AzureSession | None = None,
) -> str:
    """Records a job and starts it; returns its id. `details` are what another process needs to continue it, `logged`
    what the log's entry has besides; `attempt` is 0 for a job that no other process can continue. `within` as in
    `jobs.begin`. `session`: that of `who`, where no page begins it.

    Raises ServiceError (NoDatabase, ReadOnly, or as `within`): then nothing was changed.
    """
    if session is None:
        require_permission(who, kind.action, jobs.target_of(login_server, repository))
        session = connection.session(who)
    try:
        lease = read_settings().lease
        job = jobs.begin(
            database(), who, kind.action, login_server, repository, items, details, lease,
            attempt=attempt, logged=logged, within=within,
        )  # fmt: skip
    except ServiceError as error:
        raise nothing_changed(error) from error
    _start(who, session, kind, job)
    return job.id


def under_way(who: str, job: str) -> Reading[None] | None:
    """The progress of that job, if this process runs or ran it."""
    run = _runs().get((who, job))
    return run.reading if run else None


def find(who: str, job: str) -> Job | None:
    """The job of that id, as it is now. Raises ServiceError (NoDatabase)."""
    if run := _runs().get((who, job)):
        return run.job.read()
    return jobs.find_job(database(), who, job)


def stop(who: str, job: str) -> None:
    """Asks the job to begin nothing more, whichever process runs it, or continues it after this one. Raises
    ServiceError (NoDatabase): then it stops where this process runs it."""
    try:
        jobs.request_stop(database(), who, job)
    finally:
        if run := _runs().get((who, job)):
            run.reading.stop.set()


def request_continuation(who: str, job: Job) -> None:
    """Asks for a job that has waited too long to go on by itself: a process takes it over within seconds. Raises
    ServiceError (NoDatabase, ReadOnly)."""
    require_permission(who, job.action, job.target)
    continuation.request_continuation(database(), who, job.id)


def continue_lost(session: AzureSession, who: str, kinds: JobKinds, unreadable: set[str] | None = None) -> list[str]:
    """Takes over the jobs of `who` whose process ended, and starts each where it was left; returns their ids. Those of
    jobs that can't be read are added to `unreadable`.

    `session` is one that may change Azure: whoever began the jobs was allowed to. Raises ServiceError (NoDatabase).
    """
    found = []
    while job := jobs.take_over(database(), who, read_settings().lease, kinds, unreadable):
        _LOG.warning(
            "Continuing the job %s, whose process ended or could not write to the database",
            job.id,
            extra={"job": job.id},
        )
        lost = _runs().get((who, job.id))
        _start(who, session, kinds[job.action], job, lost.job if lost else None)
        found.append(job.id)
    return found


def continue_until(stopped: threading.Event, kinds: JobKinds) -> None:
    """Looks for jobs to continue until `stopped` is set, in a thread of its own. One whose person must sign in first
    waits for that. One look that fails, whatever by, is logged, and the next comes."""
    problems: set[str] = set()
    while not stopped.is_set():
        found: set[str] = set()
        try:
            found.update(_continue_all(kinds))
        except Exception:  # noqa: BLE001 - the thread must live on; the log has the traceback
            _LOG.exception("Jobs could not be continued")
        for problem in found - problems:  # Once, not every few seconds.
            _LOG.warning("Jobs cannot be continued. %s", problem)
        problems = found
        stopped.wait(LOOK_EVERY_S)


def _continue_all(kinds: JobKinds) -> Iterator[str]:
    """Continues what can be; yields why the rest can't."""
    try:
        owners = jobs.owners_of_lost(database(), kinds)
    except ServiceError as error:
        yield str(error)
        return
    for who in owners:
        unreadable: set[str] = set()
        try:
            continue_lost(connection.session_for_jobs(who), who, kinds, unreadable)
        except LookupError:
            continue  # Of another identity, which this console does not have.
        except ServiceError as error:
            yield str(error)
        except Exception as error:  # noqa: BLE001 - the jobs of the others go on; the log has the traceback
            _LOG.exception("The jobs of one person could not be continued")
            yield f"The console failed ({type(error).__name__})"
        for job in sorted(unreadable):
            yield f"The job {job} can't be read: its row was damaged, or edited."


def release_all() -> None:
    """Gives up the leases of what this process runs: it ends, and another may continue at once."""
    for run in [*_runs().values()]:
        if run.reading.running:
            try:
                run.job.release()
                _LOG.info("The job %s was given up: this process ends", run.job.id, extra={"job": run.job.id})
            except ServiceError as error:
                _LOG.warning("%s", error, extra={"job": run.job.id})


def _start(who: str, session: AzureSession, kind: JobKind, job: Job, lost: RunningJob | None = None) -> None:
    """Runs a job in a thread. `lost` is the same job as this process ran it before: its results may be unwritten."""
    stopping = threading.Event()
    running = RunningJob(database(), job, read_settings().lease, stopping)

    def run(reading: Reading[None]) -> None:
        _LOG.info("%s: begun", job.title, extra={"job": job.id})
        try:
            current = job
            if lost and lost.unwritten:
                running.add_results(lost.unwritten)
                current = running.read()
            run_to_end(running, lambda: kind.run(session, current, running, reading.report))
            _LOG.info("%s: ended", job.title, extra={"job": job.id})
        except ServiceError as error:
            _LOG.warning("%s: %s", job.title, error, extra={"job": job.id})
            raise
        finally:
            kind.forget(job)

    reading: Reading[None] = start(None, run, verb=kind.verb, amount=kind.amount, stop=stopping)
    _runs()[who, job.id] = _Run(running, reading)
