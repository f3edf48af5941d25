"""The monthly reports as rows of the database: each once for each target, by one process; failures are recorded."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.cost_reports import deliveries as module
from services.cost_reports.deliveries import (
    AFTER_ENDED,
    AGAIN_AFTER,
    MOST_ATTEMPTS,
    ClaimedReport,
    Delivery,
    Target,
    claim_report,
    deliveries,
    end_report,
    fail_report,
    has_due,
    hold_report,
    note_versions,
    release_report,
)
from services.jobs.audit import read_entries, verify

ME, LEASE = "cloud tenant/console", timedelta(seconds=30)
BOTH = (Target.FOLDER, Target.WEBHOOK)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


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
    monkeypatch.setattr(module, "clock", found)
    return found


def claim(database: Engine, *targets: Target) -> ClaimedReport:
    found = claim_report(database, ME, targets or BOTH, LEASE)
    assert found
    return found


def logged(database: Engine) -> list[tuple[str, str]]:
    return [(entry.fields["what"], entry.fields["month"]) for entry in read_entries(database, ME)]


def test_each_target_gets_each_month_once(database: Engine, time: Time) -> None:
    assert has_due(database, ME, BOTH) and not has_due(database, ME, ())
    for target in BOTH:
        one = claim(database)
        assert (one.target, one.month, one.attempt, one.failures) == (target, OCTOBER, 1, 0)
        end_report(database, one, f"the {target}", "Not all could be read: 1 of bill")
    assert claim_report(database, ME, BOTH, LEASE) is None and not has_due(database, ME, BOTH)
    lacks = "Not all could be read: 1 of bill"
    assert deliveries(database, BOTH) == tuple(
        Delivery(target, OCTOBER, NOON, f"the {target}", lacks, None, "", running=False) for target in BOTH
    )
    assert logged(database) == [("delivered cost report", "2026-10")] * 2
    assert not verify(database).fault
    time.now = datetime(2026, 12, 3, 23, 59, tzinfo=UTC)
    assert not has_due(database, ME, BOTH)
    time.now = datetime(2026, 12, 4, tzinfo=UTC)
    assert has_due(database, ME, BOTH) and claim(database).month == NOVEMBER


def test_after_a_long_stop_what_was_missed_is_made_the_oldest_first(database: Engine, time: Time) -> None:
    end_report(database, claim(database, Target.FOLDER), "x")
    time.later(days=70)
    assert [claim(database, Target.FOLDER).month for _ in range(3)] == [NOVEMBER, date(2026, 12, 1), date(2027, 1, 1)]
    assert claim_report(database, ME, [Target.FOLDER], LEASE) is None


def test_several_processes_at_once_make_each_once(database: Engine) -> None:
    found: list[tuple[Target, date]] = []

    def work() -> None:
        while one := claim_report(database, ME, BOTH, timedelta(minutes=30)):
            found.append((one.target, one.month))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(target for target, _ in found) == sorted(BOTH)


def test_after_a_kill_another_process_makes_it_and_the_first_writes_nothing(database: Engine, time: Time) -> None:
    first = claim(database, Target.FOLDER)
    note_versions(database, first, ["a", "b"])
    assert claim_report(database, ME, [Target.FOLDER], LEASE) is None
    time.later(seconds=31)
    again = claim(database, Target.FOLDER)
    # It knows what the first may have written.
    assert (again.attempt, again.versions) == (2, ("a", "b"))
    for late in (
        lambda: end_report(database, first, "x"),
        lambda: fail_report(database, first, "late"),
        lambda: note_versions(database, first, ["c"]),
        lambda: hold_report(database, first, LEASE),
    ):
        with pytest.raises(ServiceError) as refused:
            late()
        assert refused.value.code == "TakenOver"
    release_report(database, first)
    assert deliveries(database, [Target.FOLDER])[0].running
    end_report(database, again, "x")
    assert logged(database) == [("delivered cost report", "2026-10")]


def test_what_ends_its_process_each_time_waits_for_a_day_and_says_so(database: Engine, time: Time) -> None:
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert claim(database, Target.FOLDER).attempt == attempt
        time.later(seconds=31)
    assert claim_report(database, ME, [Target.FOLDER], LEASE) is None
    (state,) = deliveries(database, [Target.FOLDER])
    assert state.error.startswith("The console's process ended 3 times") and not state.running
    time.later(seconds=AFTER_ENDED.total_seconds() - 1)
    assert not has_due(database, ME, [Target.FOLDER])
    time.later(seconds=1)
    assert claim(database, Target.FOLDER).attempt == 1


def test_what_failed_is_tried_again_later_and_its_reason_is_logged_once(database: Engine, time: Time) -> None:
    for failures in range(3):
        one = claim(database, Target.WEBHOOK)
        assert (one.attempt, one.lease, one.failures) == (1, failures + 1, 0)
        fail_report(database, one, "It answered 503.")
        (state,) = deliveries(database, [Target.WEBHOOK])
        assert (state.done, state.tried, state.error) == (None, time.now, "It answered 503.")
        assert not has_due(database, ME, [Target.WEBHOOK])
        time.later(seconds=AGAIN_AFTER.total_seconds())
    assert logged(database) == [("cost report failed", "2026-10")]
    end_report(database, claim(database, Target.WEBHOOK), "hooks.example.com")
    (state,) = deliveries(database, [Target.WEBHOOK])
    assert (state.done, state.error, state.place) == (time.now, "", "hooks.example.com")


def test_a_month_that_fails_holds_up_no_later_one_and_what_was_delivered_before_is_shown(
    database: Engine, time: Time
) -> None:
    end_report(database, claim(database, Target.FOLDER), "x")
    time.later(days=30)
    first = claim(database, Target.FOLDER)
    fail_report(database, first, "The disk is full.")
    time.later(days=30)
    assert (first.month, claim(database, Target.FOLDER).month) == (NOVEMBER, date(2026, 12, 1))
    assert [(one.month, bool(one.done), one.error) for one in deliveries(database, [Target.FOLDER])] == [
        (OCTOBER, True, ""),
        (NOVEMBER, False, "The disk is full."),
        (date(2026, 12, 1), False, ""),
    ]


def test_a_clock_that_was_wrong_skips_no_month(database: Engine, time: Time) -> None:
    time.later(days=800)
    ahead = claim(database, Target.FOLDER)
    fail_report(database, ahead, "x")
    time.now = NOON
    assert claim(database, Target.FOLDER).month == OCTOBER
    assert deliveries(database, [Target.FOLDER])[0].month == OCTOBER


def test_a_report_too_old_for_its_bills_is_left(database: Engine, time: Time) -> None:
    fail_report(database, claim(database, Target.FOLDER), "x")
    time.later(days=6 * 31)
    months = []
    while one := claim_report(database, ME, [Target.FOLDER], LEASE):
        months.append(one.month)
    assert len(months) == 6 and OCTOBER not in months


def test_after_a_failure_who_had_it_before_may_not_write_for_who_has_it_now(database: Engine, time: Time) -> None:
    first = claim(database, Target.FOLDER)
    time.later(seconds=31)
    fail_report(database, claim(database, Target.FOLDER), "The disk is full.")
    time.later(seconds=AGAIN_AFTER.total_seconds())
    now = claim(database, Target.FOLDER)
    assert (first.attempt, now.attempt) == (1, 1)
    with pytest.raises(ServiceError) as refused:
        end_report(database, first, "x")
    assert refused.value.code == "TakenOver"
    release_report(database, first)
    hold_report(database, now, LEASE)
    end_report(database, now, "x")


def test_who_renews_it_before_it_is_sent_has_it_for_the_whole_lease(database: Engine, time: Time) -> None:
    one = claim(database, Target.WEBHOOK)
    time.later(seconds=29)
    hold_report(database, one, LEASE)
    time.later(seconds=29)
    assert claim_report(database, ME, [Target.WEBHOOK], LEASE) is None


def test_only_what_could_not_be_read_counts_as_such(database: Engine, time: Time) -> None:
    for unread, before in ((False, 0), (True, 0), (False, 1), (True, 1)):
        one = claim(database, Target.WEBHOOK)
        assert one.failures == before
        fail_report(database, one, "x", unread=unread)
        time.later(seconds=AGAIN_AFTER.total_seconds())
    assert claim(database, Target.WEBHOOK).failures == 2


def test_the_version_of_a_file_that_is_there_is_never_forgotten(database: Engine, time: Time) -> None:
    for number in range(30):
        one = claim(database, Target.FOLDER)
        there = ["mine"] if number else []
        assert set(there) <= {*one.versions}
        note_versions(database, one, ["mine" if not number else f"a{number}", f"b{number}"], there)
        time.later(seconds=31)
        one = claim(database, Target.FOLDER)
        assert len(one.versions) <= 20 and one.versions[-1] == f"b{number}"
        fail_report(database, one, "x")
        time.later(seconds=AGAIN_AFTER.total_seconds())


def test_another_identity_of_the_console_makes_no_month_again(database: Engine, time: Time) -> None:
    other, elsewhere = "cloud tenant/another", "cloud tenant2/console"
    theirs = claim_report(database, other, [Target.FOLDER], LEASE)
    one = claim(database, Target.FOLDER)
    end_report(database, one, "x")
    assert theirs and theirs.estate == one.estate
    fail_report(database, theirs, "x")
    time.later(seconds=AGAIN_AFTER.total_seconds())
    for who in (other, "cloud tenant/third"):
        assert not has_due(database, who, [Target.FOLDER])
        assert claim_report(database, who, [Target.FOLDER], LEASE) is None
    for who, targets in ((elsewhere, [Target.FOLDER]), (other, [Target.WEBHOOK])):
        assert has_due(database, who, targets) and claim_report(database, who, targets, LEASE)
    time.later(days=30)
    assert (found := claim_report(database, "cloud tenant/third", [Target.FOLDER], LEASE)) and found.month == NOVEMBER
