"""Signing in, and what stands before Resource Manager: tokens, audiences, versions."""

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from sandbox.server import Sandbox
from tests.support.azure_clients import Arm, credential, token


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    with Sandbox.start(tmp_path_factory.mktemp("login"), seed="walkthrough") as running:
        yield running.ready


def get(ready, path, authorization=None):
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(ready["authority"] + path, headers=headers, verify=ready["ca_file"], timeout=10)


def test_a_service_principal_signs_in_with_the_real_credential(ready):
    with credential(ready) as signed_in:
        assert signed_in.get_token(ready["resource_manager_scope"]).token.count(".") == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "wrong"}, "AADSTS7000215"),
        ({"client_id": "00000000-0000-0000-0000-000000000009"}, "AADSTS700016"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000009"}, "AADSTS90002"),
    ],
)
def test_a_wrong_secret_client_or_tenant_is_refused_in_entra_s_words(ready, changed, code):
    given = {**{name: ready[name] for name in ("tenant_id", "client_id", "client_secret")}, **changed}
    refused = ClientSecretCredential(
        **given, authority=ready["authority"], disable_instance_discovery=True, connection_verify=ready["ca_file"]
    )
    with refused, pytest.raises(ClientAuthenticationError, match=code):
        refused.get_token(ready["resource_manager_scope"])


def test_without_a_token_the_challenge_says_where_to_sign_in(ready):
    answer = get(ready, "/subscriptions?api-version=2022-12-01")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "AuthenticationFailed"
    assert f'authorization_uri="{ready["authority"]}/{ready["tenant_id"]}"' in answer.headers["WWW-Authenticate"]


def test_a_token_for_another_audience_is_refused(ready):
    registry_token = token(ready, scope="https://containerregistry.azure.net/.default")
    answer = get(ready, "/subscriptions?api-version=2022-12-01", f"Bearer {registry_token}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize("text", ["Bearer nonsense", "Bearer a.b.c", "Basic YTpi"])
def test_what_is_no_token_is_refused(ready, text):
    answer = get(ready, "/subscriptions?api-version=2022-12-01", text)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_every_answer_can_be_traced(ready):
    for answer in (get(ready, "/subscriptions"), get(ready, "/subscriptions", f"Bearer {token(ready)}")):
        assert answer.headers["x-ms-request-id"]
        assert answer.headers["x-ms-correlation-request-id"]


def test_a_request_without_a_version_is_refused(ready):
    answer = get(ready, "/subscriptions", f"Bearer {token(ready)}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MissingApiVersionParameter")


def test_what_does_not_exist_says_so(ready):
    with Arm(ready) as arm:
        assert arm("GET", "/nothing/here").status_code == 404
        assert arm("DELETE", "/subscriptions").status_code == 405
        unknown = arm("GET", "/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups")
        assert unknown.json()["error"]["code"] == "SubscriptionNotFound"


def test_the_cloud_describes_itself_to_az(ready):
    cloud = get(ready, "/metadata/endpoints?api-version=2022-09-01").json()
    assert cloud["authentication"]["loginEndpoint"] == ready["authority"]
    assert get(ready, "/metadata/endpoints?api-version=2019-05-01").json() == [cloud]
