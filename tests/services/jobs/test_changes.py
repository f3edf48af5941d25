"""A change that nobody continues: recorded before, with how it ended, and interrupted where that is not known."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from services.connection.errors import ServiceError
from services.database.tables import jobs as table
from services.jobs.audit import verify
from services.jobs.changes import MOST_COMMANDS, Answer, Change, record_change
from services.jobs.counts import count_by_state
from services.jobs.jobs import Job, find_job, list_jobs, request_stop, take_over

WHO = "https://management.azure.com tenant/object"
LEASE = timedelta(seconds=30)
CHANGE = Change("Assign role", "aks1 on contoso", ("az role assignment create",))


def only(database: Engine) -> Job:
    (listed,) = list_jobs(database, WHO)
    job = find_job(database, WHO, listed.id)
    assert job
    return job


def test_it_is_recorded_before_and_runs_until_it_has_ended(database: Engine) -> None:
    with record_change(database, WHO, CHANGE, LEASE) as record:
        job = only(database)
        assert job.runs and job.details == {"commands": ["az role assignment create"]}
        record(Answer("created and verified"))
    job = only(database)
    assert job.ended and not job.runs and (job.answer, job.error) == ("created and verified", "")
    assert list_jobs(database, WHO)[0].target == "aks1 on contoso"
    assert verify(database).fault == ""


@pytest.mark.parametrize(
    ("raised", "recorded"),
    [
        (ServiceError("Could not assign", "Denied.", "Ask an owner.", "AuthorizationFailed"), "Denied."),
        (KeyError("secret"), "The console failed (KeyError)"),
    ],
)
def test_a_failure_is_its_end(database: Engine, raised: Exception, recorded: str) -> None:
    with pytest.raises(type(raised)), record_change(database, WHO, CHANGE, LEASE):
        raise raised
    job = only(database)
    assert job.ended and recorded in job.error and "secret" not in job.error
    assert list_jobs(database, WHO)[0].state == "Failed"


def test_one_whose_script_is_stopped_or_process_ends_is_interrupted_and_continued_by_nobody(database: Engine) -> None:
    with pytest.raises(KeyboardInterrupt), record_change(database, WHO, CHANGE, LEASE):
        raise KeyboardInterrupt
    job = only(database)
    with database.begin() as db:
        db.execute(update(table).values(lease_until=job.begun - LEASE))
    assert list_jobs(database, WHO)[0].state == "Interrupted"
    assert take_over(database, WHO, LEASE, [CHANGE.action]) is None


def test_another_process_can_ask_it_to_stop(database: Engine) -> None:
    stop = threading.Event()
    with record_change(database, WHO, CHANGE, timedelta(seconds=1), stop):
        request_stop(database, WHO, only(database).id)
        assert stop.wait(20)


def test_of_a_plan_with_thousands_of_lines_the_rest_is_counted(database: Engine) -> None:
    lines = tuple(f"az {number}" for number in range(3000))
    with record_change(database, WHO, Change("Set locks", "contoso", lines), LEASE):
        pass
    commands = only(database).details["commands"]
    assert len(commands) == MOST_COMMANDS + 1 and commands[-1] == "# … and 2,800 more"


def test_what_was_not_all_done_is_not_called_completed(database: Engine) -> None:
    with record_change(database, WHO, CHANGE, LEASE) as record:
        record(Answer("1 of 3 refused", complete=False))
    assert list_jobs(database, WHO)[0].state == "Incomplete"
    assert count_by_state(database) == {"running": 0, "interrupted": 0, "failed": 0, "ended": 1}


def test_one_that_was_answered_has_ended_however_its_page_did(database: Engine) -> None:
    with pytest.raises(KeyboardInterrupt), record_change(database, WHO, CHANGE, LEASE) as record:
        record(Answer("created and verified"))
        raise KeyboardInterrupt
    assert only(database).answer == "created and verified"
    assert list_jobs(database, WHO)[0].state == "Completed"
