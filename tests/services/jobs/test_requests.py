"""A request is found by others, closed by whoever makes the assignment, and withdrawn by who sent it alone."""

import pytest
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.jobs.audit import read_entries, verify
from services.jobs.requests import (
    MOST_OF_ONE,
    MOST_REASON,
    Request,
    Wanted,
    answered_requests,
    ask,
    decline,
    fulfil,
    open_requests,
    withdraw,
)

DEVELOPER, ENGINEER = "https://arm.example tenant/developer", "https://arm.example tenant/engineer"
SCOPE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/Contoso"


def wanted(assignment: str = "name", condition: str = "", scope: str = SCOPE) -> Wanted:
    return Wanted(scope, assignment, condition, "AcrPull on contoso", {"registry": "contoso", "role": "AcrPull"})


def asked(database: Engine, who: str = DEVELOPER, assignment: str = "name", condition: str = "") -> Request:
    return ask(database, who, "developer@contoso.example", wanted(assignment, condition))


def test_a_request_is_recorded_once_and_listed_for_everybody(database: Engine) -> None:
    first = asked(database)
    assert asked(database) == first
    assert open_requests(database, DEVELOPER, [SCOPE]) == (first,)
    assert (first.login, first.wanted.query["role"]) == ("developer@contoso.example", "AcrPull")
    assert [entry.fields["what"] for entry in read_entries(database, DEVELOPER)] == ["requested"]


def test_the_assignment_closes_what_everybody_asked_for_by_it_whatever_its_case(database: Engine) -> None:
    asked(database)
    asked(database, "https://arm.example tenant/another")
    other = asked(database, assignment="other")
    assert fulfil(database, ENGINEER, wanted(scope=SCOPE.upper())) == 2
    assert open_requests(database, DEVELOPER, [SCOPE]) == (other,)
    assert fulfil(database, ENGINEER, wanted()) == 0
    (done,) = answered_requests(database, DEVELOPER)
    assert (done.request.wanted.assignment, done.done, done.reason) == ("name", True, "")
    assert [entry.fields["what"] for entry in read_entries(database, ENGINEER)] == ["request fulfilled"] * 2
    assert verify(database).fault == ""


def test_only_who_sent_it_withdraws_it_and_may_ask_again(database: Engine) -> None:
    first = asked(database)
    withdraw(database, ENGINEER, first.id)
    assert open_requests(database, DEVELOPER, [SCOPE]) == (first,)
    withdraw(database, DEVELOPER, first.id)
    assert open_requests(database, DEVELOPER, [SCOPE]) == ()
    assert asked(database).id != first.id


def test_another_condition_is_another_request(database: Engine) -> None:
    narrow, wide = asked(database, condition="team/a"), asked(database)
    assert narrow != wide
    assert fulfil(database, ENGINEER, wanted()) == 1
    assert open_requests(database, DEVELOPER) == (narrow,)


def test_others_see_those_for_registries_that_they_list(database: Engine) -> None:
    first = asked(database)
    assert open_requests(database, ENGINEER, ["/subscriptions/2"]) == ()
    assert open_requests(database, ENGINEER, [SCOPE.upper()]) == (first,)


def test_one_person_hides_nobody_s(database: Engine) -> None:
    first = asked(database, ENGINEER)
    for number in range(MOST_OF_ONE):
        asked(database, assignment=str(number))
    with pytest.raises(ServiceError, match="TooManyRequests"):
        asked(database, assignment="one more")
    assert first in open_requests(database, ENGINEER, [SCOPE])


def test_who_asked_sees_why_it_was_declined_until_they_ask_again(database: Engine) -> None:
    first = asked(database)
    asked(database, ENGINEER)
    assert decline(database, ENGINEER, wanted(scope=SCOPE.upper()), "  Use the group instead. ") == 1
    assert [one.who for one in open_requests(database, ENGINEER, [SCOPE])] == [ENGINEER]
    (declined,) = answered_requests(database, DEVELOPER)
    assert (declined.request, declined.done, declined.reason) == (first, False, "Use the group instead.")
    assert answered_requests(database, ENGINEER) == ()
    said = read_entries(database, ENGINEER)[-1].fields
    assert (said["what"], said["request"], said["reason"]) == ("request declined", first.id, "Use the group instead.")
    asked(database)
    assert answered_requests(database, DEVELOPER) == ()
    assert verify(database).fault == ""


def test_nothing_is_declined_without_a_reason(database: Engine) -> None:
    asked(database)
    with pytest.raises(ServiceError) as refused:
        decline(database, ENGINEER, wanted(), " ")
    assert refused.value.code == "NoReason"
    assert len(open_requests(database, DEVELOPER)) == 1


def test_the_assignment_closes_what_was_declined_too(database: Engine) -> None:
    asked(database)
    decline(database, ENGINEER, wanted(), "No.")
    assert fulfil(database, ENGINEER, wanted(condition="other")) == 0
    assert [one.done for one in answered_requests(database, DEVELOPER)] == [False]
    assert fulfil(database, ENGINEER, wanted()) == 1
    assert [(one.done, one.reason) for one in answered_requests(database, DEVELOPER)] == [(True, "")]
    assert fulfil(database, ENGINEER, wanted()) == 0


def test_what_is_closed_is_not_declined_again(database: Engine) -> None:
    asked(database)
    decline(database, ENGINEER, wanted(), "No.")
    with pytest.raises(ServiceError, match="declined already") as refused:
        decline(database, ENGINEER, wanted(), "No, again.")
    assert refused.value.code == "ClosedAlready"
    assert [one.reason for one in answered_requests(database, DEVELOPER)] == ["No."]


def test_a_reason_has_a_length(database: Engine) -> None:
    asked(database)
    with pytest.raises(ServiceError) as refused:
        decline(database, ENGINEER, wanted(), "x" * (MOST_REASON + 1))
    assert refused.value.code == "LongReason"
    assert decline(database, ENGINEER, wanted(), f" {'x' * MOST_REASON} ") == 1
