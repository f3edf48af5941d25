"""What was refused, by the console or by Azure, and what everyone did, as the log has it."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.connection.write_permission import WritePermission
from services.jobs.audit import REFUSED, SIGN_INS, newest_entries, read_entries, record_refusal, refused_by, verify
from services.jobs.changes import Change, record_change
from services.jobs.jobs import JobItem, begin, find_job, list_jobs
from services.jobs.running import RunningJob
from services.sign_in.app_roles import OPERATOR_PERMISSION

WHO, OTHER = "https://arm.example tenant/engineer", "https://arm.example tenant/developer"
LEASE = timedelta(seconds=30)
DENIED = ServiceError("Could not assign", "No right (to this).", "Ask.", "AuthorizationFailed", 403)


def fail(database: Engine, error: ServiceError, who: str = WHO) -> None:
    with pytest.raises(ServiceError), record_change(database, who, Change("Assign role", "aks1 on contoso"), LEASE):
        raise error


@pytest.mark.parametrize(
    ("error", "by"),
    [
        (DENIED, "Azure"),
        (ServiceError("Could not delete", "Denied.", "Ask.", "UNAUTHORIZED", 401), "Azure"),
        (WritePermission("Reads.").error, "console"),
        (OPERATOR_PERMISSION.access_error, "console"),
    ],
)
def test_a_change_that_is_refused_is_in_the_log_with_its_target(database: Engine, error: ServiceError, by: str) -> None:
    fail(database, error)
    (entry,) = newest_entries(database, WHO, [REFUSED], 10)
    said = entry.fields
    assert (said["action"], said["target"], said["by"]) == ("Assign role", "aks1 on contoso", by)
    assert error.cause in said["reason"]
    assert verify(database).fault == ""


@pytest.mark.parametrize(
    "error",
    [
        ServiceError("Could not assign", "It is there (403 of them).", "Look.", "Conflict", 409),
        ServiceError("Could not assign", "Lost.", "Look.", "ConnectionLost"),
    ],
)
def test_another_failure_is_no_refusal(database: Engine, error: ServiceError) -> None:
    fail(database, error)
    assert refused_by(str(error)) == ""
    assert newest_entries(database, WHO, [REFUSED], 10) == ()


def test_items_that_are_refused_are_one_entry(database: Engine) -> None:
    items = [JobItem(name, "") for name in ("a", "b", "c")]
    job = begin(database, WHO, "remove tags", "contoso.azurecr.io", "app", items, {}, LEASE)
    running = RunningJob(database, job, LEASE, threading.Event())
    for name in "ab":
        running.add_result(name, "refused", str(DENIED))
    running.add_result("c", "refused", "It is locked. (ChangedMeanwhile)")
    running.end()
    (entry,) = newest_entries(database, WHO, [REFUSED], 10)
    assert (entry.fields["items"], entry.fields["target"]) == (2, "contoso.azurecr.io/app")


def test_what_the_console_refuses_before_it_begins_is_in_the_log_alone(database: Engine) -> None:
    record_refusal(database, WHO, "Delete registry", "contoso", WritePermission("Your role reads.").error)
    (entry,) = newest_entries(database, WHO, SIGN_INS, 10)
    assert (entry.fields["by"], entry.fields["reason"]) == ("console", "Your role reads.")
    assert list_jobs(database, WHO) == ()


def test_everyone_is_seen_where_nobody_is_named(database: Engine) -> None:
    for who in (WHO, OTHER):
        fail(database, DENIED, who)
    assert [job.who for job in list_jobs(database, None)] == [OTHER, WHO]
    (mine,) = list_jobs(database, WHO)
    assert find_job(database, OTHER, mine.id) is None
    found = find_job(database, None, mine.id)
    assert found and found.who == WHO
    assert {entry.fields["who"] for entry in read_entries(database, None)} == {WHO, OTHER}
    assert {entry.fields["who"] for entry in newest_entries(database, OTHER, SIGN_INS, 10)} == {OTHER}


def test_a_name_can_not_look_like_an_entry_of_another_kind(database: Engine) -> None:
    with record_change(database, WHO, Change('x","what":"refused","y":"', '"what":"signed in"'), LEASE):
        pass
    assert newest_entries(database, None, SIGN_INS, 10) == ()
