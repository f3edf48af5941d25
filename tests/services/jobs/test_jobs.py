"""A job is in the database before anything is changed, each result as it comes, and exactly one process has it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from services.connection.errors import ServiceError
from services.database.tables import jobs as table
from services.jobs.audit import START, add_entry, as_lines, read_entries, verify
from services.jobs.continuation import request_continuation
from services.jobs.export import csv_of
from services.jobs.jobs import (
    CONTINUED_WITHIN,
    LONGEST_LEASE,
    Job,
    JobItem,
    JobResult,
    JobSummary,
    add_finished,
    begin,
    find_job,
    list_jobs,
    open_jobs,
    owners_of_lost,
    request_stop,
    take_over,
)
from services.jobs.running import RunningJob
from services.wording import cell_text

WHO = "https://management.azure.com tenant/object"
LEASE = timedelta(seconds=30)
ACTIONS = ("delete manifests",)
ITEMS = [JobItem(f"v{number}", "sha256:1", (f"t{number}",)) for number in range(4)]


def begun(database: Engine, who: str = WHO, lease: timedelta = LEASE) -> Job:
    return begin(database, who, "delete manifests", "contoso.azurecr.io", "app", ITEMS, {"registry": "contoso"}, lease)


def running(database: Engine, job: Job, lease: timedelta = LEASE) -> RunningJob:
    return RunningJob(database, job, lease, threading.Event())


def expire(database: Engine, job: Job, by: timedelta = timedelta(seconds=1)) -> None:
    """As if its process had ended a lease ago; a negative `by` as if the clock had been set back since."""
    with database.begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(lease_until=job.begun - by))


def found(database: Engine, job: Job, who: str = WHO) -> Job:
    one = find_job(database, who, job.id)
    assert one
    return one


def test_the_plan_is_recorded_before_anything_is_done(database: Engine) -> None:
    job = found(database, begun(database))
    assert (job.items, job.results, job.ended, job.runs) == (tuple(ITEMS), {}, None, True)
    assert job.details == {"registry": "contoso"}
    assert [entry.fields["what"] for entry in read_entries(database, WHO)] == ["began"]


def test_each_result_is_recorded_as_it_comes_and_the_first_stays(database: Engine) -> None:
    job = begun(database)
    runner = running(database, job)
    runner.add_result("v0", "deleted")
    runner.add_result("v1", "refused", "line one\nline two\u2028 and {}")
    runner.add_result("v0", "already done")
    assert found(database, job).results == {
        "v0": JobResult("deleted"),
        "v1": JobResult("refused", "line one\nline two\u2028 and {}"),
    }
    runner.end(answer="{}")
    ended = found(database, job)
    assert ended.ended and ended.answer == "{}" and not ended.runs
    assert [item.name for item in ended.open] == ["v2", "v3"]
    (summary,) = list_jobs(database, WHO)
    assert (summary.items, summary.recorded, summary.state) == (4, 2, "Stopped")


def test_what_was_refused_is_not_called_completed(database: Engine) -> None:
    job = begun(database)
    runner = running(database, job)
    runner.add_results((item.name, JobResult("refused" if item is ITEMS[0] else "deleted")) for item in ITEMS)
    runner.end()
    assert list_jobs(database, WHO)[0].state == "Incomplete"


def test_another_identity_sees_nothing_of_it(database: Engine) -> None:
    job = begun(database)
    assert find_job(database, "somebody else", job.id) is None
    assert list_jobs(database, "somebody else") == ()
    assert read_entries(database, "somebody else") == ()
    request_stop(database, "somebody else", job.id)
    assert not found(database, job).stop_requested
    expire(database, job)
    assert take_over(database, "somebody else", LEASE, ACTIONS) is None


def test_a_job_whose_process_lives_is_left_alone(database: Engine) -> None:
    begun(database)
    assert take_over(database, WHO, LEASE, ACTIONS) is None


def test_a_lost_job_is_taken_over_and_its_first_runner_writes_nothing_more(database: Engine) -> None:
    job = begun(database)
    first = running(database, job)
    first.add_result("v0", "deleted")
    expire(database, job)
    assert list_jobs(database, WHO)[0].state == "Interrupted"
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken and taken.attempt == 2 and taken.results == {"v0": JobResult("deleted")}
    for write in (lambda: first.add_result("v1", "deleted"), first.end):
        with pytest.raises(ServiceError) as refused:
            write()
        assert refused.value.code == "TakenOver"
    assert first.stop.is_set()
    second = running(database, taken)
    second.add_result("v1", "already done")
    second.end()
    assert found(database, job).results["v1"] == JobResult("already done")
    assert [entry.fields["what"] for entry in read_entries(database, WHO)] == ["began", "taken over", "ended"]
    assert take_over(database, WHO, LEASE, ACTIONS) is None


def test_of_many_processes_one_takes_a_lost_job(database: Engine) -> None:
    lost = {begun(database).id for _ in range(10)}
    with database.begin() as db:
        db.execute(text("UPDATE jobs SET lease_until = begun"))
    time.sleep(0.01)  # The leases end at the jobs' beginnings, which have to be past.
    with ThreadPoolExecutor(8) as pool:
        taken = [job.id for job in pool.map(lambda _: take_over(database, WHO, LEASE, ACTIONS), range(24)) if job]
    assert sorted(taken) == sorted(lost)


def test_a_clock_that_was_set_back_does_not_keep_a_job_for_hours(database: Engine) -> None:
    job = begun(database)
    expire(database, job, timedelta(hours=-5))
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken and taken.id == job.id


def test_a_living_job_of_the_longest_lease_is_left_by_a_process_with_a_short_one(database: Engine) -> None:
    begun(database, lease=LONGEST_LEASE)
    assert owners_of_lost(database, ACTIONS) == ()
    assert take_over(database, WHO, timedelta(seconds=1), ACTIONS) is None


@pytest.mark.parametrize(
    ("ago", "goes_on"),
    [
        (timedelta(0), False),
        (timedelta(microseconds=1), True),
        (CONTINUED_WITHIN, True),
        (CONTINUED_WITHIN + timedelta(microseconds=1), False),
        (timedelta(days=30), False),
    ],
)
def test_a_job_that_waited_longer_than_a_day_does_not_go_on_by_itself(
    database: Engine, monkeypatch: pytest.MonkeyPatch, ago: timedelta, goes_on: bool
) -> None:
    job = begun(database)
    now = datetime.now(UTC)
    monkeypatch.setattr("services.jobs.jobs.clock", lambda _db: now)
    with database.begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(lease_until=now - ago))
    overdue = ago > CONTINUED_WITHIN
    assert found(database, job).overdue_since == (now - ago if overdue else None)
    assert found(database, job).state == ("Interrupted" if ago else "Running")
    assert owners_of_lost(database, ACTIONS) == ((WHO,) if goes_on else ())
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert (taken is not None) is goes_on


def test_its_person_lets_it_go_on(database: Engine) -> None:
    job = begun(database)
    expire(database, job, timedelta(days=30))
    request_continuation(database, "another", job.id)
    assert take_over(database, WHO, LEASE, ACTIONS) is None
    request_continuation(database, WHO, job.id)
    request_continuation(database, WHO, job.id)
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken and taken.attempt == 2
    whats = [entry.fields["what"] for entry in read_entries(database, WHO)]
    assert whats == ["began", "continuation requested", "taken over"]
    request_continuation(database, WHO, job.id)
    assert found(database, job).runs, "one that runs is left alone"


@pytest.mark.parametrize("edit", ["jobs SET details = '5'", "job_items SET tags = '5'", "jobs SET details = '{broken'"])
def test_a_job_that_can_not_be_read_is_passed_over_and_named(database: Engine, edit: str) -> None:
    if "broken" in edit and database.dialect.name == "postgresql":
        edit = "jobs SET details = '[]'"  # It keeps no JSON that is none.
    bad, good = begun(database), begun(database)
    for job in (bad, good):
        expire(database, job)
    with database.begin() as db:
        db.execute(text(f"UPDATE {edit} WHERE {'job' if 'items' in edit else 'id'} = '{bad.id}'"))
    unreadable: set[str] = set()
    taken = take_over(database, WHO, LEASE, ACTIONS, unreadable)
    assert taken and taken.id == good.id
    assert unreadable == {bad.id}
    assert [job.id for job in open_jobs(database, WHO, ACTIONS)] == [good.id]
    assert {job.id for job in list_jobs(database, WHO)} == {bad.id, good.id}
    with pytest.raises(ServiceError, match="can't be read"):
        find_job(database, WHO, bad.id)


def test_a_clock_that_jumps_ahead_costs_the_first_runner_its_job_and_nothing_else(database: Engine) -> None:
    job = begun(database)
    first = running(database, job)
    expire(database, job, timedelta(hours=5))
    assert take_over(database, WHO, LEASE, ACTIONS)
    with pytest.raises(ServiceError, match="taken this job over"):
        first.add_result("v0", "deleted")
    assert found(database, job).results == {}


def test_a_lease_is_renewed_while_its_process_lives(database: Engine) -> None:
    short = timedelta(seconds=0.6)
    job = begun(database, lease=short)
    runner = running(database, job, short)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert take_over(database, WHO, short, ACTIONS) is None
        time.sleep(0.1)  # Between two tries of another process.
    runner.abandon()
    assert runner.stop.is_set()
    until = time.monotonic() + 10
    while not (taken := take_over(database, WHO, short, ACTIONS)) and time.monotonic() < until:
        time.sleep(0.1)  # Until the lease has run out.
    assert taken


def test_a_released_job_can_be_taken_over_at_once(database: Engine) -> None:
    runner = running(database, begun(database))
    runner.release()
    assert take_over(database, WHO, LEASE, ACTIONS)


def test_a_released_job_is_not_ended_by_the_process_that_gave_it_up(database: Engine) -> None:
    runner = running(database, begun(database))
    runner.release()
    assert runner.stop.is_set()
    runner.add_result("v0", "deleted")  # It was under way.
    runner.end()
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken and (taken.ended, taken.results) == (None, {"v0": JobResult("deleted")})
    with pytest.raises(ServiceError, match="TakenOver"):
        runner.add_result("v1", "deleted")


def test_a_stop_from_elsewhere_reaches_the_runner(database: Engine) -> None:
    short = timedelta(seconds=0.3)
    job = begun(database, lease=short)
    runner = running(database, job, short)
    for _ in range(2):
        request_stop(database, WHO, job.id)
    assert runner.stop.wait(10)
    runner.end()
    assert [entry.fields["what"] for entry in read_entries(database, WHO)] == ["began", "stop requested", "ended"]


def test_a_stopped_job_that_is_taken_over_does_nothing(database: Engine) -> None:
    job = begun(database)
    request_stop(database, WHO, job.id)
    expire(database, job)
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken and running(database, taken).stop.is_set()


def test_what_could_not_be_written_is_kept_and_written_at_the_end(
    database: Engine,
) -> None:
    runner = running(database, begun(database))
    runner.add_result("v0", "deleted")
    with database.begin() as db:
        db.execute(text("ALTER TABLE job_items RENAME TO elsewhere"))
    with pytest.raises(ServiceError) as refused:
        runner.add_result("v1", "deleted")
    assert refused.value.code == "NoDatabase"
    assert "No further item was tried" in refused.value.remedy
    with database.begin() as db:
        db.execute(text("ALTER TABLE elsewhere RENAME TO job_items"))
    assert runner.read().results == {"v0": JobResult("deleted"), "v1": JobResult("deleted")}
    runner.end()
    assert runner.read().results.keys() == {"v0", "v1"}


def test_a_record_of_an_older_version_is_added_once_and_never_continued(database: Engine) -> None:
    job = begun(database)
    old = replace(job, id="20250101T000000000000-old", attempt=0, results={"v0": JobResult("deleted")})
    assert add_finished(database, old)
    assert not add_finished(database, old)
    assert found(database, old).results == old.results
    assert {one.id: one.state for one in list_jobs(database, WHO)} == {job.id: "Running", old.id: "Interrupted"}
    assert take_over(database, WHO, LEASE, ACTIONS) is None


# The log


def test_the_log_is_a_chain(database: Engine) -> None:
    runner = running(database, begun(database))
    runner.add_result("v0", "deleted")
    runner.end()
    begun(database, "somebody else")
    checked = verify(database)
    assert (checked.entries, checked.fault) == (3, "")
    first, second = read_entries(database, WHO)
    assert (first.previous, second.previous) == (START, first.hash)
    assert len(as_lines((first, second)).splitlines()) == 2
    assert second.fields["outcomes"] == {"deleted": 1, "no result": 3}


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ("UPDATE audit SET entry = replace(entry, 'contoso', 'fabrikam') WHERE number = 1", "Entry 1 was changed"),
        ("DELETE FROM audit WHERE number = 1", "Entry 2 was changed, or one before it was removed"),
        ("UPDATE audit SET hash = previous WHERE number = 1", "Entry 1 was changed"),
        ("UPDATE job_items SET outcome = 'refused' WHERE name = 'v0'", "Entry 2: the items"),
        ("UPDATE job_items SET digest = 'sha256:2' WHERE name = 'v3'", "Entry 1: the items"),
        ("DELETE FROM job_items WHERE name = 'v3'", "Entry 1: the items"),
        ("UPDATE audit SET who = 'another' WHERE number = 2", "Entry 2: whose it is was changed"),
        ("UPDATE jobs SET who = 'another'", "Entry 1: the who of the job"),
        ("UPDATE jobs SET login = 'another'", "Entry 1: the login of the job"),
        ("UPDATE jobs SET action = 'tag'", "Entry 1: the action of the job"),
        ("UPDATE jobs SET login_server = 'fabrikam.azurecr.io'", "Entry 1: the target of the job"),
        ("UPDATE jobs SET repository = 'web'", "Entry 1: the target of the job"),
        ("UPDATE jobs SET error = '503'", "Entry 2: the error of the job"),
        ("UPDATE jobs SET answer = 'all done'", "Entry 2: the answer of the job"),
        ("UPDATE jobs SET incomplete = true", "Entry 2: the incomplete of the job"),
        ("UPDATE jobs SET ended = NULL", "Entry 2: the end of the job"),
        ("DELETE FROM jobs", "Entry 1: the job"),
    ],
)
def test_an_edit_of_the_log_or_of_what_it_vouches_for_is_found(database: Engine, edit: str, fault: str) -> None:
    runner = running(database, begun(database))
    runner.add_result("v0", "deleted")
    runner.end()
    with database.begin() as db:
        db.execute(text(edit))
    assert verify(database).fault.startswith(fault)


def test_an_entry_of_an_older_version_without_the_hash_of_the_answer_is_no_fault(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(*said: Any, answer_hash: str, **fields: Any) -> None:
        assert answer_hash
        add_entry(*said, **fields)

    monkeypatch.setattr("services.jobs.running.add_entry", older)
    running(database, begun(database)).end(answer="done")
    assert verify(database).fault == ""


def test_more_entries_than_fit_a_page_are_checked_to_the_last(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.jobs.audit._PAGE", 2)
    for _ in range(5):
        begun(database)
    assert verify(database).entries == 5
    with database.begin() as db:
        db.execute(text("UPDATE audit SET hash = previous WHERE number = 5"))
    assert verify(database).fault.startswith("Entry 5")


def test_the_chain_has_no_forks_however_many_write(database: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: begun(database), range(24)))
    assert verify(database).entries == 24
    with pytest.raises(ZeroDivisionError), database.begin() as db:
        add_entry(db, WHO, "began", "x")
        raise ZeroDivisionError
    assert verify(database).entries == 24


@pytest.mark.parametrize("before", ["", "\t", "\r", "\n", "\r\n", " ", "\u00a0 ", "\u3000"])
@pytest.mark.parametrize("sign", list("=+-@\uff1d\uff0b\uff0d\uff20"))
def test_what_a_spreadsheet_takes_for_a_formula_is_text(before: str, sign: str) -> None:
    assert cell_text(f"{before}{sign}1") == f"'{before}{sign}1"


@pytest.mark.parametrize("text", ["", " ", "contoso/app:v1", " a=b", "1-2", "\u00e9"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell_text(text) == text


def test_a_formula_in_the_table_is_text() -> None:
    begun_at = datetime(2026, 1, 1, tzinfo=UTC)
    job = JobSummary("1", "delete manifests", "s", "r", begun_at, None, "=HYPERLINK()", 1, 0, False)
    assert "'=HYPERLINK()" in csv_of([job], {})
    head, row = csv_of([job], {"s": "contoso"}).splitlines()
    assert head.startswith("id,who,name,action,target,")
    assert (",s/r," in row, row.endswith(",contoso/r")) == (True, True)


def test_whose_jobs_are_lost_is_known_before_they_are_taken_over(database: Engine) -> None:
    mine, other, alive = begun(database), begun(database, "another"), begun(database, "a third")
    assert owners_of_lost(database, ACTIONS) == ()
    for job in (mine, other):
        expire(database, job)
    assert alive.runs
    assert owners_of_lost(database, ACTIONS) == ("another", WHO)
    taken = take_over(database, WHO, LEASE, ACTIONS)
    assert taken
    running(database, taken).end()
    assert owners_of_lost(database, ACTIONS) == ("another",)
