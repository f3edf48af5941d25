"""A change that another process runs, or ran: what its page, the registry's and its record say, and do, about it."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.database.tables import jobs as table
from services.jobs.audit import read_entries
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem, begin, find_job
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import SettingsPlan, plan_settings
from services.registry_lifecycle.settings_jobs import settings_items
from tests.support.app_test import Open, button, texts
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.job_kinds.kinds import KINDS
from ui.jobs import runs
from ui.jobs.kinds import JobKind
from ui.runtime import connection
from ui.runtime.database import database

LEASE = timedelta(seconds=30)


def begun_elsewhere(own: OwnSandbox) -> Job:
    """A change of the settings of casaacr01 as another process has begun it, and runs it."""
    connection.use(own.session())
    registry = own.registry()
    plan = plan_settings(registry, replace(settings_of(registry), admin_user=not settings_of(registry).admin_user))
    items, details = settings_items(plan), details_of(SettingsPlan, plan, plan.commands)
    who = connection.who()
    return begin(database(), who, "Change settings", registry.login_server, "", items, details, LEASE)


def lose(job: Job) -> None:
    """As if its process had ended a lease ago."""
    with database().begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(lease_until=job.begun - LEASE))


def now(job: Job) -> Job:
    found = find_job(database(), job.who, job.id)
    assert found
    return found


def test_another_tab_shows_it_and_stops_it(open_view: Open, own: OwnSandbox) -> None:
    job = begun_elsewhere(own)
    at = open_view("settings.py", own.session(), registry=REGISTRY)
    assert "Running in another process of the console." in texts(at)
    assert "Change settings: **running**" in texts(open_view("registry.py", own.session(), registry=REGISTRY))
    record = open_view("deletions.py", own.session(), record=job.id)
    assert "Running in another process of the console." in texts(record)
    button(record, "Stop").click().run()
    assert now(job).stop_requested


@pytest.mark.usefixtures("impatient")
def test_stopped_where_it_runs_it_is_stopped_for_whoever_continues_it_too(open_view: Open, own: OwnSandbox) -> None:
    connection.use(own.session())
    who, ended = connection.who(), threading.Event()

    def run(_session: AzureSession, _job: Job, running: RunningJob, _report: Progress) -> Answer:
        assert running.stop.wait(60) and ended.wait(60)
        return Answer("")

    kind = JobKind("Change settings", "Changing", run, lambda _job: None)
    job = runs.begin(who, kind, own.registry().login_server, [JobItem("Admin user", "")], {})
    record = open_view("deletions.py", own.session(), record=job)
    button(record, "Stop").click().run()
    found = find_job(database(), who, job)
    assert found and found.stop_requested and not found.ended
    assert read_entries(database(), who)[-1].fields["what"] == "stop requested"
    ended.set()
    reading = runs.under_way(who, job)
    assert reading and reading.finished.wait(30)


def test_what_others_wrote_is_text_in_the_answer_of_a_job(open_view: Open, own: OwnSandbox) -> None:
    job = begun_elsewhere(own)
    answer = "Tags also changed: [Sign in again](https://evil.example) **b**\n\naz group delete --name 'a b'"
    running = RunningJob(database(), job, LEASE, threading.Event())
    running.add_result(job.items[0].name, "refused", "changed meanwhile")
    running.end(answer=answer, incomplete=True)
    record = open_view("deletions.py", own.session(), record=job.id)
    assert not record.exception
    (shown,) = [one.value for one in record.warning if "Tags also" in one.value]
    assert r"\[Sign in again\]" in shown and r"\*\*b\*\*" in shown
    assert "az group delete --name 'a b'" in [one.value for one in record.code]


def test_one_whose_process_ended_says_so_goes_on_and_shows_its_end(open_view: Open, own: OwnSandbox) -> None:
    admin = own.registry().access.admin_user
    job = begun_elsewhere(own)
    lose(job)
    at = open_view("settings.py", own.session(), registry=REGISTRY)
    assert "Interrupted: its process ended" in texts(at)
    assert runs.continue_lost(own.session(), job.who, KINDS) == [job.id]
    run = runs.under_way(job.who, job.id)
    assert run and run.finished.wait(30)
    assert own.registry().access.admin_user is not admin
    for page in (at.run(), open_view("settings.py", own.session(), registry=REGISTRY)):
        assert "casaacr01: 1 setting changed and verified." in [one.value for one in page.success]
        assert not page.exception
    record = open_view("deletions.py", own.session(), record=job.id)
    assert "Admin user: changed and verified" in "".join([*(one.value for one in record.success), texts(record)])
    assert "Change settings" not in texts(open_view("registry.py", own.session(), registry=REGISTRY))


def test_one_that_waited_longer_than_a_day_goes_on_when_its_person_asks(open_view: Open, own: OwnSandbox) -> None:
    job = begun_elsewhere(own)
    with database().begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(lease_until=job.begun - timedelta(days=5)))
    assert runs.continue_lost(own.session(), job.who, KINDS) == []
    at = open_view("deletions.py", own.session(), record=job.id)
    (said,) = (one.value for one in at.warning)
    assert said.startswith("Interrupted 5 days ago")
    assert "After 24 hours a job does not go on by itself" in said
    assert not at.info
    reader = open_view("deletions.py", own.session(as_reader=True), record=job.id)
    assert not any(one.label == "Continue" and not one.disabled for one in reader.button)
    connection.use(own.session())
    button(open_view("deletions.py", own.session(), record=job.id), "Continue").click().run()
    assert runs.continue_lost(own.session(), job.who, KINDS) == [job.id]
    run = runs.under_way(job.who, job.id)
    assert run and run.finished.wait(30)
    assert now(job).state == "Completed"


def test_the_record_of_a_job_that_can_not_be_read_says_so(open_view: Open, own: OwnSandbox) -> None:
    job = begun_elsewhere(own)
    with database().begin() as db:
        db.execute(text("UPDATE jobs SET details = '{broken'"))
    for at in (open_view("deletions.py", own.session(), record=job.id), open_view("deletions.py", own.session())):
        assert not at.exception
    assert "can't be read" in texts(open_view("deletions.py", own.session(), record=job.id))


def test_of_a_plan_that_can_not_be_read_the_record_says_so(open_view: Open, own: OwnSandbox) -> None:
    job = begun_elsewhere(own)
    with database().begin() as db:
        db.execute(update(table).where(table.c.id == job.id).values(details={"plan": {"of": "another version"}}))
    lose(job)
    runs.continue_lost(own.session(), job.who, KINDS)
    run = runs.under_way(job.who, job.id)
    assert run and run.finished.wait(30)
    assert now(job).state == "Failed"
    record = open_view("deletions.py", own.session(), record=job.id)
    assert "The plan of this job could not be read" in texts(record)
    page = open_view("settings.py", own.session(), registry=REGISTRY)
    assert not page.exception
    assert own.registry().name == REGISTRY
