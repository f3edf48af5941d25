"""Activity of everyone: for whom, and what of it is somebody else's."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from services.connection.errors import ServiceError
from services.connection.write_permission import WritePermission
from services.database.tables import jobs
from services.jobs.audit import record_refusal
from services.jobs.changes import Answer, Change, record_change
from services.jobs.jobs import JobItem, begin, list_jobs
from tests.support.app_test import Open, boxes, texts
from tests.support.own_sandbox import OwnSandbox
from ui.runtime import connection
from ui.runtime.database import database

OTHER = "https://arm.example tenant/developer"
LEASE = timedelta(seconds=300)


@pytest.fixture
def everyone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> bool:
    """Whether the page may show what everyone did."""
    may = bool(getattr(request, "param", True))
    monkeypatch.setattr(connection, "sees_everyones_activity", lambda: may)
    return may


def changed(who: str, target: str) -> None:
    with record_change(database(), who, Change("Add tag", target), LEASE) as record:
        record(Answer("created and verified"))


def show(open_view: Open, tab: str = "Changes", **query: str) -> AppTest:
    at = open_view("deletions.py", show=tab, **query)
    assert not at.exception
    return at


@pytest.mark.parametrize("everyone", [True, False], indirect=True)
def test_changes_of_others_are_listed_for_those_who_may_see_them(open_view: Open, everyone: bool) -> None:
    open_view("deletions.py")
    changed(connection.who(), "contoso/app:v1")
    changed(OTHER, "contoso/app:v2")
    at = show(open_view)
    listed = at.dataframe[0].value
    assert list(listed["Target"]) == (["contoso/app:v2", "contoso/app:v1"] if everyone else ["contoso/app:v1"])
    assert ("Who" in listed) == everyone
    (theirs,) = list_jobs(database(), OTHER)
    opened = texts(show(open_view, record=theirs.id))
    assert ("created and verified" in opened) == everyone
    assert ("No such record" in opened) != everyone


@pytest.mark.usefixtures("everyone")
def test_the_list_can_be_one_persons(open_view: Open) -> None:
    open_view("deletions.py")
    changed(connection.who(), "contoso/app:v1")
    changed(OTHER, "contoso/app:v2")
    at = show(open_view, who="developer")
    assert [box.label for box in boxes(at)] == ["Action", "State", "Started", "Who"]
    assert list(at.dataframe[0].value["Who"]) == ["developer"]


def test_the_list_can_be_that_of_some_days(open_view: Open) -> None:
    open_view("deletions.py")
    for target, days in (("contoso/app:v1", 0), ("contoso/app:v2", 3)):
        changed(connection.who(), target)
        with database().begin() as db:
            begun = datetime.now(UTC) - timedelta(days=days)
            db.execute(update(jobs).where(jobs.c.login_server == target).values(begun=begun))
    assert len(show(open_view).dataframe[0].value) == 2
    assert list(show(open_view, started="24 hours").dataframe[0].value["Target"]) == ["contoso/app:v1"]
    assert len(show(open_view, started="7 days").dataframe[0].value) == 2


@pytest.mark.parametrize("query", [{"action": "Nope"}, {"state": "Interrupted"}, {"who": "nobody"}])
def test_a_filter_that_nothing_has_shows_nothing(open_view: Open, query: dict[str, str]) -> None:
    open_view("deletions.py")
    changed(connection.who(), "contoso/app:v1")
    at = show(open_view, **query)
    assert "Nothing matches" in texts(at)
    assert not at.dataframe
    ((key, value),) = query.items()
    assert [box.value for box in boxes(at) if box.label.lower() == key] == [value]
    assert at.query_params[key] in (value, [value])
    next(box for box in boxes(at) if box.label.lower() == key).set_value(None).run()
    assert list(at.dataframe[0].value["Target"]) == ["contoso/app:v1"]


@pytest.mark.usefixtures("everyone")
def test_another_persons_job_can_not_be_stopped(open_view: Open) -> None:
    open_view("deletions.py")
    items = [JobItem("v1", "sha256:1"), JobItem("v2", "sha256:2")]
    for action in ("remove tags", "Attach registries"):
        begin(database(), OTHER, action, "contoso.example", "app", items, {}, LEASE)
    for job in list_jobs(database(), OTHER):
        at = show(open_view, record=job.id)
        assert "by developer" in texts(at)
        assert "Stop" not in [button.label for button in at.button]


@pytest.mark.parametrize("everyone", [True, False], indirect=True)
def test_refusals_are_listed_with_their_reason(open_view: Open, everyone: bool) -> None:
    open_view("deletions.py")
    denied = ServiceError("Could not", "Your **role** reads.", "Ask.", "AuthorizationFailed", 403)
    for who, error in ((connection.who(), denied), (OTHER, WritePermission("It reads.").error)):
        record_refusal(database(), who, "Delete registry", "contoso", error)
    listed = show(open_view, "Sign-ins and refusals").dataframe[0].value
    assert list(listed["What"]) == (["Refused by the console"] if everyone else []) + ["Refused by Azure"]
    assert list(listed["Detail"])[-1] == "Your **role** reads."


def test_the_log_is_checked_on_its_own_tab(open_view: Open) -> None:
    open_view("deletions.py")
    changed(connection.who(), "contoso/app:v1")
    at = show(open_view, "Log")
    next(one for one in at.button if one.label == "Check log").click().run()
    assert "2 entries, all unchanged." in at.success[0].value


def test_azures_own_log_is_read_when_it_is_asked_for(open_view: Open, own: OwnSandbox) -> None:
    open_view("deletions.py")
    with record_change(database(), connection.who(), Change("Change settings", "casaacr01"), LEASE) as record:
        registry = own.registry()
        client = own.session().registries(registry.subscription_id).registries
        client.begin_update(registry.resource_group, registry.name, {"tags": {"a": "b"}}).result()
        own.client.send("DELETE", "/acr/v1/nodejstemplate/_tags/v1.0.0")
        record(Answer("changed"))
    (job,) = list_jobs(database(), connection.who())
    at = show(open_view, record=job.id)
    assert "ContainerRegistryRepositoryEvents" in texts(at)
    assert not [one for one in own.sandbox.requests if one.path.endswith("/eventtypes/management/values")]
    next(one for one in at.button if one.label == "Read Activity Log").click().run()
    assert not at.exception
    events = at.dataframe[1].value
    assert list(events["Operation"]) == ["Microsoft.ContainerRegistry/registries/write"]
    assert list(events["Correlation id"]) == [at.dataframe[0].value["Correlation id"][0]]


@pytest.mark.usefixtures("everyone")
def test_a_registry_is_found_and_listed_by_its_name(open_view: Open, own: OwnSandbox) -> None:
    server = own.registry().login_server
    open_view("deletions.py")
    changed(connection.who(), f"{server}/team/app:v1")
    changed(connection.who(), "gone.azurecr.io/app:v1")
    for text in ("casaacr01", server):
        at = show(open_view, target=text)
        assert list(at.dataframe[0].value["Target"]) == ["casaacr01/team/app:v1"]
