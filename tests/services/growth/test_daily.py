"""The daily snapshots as rows of the database: each registry once a day, by one process; no day of a wrong clock."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update

from services.connection.errors import ServiceError
from services.database.tables import snapshot_reads, snapshots
from services.growth import daily
from services.growth.daily import (
    AGAIN_AFTER,
    LIST,
    MOST_ATTEMPTS,
    ClaimedRead,
    claim_read,
    end_list,
    end_read,
    fail_read,
    has_reads,
    read_state,
    release_read,
)
from services.growth.history import WHOLE, Snapshot
from services.growth.store import add_snapshots, key_of, put_snapshots, read_history
from tests.support.shell_lines import registry as a_registry

ME, LEASE = "cloud tenant/console", timedelta(seconds=30)
REGISTRY = a_registry()
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEYS = {"one 2026": "/one", "two 2026": "/two"}


class Time:
    """The clock of the database, set by the test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self, _db: object) -> datetime:
        return self.now

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(daily, "clock", found)
    return found


def claim(database: Engine) -> ClaimedRead:
    found = claim_read(database, ME, LEASE)
    assert found
    return found


def listed(database: Engine) -> None:
    first = claim(database)
    assert (first.registry, first.attempt) == (LIST, 1)
    end_list(database, first, KEYS)


def of_day(day: date, size: int = 1) -> list[Snapshot]:
    return [Snapshot(day, WHOLE, size, 0, 0, 1, 1), Snapshot(day, "app", size, 0, 0, 1, 1)]


def test_each_registry_is_read_once_a_day(database: Engine, time: Time) -> None:
    assert has_reads(database, ME)
    listed(database)
    for key, resource in KEYS.items():
        one = claim(database)
        assert (one.registry, one.resource, one.day) == (key, resource, NOON.date())
        assert read_state(database, key) == daily.ReadState(None, False, True, None, "")
        end_read(database, one, of_day(one.day))
        assert read_state(database, key) == daily.ReadState(NOON.date(), True, False, None, "")
    assert claim_read(database, ME, LEASE) is None and not has_reads(database, ME)
    time.later(hours=12)
    assert has_reads(database, ME)
    end_list(database, claim(database), {"two 2026": "/two"})
    one = claim(database)
    assert (one.registry, one.day) == ("two 2026", NOON.date() + timedelta(days=1))
    assert claim_read(database, ME, LEASE) is None
    assert read_state(database, "one 2026") is None


def test_several_processes_at_once_read_each_once(database: Engine) -> None:
    end_list(database, claim(database), {f"{number:02}": f"/{number}" for number in range(20)})
    found: list[str] = []

    def work() -> None:
        while one := claim_read(database, ME, timedelta(minutes=30)):
            found.append(one.registry)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [f"{number:02}" for number in range(20)]


def test_after_a_kill_another_process_reads_it_and_the_first_writes_nothing(database: Engine, time: Time) -> None:
    listed(database)
    first = claim(database)
    assert claim(database).registry == "two 2026" and claim_read(database, ME, LEASE) is None
    time.later(seconds=31)
    again = claim(database)
    assert (again.registry, again.attempt) == (first.registry, 2)
    for late in (
        lambda: end_read(database, first, of_day(first.day)),
        lambda: fail_read(database, first, "late"),
    ):
        with pytest.raises(ServiceError) as refused:
            late()
        assert refused.value.code == "TakenOver"
    release_read(database, first)
    assert read_state(database, first.registry) == daily.ReadState(None, False, True, None, "")
    end_read(database, again, of_day(again.day))


def test_what_kills_its_process_each_time_is_left_for_the_day_and_said(database: Engine, time: Time) -> None:
    end_list(database, claim(database), {"one 2026": "/one"})
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert claim(database).attempt == attempt
        time.later(seconds=31)
    assert claim_read(database, ME, LEASE) is None
    state = read_state(database, "one 2026")
    assert state and state.error.startswith("The console's process ended 3 times")
    time.later(hours=2)
    assert claim_read(database, ME, LEASE) is None and not has_reads(database, ME)
    time.later(hours=12)
    end_list(database, claim(database), {"one 2026": "/one"})
    assert claim(database).attempt == 1


def test_what_failed_is_tried_again_after_a_while_however_often(database: Engine, time: Time) -> None:
    end_list(database, claim(database), {"one 2026": "/one"})
    for _ in range(MOST_ATTEMPTS + 2):
        fail_read(database, claim(database), "Refused (403).")
        state = read_state(database, "one 2026")
        assert state == daily.ReadState(None, False, False, time.now, "Refused (403).")
        assert claim_read(database, ME, LEASE) is None
        time.later(seconds=AGAIN_AFTER.total_seconds() + 1)
    end_read(database, claim(database), of_day(time.now.date()))
    assert read_state(database, "one 2026") == daily.ReadState(time.now.date(), True, False, None, "")


def test_a_list_that_is_not_whole_removes_nothing_and_is_read_again(database: Engine, time: Time) -> None:
    listed(database)
    time.later(days=1)
    end_list(database, claim(database), {"three 2026": "/three"}, "1 subscription could not be read.")
    assert [claim(database).registry for _ in range(3)] == ["one 2026", "three 2026", "two 2026"]
    assert claim_read(database, ME, LEASE) is None
    time.later(hours=1.1)
    assert claim(database).registry == LIST


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400), timedelta(hours=3), timedelta(hours=-3)])
def test_a_clock_that_jumped_and_came_back_loses_no_day(database: Engine, time: Time, jump: timedelta) -> None:
    end_list(database, claim(database), {"one 2026": "/one"})
    right = time.now
    time.now = right + jump
    while found := claim_read(database, ME, LEASE):
        # The registry answers at another time.
        if found.registry == LIST:
            end_list(database, found, {"one 2026": "/one"})
        else:
            fail_read(database, found, "The clocks are apart.")
    time.now = right + timedelta(minutes=1)
    found = claim_read(database, ME, LEASE)
    while found and found.registry == LIST:
        end_list(database, found, {"one 2026": "/one"})
        found = claim_read(database, ME, LEASE)
    assert found and (found.registry, found.day) == ("one 2026", right.date())


def test_a_lease_that_a_wrong_clock_gave_ends(database: Engine, time: Time) -> None:
    end_list(database, claim(database), {"one 2026": "/one"})
    time.now = NOON + timedelta(days=30)
    while claim_read(database, ME, LEASE):
        pass
    time.now = NOON + timedelta(minutes=1)
    assert claim(database).registry == "one 2026"


def test_a_day_that_is_to_come_is_not_shown_and_removed_once_the_time_is_known(database: Engine) -> None:
    key, today = key_of(REGISTRY), datetime.now(UTC).date()

    def days() -> list[int]:
        return sorted({(one.day - today).days for one in read_history(database, REGISTRY)})

    for ahead in (-2, -1, 300):
        add_snapshots(database, REGISTRY, of_day(today + timedelta(days=ahead)))
    assert days() == [-2, -1]
    end_list(database, claim(database), {key: REGISTRY.id})
    end_read(database, claim(database), of_day(today))
    assert days() == [-2, -1, 0]
    with database.connect() as db:
        assert db.execute(select(func.max(snapshots.c.day))).scalar() == today


@pytest.mark.usefixtures("time")
def test_what_a_person_reads_does_not_take_the_place_of_the_daily_snapshot(database: Engine) -> None:
    key = key_of(REGISTRY)
    add_snapshots(database, REGISTRY, of_day(NOON.date(), 5))
    end_list(database, claim(database), {key: REGISTRY.id})
    end_read(database, claim(database), of_day(NOON.date(), 7))
    add_snapshots(database, REGISTRY, of_day(NOON.date(), 3))
    assert {one.unique for one in read_history(database, REGISTRY)} == {7}


@pytest.mark.usefixtures("time")
def test_what_a_person_reads_waits_for_the_worker_that_writes_the_same_day(database: Engine) -> None:
    """Two connections: what the worker has not committed is neither overwritten nor mixed with what the page read."""
    key, day = key_of(REGISTRY), NOON.date()
    end_list(database, claim(database), {key: REGISTRY.id})
    one = claim(database)
    page = threading.Thread(target=add_snapshots, args=(database, REGISTRY, of_day(day, 3)))
    with database.begin() as db:
        # As `end_read`, up to its commit.
        db.execute(select(snapshot_reads.c.day).where(snapshot_reads.c.registry == key).with_for_update()).all()
        page.start()
        while database.dialect.name == "postgresql" and not _waiting(database):
            page.join(0.02)
            assert page.is_alive()
        put_snapshots(db, key, of_day(day, 7))
        db.execute(update(snapshot_reads).where(snapshot_reads.c.registry == key).values(day=one.day))
    page.join(60)
    assert {found.unique for found in read_history(database, REGISTRY)} == {7}


def _waiting(database: Engine) -> bool:
    """Whether a connection waits for a lock."""
    with database.connect() as db:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(db.execute(text(waits)).scalar())


def test_what_failed_holds_up_no_registry_that_was_not_tried(database: Engine, time: Time) -> None:
    end_list(database, claim(database), KEYS)
    fail_read(database, claim(database), "403")
    time.later(seconds=AGAIN_AFTER.total_seconds() + 1)
    assert [claim(database).registry for _ in KEYS] == ["two 2026", "one 2026"]


def test_the_state_is_of_the_identity_that_reads_now(database: Engine, time: Time) -> None:
    end_list(database, claim(database), KEYS)
    read = claim(database)
    end_read(database, read, of_day(read.day))
    time.later(days=1)
    other = claim_read(database, "cloud tenant/other", LEASE)
    assert other
    end_list(database, other, KEYS)
    failed = claim_read(database, "cloud tenant/other", LEASE)
    assert failed and failed.registry == read.registry
    fail_read(database, failed, "403")
    state = read_state(database, read.registry)
    assert state and state.error == "403"
