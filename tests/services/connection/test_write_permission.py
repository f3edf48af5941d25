"""What a session without permission may send: reads. All else is refused before it leaves."""

import json
from uuid import uuid4

import pytest
from azure.mgmt.containerregistry import models
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.connection.write_permission import ALLOWED, leaves_access, only_reads
from services.deletion.plan import plan_deletion
from services.deletion.run import apply_deletion
from services.images.repository_contents import read_contents
from services.registries.reading import list_registries
from services.registry_lifecycle.settings import LABELS, settings_of
from services.registry_lifecycle.settings_change import _patch_body
from services.sign_in.app_roles import AppRole, shared_permission
from tests.support.app_test import REFUSED
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry
from ui.registry_lifecycle.settings_change import _ACCESS

READING_METHODS = ("GET", "HEAD", "OPTIONS")


@given(st.text(), st.text())
def test_what_is_no_reading_method_and_no_known_question_is_a_change(method: str, path: str) -> None:
    if method.upper() not in (*READING_METHODS, "POST"):
        assert not only_reads(method, path)
    assert only_reads("GET", path)
    assert not only_reads("POST", f"{path}/x")


@pytest.mark.parametrize(
    ("path", "reads"),
    [
        ("/oauth2/token", True),
        ("/subscriptions/1/providers/Microsoft.CostManagement/query", True),
        ("/providers/Microsoft.ResourceGraph/resources", True),
        ("/subscriptions/1/providers/Microsoft.ContainerRegistry/checkNameAvailability", True),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/listEvents", True),
        ("/v1.0/directoryObjects/getByIds", True),
        ("/v2/oauth2/token/blobs/uploads/", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/ping", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/getCallbackConfig", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/query/importImage", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/generateCredentials", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/managedClusters/c/runCommand", False),
    ],
)
def test_of_the_posts_those_that_only_ask(path: str, reads: bool) -> None:
    assert only_reads("POST", path) is reads
    assert not only_reads("PUT", path)


def test_a_session_that_may_change_azure_is_the_session_itself(session: AzureSession) -> None:
    assert session.limited_to(ALLOWED) is session
    limited = session.limited_to(REFUSED)
    assert limited is not session
    assert limited is session.limited_to(REFUSED)
    assert limited.identity == session.identity


def test_a_refused_session_reads_and_changes_nothing(own: OwnSandbox) -> None:
    session = own.session()
    (registry,) = [one for one in list_registries(session).values if one.name == "casaacr01"]
    client = session.limited_to(REFUSED).registry(registry.login_server)
    contents = read_contents(client, ["nodejstemplate"], {}).values[0]
    plan = plan_deletion(contents, [contents.tags[0].digest], registry="casaacr01", by_name=True)
    asked = len(own.sandbox.requests)
    read = apply_deletion(client, plan, {})
    assert not read.values
    assert {refusal.error.code for refusal in read.refused} == {"ReadOnly", "Refused"}
    with pytest.raises(ServiceError) as refused:
        client.send("DELETE", "/acr/v1/nodejstemplate/_tags/v1.0.0")
    assert refused.value.cause == REFUSED.refusal
    assert {one.method for one in list(own.sandbox.requests)[asked:]} <= {"GET", "HEAD", "POST"}
    assert not [one for one in list(own.sandbox.requests)[asked:] if not only_reads(one.method, one.path)]


def test_a_change_of_a_registry_is_refused_too(own: OwnSandbox) -> None:
    session = own.session()
    registry = next(one for one in list_registries(session).values if one.name == "casaacr01")
    client = session.limited_to(REFUSED).registries(registry.subscription_id)
    with pytest.raises(ServiceError) as refused:
        client.registries.begin_delete(registry.resource_group, registry.name)
    assert refused.value.code == "ReadOnly"
    assert "casaacr01" in {one.name for one in list_registries(session).values}


R = "/subscriptions/1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"
C = "/subscriptions/1/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"


@pytest.mark.parametrize(
    ("method", "path", "body", "access"),
    [
        ("PUT", f"{R}/providers/Microsoft.Authorization/roleAssignments/x", "{}", True),
        ("DELETE", f"{R}/providers/microsoft.authorization/roleassignments/x", None, True),
        ("PUT", f"{R}/tokens/t", "{}", True),
        ("PATCH", f"{R}/scopeMaps/m", "{}", True),
        ("POST", f"{R}/generateCredentials", "{}", True),
        ("POST", f"{R}/regenerateCredential", "{}", True),
        ("POST", f"{R}/listCredentials", None, True),
        ("PATCH", R, '{"properties": {"adminUserEnabled": true}}', True),
        ("PATCH", R, '{"properties": {"adminUserEnabled": false}}', True),
        ("PATCH", f"{R}/", b'{"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}', True),
        ("PATCH", R, '{"properties": {"anonymousPullEnabled": true}, "tags": {}}', True),
        ("PATCH", R, "not JSON", True),
        ("PATCH", R, "[]", True),
        ("PATCH", R, None, True),
        ("PATCH", R, '{"sku": {"name": "Premium"}, "tags": {"tokens": "x"}}', False),
        ("PATCH", R, '{"properties": {"publicNetworkAccess": "Disabled"}}', False),
        ("PUT", R, '{"properties": {"adminUserEnabled": false, "roleAssignmentMode": "Abac"}}', False),
        ("PUT", R, '{"properties": {"adminUserEnabled": true}}', True),
        ("DELETE", R, None, False),
        ("PUT", f"{R}/webhooks/w", "{}", False),
        ("PUT", f"{R}/webhooks/w", '{"properties": {"serviceUri": "https://x", "customHeaders": null}}', False),
        ("PUT", f"{R}/webhooks/w", '{"properties": {"customHeaders": {"Authorization": "x"}}}', True),
        ("PATCH", f"{R}/webhooks/w", '{"properties": {"status": "disabled"}}', False),
        ("PATCH", f"{R}/webhooks/w", '{"properties": {"customHeaders": {}}}', True),
        ("PATCH", f"{R}/webhooks/w", '{"properties": {"serviceUri": "https://x"}}', True),
        ("DELETE", f"{R}/webhooks/w", None, False),
        ("POST", f"{R}/webhooks/w/ping", None, False),
        ("POST", f"{R}/webhooks/w/getCallbackConfig", None, True),
        ("POST", f"{R}/importImage", "{}", False),
        ("PUT", f"{R}/replications/westeurope", "{}", False),
        ("PUT", f"{R}/connectedRegistries/y", "{}", True),
        ("PUT", f"{R}/credentialSets/y", "{}", True),
        ("POST", f"{R}/runs/1/listLogSasUrl", None, True),
        ("POST", f"{R}/scheduleRun", "{}", True),
        ("POST", f"{C}/runCommand", "{}", False),
        ("POST", f"{C}/listClusterAdminCredential", None, True),
        ("POST", f"{C}/listClusterUserCredential", None, True),
        ("PUT", C, "{}", True),
        ("PATCH", R, '{"properties": {"AdminUserEnabled": true}}', True),
        ("PATCH", R, '{"identity": {"type": "SystemAssigned"}}', True),
        ("PATCH", R, '{"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}}}', True),
        ("PATCH", R, '{"properties": {"policies": {"retentionPolicy": {"status": "disabled"}}}}', False),
        ("PATCH", R, '{"properties": {"policies": null}}', True),
        ("PUT", "/subscriptions/1/resourcegroups/g", "{}", False),
        ("DELETE", "/subscriptions/1/resourcegroups/g", None, True),
        ("POST", "/subscriptions/1/providers/Microsoft.ContainerRegistry/register", None, False),
        ("POST", "/v1.0/applications", "{}", True),
        ("PATCH", "/v2/registries/webhooks/blobs/uploads/1", b"a layer", False),
        ("DELETE", "/acr/v1/tokens/_tags/v1", None, False),
        ("DELETE", "/v2/app/manifests/sha256:1", None, False),
    ],
)  # fmt: skip
def test_which_changes_are_of_access(method: str, path: str, body: object, access: bool) -> None:
    assert leaves_access(method, path, body) is not access


def test_an_operator_changes_a_registry_and_nobodys_access(own: OwnSandbox) -> None:
    session = own.session().limited_to(shared_permission((AppRole.OPERATOR,)))
    registry = next(one for one in list_registries(session).values if one.name == "casaacr01")
    client = session.registries(registry.subscription_id)
    client.registries.begin_update(registry.resource_group, registry.name, {"tags": {"team": "web"}}).result()
    for update in (
        {"properties": {"adminUserEnabled": True}},
        models.RegistryUpdateParameters(admin_user_enabled=True),
    ):
        with pytest.raises(ServiceError) as refused:
            client.registries.begin_update(registry.resource_group, registry.name, update)
        assert refused.value.code == "AccessRefused"
    with pytest.raises(ServiceError) as refused:
        session.authorization(registry.subscription_id).role_assignments.create(
            registry.id, str(uuid4()), {"properties": {"roleDefinitionId": "x", "principalId": "y"}}
        )
    assert refused.value.code == "AccessRefused"
    with pytest.raises(ServiceError):
        client.registries.list_credentials(registry.resource_group, registry.name)
    now = next(one for one in list_registries(session).values if one.name == "casaacr01")
    assert not now.access.admin_user
    assert now.tags == (("team", "web"),)


@pytest.mark.parametrize("field", list(LABELS))
def test_the_settings_page_and_the_transport_agree_on_what_is_access(field: str) -> None:
    wanted = settings_of(registry())
    body = json.dumps(_patch_body(wanted, frozenset({field})).as_dict())
    assert leaves_access("PATCH", R, body) is (field not in _ACCESS)
