"""Signing people in: MSAL and azure-identity are the judges, with the page's own form between them."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import msal
import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from azure.identity import AuthorizationCodeCredential
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from sandbox.identity.principals import CONSOLE, TENANT_ID
from sandbox.seeds.company import ADMIN, AUDITOR, DEVELOPER, LEAD
from sandbox.seeds.places import RESTRICTED
from sandbox.server import Sandbox

HOME = "http://localhost:8501/auth/callback"
RESTRICTED_GROUP = f"/subscriptions/{RESTRICTED}/resourcegroups/x?api-version=2022-09-01"
SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def entra(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("people"), "estate", clock=clock) as running:
        running.register_console(HOME)
        yield running


@pytest.fixture
def http(entra: Sandbox) -> requests.Session:
    """What MSAL asks through: REQUESTS_CA_BUNDLE would go before the session's own `verify`."""
    session = requests.Session()
    session.verify = entra.ready["ca_file"]
    session.trust_env = False
    return session


@pytest.fixture
def console(entra: Sandbox, http: requests.Session) -> msal.ConfidentialClientApplication:
    return application(entra, http, CONSOLE.secret)


def application(
    entra: Sandbox, http: requests.Session, credential: str | dict[str, Any], **options: Any
) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        CONSOLE.app_id,
        client_credential=credential,
        authority=f"{entra.state.authority_url}/{TENANT_ID}",
        http_client=http,
        instance_discovery=False,
        **options,
    )


def choose(url: str, account: str) -> dict[str, str]:
    """What the browser brings back once that account was chosen."""
    answer = requests.post(url, {"account": account}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{HOME}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def begin(console: msal.ConfidentialClientApplication, entra: Sandbox, **options: Any) -> dict[str, Any]:
    flow: dict[str, Any] = console.initiate_auth_code_flow(
        [entra.ready["resource_manager_scope"]], redirect_uri=HOME, response_mode="query", **options
    )
    return flow


def sign_in(console: msal.ConfidentialClientApplication, entra: Sandbox, account: str) -> dict[str, Any]:
    flow = begin(console, entra)
    result: dict[str, Any] = console.acquire_token_by_auth_code_flow(flow, choose(flow["auth_uri"], account))
    return result


def silently(console: msal.ConfidentialClientApplication, scope: str, **options: Any) -> dict[str, Any]:
    (account,) = console.get_accounts()
    result: dict[str, Any] = console.acquire_token_silent_with_error([scope], account, **options)
    return result


def test_the_page_lists_the_people_and_nobody_else(console: msal.ConfidentialClientApplication, entra: Sandbox) -> None:
    page = requests.get(begin(console, entra)["auth_uri"], timeout=10)
    assert page.status_code == 200
    assert page.url.startswith("http://localhost:")  # Without a certificate that no browser knows.
    for person in (ADMIN, DEVELOPER, AUDITOR):
        assert f'value="{person}"' in page.text
    assert "payments-developers" not in page.text
    assert CONSOLE.object_id not in page.text


def test_a_person_signs_in_by_code_and_proof_key(console: msal.ConfidentialClientApplication, entra: Sandbox) -> None:
    assert "code_challenge_method=S256" in begin(console, entra)["auth_uri"]
    result = sign_in(console, entra, ADMIN)
    assert result["id_token_claims"]["oid"] == ADMIN
    assert result["id_token_claims"]["tid"] == TENANT_ID
    assert result["id_token_claims"]["preferred_username"] == "platform-admin@contoso.example"
    assert result["id_token_claims"]["roles"] == ["Console.Operator"]
    claims = entra.state.tokens.read(result["access_token"])
    assert (claims["oid"], claims["upn"]) == (ADMIN, "platform-admin@contoso.example")


def test_whoever_has_no_app_role_has_no_roles_claim(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    assert "roles" not in sign_in(console, entra, LEAD)["id_token_claims"]


def test_azure_identity_redeems_a_code_and_renews_its_token(entra: Sandbox) -> None:
    scope = entra.ready["resource_manager_scope"]
    query = {
        "client_id": CONSOLE.app_id,
        "response_type": "code",
        "redirect_uri": HOME,
        "scope": f"{scope} offline_access",
    }
    page = f"{entra.state.people_url}/{TENANT_ID}/oauth2/v2.0/authorize"
    entra.state.sign_ins.access_seconds = 0  # Over as soon as it is there.
    try:
        credential = AuthorizationCodeCredential(
            TENANT_ID,
            CONSOLE.app_id,
            choose(f"{page}?{urlencode(query)}", DEVELOPER)["code"],
            HOME,
            client_secret=CONSOLE.secret,
            authority=entra.state.authority_url,
            disable_instance_discovery=True,
            connection_verify=entra.ready["ca_file"],
        )
        first, second = (
            jwt.decode(credential.get_token(scope).token, options={"verify_signature": False}) for _ in range(2)
        )
        assert first["jti"] != second["jti"]
        assert first["oid"] == second["oid"] == DEVELOPER
    finally:
        entra.state.sign_ins.access_seconds = 3600


def test_authlib_signs_in_by_what_discovery_says_and_trusts_the_id_token(
    entra: Sandbox, http: requests.Session
) -> None:
    where = f"{entra.state.authority_url}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
    found = http.get(where, timeout=10).json()
    verifier = generate_token(48)
    client = OAuth2Session(
        CONSOLE.app_id,
        CONSOLE.secret,
        scope="openid profile offline_access",
        redirect_uri=HOME,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",
    )
    client.verify, client.trust_env = entra.ready["ca_file"], False
    nonce = generate_token()
    url, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    answer = f"{HOME}?{urlencode(choose(url, AUDITOR))}"
    token = client.fetch_token(
        found["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )
    keys = KeySet.import_key_set(http.get(found["jwks_uri"], timeout=10).json())
    claims = CodeIDToken(
        joserfc_jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims,
        {},
        {"iss": {"value": found["issuer"]}, "aud": {"value": CONSOLE.app_id}},
        {"nonce": nonce, "client_id": CONSOLE.app_id, "access_token": token["access_token"]},
    )
    claims.validate()
    assert claims["oid"] == AUDITOR
    renewed = client.refresh_token(found["token_endpoint"])
    assert renewed["access_token"] != token["access_token"]
    with pytest.raises(OAuthError, match="invalid_grant"):  # A code serves once.
        client.fetch_token(found["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)


@pytest.mark.parametrize("resource", ["resource_manager", "registry_audience", "graph"])
def test_one_sign_in_serves_every_resource(
    console: msal.ConfidentialClientApplication, entra: Sandbox, resource: str
) -> None:
    sign_in(console, entra, ADMIN)
    token = silently(console, f"{entra.ready[resource]}/.default")["access_token"]
    assert entra.state.tokens.read(token)["aud"] == entra.ready[resource]


def test_resource_manager_decides_by_the_person_s_own_roles(
    console: msal.ConfidentialClientApplication, entra: Sandbox, http: requests.Session
) -> None:
    seen = {}
    for person in (ADMIN, DEVELOPER):
        token = sign_in(console, entra, person)["access_token"]
        answer = http.get(f"{entra.ready['resource_manager']}{SUBSCRIPTIONS}", headers=bearer(token), timeout=10)
        seen[person] = len(answer.json()["value"])
        refused = http.put(
            f"{entra.ready['resource_manager']}{RESTRICTED_GROUP}",
            headers=bearer(token),
            json={"location": "westeurope"},
            timeout=10,
        )
        assert refused.status_code == 403
        assert f"'{entra.state.tokens.read(token)['upn']}'" in refused.json()["error"]["message"]
    assert seen[DEVELOPER] < seen[ADMIN]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_id_token_is_signed_by_the_key_that_is_published(
    console: msal.ConfidentialClientApplication, entra: Sandbox, http: requests.Session
) -> None:
    discovery = http.get(f"{entra.state.authority_url}/{TENANT_ID}/v2.0/.well-known/openid-configuration", timeout=10)
    keys = http.get(discovery.json()["jwks_uri"], timeout=10).json()
    token = sign_in(console, entra, ADMIN)["id_token"]
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    read = {"algorithms": ["RS256"], "audience": CONSOLE.app_id, "issuer": discovery.json()["issuer"]}
    assert jwt.decode(token, key, **read)["oid"] == ADMIN
    head, body, signature = token.split(".")
    forged = {**json.loads(base64.urlsafe_b64decode(body + "==")), "oid": DEVELOPER}
    other = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{other}.{signature}", key, **read)


def test_a_federated_identity_needs_no_secret(entra: Sandbox, http: requests.Session) -> None:
    federated = application(entra, http, {"client_assertion": lambda: "the.token.of.a.service.account"})
    assert sign_in(federated, entra, ADMIN)["id_token_claims"]["oid"] == ADMIN


def test_a_wrong_secret_is_refused(entra: Sandbox, http: requests.Session) -> None:
    refused = sign_in(application(entra, http, "wrong"), entra, ADMIN)
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])


def test_a_code_counts_once_and_only_with_its_verifier(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    flow = begin(console, entra)
    answer = choose(flow["auth_uri"], ADMIN)
    stolen = console.acquire_token_by_auth_code_flow({**flow, "code_verifier": "x" * 43}, answer)
    assert stolen["error_codes"] == [501481]
    assert console.acquire_token_by_auth_code_flow(flow, answer)["error_codes"] == [54005]
    answer = choose(flow["auth_uri"], ADMIN)
    assert "access_token" in console.acquire_token_by_auth_code_flow(flow, answer)
    assert console.acquire_token_by_auth_code_flow(flow, answer)["error_codes"] == [54005]


def test_a_code_ends_after_ten_minutes(
    console: msal.ConfidentialClientApplication, entra: Sandbox, clock: Clock
) -> None:
    flow = begin(console, entra)
    answer = choose(flow["auth_uri"], ADMIN)
    clock.ahead = timedelta(minutes=10)
    try:
        assert console.acquire_token_by_auth_code_flow(flow, answer)["error_codes"] == [70008]
    finally:
        clock.ahead = timedelta()


def test_an_unknown_client_or_redirect_gets_no_code(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    url = begin(console, entra)["auth_uri"]
    for changed, code in (
        (url.replace("8501", "9999"), "AADSTS50011"),
        (url.replace(CONSOLE.app_id, "another"), "AADSTS700016"),
        (url.replace(CONSOLE.app_id, ""), "AADSTS700016"),
        (url.replace(TENANT_ID, "another"), "AADSTS90002"),
    ):
        answer = requests.post(changed, {"account": ADMIN}, allow_redirects=False, timeout=10)
        assert answer.status_code == 400
        assert code in answer.text


def test_what_is_shown_of_a_request_is_text(entra: Sandbox) -> None:
    page = requests.get(
        f"{entra.state.people_url}/{TENANT_ID}/oauth2/v2.0/authorize?client_id=<script>x</script>", timeout=10
    )
    assert "<script>" not in page.text


def test_whoever_cancels_comes_back_with_the_reason(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    flow = begin(console, entra)
    refused = console.acquire_token_by_auth_code_flow(flow, choose(flow["auth_uri"], "cancel"))
    assert refused["error"] == "access_denied"


def test_a_short_token_is_renewed(console: msal.ConfidentialClientApplication, entra: Sandbox) -> None:
    entra.state.sign_ins.access_seconds = 100  # MSAL renews what has less than five minutes left.
    try:
        first = sign_in(console, entra, ADMIN)["access_token"]
        assert silently(console, entra.ready["resource_manager_scope"])["access_token"] != first
    finally:
        entra.state.sign_ins.access_seconds = 3600


def test_nothing_is_renewed_once_it_was_revoked_until_a_new_sign_in(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    sign_in(console, entra, ADMIN)
    entra.state.sign_ins.revoke(ADMIN)
    refused = silently(console, entra.ready["resource_manager_scope"], force_refresh=True)
    assert refused["error_codes"] == [50173]
    sign_in(console, entra, ADMIN)
    assert "access_token" in silently(console, entra.ready["resource_manager_scope"], force_refresh=True)


def test_a_second_factor_is_asked_for_at_the_page_alone(
    console: msal.ConfidentialClientApplication, entra: Sandbox
) -> None:
    sign_in(console, entra, ADMIN)
    entra.state.sign_ins.second_factor.add(ADMIN)
    refused = silently(console, entra.ready["resource_manager_scope"], force_refresh=True)
    assert (refused["error"], refused["error_codes"]) == ("interaction_required", [50076])
    assert json.loads(refused["claims"])["access_token"]
    sign_in(console, entra, ADMIN)
    assert "access_token" in silently(console, entra.ready["resource_manager_scope"], force_refresh=True)


def test_a_claims_challenge_is_answered_with_a_new_token(entra: Sandbox, http: requests.Session) -> None:
    console = application(entra, http, CONSOLE.secret, client_capabilities=["CP1"])
    url = f"{entra.ready['resource_manager']}{SUBSCRIPTIONS}"
    token = sign_in(console, entra, ADMIN)["access_token"]
    entra.state.sign_ins.challenge(ADMIN)
    refused = http.get(url, headers=bearer(token), timeout=10)
    assert refused.status_code == 401
    header = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in header
    claims = base64.b64decode(header.partition('claims="')[2].partition('"')[0]).decode()
    renewed = silently(console, entra.ready["resource_manager_scope"], claims_challenge=claims)["access_token"]
    assert http.get(url, headers=bearer(renewed), timeout=10).status_code == 200
    # Renewed without the challenge, it is not answered.
    other = silently(console, entra.ready["resource_manager_scope"], force_refresh=True)["access_token"]
    assert http.get(url, headers=bearer(other), timeout=10).status_code == 401


def test_a_sign_in_outlives_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("restarted")
    with Sandbox.start(data, "estate") as first:
        first.register_console(HOME)
        place = first.state.people_url
        http = requests.Session()
        http.verify, http.trust_env = first.ready["ca_file"], False
        console = application(first, http, CONSOLE.secret)
        sign_in(console, first, ADMIN)
    with Sandbox.start(data, "estate") as second:
        second.register_console(HOME)
        assert second.state.people_url == place
        assert "access_token" in silently(console, second.ready["resource_manager_scope"], force_refresh=True)


def test_signing_out_leads_back_to_the_console_alone(entra: Sandbox) -> None:
    page = f"{entra.state.people_url}/{TENANT_ID}/oauth2/v2.0/logout?post_logout_redirect_uri="
    back = requests.get(f"{page}http://localhost:8501/auth/ended", allow_redirects=False, timeout=10)
    assert back.headers["location"] == "http://localhost:8501/auth/ended"
    for other in ("http://evil.example/", "http://localhost:85011/", "http://localhost:8501.evil.example/"):
        answer = requests.get(page + other, allow_redirects=False, timeout=10)
        assert answer.status_code == 200
        assert "signed out" in answer.text
