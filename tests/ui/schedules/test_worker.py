"""The worker of a console process: killed in the middle, and continued by another; never twice."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import update

from services.database.tables import scheduled_runs, schedules
from services.policies.store import create_policy
from services.schedules import planning
from services.schedules.runs import RunState, ScheduledRun, list_runs, read_parts
from services.schedules.schedule import ScheduleSpec, Timing
from services.schedules.store import request_run, save_schedule, set_active
from tests.support.cluster_answers import answer_clusters
from tests.support.killed import Killed, killed_at
from tests.support.own_sandbox import OwnSandbox
from ui.deletion import deletions
from ui.jobs import runs
from ui.runtime import connection
from ui.runtime.database import database
from ui.schedules import worker

TEXT = """\
name: Pull requests
rules:
  - {name: pull requests, action: delete, tags: pr-*, at_least: 1, older_than_days: 0}
"""

# A reading waits in threads, which die with their process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def clean(own: OwnSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    connection.use(own.session())
    for number in (1, 2):
        own.push(f"pr-{number}", number=number)
    yield
    st.cache_resource.clear()


def work() -> int:
    return worker.work_once(threading.Event())


def scheduled(own: OwnSandbox, text: str = TEXT) -> str:
    who = connection.own_who()
    policy = create_policy(database(), who, text).id
    save_schedule(database(), who, policy, ScheduleSpec((own.registry().id,), Timing(3), 1), who)
    answer_clusters(own)
    return policy


def make_due() -> None:
    with database().begin() as db:
        db.execute(update(schedules).values(due=datetime.now(UTC) - timedelta(minutes=1)))


def end_leases() -> None:
    with database().begin() as db:
        db.execute(update(scheduled_runs).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))


def the_run(policy: str) -> ScheduledRun:
    return list_runs(database(), policy)[0]


def test_a_due_schedule_is_planned_once(own: OwnSandbox) -> None:
    policy = scheduled(own)
    assert work() == 0
    make_due()
    assert (work(), work()) == (1, 0)
    (run,) = list_runs(database(), policy)
    assert run.state is RunState.PROPOSED
    (part,) = read_parts(database(), run.id)
    assert (part.repository, [one.tags for one in part.deleted]) == ("team/app", [("pr-1",)])
    assert not own.writes()


@pytest.mark.parametrize("days", [60, -60])
def test_with_a_wrong_clock_nothing_is_planned(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    policy = scheduled(own)
    make_due()
    wrong = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "read_clock", lambda _database: wrong)
        assert work() == 1
    assert the_run(policy).state is RunState.FAILED
    assert f"The console's clock says {wrong:%Y-%m-%d}" in the_run(policy).error


def test_a_wrong_clock_of_one_process_makes_nothing_older(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = scheduled(own, TEXT.replace("older_than_days: 0", "older_than_days: 30"))
    make_due()

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=60)

    monkeypatch.setattr(planning, "datetime", Ahead)
    assert work() == 1
    assert the_run(policy).state is RunState.NOTHING


def test_without_schedules_nothing_signs_in(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = scheduled(own)
    monkeypatch.setattr(connection, "own_who", lambda: pytest.fail("signs in"))
    assert work() == 0
    set_active(database(), "me", policy, active=False)
    make_due()
    assert work() == 0


def test_two_workers_at_once_plan_each_run_once(own: OwnSandbox) -> None:
    policy = scheduled(own)
    make_due()
    planned: list[int] = []
    threads = [threading.Thread(target=lambda: planned.append(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(planned) == 1
    assert [one.state for one in list_runs(database(), policy)] == [RunState.PROPOSED]


def test_killed_at_any_request_it_is_planned_by_another(own: OwnSandbox) -> None:
    policy = scheduled(own)
    make_due()
    with killed_at(0, answered=False) as requests:
        assert work() == 1
    wanted = read_parts(database(), the_run(policy).id)
    number = len(requests.methods)
    assert number > 3
    for at in {1, 2, number // 2, number}:
        st.cache_resource.clear()  # A process of its own has read nothing.
        connection.use(own.session())
        request_run(database(), connection.own_who(), policy)
        try:
            with killed_at(at, answered=True):
                work()
        except Killed:
            assert the_run(policy).state is RunState.PLANNING
            end_leases()
            assert work() == 1
        run = the_run(policy)
        assert run.state is RunState.PROPOSED, (at, run.error)
        assert read_parts(database(), run.id) == wanted
    assert not own.writes()


def test_killed_between_its_deletions_each_begins_once(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (3, 4):
        own.push(f"pr-{number}", number=number, repository="team/web")
    policy = scheduled(own)
    monkeypatch.setattr("services.schedules.claiming.count_done", lambda *_: 1)
    begin, begun = deletions.delete_manifests, []

    def dying(*args: object, **more: object) -> str:
        if begun:
            raise Killed
        begun.append(begin(*args, **more))  # type: ignore[arg-type]
        return begun[0]

    make_due()
    with monkeypatch.context() as patch:
        patch.setattr(deletions, "delete_manifests", dying)
        with pytest.raises(Killed):
            work()
    run = the_run(policy)
    assert (run.state, len(run.jobs), run.wanted) == (RunState.PLANNING, 1, 2)
    end_leases()
    assert work() == 1
    run = the_run(policy)
    for one in run.jobs:
        reading = runs.under_way(connection.own_who(), one.job)
        assert reading and reading.finished.wait(30)
    run = the_run(policy)
    assert (run.state, run.progress, run.wanted) == (RunState.STARTED, "Completed", 2)
    assert [one.repository for one in run.jobs] == ["team/app", "team/web"]
    assert all(count == 1 for count in own.writes().values())
    assert (set(own.tags()), set(own.tags("team/web"))) == ({"pr-2"}, {"pr-4"})


def test_a_console_without_an_identity_plans_nothing(own: OwnSandbox) -> None:
    policy = scheduled(own)
    make_due()
    connection.use_people(lambda _account: own.session(), lambda _account: None)
    try:
        assert work() == 0
        assert list_runs(database(), policy) == ()
        with pytest.raises(LookupError):
            connection.own_session()
    finally:
        connection.use(own.session())


def test_where_people_sign_in_the_consoles_own_jobs_run_as_the_console(own: OwnSandbox) -> None:
    who = connection.own_who()
    connection.use_people(lambda _account: own.session(as_reader=True), lambda _account: None, own.session())
    try:
        assert connection.own_who() == who
        assert connection.session_for_jobs(who).identity == own.session().identity
        # Never access: no role assignment goes by itself.
        assert connection.own_session().permission.access_reason
    finally:
        connection.use(own.session())
