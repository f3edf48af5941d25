"""Jobs whose process is killed, and others that take them over."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, text

from services.connection.session import AzureSession
from services.jobs.jobs import Job, find_job, take_over
from services.jobs.running import RunningJob
from services.jobs.work import run_to_end
from tests.support.dying import Killed, Process

WHO = "tenant/object"
LEASE = timedelta(seconds=30)

Work = Callable[[AzureSession, Job, RunningJob], Any]


def no_report(_done: int, _of: int, _what: str) -> None:
    """Progress that is not looked at."""


def found(database: Engine, job: Job) -> Job:
    one = find_job(database, WHO, job.id)
    assert one
    return one


def lost(database: Engine, job: Job) -> Job:
    """The job taken over, as if its process had ended a lease ago."""
    with database.begin() as db:
        db.execute(text("UPDATE jobs SET lease_until = begun WHERE ended IS NULL"))
    taken = take_over(database, WHO, LEASE, [job.action])
    assert taken and taken.id == job.id
    return taken


def ran(database: Engine, session: AzureSession, job: Job, work: Work, stop: threading.Event | None = None) -> Job:
    """The job as it is after this process ran it."""
    running = RunningJob(database, job, LEASE, stop or threading.Event())
    run_to_end(running, lambda: work(session, job, running))
    return found(database, job)


def killed(process: Process, job: Job, work: Work) -> bool:
    """Runs the job in a process that is killed on the way; whether it came so far."""
    running = RunningJob(process.engine, job, LEASE, threading.Event())
    with suppress(Killed):
        run_to_end(running, lambda: work(process.session, job, running))
    came = process.killed.is_set()
    process.killed.set()
    running.abandon()
    process.engine.dispose()
    return came
