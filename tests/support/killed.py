"""A process that dies in the middle of a job, and the one that takes the job over."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport
from sqlalchemy import Engine, update

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database.tables import jobs as table
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem, begin, find_job, take_over
from services.jobs.running import RunningJob
from services.jobs.work import run_to_end
from tests.support.own_sandbox import OwnSandbox

WHO = "https://management.azure.com tenant/object"
LEASE = timedelta(seconds=30)
RunJob = Callable[[AzureSession, Job, RunningJob, Callable[[int, int, str], None]], Answer]
# The items of a job and its details.
Planned = tuple[tuple[JobItem, ...], Mapping[str, Any]]


class Killed(BaseException):
    """What ends a process here: nothing that the console catches."""


@dataclass
class Requests:
    """The methods of those that were sent, in their order."""

    methods: list[str] = field(default_factory=list)

    @property
    def around_writes(self) -> list[int]:
        """The numbers of the first request, of each that changes Azure, of the one after it, and of the last."""
        writes = [number for number, method in enumerate(self.methods, 1) if method not in ("GET", "HEAD", "POST")]
        after = [number + 1 for number in writes if number < len(self.methods)]
        return sorted({1, *writes, *after, len(self.methods)})


@contextmanager
def killed_at(request: int, *, answered: bool) -> Iterator[Requests]:
    """Ends the process at its request of that number, counted from 1: before Azure gets it, or `answered`, when Azure
    has done what it asks and the answer is lost. 0: never."""
    send, lock, counted = RequestsTransport.send, threading.Lock(), Requests()

    def sending(transport: RequestsTransport, sent: Any, **more: Any) -> Any:
        with lock:
            counted.methods.append(sent.method)
            number = len(counted.methods)
        if (request and number > request) or (number == request and not answered):
            raise Killed
        response = send(transport, sent, **more)
        if number == request:
            raise Killed
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestsTransport, "send", sending)
        yield counted


def run_once(database: Engine, session: AzureSession, run: RunJob, job: Job, *, stop: bool = False) -> None:
    """Runs a job in this process, to its end unless that is killed; its own errors are its record's."""
    running = RunningJob(database, job, LEASE, threading.Event())
    if stop:
        running.stop.set()
    dead: list[Killed] = []

    def work() -> Answer:
        return run(session, job, running, lambda *_progress: None)

    def run_unless_killed() -> Answer:
        try:
            return work()
        except Killed as death:
            dead.append(death)
            running.abandon()
            raise ServiceError("Killed", "Killed", "", "TakenOver") from death

    try:
        run_to_end(running, run_unless_killed)
    except ServiceError:
        if dead:
            raise dead[0] from None


def continue_job(database: Engine, session: AzureSession, run: RunJob, job: Job, *, stop: bool = False) -> Job:
    """The job as the next process left it, which took it over."""
    with database.begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(lease_until=job.begun - timedelta(seconds=1)))
    taken = take_over(database, WHO, LEASE, [job.action])
    assert taken and taken.id == job.id and taken.attempt == 2
    run_once(database, session, run, taken, stop=stop)
    return found(database, job)


def found(database: Engine, job: Job) -> Job:
    now = find_job(database, WHO, job.id)
    assert now
    return now


@dataclass(frozen=True)
class Change:
    """One kind of job as the tests run it: how Azure is `reset` before it, what it plans, and what Azure shows."""

    action: str
    run: RunJob
    reset: Callable[[OwnSandbox], None]
    plan: Callable[[OwnSandbox], Planned]
    shows: Callable[[OwnSandbox], object]

    def begin(self, database: Engine, own: OwnSandbox) -> Job:
        self.reset(own)
        items, details = self.plan(own)
        return begin(database, WHO, self.action, "casaacr01.azurecr.io", "", items, details, LEASE)


def made(own: OwnSandbox, before: Counter[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    """How often each write was accepted since `before`, by method and path."""
    since = own.writes() - before
    return Counter({(method, path): number for (method, path, status), number in since.items() if status < 400})


def assert_the_same_wherever_it_is_killed(
    database: Engine, own: OwnSandbox, change: Change, *, every: bool = False
) -> None:
    """Killed at its requests, before one or with its answer lost, and taken over: Azure has what it has without that,
    each item is recorded as done, and no write was accepted twice. `every`: at each request, not only around writes."""
    job = change.begin(database, own)
    before = own.writes()
    with killed_at(0, answered=False) as requests:
        run_once(database, own.session(), change.run, job)
    wanted, writes = change.shows(own), made(own, before)
    assert found(database, job).state == "Completed", found(database, job)
    assert writes
    for number in range(1, len(requests.methods) + 1) if every else requests.around_writes:
        for answered in (False, True):
            job = change.begin(database, own)
            before = own.writes()
            try:
                with killed_at(number, answered=answered):
                    run_once(database, own.session(), change.run, job)
            except Killed:
                ended = continue_job(database, own.session(), change.run, job)
            else:  # It looks once less than the first time: an operation ended sooner.
                assert number > len(requests.methods) - 2
                continue
            where = f"at request {number}, {'answered' if answered else 'not sent'}"
            assert ended.state == "Completed", (where, ended)
            assert not ended.open, (where, ended)
            assert change.shows(own) == wanted, where
            assert made(own, before) == writes, where
