"""The worker that takes daily snapshots: once over several at once, resumed after a kill, within its setting."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import update

from services.database.tables import snapshot_reads
from services.growth.daily import ReadState, read_state
from services.growth.history import WHOLE
from services.growth.store import key_of, read_history
from tests.support.killed import Killed, killed_at
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.growth import worker
from ui.runtime import connection
from ui.runtime.database import database

# A reading waits in threads, which die with their process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def clean(own: OwnSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    monkeypatch.setenv("ACR_CONSOLE_SNAPSHOT_READS", "20000")
    st.cache_resource.clear()
    connection.use(own.session())
    own.push("v1")
    yield
    st.cache_resource.clear()


def work() -> int:
    return worker.take_due(threading.Event())


def state(own: OwnSandbox) -> ReadState:
    found = read_state(database(), key_of(own.registry()))
    assert found
    return found


def whole(own: OwnSandbox) -> list[int]:
    return [one.total for one in read_history(database(), own.registry()) if one.repository == WHOLE]


def registries(own: OwnSandbox) -> int:
    return len(own.sandbox.ready["registries"])


def end_leases() -> None:
    with database().begin() as db:
        late = datetime.now(UTC) - timedelta(seconds=1)
        db.execute(update(snapshot_reads).where(snapshot_reads.c.lease_until.is_not(None)).values(lease_until=late))


def test_each_registry_is_read_once_a_day(own: OwnSandbox) -> None:
    assert work() == registries(own)
    assert whole(own) == [own.sandbox.store.blobs.stored_bytes(REGISTRY)]
    (first, *_) = read_history(database(), own.registry())
    assert first.cost is not None and first.currency == "USD"
    before = len(own.sandbox.requests)
    assert work() == 0
    assert not [one for one in list(own.sandbox.requests)[before:] if "/oauth2/" not in one.path]
    assert not own.writes()


def test_two_workers_at_once_read_each_once(own: OwnSandbox) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(work())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(found) == registries(own) and len(whole(own)) == 1


@pytest.mark.parametrize("reads", ["0", ""])
def test_without_a_budget_or_an_identity_none_is_taken(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("ACR_CONSOLE_SNAPSHOT_READS", reads)
        patch.setattr(connection, "own_who", lambda: pytest.fail("signs in"))
        assert work() == 0
    connection.use_people(lambda _account: own.session(), lambda _account: None)
    try:
        assert work() == 0
    finally:
        connection.use(own.session())


def test_killed_at_any_request_another_reads_it(own: OwnSandbox) -> None:
    with killed_at(0, answered=False) as requests:
        work()
    number, wanted = len(requests.methods), whole(own)
    assert number > 5
    for at in {1, 2, number // 2, number}:
        st.cache_resource.clear()  # A process of its own has read nothing.
        connection.use(own.session())
        with database().begin() as db:
            db.execute(snapshot_reads.delete())
        try:
            with killed_at(at, answered=True):
                work()
        except Killed:
            end_leases()
            work()
        assert state(own).today, at
        assert whole(own) == wanted


def test_what_is_refused_is_kept_with_the_reason(own: OwnSandbox) -> None:
    own.break_({"path": "/v2/team/app/manifests/", "status": 403})
    work()
    found = state(own)
    assert not found.today and "1 manifest could not be read (403)" in found.error and found.tried
    assert whole(own) == []


@pytest.mark.parametrize("days", [40, -40])
def test_a_wrong_clock_takes_no_snapshot_and_the_right_one_then_does(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    with monkeypatch.context() as patch:
        wrong = datetime.now(UTC) + timedelta(days=days)
        for module in ("services.growth.daily.clock", "ui.growth.worker.read_clock"):
            patch.setattr(module, lambda _database: wrong)
        work()
        assert "The console's clock says" in state(own).error
    assert whole(own) == []
    work()
    assert state(own).today and len(whole(own)) == 1
    assert {one.day for one in read_history(database(), own.registry())} == {datetime.now(UTC).date()}


def test_a_process_that_ends_gives_its_reading_up(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = threading.Event()

    def ends(*_args: object, **more: object) -> None:
        ending.set()
        stop = more["stop"]
        assert isinstance(stop, threading.Event) and stop.wait(10)
        raise worker.ServiceError("Stopped", "It was stopped.", "It goes on by itself.", "Stopped")

    with monkeypatch.context() as patch:
        patch.setattr(worker, "take_snapshot", ends)
        worker.take_due(ending)
    assert state(own) == ReadState(None, False, False, None, "")
    work()
    assert state(own).today
