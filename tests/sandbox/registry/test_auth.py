"""Who may do what on a registry: challenges, exchanges, scopes, roles, the admin account, nobody, the network."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import principal
from sandbox.identity.rbac import registry_permissions
from sandbox.seeds.resources import assignment
from sandbox.server import Sandbox
from tests.support.azure_clients import token
from tests.support.registry_clients import Registry, claims_of, sdk

ALL = "pull,push,delete,metadata_read,metadata_write"
PUSHER = principal(
    "0a6ff6a5-7c80-4d4e-93ab-3e3b6f7d1a01",
    "pusher",
    "servicePrincipal",
    app_id="0a6ff6a5-7c80-4d4e-93ab-3e3b6f7d1a02",
    secret="pusher-secret",
)


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def change(sandbox, **properties):
    """Set properties of casaacr01 as ARM would; returns the document."""
    document = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")
    document["properties"].update(properties)
    sandbox.store.put_resource(document)
    return document


def give(sandbox, role, who=PUSHER):
    scope = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")["id"]
    sandbox.store.put_resource(who)
    document = assignment(scope, role, who["objectId"], "ServicePrincipal", sandbox.state.stamp())
    sandbox.store.put_resource(document)
    return document


@pytest.fixture
def later(tmp_path):
    """A sandbox in which registries hear of a role a minute later, casaacr01 there, and its clock to move."""
    time = [datetime.now(UTC)]

    def move(seconds):
        time[0] += timedelta(seconds=seconds)

    data = tmp_path / "later"
    with (
        Sandbox.start(data, seed="walkthrough", clock=lambda: time[0], propagation_s=60) as sandbox,
        Registry(sandbox.ready, "casaacr01") as registry,
    ):
        yield sandbox, registry, move


def test_a_new_role_reaches_the_registry_later_than_resource_manager(later):
    sandbox, registry, move = later
    document = give(sandbox, "AcrPull")
    user, password = PUSHER["appId"], PUSHER["secret"]
    assert registry_permissions(sandbox.store, document_of(sandbox), PUSHER["objectId"], "app") >= {"pull"}
    move(59)
    assert actions_by_password(registry, user, password) == []
    move(1)
    assert actions_by_password(registry, user, password) == ["pull", "metadata_read"]
    sandbox.store.delete_resource(document["id"])
    assert actions_by_password(registry, user, password) == []


def test_roles_of_old_are_not_held_up_by_the_propagation_of_new_ones(later):
    _, registry, _ = later
    assert registry.exchange().status_code == 200
    assert registry("GET", "/acr/v1/nodejstemplate").status_code == 200


def document_of(sandbox):
    return sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")


def actions_by_password(registry, user, password, scope=f"repository:app:{ALL}"):
    """What Basic credentials are granted, or the status of the refusal."""
    answer = registry.send("GET", "/oauth2/token", params={"scope": scope}, headers=basic(user, password))
    if answer.status_code != 200:
        return answer.status_code
    return [action for entry in claims_of(answer.json()["access_token"])["access"] for action in entry["actions"]]


@pytest.mark.parametrize(
    ("method", "path", "scope", "detail"),
    [
        ("GET", "/v2/", None, None),
        (
            "GET",
            "/acr/v1/_catalog",
            "registry:catalog:*",
            [{"Type": "registry", "Name": "catalog", "Action": "*"}],
        ),
        (
            "DELETE",
            "/acr/v1/team%2Fapp",
            "repository:team/app:delete",
            [{"Type": "repository", "Name": "team/app", "Action": "delete"}],
        ),
        (
            "POST",
            "/v2/app/blobs/uploads/",
            "repository:app:pull,push",
            [
                {"Type": "repository", "Name": "app", "Action": "pull"},
                {"Type": "repository", "Name": "app", "Action": "push"},
            ],
        ),
    ],
)
def test_a_challenge_names_realm_service_and_scope(registry, method, path, scope, detail):
    answer = registry.send(method, path)
    expected = f'Bearer realm="https://{registry.server}/oauth2/token",service="{registry.server}"'
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == expected + (f',scope="{scope}"' if scope else "")
    (error,) = answer.json()["errors"]
    assert (error["code"], error["detail"]) == ("UNAUTHORIZED", detail)


def test_tokens_are_for_one_registry_and_one_use(registry, sandbox):
    refresh = registry.exchange().json()["refresh_token"]
    claims = claims_of(refresh)
    assert claims["exp"] - claims["iat"] == 3 * 3600
    assert claims["iat"] - claims["nbf"] == 15 * 60
    with_refresh = registry.send("GET", "/v2/", headers={"Authorization": f"Bearer {refresh}"})
    assert with_refresh.status_code == 401
    assert with_refresh.headers["WWW-Authenticate"].endswith('error="invalid_token"')
    aad = token(sandbox.ready)
    assert registry.send("GET", "/v2/", headers={"Authorization": f"Bearer {aad}"}).status_code == 401


def test_a_token_holds_what_was_asked_and_no_more(registry):
    claims = claims_of(registry.access_token("repository:app:pull repository:b:delete", "registry:catalog:*"))
    assert claims["access"] == [
        {"type": "repository", "name": "app", "actions": ["pull"]},
        {"type": "repository", "name": "b", "actions": ["delete"]},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
    ]
    pull = {"Authorization": f"Bearer {registry.access_token('repository:nodejstemplate:pull')}"}
    assert registry.send("GET", "/v2/nodejstemplate/manifests/v1.0.0", headers=pull).status_code == 200
    assert registry.send("GET", "/acr/v1/nodejstemplate", headers=pull).status_code == 401
    assert registry.send("GET", "/v2/other/manifests/v1", headers=pull).status_code == 401
    assert registry.send("GET", "/v2/nodejstemplate/tags/list", headers=pull).status_code == 200
    other = {"Authorization": f"Bearer {registry.access_token('repository:nodejstemplate:delete')}"}
    assert registry.send("GET", "/v2/nodejstemplate/tags/list", headers=other).status_code == 401


@pytest.mark.parametrize(
    "grant", [{}, {"grant_type": "refresh_token"}, {"grant_type": "refresh_token", "refresh_token": "a.b.c"}]
)
def test_a_token_request_without_a_good_grant_is_refused(registry, grant):
    assert registry.send("POST", "/oauth2/token", data=grant).status_code in (400, 401)


@pytest.mark.parametrize("aad", ["", "no.to.ken", "x"])
def test_a_bad_entra_token_is_not_exchanged(registry, aad):
    assert registry.exchange(aad or "-").status_code == 401


def test_a_token_for_resource_manager_is_exchanged_unless_the_policy_forbids(registry, sandbox):
    aad = token(sandbox.ready)
    assert registry.exchange(aad).status_code == 200
    change(sandbox, policies={"azureADAuthenticationAsArmPolicy": {"status": "disabled"}})
    assert registry.exchange(aad).status_code == 401
    assert registry.exchange().status_code == 200


@pytest.mark.parametrize(
    ("role", "granted", "more"),
    [
        ("AcrPull", {"pull", "metadata_read"}, set()),
        ("AcrPush", {"pull", "push", "metadata_read"}, set()),
        ("AcrDelete", {"delete"}, set()),
        ("Contributor", set(ALL.split(",")), {"deleted_read", "deleted_restore"}),
    ],
)
def test_roles_give_what_they_give_in_azure(registry, sandbox, role, granted, more):
    assert actions_by_password(registry, PUSHER["appId"], "pusher-secret") == 401
    give(sandbox, role)
    assert set(actions_by_password(registry, PUSHER["appId"], "pusher-secret")) == granted
    assert set(actions_by_password(registry, PUSHER["appId"], "pusher-secret", "repository:app:*")) == granted | more
    assert actions_by_password(registry, PUSHER["appId"], "wrong") == 401


def test_an_identity_without_any_role_is_not_let_in(sandbox):
    sandbox.store.put_resource(PUSHER)
    ready = {**sandbox.ready, "client_id": PUSHER["appId"], "client_secret": "pusher-secret"}
    with Registry(ready, "casaacr01") as other:
        assert other.exchange().status_code == 401
    with sdk(ready) as client, pytest.raises(ClientAuthenticationError):
        list(client.list_repository_names())
    role = give(sandbox, "AcrPull")
    with sdk(ready) as client:
        assert list(client.list_repository_names()) == ["nodejstemplate"]
        with pytest.raises(ClientAuthenticationError):
            client.delete_tag("nodejstemplate", "v1.0.0")
    sandbox.store.delete_resource(role["id"])
    with sdk(ready) as client, pytest.raises(ClientAuthenticationError):
        list(client.list_repository_names())


def test_a_reader_lists_and_pulls_but_changes_nothing(sandbox):
    with sdk(sandbox.ready, who="reader_client") as client:
        assert client.get_manifest("nodejstemplate", "v1.0.0").digest
        with pytest.raises(ClientAuthenticationError):
            client.delete_repository("nodejstemplate")


def test_the_admin_account_opens_everything_once_it_is_on(registry, sandbox):
    first, second = change(sandbox)["_sandbox"]["adminPasswords"]
    assert actions_by_password(registry, "casaacr01", first) == 401
    change(sandbox, adminUserEnabled=True)
    for password in (first, second):
        assert actions_by_password(registry, "casaacr01", password) == ALL.split(",")
    assert actions_by_password(registry, "casaacr01", "wrong") == 401
    direct = registry.send("GET", "/v2/_catalog", headers=basic("casaacr01", first))
    assert direct.json() == {"repositories": ["nodejstemplate"]}
    assert registry.send("GET", "/v2/_catalog", headers=basic("casaacr01", "wrong")).status_code == 401


def test_a_refresh_token_is_a_password_of_the_token_user(registry):
    refresh = registry.exchange().json()["refresh_token"]
    assert actions_by_password(registry, "00000000-0000-0000-0000-000000000000", refresh) == ALL.split(",")
    assert actions_by_password(registry, "00000000-0000-0000-0000-000000000000", "x") == 401


def test_nobody_gets_an_empty_token_and_then_401_again(registry):
    empty = registry.send("GET", "/oauth2/token", params={"scope": "repository:nodejstemplate:pull"})
    assert (empty.status_code, claims_of(empty.json()["access_token"])["access"]) == (200, [])
    headers = {"Authorization": f"Bearer {empty.json()['access_token']}"}
    again = registry.send("GET", "/v2/nodejstemplate/manifests/v1.0.0", headers=headers)
    assert again.status_code == 401


def test_anonymous_pull_gives_pull_metadata_and_the_catalog_and_no_change(registry, sandbox):
    change(sandbox, anonymousPullEnabled=True)
    with ContainerRegistryClient(
        f"https://{registry.server}",
        audience=sandbox.ready["registry_audience"],
        connection_verify=sandbox.ready["ca_file"],
    ) as nobody:
        assert nobody.get_manifest("nodejstemplate", "v1.0.0").digest
        assert nobody.get_repository_properties("nodejstemplate").tag_count == 1
        assert "nodejstemplate" in list(nobody.list_repository_names())
        with pytest.raises(ClientAuthenticationError):
            nobody.delete_repository("nodejstemplate")


def test_a_token_for_resource_managers_public_audience_is_exchanged_unless_the_registry_refuses_such(registry, sandbox):
    def client():
        credential = ClientSecretCredential(
            sandbox.ready["tenant_id"],
            sandbox.ready["client_id"],
            sandbox.ready["client_secret"],
            authority=sandbox.ready["authority"],
            disable_instance_discovery=True,
            connection_verify=sandbox.ready["ca_file"],
        )
        return ContainerRegistryClient(
            f"https://{registry.server}",
            credential,
            audience="https://management.azure.com",
            connection_verify=sandbox.ready["ca_file"],
        )

    with client() as known:
        assert list(known.list_repository_names())
    change(sandbox, policies={"azureADAuthenticationAsArmPolicy": {"status": "disabled"}})
    with client() as refused, pytest.raises(ClientAuthenticationError):
        list(refused.list_repository_names())


def test_abac_counts_repository_roles_only(registry, sandbox):
    change(sandbox, roleAssignmentMode="AbacRepositoryPermissions")
    give(sandbox, "AcrPush")
    assert actions_by_password(registry, PUSHER["appId"], "pusher-secret") == []
    give(sandbox, "Container Registry Repository Reader")
    assert set(actions_by_password(registry, PUSHER["appId"], "pusher-secret")) == {"pull", "metadata_read"}
    assert actions_by_password(registry, PUSHER["appId"], "pusher-secret", "registry:catalog:*") == []
    give(sandbox, "Container Registry Repository Catalog Lister")
    assert actions_by_password(registry, PUSHER["appId"], "pusher-secret", "registry:catalog:*") == ["*"]


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({"publicNetworkAccess": "Disabled"}, 403),
        ({"networkRuleSet": {"defaultAction": "Deny", "ipRules": []}}, 403),
        ({"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "127.0.0.0/8"}]}}, 401),
        ({"networkRuleSet": {"defaultAction": "Allow", "ipRules": []}}, 401),
    ],
)
def test_the_network_rules_come_first(registry, sandbox, properties, status):
    change(sandbox, **properties)
    answer = registry.send("GET", "/v2/")
    assert answer.status_code == status
    if status == 403:
        (error,) = answer.json()["errors"]
        assert error["code"] == "DENIED"
        assert error["message"].startswith("client with IP '127.0.0.1' is not allowed access.")


def test_in_legacy_mode_one_token_reads_every_repository(registry):
    token = registry.access_token("repository:*:metadata_read")
    anywhere = {"Authorization": f"Bearer {token}"}
    assert registry.send("GET", "/acr/v1/nodejstemplate", headers=anywhere).status_code == 200
    assert registry.send("GET", "/v2/nodejstemplate/manifests/v1.0.0", headers=anywhere).status_code == 401
    assert registry.send("GET", "/acr/v1/_catalog", headers=anywhere).status_code == 401


def test_in_abac_mode_a_scope_for_every_repository_grants_nothing(registry, sandbox):
    change(sandbox, roleAssignmentMode="AbacRepositoryPermissions")
    assert claims_of(registry.access_token("repository:*:metadata_read"))["access"] == []
