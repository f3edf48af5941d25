"""Webhooks on their page: added, pinged, disabled and removed; its header's value is nowhere after it."""

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from services.child_resources.webhook_events import list_events, read_callback
from services.child_resources.webhook_rules import NewWebhook
from services.child_resources.webhooks import (
    apply_webhook,
    apply_webhook_status,
    get_webhook,
    list_webhooks,
    plan_webhook,
    plan_webhook_status,
)
from services.connection.errors import ServiceError
from services.jobs.audit import SHOWN, newest_entries
from services.jobs.jobs import list_jobs
from services.sign_in.app_roles import OPERATOR_PERMISSION
from tests.support.app_test import (
    REFUSED,
    Open,
    actions,
    button,
    confirm_button,
    everything,
    facts,
    open_dialog,
    refresh_button,
    reopen,
    select_rows,
    texts,
)
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.runtime import connection
from ui.runtime.database import database

HERE = {"registry": REGISTRY}
SECRET = "only-the-address-knows"
ADDRESS = "https://hooks.contoso.example/acr"

pytestmark = pytest.mark.usefixtures("own")


def field(at: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in at.text_input if one.label == label)


def filled(at: AppTest, **fields: str) -> AppTest:
    """The dialog of a new webhook, with these fields filled one after the other as a reader does."""
    for label, value in fields.items():
        reopen(at, "Add webhook")
        at.run()
        reopen(at, "Add webhook")
        field(at, label.replace("_", " ")).set_value(value)
    reopen(at, "Add webhook")
    return at


def there(own: OwnSandbox, name: str = "deployhook", uri: str = ADDRESS) -> None:
    registry = own.registry()
    wanted = NewWebhook(name, uri, ("push",), registry.location)
    assert apply_webhook(own.session(), plan_webhook(registry, (), wanted)) == "created"


def said(at: AppTest) -> str:
    return "".join(str(success.value) for success in at.success).replace("\\", "")


def test_no_webhooks_says_what_one_is_for(open_view: Open) -> None:
    at = open_view("webhooks.py", **HERE)
    assert "No webhooks" in texts(at)
    assert "0 webhooks of at most 10 in Standard" in texts(at)


def test_one_is_added_and_its_header_is_nowhere_after(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("webhooks.py", **HERE)
    fields = {"Name": "deployhook", "Service_URI": ADDRESS, "Header_1": "X-Key", "Value_1": SECRET}
    at = filled(at, **fields)
    at.run()
    assert not at.exception
    assert SECRET in everything(at)
    line = next(str(code.value) for code in at.code if "webhook create" in str(code.value))
    assert '--name deployhook --uri "$SERVICE_URI" --actions push --location eastus2' in line
    assert line.endswith('--headers X-Key="$HEADER_X_KEY"')
    assert SECRET not in line
    assert list_webhooks(own.session(), own.registry()).values == ()
    at = filled(at, **fields)
    confirm_button(at, "Add webhook").click().run()
    assert not at.exception
    assert "Webhook deployhook: created and verified." in said(at)
    assert at.dataframe[0].value["Name"].tolist() == ["deployhook"]
    assert read_callback(own.session(), own.registry(), "deployhook").header_names == ("X-Key",)
    assert SECRET not in everything(at.run())


def test_what_is_in_the_way_is_said_and_the_button_is_off(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE)
    at = filled(at, Name="deployhook", Service_URI="http://hooks.contoso.example")
    at.run()
    assert "There is a webhook deployhook already" in texts(at).replace("\\", "")
    assert "http is not encrypted" in "".join(str(warning.value) for warning in at.warning)
    assert confirm_button(at, "Add webhook").disabled


def test_a_ping_is_among_its_last_calls(open_view: Open, own: OwnSandbox) -> None:
    there(own, uri="https://hooks.contoso.example/status/503")
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    assert "No calls yet" in texts(at)
    button(at, "Ping webhook").click().run()
    assert not at.exception
    (event,) = list_events(own.session(), own.registry(), "deployhook").values
    (recorded,) = list_jobs(database(), connection.who())
    assert (recorded.action, recorded.target) == ("Ping webhook", f"{own.registry().name}, webhook deployhook")
    assert at.dataframe[0].value["Event"].tolist() == [event.id]
    assert at.dataframe[0].value["Response"].tolist() == ["503 Service Unavailable"]
    assert "failed: 503 Service Unavailable" in "".join(str(one.value) for one in at.warning)


def test_its_address_is_shown_on_request_alone(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    asked = [request for request in own.sandbox.requests if request.path.endswith("getCallbackConfig")]
    assert asked == []
    assert ADDRESS not in everything(at)
    open_dialog(at, "Show service URI")
    assert ADDRESS in [code.value for code in at.code]
    assert ADDRESS in everything(at)
    assert ADDRESS not in everything(at.run())
    (entry,) = newest_entries(database(), None, [SHOWN], 10)
    assert (entry.fields["who"], entry.fields["action"]) == (connection.who(), "Service URI")
    assert entry.fields["target"] == f"{REGISTRY}, webhook deployhook"
    assert ADDRESS not in entry.text


def test_a_service_uri_whose_view_cannot_be_recorded_is_not_shown(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    with database().begin() as db:
        db.execute(text("ALTER TABLE audit RENAME TO away"))
    open_dialog(at, "Show service URI")
    assert "That a secret is shown could not be recorded" in texts(at)
    assert ADDRESS not in everything(at)


def test_an_operator_handles_no_secret_of_a_webhook(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(own)
    monkeypatch.setattr(write_permission, "current", lambda: OPERATOR_PERMISSION)
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    assert actions(at) == ["Disable webhook", "Delete webhook"]
    assert "headers of webhooks are not changed, and service URIs are not shown" in texts(at)
    assert not button(at, "Ping webhook").disabled
    session = own.session().limited_to(OPERATOR_PERMISSION)
    with pytest.raises(ServiceError) as refused:
        read_callback(session, own.registry(), "deployhook")
    assert refused.value.code == "AccessRefused"
    registry = own.registry()
    secret = NewWebhook("other", ADDRESS, ("push",), registry.location, headers=(("Authorization", SECRET),))
    with pytest.raises(ServiceError) as refused:
        apply_webhook(session, plan_webhook(registry, (), secret))
    assert refused.value.code == "AccessRefused"
    plain = NewWebhook("other", ADDRESS, ("push",), registry.location)
    assert apply_webhook(session, plan_webhook(registry, (), plain)) == "created"
    webhook = get_webhook(session, registry, "other")
    assert apply_webhook_status(session, plan_webhook_status(registry, webhook, enabled=False)) == "changed"


def test_an_operator_is_offered_no_headers(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: OPERATOR_PERMISSION)
    at = open_view("webhooks.py", **HERE)
    open_dialog(at, "Add webhook")
    assert "Custom headers can't be given here" in texts(at)
    assert not [one for one in at.text_input if one.label.startswith("Header")]


def test_a_reader_sees_webhooks_and_is_refused_their_calls(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", own.session(as_reader=True), **HERE, webhook="deployhook")
    assert not at.exception
    assert facts(at)["Actions"] == "push"
    assert "Could not read the events of the webhook deployhook" in texts(at)
    open_dialog(at, "Show service URI")
    assert "Could not read where the webhook deployhook calls" in texts(at)


def test_one_is_disabled_and_removed(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    open_dialog(at, "Disable webhook")
    assert "webhook update --registry casaacr01 --name deployhook --status disabled" in texts(at)
    reopen(at, "Disable webhook")
    confirm_button(at, "Disable webhook").click().run()
    assert ": changed and verified" in said(at)
    assert not get_webhook(own.session(), own.registry(), "deployhook").enabled
    open_dialog(at, "Delete webhook")
    reopen(at, "Delete webhook")
    confirm_button(at, "Delete webhook").click().run()
    assert not at.exception
    assert ": deleted and verified" in said(at)
    assert list_webhooks(own.session(), own.registry()).values == ()


def test_a_console_that_listens_to_everyone_changes_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(own)
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert button(open_view("webhooks.py", **HERE), "Add webhook").disabled
    at = open_view("webhooks.py", **HERE, webhook="deployhook")
    assert button(at, "Ping webhook").disabled
    assert at.menu_button[0].disabled


def test_one_that_is_gone_and_a_list_that_refuses_are_said(open_view: Open, own: OwnSandbox) -> None:
    assert "No such webhook" in texts(open_view("webhooks.py", **HERE, webhook="gone1"))
    own.break_({"path": "/webhooks$", "status": 403})
    at = open_view("webhooks.py", **HERE)
    refresh_button(at).click().run()
    assert not at.exception
    assert "Could not list the webhooks of casaacr01" in texts(at)
    assert "No webhooks" not in texts(at)


def test_the_search_lets_through_what_it_names(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE)
    at.text_input(key="search").set_value("DEPLOY").run()
    assert at.dataframe[0].value["Name"].tolist() == ["deployhook"]
    at.text_input(key="search").set_value("scan").run()
    assert "No webhook matches" in texts(at)


def test_a_row_opens_its_webhook(open_view: Open, own: OwnSandbox) -> None:
    there(own)
    at = open_view("webhooks.py", **HERE)
    select_rows(at, 0, at.dataframe[0].value["Name"].tolist().index("deployhook"))
    at.run()
    assert at.title[0].value == "deployhook"
    assert facts(at)["Scope"] == "everything"
