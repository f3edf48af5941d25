"""A request is found by others, closed by whoever makes the assignment, and withdrawn by who sent it alone."""

from sqlalchemy import Engine

from services.jobs.audit import read_entries, verify
from services.jobs.requests import LISTED, Request, ask, fulfil, open_requests, withdraw

DEVELOPER, ENGINEER = "https://arm.example tenant/developer", "https://arm.example tenant/engineer"
SCOPE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/Contoso"


def asked(database: Engine, who: str = DEVELOPER, assignment: str = "name") -> Request:
    return ask(
        database, who, "developer@contoso.example", scope=SCOPE, assignment=assignment, title="AcrPull on contoso",
        page="aks", query={"cluster": "aks1", "registry": "contoso"},
    )  # fmt: skip


def test_a_request_is_recorded_once_and_listed_for_everybody(database: Engine) -> None:
    first = asked(database)
    assert asked(database) == first
    assert open_requests(database) == (first,)
    assert (first.login, first.query) == ("developer@contoso.example", {"cluster": "aks1", "registry": "contoso"})
    assert [entry.fields["what"] for entry in read_entries(database, DEVELOPER)] == ["requested"]


def test_the_assignment_closes_what_everybody_asked_for_by_it_whatever_its_case(database: Engine) -> None:
    asked(database)
    asked(database, "https://arm.example tenant/another")
    other = asked(database, assignment="other")
    assert fulfil(database, ENGINEER, SCOPE.upper(), "name") == 2
    assert open_requests(database) == (other,)
    assert fulfil(database, ENGINEER, SCOPE, "name") == 0
    assert [entry.fields["what"] for entry in read_entries(database, ENGINEER)] == ["request fulfilled"] * 2
    assert verify(database).fault == ""


def test_only_who_sent_it_withdraws_it_and_may_ask_again(database: Engine) -> None:
    first = asked(database)
    withdraw(database, ENGINEER, first.id)
    assert open_requests(database) == (first,)
    withdraw(database, DEVELOPER, first.id)
    assert open_requests(database) == ()
    assert asked(database).id != first.id


def test_of_very_many_the_newest_are_listed(database: Engine) -> None:
    made = [asked(database, assignment=str(number)) for number in range(LISTED + 2)]
    assert open_requests(database) == tuple(reversed(made[2:]))
