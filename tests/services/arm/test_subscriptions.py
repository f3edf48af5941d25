"""The subscriptions that the identity sees."""

import pytest

from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from tests.support.canned import ARM, Answer, Canned

URL = f"{ARM}/subscriptions"


def entry(subscription_id: str, name: str | None, state: str = "Enabled") -> dict[str, str | None]:
    return {"subscriptionId": subscription_id, "displayName": name, "tenantId": "t", "state": state}


def test_all_pages_by_name(wire: Canned, azure: AzureSession) -> None:
    second = {"value": [entry("1", "contoso-apps", "Warned")]}
    wire.on(
        "GET",
        URL,
        Answer(200, {"value": [entry("3", "contoso-web"), entry("2", "Contoso-Lab")], "nextLink": f"{URL}?page=2"}),
        Answer(200, second),
    )
    assert list_subscriptions(azure).values == (
        Subscription("1", "contoso-apps", "t", "Warned"),
        Subscription("2", "Contoso-Lab", "t", "Enabled"),
        Subscription("3", "contoso-web", "t", "Enabled"),
    )
    assert wire.sent[1].query["page"] == "2"


def test_a_subscription_without_name_goes_by_its_id(wire: Canned, azure: AzureSession) -> None:
    wire.on("GET", URL, Answer(200, {"value": [{"subscriptionId": "2"}, entry("1", None, "NewState")]}))
    assert list_subscriptions(azure).values == (Subscription("1", "1", "t", "NewState"), Subscription("2", "2", "", ""))


def test_none_is_no_error(wire: Canned, azure: AzureSession) -> None:
    wire.on("GET", URL, Answer(200, {"value": []}))
    assert list_subscriptions(azure).values == ()


def test_a_refusal_is_explained(wire: Canned, azure: AzureSession) -> None:
    body = {"error": {"code": "InvalidAuthenticationTokenTenant", "message": "Wrong issuer."}}
    wire.on("GET", URL, Answer(401, body, {"x-ms-request-id": "4f2c"}))
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(azure)
    assert (raised.value.title, raised.value.cause) == ("Could not list the subscriptions", "Wrong issuer.")
    assert (raised.value.status, raised.value.request_id) == (401, "4f2c")
    assert "subscription's tenant" in raised.value.remedy


def test_the_second_page_refused_is_no_short_list(wire: Canned, azure: AzureSession) -> None:
    page = Answer(200, {"value": [entry("1", "contoso-apps")], "nextLink": f"{URL}?page=2"})
    wire.on("GET", URL, page, Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}}))
    with pytest.raises(ServiceError):
        list_subscriptions(azure)
