"""Whatever Azure or the network answers becomes a ServiceError that keeps the status, the code and the request id."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import ClientSecretCredential, CredentialUnavailableError
from hypothesis import example, given
from hypothesis import strategies as st

from services.arm.subscriptions import list_subscriptions
from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import raise_for
from services.connection.errors import ServiceError, as_service_error, from_azure, request_id
from services.connection.session import AzureSession
from tests.support.canned import ARM, CLOUD, HOST, Answer, Canned, CannedRegistry, Reply, reset, unreachable, untrusted
from tests.support.strategies import json_values

URL = f"https://{HOST}/acr/v1/app"
ARM_URL = f"{ARM}/subscriptions"


def answered(answer: Answer) -> HttpResponse:
    wire = Canned()
    wire.on("GET", URL, answer)
    return PipelineClient(f"https://{HOST}", policies=[], transport=wire).send_request(HttpRequest("GET", URL))


def told(answer: Answer) -> ServiceError:
    """The ServiceError for an answer, by the way that the registry's answers go."""
    with pytest.raises(ServiceError) as raised, as_service_error("Could not read app"):
        raise_for(answered(answer))
    return raised.value


SHAPES = [
    pytest.param({"error": {"code": "C", "message": "M"}}, "C", "M", id="arm"),
    pytest.param({"error": {"code": "C", "message": "M"}, "status": "Failed"}, "C", "M", id="arm with status"),
    pytest.param({"code": "C", "message": "M"}, "C", "M", id="no envelope"),
    pytest.param(json.dumps({"error": {"code": "C", "message": "M"}}), "C", "M", id="json in a json string"),
    pytest.param(
        {"errors": [{"code": "C", "message": "M", "detail": [{"Type": "registry"}]}]}, "C", "M", id="registry"
    ),
    pytest.param({"errors": [{"code": "C", "message": "M", "detail": {"name": "x"}}]}, "C", "M", id="detail object"),
    pytest.param({"errors": [{"code": "C", "message": "M"}, {"code": "D", "message": "N"}]}, "C", "M", id="two"),
    pytest.param({"error": "invalid_client", "error_description": "M"}, "invalid_client", "M", id="sign-in"),
    pytest.param(
        {"error": {"code": "C", "message": "", "details": [{"code": "D", "message": "M"}]}}, "C", "M", id="details"
    ),
    pytest.param({"error": {"details": [{"code": "C", "message": "M"}]}}, "C", "M", id="details alone"),
    pytest.param(
        {"code": "C", "details": [{"details": [{"message": "M"}, "N"]}]}, "C", "M\nN", id="details in details"
    ),
    pytest.param(
        {"error": {"code": "C", "message": "M", "details": [{"code": "D", "message": "N"}]}}, "C", "M", id="both"
    ),
    pytest.param(
        {"error": {"code": "C", "message": None, "details": 7}}, "C", "Azure gave no reason.", id="odd details"
    ),
    pytest.param({"error": {"code": 404, "message": "M"}}, "404", "M", id="number as code"),
    pytest.param({"error": None}, "", "Azure gave no reason.", id="null"),
    pytest.param({"errors": []}, "", "Azure gave no reason.", id="no errors"),
    pytest.param({"errors": [None]}, "", "Azure gave no reason.", id="null among errors"),
    pytest.param("plain words", "", "plain words", id="json string"),
    pytest.param(b"<html>Bad gateway</html>", "", "<html>Bad gateway</html>", id="html"),
    pytest.param(b"", "", "Azure gave no reason.", id="nothing"),
    pytest.param(b"null", "", "Azure gave no reason.", id="the word null"),
]


@pytest.mark.parametrize(("body", "code", "message"), SHAPES)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 429, 500])
def test_every_shape_of_a_refusal(body: Any, code: str, message: str, status: int) -> None:
    error = told(Answer(status, body))
    assert (error.title, error.cause, error.code, error.status) == ("Could not read app", message, code, status)
    assert error.remedy


NESTED = b"[" * 5000


@given(st.integers(400, 599), st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
@example(502, NESTED)
@example(409, json.dumps(NESTED.decode()).encode())
@example(400, b'{"errors": 1}')
@example(400, b'{"error": [1]}')
@example(400, b'\xff\xfe{"error": {}}')
@example(400, b'{"error": {"code": {"a": 1}, "message": ["b"]}}')
def test_no_body_is_too_strange(status: int, body: bytes) -> None:
    error = told(Answer(status, body, {"Content-Type": "application/json; charset=utf-8"}))
    assert error.status == status
    assert error.cause
    assert error.remedy
    assert isinstance(error.code, str)
    assert str(status) in str(error)


@pytest.mark.parametrize("content_type", ["text/html; charset=nonsense", "application/octet-stream", "\u00ff", ""])
def test_no_content_type_is_too_strange(content_type: str) -> None:
    error = told(Answer(502, b'{"error": {"code": "C", "message": "M"}}', {"Content-Type": content_type}))
    assert (error.code, error.status) == ("C", 502)


def test_a_page_of_html_is_cut() -> None:
    assert len(told(Answer(502, b"x" * 100_000)).cause) <= 300


@pytest.mark.parametrize(
    "name", ["x-ms-correlation-request-id", "X-Ms-Correlation-Request-Id", "x-ms-request-id", "X-MS-Client-Request-Id"]
)
def test_the_request_id_is_kept_whatever_its_case(name: str) -> None:
    assert told(Answer(404, {}, {name: "4f2c"})).request_id == "4f2c"


def test_support_asks_for_the_correlation_id_first() -> None:
    assert request_id({"x-ms-request-id": "one", "x-ms-correlation-request-id": "two"}) == "two"
    assert request_id({}) == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AuthorizationFailed", "role"),
        ("MissingSubscriptionRegistration", "az provider register --namespace Microsoft.ContainerRegistry"),
        ("UNAUTHORIZED", "Catalog Lister"),
        ("DENIED", "network rules"),
        ("REGISTRY_DISALLOWED_OPERATION", "lock"),
        ("NAME_UNKNOWN", "refresh"),
        ("ScopeLocked", "lock"),
        ("ReadOnlyDisabledSubscription", "subscription is disabled"),
        ("RequestDisallowedByPolicy", "exemption"),
        ("ResourceGroupBeingDeleted", "choose another"),
        ("InvalidResourceGroupLocation", "in another location"),
        ("LocationNotAvailableForResourceType", "one of the locations"),
        ("LocationNotAvailableForResourceGroup", "another location"),
        ("AlreadyInUse", "by anyone"),
        ("ReservedResourceName", "reserved word"),
        ("InvalidRegistryName", "5 to 50"),
        ("SkuNotSupported", "larger one"),
        ("QuotaExceeded", "quota"),
        ("SubscriptionQuotaExceeded", "quota"),
    ],
)
def test_a_known_code_has_its_own_remedy(code: str, words: str) -> None:
    assert words in told(Answer(400, {"error": {"code": code, "message": "M"}})).remedy


def test_what_is_denied_for_want_of_a_role_is_not_blamed_on_the_network() -> None:
    message = "requested access to the resource is denied"
    error = told(Answer(403, {"errors": [{"code": "DENIED", "message": message}]}))
    assert error.cause == message
    assert "role" in error.remedy
    assert "network" not in error.remedy
    closed = "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    error = told(Answer(403, {"errors": [{"code": "DENIED", "message": closed}]}))
    assert "network rules" in error.remedy
    assert "role" not in error.remedy


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "az login"),
        (403, {}, "role"),
        (404, {}, "deleted"),
        (429, {}, "in a minute"),
        (429, {"Retry-After": "90"}, "in 90 s"),
        (429, {"retry-after": "90"}, "in 90 s"),
        (503, {}, "status.azure.com"),
        (418, {}, "request id"),
    ],
)
def test_an_unknown_code_has_the_remedy_of_its_status(status: int, headers: dict[str, str], words: str) -> None:
    assert words in told(Answer(status, {"error": {"code": "New", "message": "M"}}, headers)).remedy


TRANSPORT = [
    pytest.param(untrusted, "NotTrusted", "ACR_CONSOLE_CA_FILE", id="untrusted"),
    pytest.param(unreachable, "Unreachable", "DNS", id="unreachable"),
    pytest.param(reset, "ConnectionLost", "network", id="reset"),
]


@pytest.mark.parametrize(("failure", "code", "words"), TRANSPORT)
def test_transport_failures_of_a_registry(
    registry: CannedRegistry, client: RegistryClient, failure: Callable[[], Reply], code: str, words: str
) -> None:
    registry.serve("GET", "/acr/v1/app", "repository:app:metadata_read", failure())
    with pytest.raises(ServiceError) as raised, as_service_error("Could not read app"):
        client.page("/acr/v1/app")
    assert (raised.value.code, raised.value.status) == (code, None)
    assert words in raised.value.remedy


@pytest.mark.parametrize(("failure", "code", "words"), TRANSPORT)
def test_transport_failures_of_arm(
    wire: Canned, azure: AzureSession, failure: Callable[[], Reply], code: str, words: str
) -> None:
    wire.on("GET", ARM_URL, failure())
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(azure)
    assert (raised.value.code, raised.value.status) == (code, None)
    assert words in raised.value.remedy


def test_arm_refusals_come_through_the_sdk(wire: Canned, azure: AzureSession) -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}}
    wire.on("GET", ARM_URL, Answer(403, body, {"x-ms-correlation-request-id": "4f2c"}))
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(azure)
    error = raised.value
    assert (error.code, error.status, error.request_id) == ("AuthorizationFailed", 403, "4f2c")
    assert error.cause == "The client does not have authorization."
    assert (
        str(error)
        == "Could not list the subscriptions: The client does not have authorization. (403 AuthorizationFailed)"
    )


@pytest.mark.parametrize("status", [200, 502])
def test_a_login_page_instead_of_arm_is_not_json(wire: Canned, azure: AzureSession, status: int) -> None:
    wire.on("GET", ARM_URL, Answer(status, b"<html>", {"Content-Type": "application/json"}))
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(azure)
    assert (raised.value.code, raised.value.status) == ("NotJson", status)


def test_a_wrong_secret_says_what_the_sign_in_page_says() -> None:
    wire = Canned()
    tenant = f"{CLOUD.authority}/4abb5e5e-0000-0000-0000-000000000000"
    endpoints = {
        "token_endpoint": f"{tenant}/token",
        "authorization_endpoint": f"{tenant}/x",
        "issuer": f"{tenant}/v2.0",
    }
    wire.on("GET", f"{tenant}/v2.0/.well-known/openid-configuration", Answer(200, endpoints))
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    wire.on("POST", f"{tenant}/token", Answer(401, refusal))
    credential = ClientSecretCredential(
        tenant.rpartition("/")[2], "app", "wrong", transport=wire, disable_instance_discovery=True
    )
    with pytest.raises(ServiceError) as raised, as_service_error("Could not sign in"):
        credential.get_token(CLOUD.resource_manager_scope)
    assert "AADSTS7000215" in raised.value.cause
    assert "wrong" not in str(raised.value.cause)


def test_no_credential_at_all() -> None:
    error = from_azure("Could not sign in", CredentialUnavailableError("Please run 'az login'\nTrace: …"))
    assert (error.code, error.cause, error.status) == ("NoCredential", "Please run 'az login'", None)


@pytest.mark.parametrize(
    "exc",
    [
        AzureError("x"),
        HttpResponseError("x"),
        DecodeError("x"),
        ServiceRequestError("x"),
        ServiceResponseError("x"),
        ClientAuthenticationError("x"),
    ],
)
def test_an_error_without_an_answer_is_explained(exc: AzureError) -> None:
    error = from_azure("T", exc)
    assert error.title == "T"
    assert error.cause
    assert error.remedy


def test_explained_keeps_the_cause_and_lets_others_pass() -> None:
    original = ServiceRequestError("x")
    with pytest.raises(ServiceError) as raised, as_service_error("T"):
        raise original
    assert raised.value.__cause__ is original
    with pytest.raises(ZeroDivisionError), as_service_error("T"):
        raise ZeroDivisionError("x")
    already = ServiceError("first", "c", "r")
    with pytest.raises(ServiceError) as raised, as_service_error("second"):
        raise already
    assert raised.value is already
