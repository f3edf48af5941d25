"""A deletion that has ended or failed sends nothing more, and what it did is known item by item."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Connection, event, update
from sqlalchemy.exc import OperationalError

from sandbox.clusters.container_apps import APP_TYPE
from services.connection.data_plane import RegistryClient
from services.connection.errors import SignInNeeded
from services.connection.parallel import WORKERS, parallel_map
from services.connection.session import AzureSession
from services.database.tables import jobs
from services.deletion.job_records import as_details, as_items
from services.deletion.plan import plan_deletion
from services.deletion.records import DeletionRecord, deleted_as_az_prints, fates_of_open, state_of
from services.deletion.repository import plan_repository_deletion
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.tagging import plan_untag
from services.jobs.audit import verify
from services.jobs.jobs import begin
from services.registries.registry import Registry
from tests.services.running.test_apps import app
from tests.services.running.test_apps import put as put_app
from tests.support.killed import LEASE, WHO, Killed, continue_job, killed_at, run_once
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.deletion import deletions
from ui.job_kinds.kinds import KINDS
from ui.jobs import runs
from ui.runtime import connection
from ui.runtime.database import database

MANY = 4 * WORKERS

Start = Callable[[str, Registry, RepositoryContents], str]


@pytest.fixture(autouse=True)
def clean(own: OwnSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    st.cache_resource.clear()
    connection.use(own.session())
    yield
    st.cache_resource.clear()


class FullDisk:
    """A disk that has room for so many more transactions of the database that write."""

    def __init__(self) -> None:
        self.left = 10**9
        event.listen(database(), "begin", self._begin)

    def _begin(self, db: Connection) -> None:
        if db.get_execution_options().get("reading"):
            return
        if self.left <= 0:
            raise OperationalError("BEGIN", None, sqlite3.OperationalError("database or disk is full"))
        self.left -= 1


@pytest.fixture
def disk() -> FullDisk:
    return FullDisk()


def remove_tags(who: str, registry: Registry, contents: RepositoryContents) -> str:
    chosen = {tag.name: tag for tag in contents.tags if tag.name.startswith("pr-")}
    plan = plan_untag(registry.name, contents.repository, chosen, {row.digest: row.tags for row in contents.rows})
    return deletions.remove_tags(who, registry, plan)


def delete_manifests(who: str, registry: Registry, contents: RepositoryContents) -> str:
    chosen = [tag.digest for tag in contents.tags if tag.name.startswith("pr-")]
    return deletions.delete_manifests(
        who, registry, plan_deletion(contents, chosen, registry=registry.name, by_name=True)
    )


def delete_repository(who: str, registry: Registry, contents: RepositoryContents) -> str:
    return deletions.delete_repository(who, registry, plan_repository_deletion(contents, registry.name))


def filled(own: OwnSandbox) -> RepositoryContents:
    """team/app with MANY images of a tag each, and one that nobody deletes."""
    own.push("keep", number=1000)
    for number in range(1, MANY + 1):
        own.push(f"pr-{number}", number=number)
    (contents,) = read_contents(own.client, [APP], {}).values
    return contents


def ended(own: OwnSandbox, record_id: str) -> DeletionRecord:
    """The record of a deletion that is over, and after which no request left."""
    who = connection.who()
    job = runs.under_way(who, record_id)
    assert job
    assert job.finished.wait(60)
    asked = len(own.sandbox.requests)
    # Of one server calls run in order: whatever was queued before these would run before them.
    parallel_map(str, range(2 * WORKERS), server=own.client.login_server)
    assert len(own.sandbox.requests) == asked
    record = deletions.recorded(who, record_id)
    assert record
    assert record.id in [one.id for one in deletions.all_recorded(who).values]
    return record


def left(own: OwnSandbox, record: DeletionRecord) -> set[str]:
    """The items of the record that the registry still has."""
    there = set(own.tags()) | {one.digest for one in own.sandbox.store.list_manifests(REGISTRY, APP)}
    return {item.name for item in record.items if item.name in there}


def assert_true_to_the_registry(own: OwnSandbox, record: DeletionRecord) -> None:
    """What the record says is deleted is gone, and what is gone it says is deleted."""
    names = {item.name for item in record.items}
    deleted = {name for name, fate in record.fates.items() if fate.is_deleted}
    assert deleted == names - left(own, record)


@pytest.mark.parametrize("start", [remove_tags, delete_manifests])
@pytest.mark.parametrize("writes", [1, 2, 20, MANY, MANY + 1])
def test_with_the_disk_full_a_deletion_stops_and_says_what_it_did(
    own: OwnSandbox, disk: FullDisk, start: Start, writes: int
) -> None:
    """Full at the first result, at the second, in the middle, at the last one, or at the end."""
    contents = filled(own)
    own.break_({"method": "DELETE", "delay_ms": 20})
    disk.left = writes
    record = ended(own, start(connection.who(), own.registry(), contents))
    assert_true_to_the_registry(own, record)
    # What was under way when the write failed is done too, and no more.
    assert (len(record.fates) == MANY) == (writes >= MANY)
    assert state_of(record, running=False) == "Interrupted"
    job = runs.under_way(connection.who(), record.id)
    assert job and job.error and job.error.code == "NoDatabase"
    assert "The disk is full" in job.error.cause


def test_with_the_disk_full_a_repository_whose_manifests_can_not_be_kept_stays(own: OwnSandbox, disk: FullDisk) -> None:
    contents = filled(own)
    disk.left = 1  # The record itself.
    record = ended(own, delete_repository(connection.who(), own.registry(), contents))
    assert len(left(own, record)) == len(record.items) == len(record.open)
    assert state_of(record, running=False) == "Interrupted"


@pytest.mark.parametrize("writes", [2, 3])
def test_with_the_disk_full_a_deleted_repository_is_deleted(own: OwnSandbox, disk: FullDisk, writes: int) -> None:
    contents = filled(own)
    disk.left = writes
    record = ended(own, delete_repository(connection.who(), own.registry(), contents))
    assert_true_to_the_registry(own, record)
    assert not left(own, record)
    assert len(record.fates) == len(record.items)


@pytest.mark.parametrize("start", [remove_tags, delete_manifests, delete_repository])
def test_a_deletion_that_can_not_be_recorded_does_not_begin(own: OwnSandbox, disk: FullDisk, start: Start) -> None:
    contents = filled(own)
    disk.left = 0
    with pytest.raises(Exception, match="could not be recorded") as caught:
        start(connection.who(), own.registry(), contents)
    assert "Nothing was changed" in caught.value.remedy  # type: ignore[attr-defined]
    assert not own.writes()
    found = deletions.all_recorded(connection.who())
    assert (found.values, found.refused) == ((), ())


def lose(record_id: str) -> None:
    """As if the lease of the job had run out: its process ended."""
    with database().begin() as db:
        db.execute(update(jobs).where(jobs.c.id == record_id).values(lease_until=jobs.c.begun))


@pytest.mark.parametrize("start", [remove_tags, delete_manifests])
@pytest.mark.parametrize("memory", [True, False])
def test_a_deletion_goes_on_when_there_is_room_again(
    own: OwnSandbox, disk: FullDisk, start: Start, memory: bool
) -> None:
    """In the process that ran out of room, which knows what it did, and in another."""
    contents = filled(own)
    disk.left = 5
    who = connection.who()
    record = ended(own, start(who, own.registry(), contents))
    assert left(own, record)
    disk.left = 10**9
    lose(record.id)
    if not memory:
        st.cache_resource.clear()
    assert runs.continue_lost(own.session(), who, KINDS) == [record.id]
    record = ended(own, record.id)
    assert not left(own, record)
    assert state_of(record, running=False) == "Completed"
    outcomes = {fate.outcome for fate in record.fates.values()}
    assert outcomes == ({"deleted"} if memory else {"deleted", "already done"})
    assert own.tags().keys() == {"keep"}
    assert verify(database()).fault == ""


def interrupted(own: OwnSandbox, start: Start, disk: FullDisk) -> str:
    """A deletion whose process ended after its third result."""
    contents = filled(own)
    disk.left = 4
    record_id = start(connection.who(), own.registry(), contents)
    ended(own, record_id)
    disk.left = 10**9
    lose(record_id)
    st.cache_resource.clear()
    return record_id


def test_what_has_changed_since_the_interruption_is_refused(own: OwnSandbox, disk: FullDisk) -> None:
    """A tag that came to a manifest of the plan, and a tag of the plan that moved."""
    record_id = interrupted(own, delete_manifests, disk)
    record = deletions.recorded(connection.who(), record_id)
    assert record
    kept = next(item for item in reversed(record.open) if item.name in left(own, record))
    own.move("release", kept.digest)
    runs.continue_lost(own.session(), connection.who(), KINDS)
    record = ended(own, record_id)
    assert left(own, record) == {kept.digest}
    assert record.fates[kept.digest].outcome == "refused"
    assert "release" in record.fates[kept.digest].cause


def test_a_repository_deleted_before_the_interruption_is_said_to_be_gone(own: OwnSandbox, disk: FullDisk) -> None:
    contents = filled(own)
    disk.left = 2  # The record, and the manifests that are kept.
    who = connection.who()
    record = ended(own, delete_repository(who, own.registry(), contents))
    disk.left = 10**9
    lose(record.id)
    st.cache_resource.clear()
    runs.continue_lost(own.session(), who, KINDS)
    record = ended(own, record.id)
    assert {fate.outcome for fate in record.fates.values()} == {"already done"}
    assert state_of(record, running=False) == "Completed"


def test_a_stop_that_was_asked_for_holds_after_the_interruption(own: OwnSandbox, disk: FullDisk) -> None:
    record_id = interrupted(own, remove_tags, disk)
    runs.stop(connection.who(), record_id)
    runs.continue_lost(own.session(), connection.who(), KINDS)
    record = ended(own, record_id)
    assert left(own, record)
    assert state_of(record, running=False) == "Stopped"


def test_a_job_of_another_identity_is_not_continued(own: OwnSandbox, disk: FullDisk) -> None:
    interrupted(own, remove_tags, disk)
    assert runs.continue_lost(own.session(as_reader=True), "somebody else", KINDS) == []


@pytest.mark.parametrize("start", [remove_tags, delete_manifests])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_one_thread_stops_the_others(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, start: Start, error: type[BaseException]
) -> None:
    contents = filled(own)
    send = RegistryClient.send
    asked: list[str] = []

    def fails(client: RegistryClient, method: str, path: str, **more: Any) -> Any:
        asked.append(path)
        if len(asked) == 5:
            raise error
        return send(client, method, path, **more)

    monkeypatch.setattr(RegistryClient, "send", fails)
    record = ended(own, start(connection.who(), own.registry(), contents))
    assert_true_to_the_registry(own, record)
    assert len(record.fates) < MANY
    assert state_of(record, running=False) == "Failed"
    assert error.__name__ in record.error


@pytest.mark.parametrize("start", [remove_tags, delete_manifests])
def test_after_a_stop_nothing_more_is_deleted(own: OwnSandbox, start: Start) -> None:
    contents = filled(own)
    own.break_({"method": "DELETE", "delay_ms": 20})
    record_id = start(connection.who(), own.registry(), contents)
    job = runs.under_way(connection.who(), record_id)
    assert job
    job.stop.set()
    record = ended(own, record_id)
    assert_true_to_the_registry(own, record)
    assert state_of(record, running=False) == "Stopped"
    assert {fate.outcome for fate in fates_of_open(record, []).values()} == {"not tried"}


@pytest.mark.parametrize("start", [delete_manifests, delete_repository])
def test_the_second_of_two_tabs_does_not_call_its_items_deleted(own: OwnSandbox, start: Start) -> None:
    """Both planned the same; what the first deleted, the second reports as already deleted."""
    contents = filled(own)
    if start is delete_repository:
        own.sandbox.store.delete_manifest(REGISTRY, APP, contents.rows[0].digest, own.sandbox.state.stamp())
    first = ended(own, start(connection.who(), own.registry(), contents))
    second = ended(own, start(connection.who(), own.registry(), contents))
    assert deleted_as_az_prints(first)
    assert deleted_as_az_prints(second) == ""
    assert {fate.outcome for fate in second.fates.values()} <= {"already done"}


def test_a_job_waits_until_its_person_has_signed_in_again(
    own: OwnSandbox, disk: FullDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id = interrupted(own, delete_manifests, disk)
    who = connection.who()
    waits, signed_in, stopped = threading.Event(), threading.Event(), threading.Event()

    def check(account: str) -> None:
        assert connection.is_of(who, account)
        if not signed_in.is_set():
            waits.set()
            raise SignInNeeded("It was revoked.")

    connection.use_people(lambda _account: own.session(), check)
    monkeypatch.setattr(runs, "LOOK_EVERY_S", 0.05)
    thread = threading.Thread(target=runs.continue_until, args=(stopped, KINDS))
    thread.start()
    assert waits.wait(20)
    assert runs.under_way(who, record_id) is None
    signed_in.set()
    until = time.monotonic() + 20
    while runs.under_way(who, record_id) is None and time.monotonic() < until:
        time.sleep(0.02)  # Nothing else says that another thread has begun.
    stopped.set()
    thread.join(20)
    connection.use(own.session())
    assert state_of(ended(own, record_id), running=False) == "Completed"


def test_an_error_of_one_look_ends_neither_the_thread_nor_the_jobs_of_others(
    own: OwnSandbox, disk: FullDisk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record_id = interrupted(own, delete_manifests, disk)
    who, stopped = connection.who(), threading.Event()
    looked = 0

    def owners(*_args: object) -> tuple[str, ...]:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise ZeroDivisionError
        return "faulty", who

    def session_of(one: str) -> AzureSession:
        if one == "faulty":
            raise ZeroDivisionError
        stopped.set()
        return own.session()

    monkeypatch.setattr("services.jobs.jobs.owners_of_lost", owners)
    monkeypatch.setattr(connection, "session_for_jobs", session_of)
    monkeypatch.setattr(runs, "LOOK_EVERY_S", 0.01)
    runs.continue_until(stopped, KINDS)
    assert state_of(ended(own, record_id), running=False) == "Completed"
    assert sum(bool(one.exc_info) for one in caplog.records) == 2


def test_a_job_that_is_taken_over_keeps_what_has_begun_to_run_since_its_plan(own: OwnSandbox) -> None:
    digest, _ = own.push("pr-1", number=3)
    own.push("v9", number=4)
    (contents,) = read_contents(own.client, [APP], {}).values
    plan = plan_deletion(contents, [digest], registry=REGISTRY, by_name=False)
    server, kind = own.registry().login_server, deletions.DELETE_MANIFESTS
    job = begin(database(), WHO, kind.action, server, APP, as_items(plan), as_details(plan), LEASE)
    with pytest.raises(Killed), killed_at(1, answered=False):
        run_once(database(), own.session(), kind.run, job)
    put_app(own, APP_TYPE, "web", app(f"{server}/{APP}:pr-1"))
    done = continue_job(database(), own.session(), kind.run, job)
    assert done.results[digest].outcome == "refused"
    assert "Container App web" in done.results[digest].cause
    assert own.tags()["pr-1"] == digest
