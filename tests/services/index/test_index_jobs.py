"""Registries indexed as a job: killed at any request, it goes on, and the index is as if it had not been."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, event

from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.index.index_jobs import IndexPlan, index_items, run_indexing, targets_of
from services.index.pace import Pace
from services.index.scope import INDEXED, NOT_INDEXED, PARTLY, count_states
from services.index.store import IndexStore
from services.jobs import jobs
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from tests.support.databases import sqlite
from tests.support.index_samples import index_as_values
from tests.support.killed import LEASE, WHO, Killed, RunJob, continue_job, found, killed_at, run_once
from tests.support.own_sandbox import REGISTRY, OwnSandbox

AZURE = "sandbox/tenant"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def begin(own: OwnSandbox, database: Engine) -> Job:
    plan = IndexPlan(targets_of([own.registry()]), 20_000)
    details = details_of(IndexPlan, plan)
    return jobs.begin(database, WHO, "Index registries", REGISTRY, "", index_items(plan.targets), details, LEASE)


def run_in(database: Engine) -> RunJob:
    def run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
        return run_indexing(session, job, running, report, IndexStore(database, AZURE))

    return run


def test_killed_at_any_request_it_goes_on_and_the_index_is_complete(own: OwnSandbox, database: Engine) -> None:
    own.push_index("v1")
    job = begin(own, database)
    with killed_at(0, answered=False) as requests:
        run_once(database, own.session(), run_in(database), job)
    assert {one.outcome for one in found(database, job).results.values()} == {INDEXED}
    wanted, count = index_as_values(database), len(requests.methods)
    store = IndexStore(database, AZURE)
    for number in sorted({1, 3, count // 3, count // 2, count - 2, count}):
        for name in store.repositories(1):
            store.remove_repository(1, name)
        job = begin(own, database)
        try:
            with killed_at(number, answered=False):
                run_once(database, own.session(), run_in(database), job)
        except Killed:
            ended = continue_job(database, own.session(), run_in(database), job)
        else:
            ended = found(database, job)
        assert ended.state == "Completed"
        assert index_as_values(database) == wanted


def test_what_could_not_be_read_is_its_registrys_result(own: OwnSandbox, database: Engine) -> None:
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    job = begin(own, database)
    run_once(database, own.session(), run_in(database), job)
    (result,) = found(database, job).results.values()
    assert result.outcome == NOT_INDEXED
    assert "The catalogue" in result.cause and "0 repositories read" not in result.cause


def test_one_sentence_counts_registries() -> None:
    states = [INDEXED, INDEXED, PARTLY, "refused"]
    assert count_states(states).sentence == "4 registries: 2 indexed, 1 indexed in part, 1 not indexed"
    assert count_states([INDEXED], least=True).sentence == "At least 1 registry: 1 indexed"
    assert count_states([NOT_INDEXED]).sentence == "1 registry: 0 indexed, 1 not indexed"


def test_stopped_it_records_nothing_as_indexed(own: OwnSandbox, database: Engine) -> None:
    job = begin(own, database)
    run_once(database, own.session(), run_in(database), job, stop=True)
    assert not found(database, job).results
    assert found(database, job).state == "Stopped"


def test_the_budget_is_kept() -> None:
    now = 0.0
    waits: list[float] = []

    class Stop(Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now
            waits.append(timeout or 0)
            now += timeout or 0
            return False

    pace = Pace(600, Stop(), lambda: now)
    for _ in range(700):
        pace.take()
    assert now == pytest.approx(60, abs=1)


def test_on_a_full_disk_that_is_said_and_it_goes_on_once_there_is_room(own: OwnSandbox, tmp_path: Path) -> None:
    own.push_index("v1", numbers=range(1, 200))
    with sqlite(tmp_path / "whole") as whole:
        run_once(whole, own.session(), run_in(whole), begin(own, whole))
        wanted = index_as_values(whole)
    room = 0

    def give_room(connection: Any, *_rest: object) -> None:
        # 0 changes nothing, so that a disk without an end has the largest number that SQLite knows.
        connection.execute(f"PRAGMA max_page_count = {room or 4294967294}")

    with sqlite(tmp_path) as database:
        event.listen(database, "checkout", give_room)
        job = begin(own, database)
        with database.connect() as db:
            used = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        room = used
        with pytest.raises(ServiceError, match="disk is full"):
            run_in(database)(own.session(), job, RunningJob(database, job, LEASE, Event()), lambda *_: None)
        room = 0
        ended = continue_job(database, own.session(), run_in(database), job)
        assert ended.state == "Completed"
        assert {one.outcome for one in ended.results.values()} == {INDEXED}
        assert index_as_values(database) == wanted
