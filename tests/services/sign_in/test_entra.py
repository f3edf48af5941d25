"""People's tokens by MSAL, against the sandbox's Entra: begun, redeemed, renewed, challenged, revoked."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.rest import HttpRequest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from sandbox.identity.principals import TENANT_ID
from sandbox.seeds.company import ADMIN, DEVELOPER
from sandbox.server import Sandbox
from services.connection.errors import SIGN_IN_NEEDED, ServiceError, SignInNeeded, as_service_error
from services.connection.session import AzureSession, Identity, sandbox_endpoints
from services.registries.reading import list_registries
from services.sign_in.app_roles import AppRole
from services.sign_in.credential import PersonCredential, console_credential
from services.sign_in.entra import Entra, RefusedSignIn, Registration
from services.sign_in.store import SignIns, sealing_keys
from tests.support.databases import sqlite

HOME = "http://localhost:8501/auth/callback"


@pytest.fixture
def entra_of_sandbox(own_estate: Sandbox, tmp_path: Path) -> Iterator[Entra]:
    with sqlite(tmp_path) as database:
        yield entra(own_estate, database)


@pytest.fixture(scope="module")
def own_estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("entra"), "estate") as running:
        running.register_console(HOME)
        yield running


def entra(sandbox: Sandbox, database: Engine, keys: str = "", **changed: Any) -> Entra:
    """As one process of the console has it."""
    ready = sandbox.ready
    found = Registration(
        ready["authority"],
        ready["tenant_id"],
        ready["client_id"],
        ready["client_secret"],
        HOME,
        ready["resource_manager_scope"],
        ready["ca_file"],
        instance_discovery=False,
    )
    sealing = sealing_keys(keys or _KEY)
    hour = timedelta(hours=1)
    return Entra(replace(found, **changed), SignIns(lambda: database, sealing, hour, hour, ready["resource_manager"]))


_KEY = Fernet.generate_key().decode()


def choose(flow: dict[str, Any], account: str) -> dict[str, str]:
    answer = requests.post(flow["auth_uri"], {"account": account}, allow_redirects=False, timeout=10)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def sign_in(console: Entra, account: str = ADMIN) -> str:
    flow = console.begin()
    console.finish(flow, choose(flow, account), None)
    return f"{TENANT_ID}/{account}"


def session_of(console: Entra, sandbox: Sandbox, account: str) -> AzureSession:
    identity = Identity(*account.split("/"), name="")
    return AzureSession(PersonCredential(console, account), sandbox_endpoints(sandbox.ready), identity=identity)


def token_requests(sandbox: Sandbox) -> int:
    return sum(request.path.endswith("/oauth2/v2.0/token") for request in sandbox.requests)


def test_azure_is_asked_as_each_person(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    seen = {}
    for person in (ADMIN, DEVELOPER):
        session = session_of(entra_of_sandbox, own_estate, sign_in(entra_of_sandbox, person))
        seen[person] = len(list_registries(session).values)
    assert seen == {ADMIN: 13, DEVELOPER: 1}


def test_one_sign_in_serves_resource_manager_and_the_registries(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    account = sign_in(entra_of_sandbox)
    for resource in ("resource_manager", "registry_audience", "graph"):
        token = entra_of_sandbox.token(account, (f"{own_estate.ready[resource]}/.default",))["access_token"]
        claims = own_estate.state.tokens.read(token)
        assert (claims["oid"], claims["aud"]) == (ADMIN, own_estate.ready[resource])


def test_a_state_that_was_not_begun_here_is_refused(entra_of_sandbox: Entra) -> None:
    flow = entra_of_sandbox.begin()
    answer = choose(flow, ADMIN)
    with pytest.raises(RefusedSignIn):
        entra_of_sandbox.finish(flow, {**answer, "state": "forged"}, None)
    with pytest.raises(RefusedSignIn):
        entra_of_sandbox.finish({**flow, "nonce": "another"}, answer, None)
    assert entra_of_sandbox.sign_ins.person(f"{TENANT_ID}/{ADMIN}") is None


def test_a_code_serves_once(entra_of_sandbox: Entra) -> None:
    flow = entra_of_sandbox.begin()
    answer = choose(flow, ADMIN)
    entra_of_sandbox.finish(flow, answer, None)
    with pytest.raises(RefusedSignIn, match="AADSTS54005"):
        entra_of_sandbox.finish(flow, answer, None)


def test_cancelling_is_refused_with_entra_s_code(entra_of_sandbox: Entra) -> None:
    flow = entra_of_sandbox.begin()
    with pytest.raises(RefusedSignIn) as refused:
        entra_of_sandbox.finish(flow, choose(flow, "cancel"), None)
    assert refused.value.code == "access_denied"


def test_many_threads_make_one_refresh(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    account = sign_in(entra_of_sandbox)
    own_estate.clear_requests()
    scope = f"{own_estate.ready['registry_audience']}/.default"
    ready = threading.Barrier(8)

    def ask(_number: int) -> str:
        ready.wait(10)
        return str(entra_of_sandbox.token(account, (scope,))["access_token"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert token_requests(own_estate) == 1


def test_a_short_token_is_renewed_unseen(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    own_estate.state.sign_ins.access_seconds = 60  # MSAL renews what has less than five minutes left.
    try:
        account = sign_in(entra_of_sandbox)
        first, second = (
            entra_of_sandbox.token(account, (own_estate.ready["resource_manager_scope"],)) for _ in range(2)
        )
    finally:
        own_estate.state.sign_ins.access_seconds = 3600
    assert first["access_token"] != second["access_token"]


def test_another_process_has_the_tokens_too(own_estate: Sandbox, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        one, other = entra(own_estate, database), entra(own_estate, database)
        account = sign_in(one)
        scope = (own_estate.ready["resource_manager_scope"],)
        own_estate.clear_requests()
        assert one.token(account, scope)["access_token"] == other.token(account, scope)["access_token"]
        assert token_requests(own_estate) == 0
        registry = (f"{own_estate.ready['registry_audience']}/.default",)
        assert one.token(account, registry)["access_token"] == other.token(account, registry)["access_token"]


def test_a_revoked_sign_in_needs_the_person_until_they_sign_in_again(
    entra_of_sandbox: Entra, own_estate: Sandbox
) -> None:
    account = sign_in(entra_of_sandbox)
    own_estate.state.sign_ins.revoke(ADMIN)
    session = session_of(entra_of_sandbox, own_estate, account)
    with pytest.raises(ServiceError) as refused, as_service_error("x"):
        session.credential.get_token(f"{own_estate.ready['registry_audience']}/.default")
    assert refused.value.code == SIGN_IN_NEEDED
    assert "AADSTS50173" in refused.value.cause
    assert "az login" not in refused.value.remedy
    with pytest.raises(SignInNeeded):
        entra_of_sandbox.require(account)
    sign_in(entra_of_sandbox)
    entra_of_sandbox.require(account)


def test_what_entra_wants_is_asked_for_at_the_next_sign_in(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    account = sign_in(entra_of_sandbox)
    own_estate.state.sign_ins.second_factor.add(ADMIN)
    with pytest.raises(SignInNeeded, match="AADSTS50076"):
        entra_of_sandbox.token(account, (f"{own_estate.ready['registry_audience']}/.default",))
    asked = parse_qs(urlsplit(entra_of_sandbox.begin(account=account, login="a@b")["auth_uri"]).query)
    assert "acrs" in asked["claims"][0]
    assert asked["login_hint"] == ["a@b"]
    assert "acrs" not in str(parse_qs(urlsplit(entra_of_sandbox.begin()["auth_uri"]).query).get("claims"))
    sign_in(entra_of_sandbox)
    entra_of_sandbox.require(account)


SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"


def test_a_claims_challenge_is_answered_unseen(entra_of_sandbox: Entra, own_estate: Sandbox) -> None:
    session = session_of(entra_of_sandbox, own_estate, sign_in(entra_of_sandbox))
    request = HttpRequest("GET", own_estate.ready["resource_manager"] + SUBSCRIPTIONS)
    assert session.resources().send_request(request).status_code == 200
    own_estate.state.sign_ins.challenge(ADMIN)
    own_estate.clear_requests()
    assert session.resources().send_request(request).status_code == 200
    assert [one.status for one in own_estate.requests if one.path == "/subscriptions"] == [401, 200]


def test_a_claims_challenge_that_entra_does_not_answer_needs_the_person(
    entra_of_sandbox: Entra, own_estate: Sandbox
) -> None:
    account = sign_in(entra_of_sandbox)
    session = session_of(entra_of_sandbox, own_estate, account)
    list_registries(session)
    own_estate.state.sign_ins.challenge(ADMIN)
    own_estate.state.sign_ins.revoke(ADMIN)
    with pytest.raises(ServiceError) as refused:
        list_registries(session)
    assert refused.value.code == SIGN_IN_NEEDED
    with pytest.raises(SignInNeeded):
        entra_of_sandbox.require(account)  # A token in memory that Resource Manager refuses does not count.


def test_tokens_sealed_with_a_lost_key_need_the_person(own_estate: Sandbox, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        account = sign_in(entra(own_estate, database))
        with pytest.raises(SignInNeeded, match="keys have changed"):
            entra(own_estate, database, Fernet.generate_key().decode()).require(account)


def test_whoever_signed_out_everywhere_is_asked_for_no_more(entra_of_sandbox: Entra) -> None:
    flow = entra_of_sandbox.begin()
    cookie = entra_of_sandbox.finish(flow, choose(flow, ADMIN), None)
    account = f"{TENANT_ID}/{ADMIN}"
    entra_of_sandbox.require(account)
    entra_of_sandbox.sign_ins.end(cookie)
    with pytest.raises(SignInNeeded):
        entra_of_sandbox.require(account)


def test_a_wrong_secret_is_the_console_s_own_fault(own_estate: Sandbox, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        account = sign_in(entra(own_estate, database))
        broken = entra(own_estate, database, credential="wrong")
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as refused:
            broken.token(account, (f"{own_estate.ready['registry_audience']}/.default",))
        assert not isinstance(refused.value, SignInNeeded)
        broken.require(account)  # Nobody is sent to sign in for it.


def test_an_entra_that_cannot_be_reached_signs_nobody_out(own_estate: Sandbox, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        account = sign_in(entra(own_estate, database))
        lost = entra(own_estate, database, authority="https://localhost:1")
        with pytest.raises(ServiceRequestError):
            lost.token(account, (own_estate.ready["resource_manager_scope"],))
        with pytest.raises(ServiceRequestError):
            lost.begin()


def test_a_federated_identity_is_read_anew_each_time(own_estate: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "assertion"
    file.write_text("the.first.token")
    credential = console_credential("", {"AZURE_FEDERATED_TOKEN_FILE": str(file)})
    assert not isinstance(credential, str)
    assert credential["client_assertion"]() == "the.first.token"
    file.write_text("the.second.token")
    assert credential["client_assertion"]() == "the.second.token"
    with sqlite(tmp_path) as database:
        sign_in(entra(own_estate, database, credential=credential))


def test_a_secret_goes_before_a_federated_identity() -> None:
    assert console_credential("secret", {"AZURE_FEDERATED_TOKEN_FILE": "/x"}) == "secret"


def test_where_nobody_is_asked_as_there_is_neither_token_nor_consent(own_estate: Sandbox, tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        console = entra(own_estate, database, scope="")
        flow = console.begin()
        scopes = parse_qs(urlsplit(flow["auth_uri"]).query)["scope"][0].split()
        assert sorted(scopes) == ["openid", "profile"]
        cookie = console.finish(flow, choose(flow, ADMIN), None)
        found = console.sign_ins.find(cookie)
        assert found
        assert found.roles == (AppRole.OPERATOR,)
        stored = console.sign_ins.tokens(found.account)
        assert stored
        assert stored.text == ""
