"""A due schedule is run once, whichever process is first; whoever ends in the middle is continued by another."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from services.connection.errors import ServiceError
from services.database.engine import open_database, reading
from services.database.tables import job_items, jobs, scheduled_runs, schedules
from services.jobs.audit import read_entries, verify
from services.jobs.jobs import JobItem, begin
from services.policies.store import PolicyVersion, create_policy, delete_policy, list_versions, save_policy
from services.schedules import claiming, store
from services.schedules.claiming import (
    MOST_ATTEMPTS,
    ClaimedRun,
    claim_run,
    end_run,
    fail_run,
    keep_lease,
    link_job,
    queue_due,
    record_plan,
    release_run,
)
from services.schedules.decisions import approve_run, begin_job, decline_run
from services.schedules.runs import (
    Figures,
    ProposedManifest,
    ProposedPart,
    RunState,
    ScheduledRun,
    approvals,
    find_run,
    list_runs,
    read_parts,
    waiting_runs,
    was_approved,
)
from services.schedules.schedule import Schedule, ScheduleSpec, Timing, next_due
from services.schedules.store import (
    delete_schedule,
    find_schedule,
    list_schedules,
    request_run,
    save_schedule,
    set_active,
)

ME, CONSOLE = "https://arm.example tenant/me", "https://arm.example tenant/console"
ONE, TWO = "/subscriptions/s/one", "/subscriptions/s/two"
LEASE = timedelta(seconds=30)
TEXT = "name: Old\nrules:\n  - {name: old, action: delete, older_than_days: 30}\n"
DIGEST = "sha256:" + "0" * 64
FIGURES = Figures(1, 1, 1, 10, 20, True, (("locked", 2),), created="2026-01-01T00:00:00+00:00")
PARTS = (ProposedPart("app", 10, (ProposedManifest(DIGEST, ("v1",)),)),)


def policy(database: Engine) -> PolicyVersion:
    return create_policy(database, ME, TEXT)


def schedule(database: Engine, registries: tuple[str, ...] = (ONE,), proposals: int = 1) -> Schedule:
    return save_schedule(database, ME, policy(database).id, ScheduleSpec(registries, Timing(3), proposals), CONSOLE)


def make_due(database: Engine, due: datetime | None = None) -> None:
    with database.begin() as db:
        db.execute(update(schedules).values(due=due or datetime.now(UTC) - timedelta(minutes=1)))


def claimed(database: Engine) -> ClaimedRun:
    found = claim_run(database, CONSOLE, LEASE)
    assert found
    return found


def proposed(database: Engine, policy: str, figures: Figures = FIGURES) -> ScheduledRun:
    """A run that was requested, and planned."""
    request_run(database, ME, policy)
    run = claimed(database)
    assert record_plan(database, run, figures, PARTS) is RunState.PROPOSED
    found = find_run(database, run.id)
    assert found
    return found


def due_run(database: Engine) -> ClaimedRun:
    """A run that nobody requested, taken."""
    make_due(database)
    queue_due(database, CONSOLE)
    return claimed(database)


def begin_deletion(database: Engine, within: Callable[..., None], *, done: bool = True) -> str:
    job = begin(
        database, ME, "delete manifests", "x.azurecr.io", "app", [JobItem(DIGEST, DIGEST)], {}, LEASE, within=within
    )
    if done:
        with database.begin() as db:
            db.execute(update(jobs).where(jobs.c.id == job.id).values(ended=job.begun))
            db.execute(update(job_items).where(job_items.c.job == job.id).values(outcome="deleted"))
    return job.id


def approve(database: Engine, run: ScheduledRun, *, done: bool = True, everything: bool = True) -> None:
    approve_run(database, ME, run, 1, everything=everything)
    begin_deletion(database, lambda db, job: begin_job(db, run, "app", job), done=done)


TIMINGS = st.builds(Timing, st.integers(0, 23), st.one_of(st.none(), st.integers(0, 6)))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(TIMINGS, TIMES)
def test_the_next_time_is_the_first_after_that_fits(timing: Timing, now: datetime) -> None:
    due = next_due(timing, now)
    assert now < due <= now + timing.interval
    assert (due.hour, due.minute, due.second, due.microsecond) == (timing.hour, 0, 0, 0)
    assert timing.weekday in (None, due.weekday())
    assert next_due(timing, due) == due + timing.interval


def test_a_time_of_another_zone_is_the_same_time() -> None:
    there = datetime(2026, 3, 1, 1, 30, tzinfo=UTC).astimezone()
    assert next_due(Timing(2), there) == datetime(2026, 3, 1, 2, tzinfo=UTC)


@given(TIMINGS, st.lists(st.integers(-400, 400), min_size=1, max_size=20), TIMES)
def test_however_the_clock_goes_no_time_is_run_twice(timing: Timing, hours: list[int], start: datetime) -> None:
    """The rule of `queue_due`, at a clock that runs, stops, and jumps both ways."""
    now, due, ran = start, next_due(timing, start), []
    for step in hours:
        now += timedelta(hours=step)
        if due <= now:
            ran.append(due)
        if due <= now or due > now + timedelta(days=8):
            due = next_due(timing, now)
        assert due > now
        assert due <= now + timedelta(days=8) or due == next_due(timing, now)
    assert len(ran) <= len(hours)
    if all(step >= 0 for step in hours):
        assert len(set(ran)) == len(ran)


def test_what_was_missed_is_run_once(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule(database, (ONE, TWO))
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    monkeypatch.setattr(claiming, "clock", lambda _db: now)
    make_due(database, now - timedelta(days=5))
    assert queue_due(database, CONSOLE) == 2
    assert queue_due(database, CONSOLE) == 0
    (kept,) = list_schedules(database).values()
    assert kept.due == datetime(2026, 11, 21, 3, tzinfo=UTC)


def test_a_clock_that_jumps_back_runs_nothing_twice(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule(database)
    times = [datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (4, 2, 4)]
    monkeypatch.setattr(claiming, "clock", lambda _db: times[0])
    make_due(database, datetime(2026, 11, 20, 3, tzinfo=UTC))
    assert queue_due(database, CONSOLE) == 1
    for now in times[1:]:
        monkeypatch.setattr(claiming, "clock", lambda _db, now=now: now)
        assert queue_due(database, CONSOLE) == 0
    # A year ahead by mistake: it ran then, and runs at the next time once the clock is right again, not in a year.
    monkeypatch.setattr(claiming, "clock", lambda _db: datetime(2027, 11, 20, 4, tzinfo=UTC))
    assert queue_due(database, CONSOLE) == 1
    monkeypatch.setattr(claiming, "clock", lambda _db: datetime(2026, 11, 20, 5, tzinfo=UTC))
    assert queue_due(database, CONSOLE) == 0
    for day, runs in ((21, 0), (22, 1)):  # That of the 21st was run while the clock was wrong.
        monkeypatch.setattr(claiming, "clock", lambda _db, day=day: datetime(2026, 11, day, 5, tzinfo=UTC))
        assert queue_due(database, CONSOLE) == runs


def test_many_processes_run_each_registry_once(database: Engine, database_url: str) -> None:
    schedule(database, tuple(f"/subscriptions/s/{number}" for number in range(6)))
    make_due(database)
    engines = [open_database(database_url) for _ in range(4)]
    ready, found, failed = threading.Barrier(len(engines)), [], []

    def work(engine: Engine) -> None:
        try:
            ready.wait(10)
            queue_due(engine, CONSOLE)
            while run := claim_run(engine, CONSOLE, LEASE):
                found.append(run.registry)
        except Exception as error:  # noqa: BLE001 - the test says which
            failed.append(error)

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for engine in engines:
        engine.dispose()
    assert not failed
    assert sorted(found) == [f"/subscriptions/s/{number}" for number in range(6)]


def test_only_the_console_that_it_was_saved_at_runs_a_schedule(database: Engine) -> None:
    schedule(database)
    make_due(database)
    assert queue_due(database, ME) == 0
    assert claim_run(database, ME, LEASE) is None
    assert queue_due(database, CONSOLE) == 1


def test_a_paused_or_deleted_schedule_is_not_run(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    set_active(database, ME, saved.policy, active=False)
    make_due(database)
    assert queue_due(database, CONSOLE) == 0
    assert claim_run(database, CONSOLE, LEASE) is None
    set_active(database, ME, saved.policy, active=True)
    again = find_schedule(database, saved.policy)
    assert again and again.active and again.due > datetime.now(UTC)
    assert queue_due(database, CONSOLE) == 0
    delete_schedule(database, ME, saved.policy)
    assert find_schedule(database, saved.policy) is None
    with pytest.raises(ServiceError, match="no schedule any more"):
        request_run(database, ME, saved.policy)


def test_a_deleted_policy_is_not_run(database: Engine) -> None:
    first = policy(database)
    save_schedule(database, ME, first.id, ScheduleSpec((ONE,), Timing(3)), CONSOLE)
    request_run(database, ME, first.id)
    delete_policy(database, ME, first)
    make_due(database)
    assert queue_due(database, CONSOLE) == 0
    assert claim_run(database, CONSOLE, LEASE) is None
    (run,) = list_runs(database, first.id)
    assert (run.state, run.error) == (RunState.FAILED, "The policy was deleted.")
    assert list_schedules(database) == {}
    with pytest.raises(ServiceError, match="deleted"):
        save_schedule(database, ME, first.id, ScheduleSpec((ONE,), Timing(3)), CONSOLE)


@pytest.mark.parametrize(
    "spec",
    [ScheduleSpec((), Timing(3)), ScheduleSpec((ONE,), Timing(24)), ScheduleSpec((ONE,), Timing(3), proposals=0)],
)
def test_a_schedule_without_registries_or_proposals_is_refused(database: Engine, spec: ScheduleSpec) -> None:
    with pytest.raises(ServiceError, match="It needs a registry"):
        save_schedule(database, ME, policy(database).id, spec, CONSOLE)


def end_lease(database: Engine) -> None:
    with database.begin() as db:
        db.execute(update(scheduled_runs).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))


def test_a_run_whose_process_ended_is_planned_by_another(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    first = claimed(database)
    assert claim_run(database, CONSOLE, LEASE) is None
    end_lease(database)
    second = claimed(database)
    assert (second.id, second.attempt) == (first.id, 2)
    for late in (
        lambda: record_plan(database, first, FIGURES, PARTS),
        lambda: fail_run(database, first, "late"),
        lambda: end_run(database, first),
    ):
        with pytest.raises(ServiceError, match="Another process plans this run"):
            late()
    assert record_plan(database, second, FIGURES, PARTS) is RunState.PROPOSED
    assert verify(database).fault == ""


def test_a_run_that_ends_its_process_each_time_fails_in_the_end(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    for _ in range(MOST_ATTEMPTS):
        claimed(database)
        end_lease(database)
    assert claim_run(database, CONSOLE, LEASE) is None
    (run,) = list_runs(database, saved.policy)
    assert run.state is RunState.FAILED
    assert run.error.startswith("The console's process ended 3 times")


def test_a_run_that_was_given_up_is_taken_at_once(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    release_run(database, claimed(database))
    assert claimed(database).attempt == 1


def test_a_lease_is_kept_while_its_work_goes_on(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    short, stop, ends = timedelta(seconds=0.6), threading.Event(), threading.Event()
    run = claim_run(database, CONSOLE, short)
    assert run
    with reading(database, "x") as db:
        before = db.execute(select(scheduled_runs.c.lease_until)).scalar_one()
    with keep_lease(database, run, short, stop, ends):
        while True:
            with reading(database, "x") as db:
                if db.execute(select(scheduled_runs.c.lease_until)).scalar_one() > before:
                    break
        assert not stop.is_set()
        ends.set()
        assert stop.wait(10)


def test_a_failure_is_its_reason_and_never_nothing_to_delete(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    fail_run(database, claimed(database), "Could not read: 403 DENIED")
    (run,) = list_runs(database, saved.policy)
    assert (run.state, run.error, run.figures) == (RunState.FAILED, "Could not read: 403 DENIED", None)
    assert waiting_runs(database) == (run,)


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        (Figures(0, 0, 0, 0, 0, True), RunState.NOTHING),
        (Figures(0, 0, 0, 0, 0, False, unread=("1 repository could not be read.",)), RunState.BLOCKED),
    ],
)
def test_what_is_not_known_is_blocked_and_not_nothing(database: Engine, figures: Figures, state: RunState) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    assert record_plan(database, claimed(database), figures, ()) is state
    (run,) = list_runs(database, saved.policy)
    assert (run.state, run.figures) == (state, figures)


def test_a_proposal_says_what_would_be_deleted_and_replaces_the_one_before(database: Engine) -> None:
    saved = schedule(database)
    first = proposed(database, saved.policy)
    assert (first.version, first.figures) == (1, FIGURES)
    assert read_parts(database, first.id) == PARTS
    second = proposed(database, saved.policy)
    states = {one.id: one.state for one in list_runs(database, saved.policy)}
    assert states == {first.id: RunState.REPLACED, second.id: RunState.PROPOSED}
    with pytest.raises(ServiceError, match="does not wait any more: Replaced"):
        approve_run(database, ME, first, 1, everything=True)


def test_a_proposal_is_decided_once(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    decline_run(database, ME, run, "Release week")
    for again in (
        lambda: approve_run(database, ME, run, 1, everything=True),
        lambda: decline_run(database, ME, run, "x"),
    ):
        with pytest.raises(ServiceError, match="does not wait any more: Declined"):
            again()
    now = find_run(database, run.id)
    assert now
    assert (now.state, now.reason, now.decided_by) == (RunState.DECLINED, "Release week", ME)
    assert [one.fields["what"] for one in read_entries(database, ME)][-1] == "declined scheduled run"


def test_an_approval_that_began_nothing_is_given_again(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    approve_run(database, ME, run, 1, everything=True)  # The process ends here.
    stuck = find_run(database, run.id)
    assert stuck and stuck.waits and not stuck.done
    approve(database, stuck)
    done = find_run(database, run.id)
    assert done and done.done and not done.waits
    with pytest.raises(ServiceError, match="does not wait any more: Approved"):
        approve_run(database, ME, run, 1, everything=True)


def test_of_an_approval_that_began_some_deletions_the_others_are_approved(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    approve_run(database, ME, run, 2, everything=True)
    job = begin_deletion(database, lambda db, job: begin_job(db, run, "app", job))  # The process ends here.
    assert was_approved(database, job)
    stuck = find_run(database, run.id)
    assert stuck and stuck.waits and not stuck.done
    assert (stuck.begun, stuck.progress) == ({"app"}, "Interrupted")
    with pytest.raises(ServiceError, match="Some of its deletions were begun"):
        decline_run(database, ME, stuck, "No")
    approve_run(database, ME, stuck, 1, everything=True)
    with pytest.raises(ServiceError, match="was begun before"):
        begin_deletion(database, lambda db, job: begin_job(db, run, "app", job))
    begin_deletion(database, lambda db, job: begin_job(db, run, "web", job))
    done = find_run(database, run.id)
    assert done and done.done and not done.waits
    assert (done.wanted, done.begun) == (2, {"app", "web"})


def test_the_others_of_an_approval_that_left_some_out_vouch_for_nothing(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    approve_run(database, ME, run, 2, everything=False)
    begin_deletion(database, lambda db, job: begin_job(db, run, "app", job))
    approve_run(database, ME, run, 1, everything=True)
    begin_deletion(database, lambda db, job: begin_job(db, run, "web", job))
    now = find_run(database, run.id)
    assert now and not now.approved_all and not now.done


def test_a_run_whose_policy_is_deleted_while_it_is_planned_waits_for_nobody(database: Engine) -> None:
    saved = schedule(database)
    request_run(database, ME, saved.policy)
    run = claimed(database)
    _deletes_policy(database, saved.policy)
    assert record_plan(database, run, FIGURES, PARTS) is RunState.FAILED
    now = find_run(database, run.id)
    assert now and not now.waits
    assert (now.state, now.error) == (RunState.FAILED, "The policy was deleted.")
    assert not waiting_runs(database)


def test_a_proposal_of_an_older_version_is_not_approved(database: Engine) -> None:
    first = policy(database)
    save_schedule(database, ME, first.id, ScheduleSpec((ONE,), Timing(3)), CONSOLE)
    run = proposed(database, first.id)
    save_policy(database, ME, first, TEXT.replace("30", "60"))
    with pytest.raises(ServiceError, match="The policy was changed or deleted since"):
        approve_run(database, ME, run, 1, everything=True)


def test_after_enough_approved_and_done_a_run_starts_by_itself(database: Engine) -> None:
    saved = schedule(database, proposals=2)
    for number in range(2):
        assert approvals(database, saved.policy, 1, (ONE, TWO)) == {ONE: number, TWO: 0}
        approve(database, proposed(database, saved.policy))
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 2}
    run = due_run(database)
    assert record_plan(database, run, FIGURES, PARTS) is RunState.STARTED
    job = begin_deletion(database, lambda db, job: link_job(db, run, "app", job))
    assert not was_approved(database, job)
    with pytest.raises(ServiceError, match="was begun before"):
        begin_deletion(database, lambda db, job: link_job(db, run, "app", job))
    end_run(database, run)
    now = find_run(database, run.id)
    assert now
    assert (now.state, now.progress, now.decided_by) == (RunState.STARTED, "Completed", CONSOLE)
    # What went by itself vouches for nothing.
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 2}
    assert verify(database).fault == ""


def test_what_is_above_the_ceiling_waits_whatever_was_approved(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    above = Figures(1, 9, 9, 10, 20, True, above=("It deletes 9 manifests: more than 1.",))
    assert record_plan(database, due_run(database), above, PARTS) is RunState.PROPOSED


def test_what_a_cluster_could_run_that_did_not_answer_waits_whatever_was_approved(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    unasked = Figures(1, 1, 1, 10, 20, True, unasked=("aks (not asked)",))
    assert unasked.unknown == ("Unknown what runs in aks (not asked).",)
    assert record_plan(database, due_run(database), unasked, PARTS) is RunState.PROPOSED


def test_a_new_version_of_the_policy_proposes_again(database: Engine) -> None:
    first = policy(database)
    save_schedule(database, ME, first.id, ScheduleSpec((ONE,), Timing(3), 1), CONSOLE)
    approve(database, proposed(database, first.id))
    save_policy(database, ME, first, TEXT.replace("30", "29"))
    assert approvals(database, first.id, 2, (ONE,)) == {ONE: 0}
    assert record_plan(database, due_run(database), FIGURES, PARTS) is RunState.PROPOSED


def test_a_run_that_a_person_requests_only_proposes_whatever_was_approved(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    proposed(database, saved.policy)
    assert record_plan(database, due_run(database), FIGURES, PARTS) is RunState.STARTED


def test_an_approval_of_a_part_vouches_for_nothing(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    approve(database, run, everything=False)
    now = find_run(database, run.id)
    assert now and (now.progress, now.done) == ("Completed", False)
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 0}
    assert record_plan(database, due_run(database), FIGURES, PARTS) is RunState.PROPOSED


@pytest.mark.parametrize("saves", [True, False])
def test_who_saves_or_resumes_a_schedule_lets_no_run_start(database: Engine, saves: bool) -> None:
    """Neither needs a right on a registry: what was approved before does not count any more."""
    saved = schedule(database, proposals=2)
    approve(database, proposed(database, saved.policy))
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 1}
    if saves:
        save_schedule(database, ME, saved.policy, ScheduleSpec((ONE,), Timing(3), 1), CONSOLE)
    else:
        approve(database, proposed(database, saved.policy))
        set_active(database, ME, saved.policy, active=False)
        set_active(database, ME, saved.policy, active=True)
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 0}
    assert record_plan(database, due_run(database), FIGURES, PARTS) is RunState.PROPOSED


def test_a_registry_that_was_created_again_under_its_name_proposes_again(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    anew = replace(FIGURES, created="2026-02-02T00:00:00+00:00")
    assert record_plan(database, due_run(database), anew, PARTS) is RunState.PROPOSED
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 0}
    # Where it is unknown when it was created, nothing vouches for it.
    assert record_plan(database, due_run(database), replace(FIGURES, created=""), PARTS) is RunState.PROPOSED
    assert record_plan(database, due_run(database), FIGURES, PARTS) is RunState.STARTED


def test_an_approved_run_that_is_not_done_vouches_for_nothing(database: Engine) -> None:
    saved = schedule(database)
    run = proposed(database, saved.policy)
    approve(database, run, done=False)
    now = find_run(database, run.id)
    assert now and now.progress == "Running" and not now.done
    assert approvals(database, saved.policy, 1, (ONE,)) == {ONE: 0}
    second = proposed(database, saved.policy)
    approve_run(database, ME, second, 2, everything=True)
    begin_deletion(database, lambda db, job: begin_job(db, second, "app", job))
    now = find_run(database, second.id)
    assert now and now.progress == "Interrupted" and not now.done


def test_a_run_that_began_a_part_is_continued_without_beginning_it_again(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    two = (*PARTS, ProposedPart("web", 5, (ProposedManifest(DIGEST, ()),)))
    first = due_run(database)
    assert record_plan(database, first, FIGURES, two) is RunState.STARTED
    begin_deletion(database, lambda db, job: link_job(db, first, "app", job))
    end_lease(database)
    second = claimed(database)
    # What the first began is deleted by now, so that only the other is planned.
    assert record_plan(database, second, FIGURES, two[1:]) is RunState.STARTED
    begin_deletion(database, lambda db, job: link_job(db, second, "web", job))
    end_run(database, second)
    now = find_run(database, second.id)
    assert now
    assert ([one.repository for one in now.jobs], now.wanted, now.progress) == (["app", "web"], 2, "Completed")
    assert {one.repository for one in read_parts(database, now.id)} == {"app", "web"}


def test_all_begun_and_killed_before_the_end_is_not_nothing(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    first = due_run(database)
    assert record_plan(database, first, FIGURES, PARTS) is RunState.STARTED
    begin_deletion(database, lambda db, job: link_job(db, first, "app", job))
    end_lease(database)
    assert record_plan(database, claimed(database), Figures(0, 0, 0, 0, 0, True), ()) is RunState.NOTHING
    now = find_run(database, first.id)
    assert now and (now.state, now.progress) == (RunState.STARTED, "Completed")


def test_a_schedule_that_is_paused_begins_no_further_deletion(database: Engine) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    run = due_run(database)
    assert record_plan(database, run, FIGURES, PARTS) is RunState.STARTED
    set_active(database, ME, saved.policy, active=False)
    with pytest.raises(ServiceError, match="paused"):
        begin_deletion(database, lambda db, job: link_job(db, run, "app", job))


def _deletes_policy(database: Engine, policy: str) -> None:
    delete_policy(database, ME, list_versions(database, policy)[0])


def _saves_version(database: Engine, policy: str) -> None:
    save_policy(database, ME, list_versions(database, policy)[0], TEXT.replace("30", "300"))


def _takes_registry_out(database: Engine, policy: str) -> None:
    save_schedule(database, ME, policy, ScheduleSpec((TWO,), Timing(3), 1), CONSOLE)


def _gives_to_another_console(database: Engine, policy: str) -> None:
    save_schedule(database, ME, policy, ScheduleSpec((ONE,), Timing(3), 1), ME)


@pytest.mark.parametrize(
    ("taken_back", "words"),
    [
        (_deletes_policy, "The policy was deleted"),
        (_saves_version, "newer version"),
        (_takes_registry_out, "taken out of the schedule"),
        (_gives_to_another_console, "Another console"),
        (lambda database, policy: delete_schedule(database, ME, policy), "paused or deleted"),
    ],
)
@pytest.mark.parametrize("planned", [False, True])
def test_what_is_taken_back_while_it_is_planned_or_before_its_deletions_is_not_deleted(
    database: Engine, taken_back: Callable[[Engine, str], None], words: str, *, planned: bool
) -> None:
    saved = schedule(database)
    approve(database, proposed(database, saved.policy))
    run = due_run(database)
    if not planned:
        taken_back(database, saved.policy)
        state = RunState.FAILED if taken_back is _deletes_policy else RunState.PROPOSED
        assert record_plan(database, run, FIGURES, PARTS) is state
        return
    assert record_plan(database, run, FIGURES, PARTS) is RunState.STARTED
    taken_back(database, saved.policy)
    with pytest.raises(ServiceError, match=words):
        begin_deletion(database, lambda db, job: link_job(db, run, "app", job))


def test_a_registry_that_is_taken_out_while_its_run_waits_is_not_run(database: Engine) -> None:
    saved = schedule(database, (ONE, TWO))
    request_run(database, ME, saved.policy)
    _takes_registry_out(database, saved.policy)
    assert claimed(database).registry == TWO
    assert claim_run(database, CONSOLE, LEASE) is None


def test_every_decision_is_in_the_log(database: Engine) -> None:
    saved = schedule(database)
    set_active(database, ME, saved.policy, active=False)
    set_active(database, ME, saved.policy, active=True)
    request_run(database, ME, saved.policy)
    delete_schedule(database, ME, saved.policy)
    said = [one.fields["what"] for one in read_entries(database, ME)]
    assert said[1:] == [store.SAVED, store.PAUSED, store.RESUMED, store.REQUESTED, store.DELETED]
