"""One session at one Azure: which addresses it asks, for which scopes, and as whom."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.containerservice._utils import model_base
from azure.mgmt.containerservice.models import ContainerServiceNetworkProfile, ManagedCluster

from services.arm.subscriptions import list_subscriptions
from services.connection import session as session_module
from services.connection.endpoints import CLOUDS, AzureEndpoints
from services.connection.errors import ServiceError
from services.connection.session import AzureSession, Identity, connect_azure, connect_sandbox
from services.connection.transport import SignInTransport
from services.connection.version import USER_AGENT
from tests.support.canned import ARM, CLOUD, Answer, Canned, CannedSignIn, Credential

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"

READY = {
    "authority": "https://localhost:8443",
    "resource_manager": "https://localhost:8443",
    "resource_manager_scope": "https://localhost:8443/.default",
    "registry_audience": "https://containerregistry.azure.net",
    "retail_prices": "https://localhost:5000",
    "logs": "https://localhost:5000",
    "metrics": "https://localhost:5000",
    "graph": "https://localhost:8443/graph",
    "tenant_id": "4abb5e5e-0000-0000-0000-000000000000",
    "client_id": "console",
    "client_secret": "console-secret",
    "reader_client_id": "reader",
    "reader_client_secret": "reader-secret",
    "ca_file": "/does/not/matter/ca.pem",
}


def test_clients_are_made_once(azure: AzureSession) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: id(azure.registry("contoso.azurecr.io")), range(64)))
    assert len(made) == 1
    assert azure.registries(SUBSCRIPTION) is azure.registries(SUBSCRIPTION)
    assert azure.registries(SUBSCRIPTION) is not azure.registries("another")
    assert azure.registry("contoso.azurecr.io") is not azure.registry("contoso-other.azurecr.io")
    assert azure.subscriptions() is azure.subscriptions()
    assert azure.clusters(SUBSCRIPTION) is azure.clusters(SUBSCRIPTION)
    assert azure.authorization(SUBSCRIPTION) is not azure.authorization("another")


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_each_cloud_is_asked_at_its_own_address_for_its_own_scope(cloud: AzureEndpoints) -> None:
    wire, credential = Canned(), Credential()
    wire.on("GET", f"{cloud.resource_manager}/subscriptions", Answer(200, {"value": []}))
    assert list_subscriptions(AzureSession(credential, cloud, wire)).values == ()
    (sent,) = wire.sent
    assert sent.url.startswith(f"{cloud.resource_manager}/subscriptions?")
    assert sent.headers["Authorization"].startswith("Bearer ")
    assert sent.headers["User-Agent"].startswith(USER_AGENT)
    assert set(credential.asked) == {cloud.resource_manager_scope}


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_logs_are_asked_with_a_token_of_their_own(cloud: AzureEndpoints) -> None:
    wire, credential = Canned(), Credential()
    wire.on("POST", f"{cloud.logs}/v1/subscriptions/s/query", Answer(200, {"tables": []}))
    AzureSession(credential, cloud, wire).logs().query_resource("/subscriptions/s", "T", timespan=None)
    assert set(credential.asked) == {f"{cloud.logs}/.default"}
    assert wire.sent[0].headers["User-Agent"].startswith(USER_AGENT)


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_metrics_are_asked_in_their_region(cloud: AzureEndpoints) -> None:
    wire, credential = Canned(), Credential()
    host = cloud.metrics.removeprefix("https://")
    wire.on("POST", f"https://westeurope.{host}/subscriptions/s/metrics:getBatch", Answer(200, {"values": []}))
    client = AzureSession(credential, cloud, wire).metrics("westeurope")
    assert client.query_resources(resource_ids=["/subscriptions/s"], metric_namespace="n", metric_names=["m"]) == []
    assert set(credential.asked) == {f"{cloud.metrics}/.default"}


@pytest.mark.parametrize(
    ("provider", "listed"),
    [
        ("Microsoft.ContainerRegistry/registries", lambda azure: azure.registries(SUBSCRIPTION).registries.list()),
        (
            "Microsoft.ContainerService/managedClusters",
            lambda azure: azure.clusters(SUBSCRIPTION).managed_clusters.list(),
        ),
        (
            "Microsoft.Authorization/roleAssignments",
            lambda azure: azure.authorization(SUBSCRIPTION).role_assignments.list_for_subscription(),
        ),
    ],
)
def test_reading_never_registers_a_provider(
    wire: Canned, azure: AzureSession, provider: str, listed: Callable[[AzureSession], Iterable[Any]]
) -> None:
    code = "MissingSubscriptionRegistration"
    url = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/{provider}"
    wire.on("GET", url, Answer(409, {"error": {"code": code, "message": "not registered"}}))
    with pytest.raises(Exception, match=code):
        list(listed(azure))
    assert [sent.method for sent in wire.sent] == ["GET"]


def test_arm_throttling_is_waited_out_or_handed_on(wire: Canned, azure: AzureSession) -> None:
    url, body = f"{ARM}/subscriptions", {"error": {"code": "TooManyRequests", "message": "M"}}
    wire.on("GET", url, Answer(429, body, {"Retry-After": "5"}), Answer(200, {"value": []}))
    assert list_subscriptions(azure).values == ()
    assert wire.slept == [5]
    wire.on("GET", url, Answer(429, body, {"Retry-After": "300"}))
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(azure)
    assert (raised.value.status, raised.value.code) == (429, "TooManyRequests")
    assert "300 s" in raised.value.remedy
    assert wire.slept == [5]


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"Retry-After": "300"}, []),
        ({"Retry-After": "61"}, []),
        ({"Retry-After": "60"}, [60] * 3),
        ({}, [0.8, 1.6, 3.2]),
    ],
)
def test_a_throttled_sign_in_is_shown_and_not_slept_through(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], slept: list[float]
) -> None:
    wire = CannedSignIn()
    tenant = f"{READY['authority']}/{READY['tenant_id']}"
    document = {
        "token_endpoint": f"{tenant}/token",
        "authorization_endpoint": f"{tenant}/x",
        "issuer": f"{tenant}/v2.0",
    }
    wire.on("GET", f"{tenant}/v2.0/.well-known/openid-configuration", Answer(200, document))
    refusal = {"error": "temporarily_unavailable", "error_description": "AADSTS90055: too many requests."}
    wire.on("POST", f"{tenant}/token", Answer(429, refusal, headers))
    monkeypatch.setattr(session_module, "pooled", lambda *_: wire)
    with pytest.raises(ServiceError) as raised:
        _ = connect_sandbox(READY).identity
    error = raised.value
    assert (error.title, error.status) == ("Could not sign in", 429)
    assert "AADSTS90055" in error.cause
    assert error.remedy.startswith("Azure throttles: try again ")
    assert (f"in {headers['Retry-After']} s" if headers else "in a minute") in error.remedy
    assert wire.slept == slept
    assert len([sent for sent in wire.sent if sent.method == "POST"]) == len(wire.slept) + 1


@pytest.mark.parametrize("connect", [connect_azure, lambda: connect_sandbox(READY)], ids=["azure", "sandbox"])
def test_every_credential_signs_in_within_the_limits(
    monkeypatch: pytest.MonkeyPatch, connect: Callable[[], AzureSession]
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", READY["tenant_id"])
    monkeypatch.setenv("AZURE_CLIENT_ID", "console")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "any")
    credential: Any = connect().credential
    if isinstance(credential, DefaultAzureCredential):
        credential = credential.credentials[0]._credential  # type: ignore[attr-defined]
    assert isinstance(credential._client._pipeline._transport, SignInTransport)


def test_a_redirect_carries_no_token_to_another_host(wire: Canned, azure: AzureSession) -> None:
    elsewhere = "https://elsewhere.example.com/subscriptions"
    wire.on("GET", f"{ARM}/subscriptions", Answer(307, None, {"Location": elsewhere}))
    wire.on("GET", elsewhere, Answer(200, {"value": []}))
    list_subscriptions(azure)
    assert "Authorization" in wire.sent[0].headers
    assert "Authorization" not in wire.sent[1].headers


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"upn": "admin@contoso.com", "appid": "a"}, "admin@contoso.com"),
        ({"unique_name": "admin@contoso.com"}, "admin@contoso.com"),
        ({"preferred_username": "admin@contoso.com"}, "admin@contoso.com"),
        ({"app_displayname": "console", "appid": "a"}, "console"),
        ({"appid": "a"}, "a"),
        ({"azp": "b"}, "b"),
        ({"upn": "", "appid": "a"}, "a"),
        ({}, ""),
    ],
)
def test_identity_is_the_tokens_own(claims: dict[str, str], name: str) -> None:
    session = AzureSession(Credential(tid="t", oid="o", **claims), CLOUD, Canned())
    assert session.identity == Identity("t", "o", name)
    assert session.identity.key == "t/o"


def test_nobody_is_signed_in() -> None:
    class Nobody:
        def get_token(self, *_: str, **__: object) -> None:
            raise ClientAuthenticationError("Please run 'az login'")

    with pytest.raises(ServiceError) as raised:
        _ = AzureSession(Nobody(), CLOUD, Canned()).identity
    assert (raised.value.title, raised.value.code) == ("Could not sign in", "NoCredential")


@pytest.mark.parametrize(("as_reader", "client_id"), [(False, "console"), (True, "reader")])
def test_the_sandbox_is_the_same_code_with_other_values(as_reader: bool, client_id: str) -> None:
    session = connect_sandbox(READY, as_reader=as_reader)
    assert session.endpoints == AzureEndpoints(
        "Sandbox",
        "https://localhost:8443",
        "https://localhost:8443",
        "https://localhost:8443/.default",
        "https://containerregistry.azure.net",
        "/does/not/matter/ca.pem",
        instance_discovery=False,
        retail_prices="https://localhost:5000",
        graph="https://localhost:8443/graph",
        logs="https://localhost:5000",
        metrics="https://localhost:5000",
        metrics_by_region=False,
    )
    assert isinstance(session.credential, ClientSecretCredential)
    assert session.credential._client_id == client_id
    assert session._transport.connection_config.verify == "/does/not/matter/ca.pem"


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("ca_file", "verify"), [(None, True), ("/contoso/ca.pem", "/contoso/ca.pem")])
def test_azure_always_verifies_certificates(cloud: str, ca_file: str | None, verify: bool | str) -> None:
    session = connect_azure(cloud, ca_file)
    assert session.endpoints == replace(CLOUDS[cloud], ca_file=ca_file)
    assert isinstance(session.credential, DefaultAzureCredential)
    assert session._transport.connection_config.verify == verify


def test_no_secret_is_in_what_a_session_prints() -> None:
    session = connect_sandbox(READY)
    assert "console-secret" not in f"{session!r} {session.endpoints!r} {session.credential!r}"


def test_the_models_of_a_client_are_ready_before_threads_meet_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ready: set[str] = set()
    monkeypatch.setattr(model_base.Model, "_calculated", ready)
    AzureSession(Credential(), CLOUD, Canned()).clusters(SUBSCRIPTION)
    named = {f"{model.__module__}.{model.__qualname__}" for model in (ManagedCluster, ContainerServiceNetworkProfile)}
    assert named <= ready
