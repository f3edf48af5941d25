"""Registries by Azure Resource Graph: the same as by lists, whoever asks and whatever it answers, in fewer requests."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from sandbox.identity.principals import CONSOLE, PRINCIPALS
from sandbox.seeds.company import ADMIN, AUDITOR, DEVELOPER, LEAD, PUSHER
from sandbox.seeds.walkthrough import SUBSCRIPTION
from sandbox.server import Sandbox
from services.arm import resource_graph
from services.arm.subscriptions import list_subscriptions
from services.connection.changes import LAG_S, RecentChanges
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox, sandbox_endpoints
from services.connection.write_permission import WritePermission
from services.registries import reading
from services.registries.graph import GRAPH_FROM
from services.registries.reading import describe_registry, registries_of
from services.registries.registry import Registry
from tests.services.registries.test_registry import REFUSED, Estate, document
from tests.support.canned import ARM, Answer, Canned
from tests.support.own_sandbox import OwnSandbox

GRAPH = "/providers/Microsoft.ResourceGraph/resources"


class As:
    """A credential of any principal of a sandbox."""

    def __init__(self, sandbox: Sandbox, object_id: str) -> None:
        self._sandbox, self._object_id = sandbox, object_id

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        token = self._sandbox.state.tokens.aad(oid=self._object_id, appid=CONSOLE.app_id, aud=audience, name="somebody")
        return AccessToken(token, int(time.time()) + 3600)


def session_as(sandbox: Sandbox, object_id: str) -> AzureSession:
    return AzureSession(As(sandbox, object_id), sandbox_endpoints(sandbox.ready))


def read(session: AzureSession) -> Partial[Registry]:
    return registries_of(session, list_subscriptions(session).values)


def plain(found: Partial[Registry]) -> tuple[object, ...]:
    """What was found and what refused, without the ids of requests."""
    refused = [(one.what, one.error.code, one.error.status, one.error.title) for one in found.refused]
    return found.values, refused, found.untried


@pytest.fixture
def by_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of few subscriptions."""
    monkeypatch.setattr(reading, "GRAPH_FROM", 1)


def sent(sandbox: Sandbox) -> list[str]:
    return [request.path for request in sandbox.requests]


@pytest.mark.parametrize("who", [CONSOLE.object_id, ADMIN, LEAD, DEVELOPER, AUDITOR, PUSHER])
def test_whoever_asks_it_is_as_by_lists(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    by_lists = read(session_as(sandbox, who))
    monkeypatch.setattr(reading, "GRAPH_FROM", 1)
    sandbox.clear_requests()
    assert plain(read(session_as(sandbox, who))) == plain(by_lists)
    assert GRAPH in sent(sandbox)


def test_the_persons_of_the_sandbox_see_different_lists(sandbox: Sandbox) -> None:
    """Or the comparison would say little."""
    seen = {who: plain(read(session_as(sandbox, who))) for who in (CONSOLE.object_id, LEAD, DEVELOPER)}
    assert len({str(one) for one in seen.values()}) == 3
    assert any(refused for _, refused, _ in seen.values())


@pytest.mark.usefixtures("by_graph")
def test_nobody_is_shown_what_a_list_would_not_show(sandbox: Sandbox) -> None:
    people = [one["objectId"] for one in sandbox.store.list_resources(PRINCIPALS) if one["kind"] == "user"]
    assert people
    for who in people:
        session = session_as(sandbox, who)
        for registry in read(session).values:
            assert describe_registry(session, registry.id) == replace(registry, subscription=registry.subscription_id)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("large"), "estate:520:1:1") as running:
        yield running


def test_from_fifty_subscriptions_on_it_is_a_handful_of_requests(large: Sandbox) -> None:
    session = connect_sandbox(large.ready)
    subscriptions = list_subscriptions(session).values
    assert len(subscriptions) == 53
    large.clear_requests()
    found = registries_of(session, subscriptions)
    assert len(found.values) == 520
    assert found.complete
    # The one subscription without a registry is asked: that it has none is known by its list alone.
    without = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries"
    assert sent(large) == [GRAPH, without]
    large.clear_requests()
    fewer = registries_of(session, subscriptions[: GRAPH_FROM - 1])
    assert len(sent(large)) == GRAPH_FROM - 1
    kept = {one.id for one in subscriptions[: GRAPH_FROM - 1]}
    assert fewer.values == tuple(one for one in found.values if one.subscription_id in kept)


def test_all_its_pages_are_read(large: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_graph, "PAGE", 100)
    session = connect_sandbox(large.ready)
    large.clear_requests()
    assert len(read(session).values) == 520
    assert sent(large).count(GRAPH) == 6


FAULTS = [{"status": 403}, {"status": 429}, {"status": 500}, {"status": 200, "body": "[]"}, {"reset": True}]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("by_graph")
def test_where_it_fails_subscriptions_are_listed_one_by_one(own: OwnSandbox, fault: dict[str, Any]) -> None:
    by_graph = read(own.session())
    own.break_({"method": "POST", "path": "/Microsoft.ResourceGraph/resources$", **fault})
    own.sandbox.clear_requests()
    assert read(own.session()) == by_graph
    assert [one for one in sent(own.sandbox) if one.endswith("/Microsoft.ContainerRegistry/registries")]


def row(subscription: str, name: str, **more: Any) -> dict[str, Any]:
    return {**document(subscription, name), "subscriptionId": subscription.upper(), **more}


def answer(*rows: Any, **more: Any) -> Answer:
    body = {"totalRecords": len(rows), "count": len(rows), "data": list(rows), "resultTruncated": "false", **more}
    return Answer(200, body)


@pytest.mark.parametrize(
    "cut",
    [
        answer(row("s1", "one1one"), resultTruncated="true"),
        answer(row("s1", "one1one"), totalRecords=2),
        answer(row("s1", "one1one"), "no row"),
        answer(row("s1", "one1one"), {"id": "/subscriptions/s1/x"}),
        answer(row("s1", "one1one"), **{"data": None}),
        Answer(200, answer(row("s1", "one1one")).body, {"x-ms-tenant-subscription-limit-hit": "true"}),
    ],
)
@pytest.mark.usefixtures("by_graph")
def test_an_answer_that_is_not_whole_stands_for_nothing(wire: Canned, azure: AzureSession, cut: Answer) -> None:
    Estate(wire, s1=[document("s1", "one1one"), document("s1", "two2two")], s2=[document("s2", "three3")])
    wire.on("POST", f"{ARM}{GRAPH}", cut)
    assert [one.name for one in read(azure).values] == ["one1one", "three3", "two2two"]


@pytest.mark.usefixtures("by_graph")
def test_a_subscription_without_rows_is_asked_and_may_refuse(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "stale1")], s2=REFUSED, s3=[])
    wire.on("POST", f"{ARM}{GRAPH}", answer(row("s1", "one1one"), row("other", "hidden")))
    found = read(azure)
    assert [one.name for one in found.values] == ["one1one"]
    assert [(one.what, one.error.code) for one in found.refused] == [("contoso-s2", "AuthorizationFailed")]
    assert found.refused[0].error.title == "Could not list the registries of contoso-s2"


@pytest.mark.usefixtures("by_graph")
def test_a_row_that_is_not_understood_is_named_and_not_left_out(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "one1one")])
    odd = row("s1", "odd1odd", properties={"creationDate": "yesterday"})
    wire.on("POST", f"{ARM}{GRAPH}", answer(row("s1", "one1one"), odd))
    found = read(azure)
    assert [one.name for one in found.values] == ["one1one"]
    assert [one.what for one in found.refused] == ["contoso-s1"]
    assert "odd1odd" in found.refused[0].error.cause


@pytest.mark.usefixtures("by_graph")
def test_after_a_change_its_subscription_is_read_from_resource_manager(own: OwnSandbox) -> None:
    """Resource Graph still answers as before."""
    session = own.session()
    registry = own.registry()
    stale = {**own.sandbox.store.get_resource(registry.id), "subscriptionId": registry.subscription_id}
    body = answer(stale).body
    fault = {"method": "POST", "path": "/Microsoft.ResourceGraph/resources$", "status": 200, "body": json.dumps(body)}
    own.break_(fault)
    assert [one.name for one in read(session).values] == [registry.name]
    begun = session.registries(registry.subscription_id).registries.begin_create(
        registry.resource_group, "contosonew01", {"location": "eastus", "sku": {"name": "Basic"}}
    )
    begun.result()
    assert [one.name for one in read(session).values] == [registry.name, "contosonew01"]
    assert [one.name for one in read(own.session()).values] == [registry.name]


def test_a_change_counts_as_long_as_the_graph_may_lag() -> None:
    now = 100.0
    changes = RecentChanges(lambda: now)

    def send(method: str, path: str) -> None:
        request = type("Request", (), {"method": method, "url": f"https://arm{path}"})()
        changes.on_request(type("Piped", (), {"http_request": request})())

    send("GET", "/subscriptions/read/x")
    send("POST", f"{GRAPH}?a=b")
    assert not changes.subscriptions
    send("PATCH", "/subscriptions/One/resourceGroups/g")
    now += LAG_S - 1
    send("DELETE", "/Subscriptions/two/resourceGroups/g?api-version=1")
    assert changes.subscriptions == {"one", "two"}
    now += 1
    assert changes.subscriptions == {"two"}


def test_a_session_that_is_limited_shares_what_it_changed(session: AzureSession) -> None:
    assert session.limited_to(WritePermission("", "not access")).changes is session.changes
