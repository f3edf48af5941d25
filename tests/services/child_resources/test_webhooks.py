"""Webhooks, on a sandbox that keeps what they would have been called for, and refuses what Azure refuses."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.arm.webhooks import webhook as webhook_document
from services.child_resources.webhook_events import list_events, ping, read_callback
from services.child_resources.webhook_rules import NewWebhook, is_scope, objections, warnings_about
from services.child_resources.webhooks import (
    Webhook,
    WebhookPlan,
    apply_webhook,
    apply_webhook_removal,
    apply_webhook_status,
    get_webhook,
    list_webhooks,
    plan_webhook,
    plan_webhook_removal,
    plan_webhook_status,
    read_webhook_plan,
)
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.registries.skus import LIMITS, Sku
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from tests.support.registry_clients import Registry as Client
from tests.support.shell_lines import registry as a_registry
from tests.support.strategies import repository_names, tag_names

SECRET = "Bearer only-the-address-knows"
WANTED = NewWebhook(
    "deployhook",
    "https://hooks.contoso.example/acr",
    ("push", "delete"),
    "eastus2",
    scope="team/app:*",
    headers=(("Authorization", SECRET),),
)


def plan(own: OwnSandbox, wanted: NewWebhook = WANTED) -> WebhookPlan:
    return read_webhook_plan(own.session(), own.registry(), wanted)


def add(own: OwnSandbox, wanted: NewWebhook = WANTED) -> Webhook:
    assert apply_webhook(own.session(), plan(own, wanted)) == "created"
    return get_webhook(own.session(), own.registry(), wanted.name)


def set_status(own: OwnSandbox, webhook: Webhook, *, enabled: bool) -> Outcome:
    return apply_webhook_status(own.session(), plan_webhook_status(own.registry(), webhook, enabled=enabled))


def delete(own: OwnSandbox, webhook: Webhook) -> Outcome:
    return apply_webhook_removal(own.session(), plan_webhook_removal(own.registry(), webhook))


def names(own: OwnSandbox) -> list[str]:
    return [webhook.name for webhook in list_webhooks(own.session(), own.registry()).values]


def sent(own: OwnSandbox, method: str) -> list[int]:
    return [request.status for request in own.sandbox.requests if request.method == method]


def test_a_webhook_is_added_as_planned_and_read_back(own: OwnSandbox) -> None:
    states: list[str] = []
    planned = plan(own)
    assert (planned.blockers, planned.warnings) == ((), ())
    assert apply_webhook(own.session(), planned, states.append) == "created"
    assert states == ["checking again", "adding"]
    assert list_webhooks(own.session(), own.registry()).values == (
        Webhook("deployhook", "eastus2", "enabled", "team/app:*", ("push", "delete"), "Succeeded"),
    )
    assert own.registry().webhooks == 1


def test_its_address_is_told_on_request_and_its_headers_values_never(own: OwnSandbox) -> None:
    planned = plan(own)
    assert SECRET not in repr(planned)
    add(own)
    callback = read_callback(own.session(), own.registry(), "deployhook")
    assert callback.service_uri == WANTED.service_uri
    assert callback.header_names == ("Authorization",)
    assert SECRET not in repr(callback)


def test_a_reader_lists_webhooks_and_is_refused_their_addresses(own: OwnSandbox) -> None:
    add(own)
    session = own.session(as_reader=True)
    assert [webhook.name for webhook in list_webhooks(session, own.registry()).values] == ["deployhook"]
    for refused in (read_callback, list_events, ping):
        with pytest.raises(ServiceError) as raised:
            refused(session, own.registry(), "deployhook")
        assert (raised.value.status, raised.value.code) == (403, "AuthorizationFailed")
        assert raised.value.request_id


def test_pushes_and_deletions_in_its_scope_are_its_events_the_newest_first(own: OwnSandbox) -> None:
    add(own)
    with Client(own.sandbox.ready, REGISTRY) as client:
        digest = client.push_image("team/app", "v1")
        client.push_image("team/web", "v1")
        assert client("DELETE", f"/v2/team/app/manifests/{digest}").status_code == 202
    pinged = ping(own.session(), own.registry(), "deployhook")
    events = list_events(own.session(), own.registry(), "deployhook").values
    assert [(event.action, event.target) for event in events] == [
        ("ping", ""),
        ("delete", f"team/app@{digest}"),
        ("push", "team/app:v1"),
    ]
    assert events[0].id == pinged
    assert all(event.taken and event.reason == "OK" and event.at for event in events)


def test_an_address_that_does_not_take_a_call_is_seen_among_its_events(own: OwnSandbox) -> None:
    add(own, replace(WANTED, service_uri="https://hooks.contoso.example/status/503"))
    ping(own.session(), own.registry(), "deployhook")
    (event,) = list_events(own.session(), own.registry(), "deployhook").values
    assert (event.status, event.reason, event.taken) == ("503", "Service Unavailable", False)


def test_a_disabled_webhook_hears_nothing_until_it_is_enabled(own: OwnSandbox) -> None:
    webhook = add(own)
    assert set_status(own, webhook, enabled=False) == "changed"
    disabled = get_webhook(own.session(), own.registry(), "deployhook")
    assert not disabled.enabled
    with Client(own.sandbox.ready, REGISTRY) as client:
        client.push_image("team/app", "v1")
    assert list_events(own.session(), own.registry(), "deployhook").values == ()
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        set_status(own, webhook, enabled=False)
    with pytest.raises(ServiceError, match="deployhook is disabled already"):
        set_status(own, disabled, enabled=False)
    assert set_status(own, disabled, enabled=True) == "changed"
    assert get_webhook(own.session(), own.registry(), "deployhook") == webhook
    assert read_callback(own.session(), own.registry(), "deployhook").header_names == ("Authorization",)


def test_a_name_that_is_taken_since_the_plan_is_not_written_over(own: OwnSandbox) -> None:
    late = plan(own, replace(WANTED, service_uri="https://other.contoso.example/"))
    add(own)
    with pytest.raises(ServiceError, match="There is a webhook deployhook already") as raised:
        apply_webhook(own.session(), late)
    assert raised.value.code == "ChangedMeanwhile"
    assert read_callback(own.session(), own.registry(), "deployhook").service_uri == WANTED.service_uri


@pytest.mark.parametrize("refused", [True, False])
def test_one_that_somebody_adds_at_the_same_moment_does_not_pass_for_ours(own: OwnSandbox, refused: bool) -> None:
    planned = plan(own)
    registry = own.sandbox.store.get_resource(planned.registry.id)
    assert registry

    def another(state: str) -> None:
        if state == "adding":
            other = webhook_document(registry, "deployhook", "https://other.contoso.example", "", ["push"])
            own.sandbox.store.put_resource(other)
            # Whether it is refused or its answer lost: what is there is another one.
            fault = {"status": 409} if refused else {"reset": True}
            own.break_({"method": "PUT", "path": "/webhooks/", **fault})

    with pytest.raises(ServiceError) as raised:
        apply_webhook(own.session(), planned, another)
    assert raised.value.title == "Could not add the webhook deployhook"
    own.break_()
    assert read_callback(own.session(), own.registry(), "deployhook").service_uri == "https://other.contoso.example"


def test_what_a_plan_refuses_is_not_sent(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_webhook(own.session(), plan(own, replace(WANTED, name="no")))
    assert raised.value.code == "Refused"
    assert sent(own, "PUT") == []


def test_an_answer_that_is_lost_after_the_deed_is_no_failure(own: OwnSandbox) -> None:
    planned = plan(own)
    own.break_({"method": "PUT", "path": "/webhooks/", "reset": True, "late": True})
    assert apply_webhook(own.session(), planned) == "created"
    webhook = get_webhook(own.session(), own.registry(), "deployhook")
    own.break_({"method": "DELETE", "path": "/webhooks/", "reset": True, "late": True})
    assert delete(own, webhook) == "deleted"
    assert names(own) == []


def test_a_failure_before_the_deed_is_one(own: OwnSandbox) -> None:
    planned = plan(own)
    own.break_({"method": "PUT", "path": "/webhooks/", "status": 409})
    with pytest.raises(ServiceError, match="a fault of the sandbox"):
        apply_webhook(own.session(), planned)
    own.break_()
    webhook = add(own)
    own.break_({"method": "DELETE", "path": "/webhooks/", "status": 409})
    with pytest.raises(ServiceError, match="a fault of the sandbox"):
        delete(own, webhook)
    assert names(own) == ["deployhook"]


def test_what_can_not_be_read_back_is_not_confirmed_and_after_a_failure_not_known(own: OwnSandbox) -> None:
    planned = plan(own)
    unreadable = {"method": "GET", "path": "/webhooks/deployhook$", "status": 403}
    own.break_(unreadable)
    assert apply_webhook(own.session(), planned) == "not confirmed"
    own.break_()
    assert names(own) == ["deployhook"]
    late = plan(own, replace(WANTED, name="scanhook"))
    own.break_({"method": "PUT", "path": "/webhooks/", "status": 500}, {**unreadable, "path": "/webhooks/scanhook$"})
    with pytest.raises(ServiceError) as raised:
        apply_webhook(own.session(), late)
    assert "Whether it was done is not known" in raised.value.remedy


def test_a_proxy_s_404_does_not_pass_for_gone(own: OwnSandbox) -> None:
    webhook = add(own)
    own.break_({"method": "GET", "path": "/webhooks/deployhook$", "status": 404, "body": "<html>not here</html>"})
    with pytest.raises(ServiceError) as raised:
        delete(own, webhook)
    assert raised.value.status == 404
    own.break_()
    assert names(own) == ["deployhook"]


def test_removed_and_gone_already_are_told_apart(own: OwnSandbox) -> None:
    webhook = add(own)
    assert delete(own, webhook) == "deleted"
    assert names(own) == []
    assert delete(own, webhook) == "already done"
    assert sent(own, "DELETE") == [200]


def test_another_webhook_of_the_same_name_is_left(own: OwnSandbox) -> None:
    webhook = add(own)
    delete(own, webhook)
    add(own, replace(WANTED, scope=""))
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        delete(own, webhook)
    assert names(own) == ["deployhook"]


def test_a_reader_can_not_add_and_is_told_so(own: OwnSandbox) -> None:
    session: AzureSession = own.session(as_reader=True)
    with pytest.raises(ServiceError) as raised:
        apply_webhook(session, plan(own))
    assert raised.value.code == "AuthorizationFailed"
    assert names(own) == []


@pytest.mark.parametrize("sku", list(Sku))
def test_a_sku_s_number_of_webhooks_is_kept(sku: Sku) -> None:
    most = LIMITS[sku].webhooks
    registry = a_registry(sku=sku.value)
    wanted = replace(WANTED, location=registry.location)
    taken = tuple(f"hook{number:05}" for number in range(most))
    assert objections(registry, taken[1:], wanted) == ()
    assert objections(registry, taken, wanted) == (f"{sku} has at most {most} webhooks, and there are {most}.",)


def test_azure_keeps_the_same_number(own: OwnSandbox) -> None:
    own.make_registry("contosobasic", "Basic")
    registry = own.registry("contosobasic")
    late = plan_webhook(registry, (), replace(WANTED, name="hook3", location="eastus"))
    for name in ("hook1", "hook2"):
        first = plan_webhook(registry, (), replace(WANTED, name=name, location="eastus"))
        assert apply_webhook(own.session(), first) == "created"
    with pytest.raises(ServiceError, match="at most 2 webhooks"):
        apply_webhook(own.session(), late)


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"name": "hook"}, "5 to 50 letters or digits"),
        ({"name": "deploy-hook"}, "5 to 50 letters or digits"),
        ({"name": "DEPLOYHOOK"}, "There is a webhook DEPLOYHOOK already."),
        ({"service_uri": "hooks.contoso.example"}, "a whole URL"),
        ({"service_uri": "ftp://hooks.contoso.example"}, "a whole URL"),
        ({"service_uri": "https:///acr"}, "a whole URL"),
        ({"service_uri": "https://h.example:99999/"}, "a whole URL"),
        ({"service_uri": "https://h.example/a b"}, "a whole URL"),
        ({"actions": ()}, "Choose an action"),
        ({"actions": ("pull",)}, "There is no action pull."),
        ({"scope": "team/*"}, "Its scope must be"),
        ({"scope": "Team/App"}, "Its scope must be"),
        ({"scope": "app:v1:v2"}, "Its scope must be"),
        ({"location": "uksouth"}, "The registry is not in uksouth: choose westeurope."),
        ({"headers": (("X Key", "1"),)}, "The name of a header"),
        ({"headers": (("X-Key", "1"), ("x-key", "2"))}, "A header is there twice."),
        ({"headers": (("X-Key", "1\r\nHost: elsewhere"),)}, "must be one line"),
    ],
)
def test_what_azure_would_not_take_is_said_before(changes: dict[str, object], objection: str) -> None:
    fine = replace(WANTED, name="scanhook", location="westeurope")
    wanted = replace(fine, **changes)  # type: ignore[arg-type]
    found = objections(a_registry(), ("deployhook",), wanted)
    assert len(found) == 1
    assert objection in found[0]


def test_a_registry_that_has_no_webhooks_is_refused() -> None:
    wanted = replace(WANTED, location="westeurope")
    assert objections(a_registry(sku="Classic"), (), wanted) == ("A Classic registry has no webhooks.",)
    failed = a_registry(provisioning_state="Failed")
    assert objections(failed, (), wanted) == ()
    assert warnings_about(failed, wanted) == ("The last operation did not succeed (state: Failed).",)
    assert warnings_about(replace(failed, provisioning_state=""), wanted) == ("State not reported.",)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"service_uri": "http://hooks.contoso.example"}, "http is not encrypted"),
        ({"service_uri": "https://user:key@hooks.contoso.example"}, "a user or a password in it"),
        ({"scope": "team/app"}, "team/app alone means team/app:latest"),
        ({"scope": "team/app:v1"}, "A deletion names a digest and no tag"),
        ({"actions": ("chart_push",)}, "retired az acr helm"),
        ({"enabled": False}, "It is added disabled"),
    ],
)
def test_what_may_surprise_is_said_before(changes: dict[str, object], warning: str) -> None:
    (found,) = warnings_about(a_registry(), replace(WANTED, **changes))  # type: ignore[arg-type]
    assert warning in found


@given(repository_names, tag_names)
def test_every_repository_and_tag_is_a_scope(repository: str, tag: str) -> None:
    assert all(map(is_scope, ("", repository, f"{repository}:{tag}", f"{repository}:*")))
    assert not any(map(is_scope, (f"{repository}:", f"{repository}@{tag}", f"{repository}:{tag}:{tag}", f":{tag}")))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
@example("deployhook", "https://[", "", "X-Key")
@example("deployhook", "https://h.example:port/", "a:b", "X-Key")
@example("deployhook", "//h.example", "a@b", "X-Key")
def test_nothing_that_is_typed_is_more_than_refused(name: str, uri: str, scope: str, header: str) -> None:
    wanted = NewWebhook(name, uri, ("push",), "westeurope", scope, headers=((header, uri),))
    registry = a_registry()
    warnings_about(registry, wanted)
    if not objections(registry, (), wanted):
        assert re.fullmatch("[A-Za-z0-9]{5,50}", name)
        assert re.match("https?://[^/]", uri)
        assert "\n" not in uri + header
        assert is_scope(scope)
