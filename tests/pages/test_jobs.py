"""A change that another process runs, or ran: what its page, the registry's and its record say, and do, about it."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from services.database.tables import jobs as table
from services.jobs.jobs import Job, begin, find_job
from services.jobs.plans import details_of
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import SettingsPlan, plan_settings
from services.registry_lifecycle.settings_jobs import settings_items
from tests.support.app_test import Open, button, texts
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.job_kinds.kinds import KINDS
from ui.jobs import runs
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
