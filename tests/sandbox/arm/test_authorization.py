"""Role definitions and assignments, and what an assignment changes at once on both planes."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters
from azure.mgmt.containerservice import ContainerServiceClient

from sandbox.identity.principals import READER
from sandbox.identity.rbac import registry_permissions
from sandbox.seeds.resources import assignment, denial
from tests.support.azure_clients import REGISTRY, SUBSCRIPTION, Arm, client

KUBELET = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ASSIGNMENTS = f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments"


@pytest.fixture
def authorization(running):
    with client(AuthorizationManagementClient, running.ready, SUBSCRIPTION) as made:
        yield made


def grant(**changed):
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}",
        "principalId": KUBELET,
        "principalType": "ServicePrincipal",
        **changed,
    }
    return {"properties": {name: value for name, value in properties.items() if value is not None}}


def test_attaching_and_detaching_a_cluster_with_the_sdk(running, authorization):
    registry = running.store.get_resource(REGISTRY)
    assert registry_permissions(running.store, registry, KUBELET, "nodejstemplate") == frozenset()
    (role,) = authorization.role_definitions.list(REGISTRY, filter="roleName eq 'acrpull'")
    name = str(uuid.uuid4())
    parameters = RoleAssignmentCreateParameters(
        role_definition_id=role.id, principal_id=KUBELET, principal_type="ServicePrincipal"
    )
    created = authorization.role_assignments.create(REGISTRY, name, parameters)
    assert (created.name, created.scope, created.created_by) == (name, REGISTRY, None)
    assert "pull" in registry_permissions(running.store, registry, KUBELET, "nodejstemplate")
    with pytest.raises(HttpResponseError) as twice:
        authorization.role_assignments.create(REGISTRY, str(uuid.uuid4()), parameters)
    assert (twice.value.status_code, twice.value.error.code) == (409, "RoleAssignmentExists")
    assert name.replace("-", "") in twice.value.message
    assert authorization.role_assignments.create(REGISTRY, name, parameters).name == name
    found = authorization.role_assignments.list_for_scope(REGISTRY, filter=f"assignedTo('{KUBELET}')")
    assert [assignment.name for assignment in found] == [name]
    assert authorization.role_assignments.delete(REGISTRY, name).name == name
    assert authorization.role_assignments.delete(REGISTRY, name) is None
    assert registry_permissions(running.store, registry, KUBELET, "nodejstemplate") == frozenset()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("not-a-guid", grant(), "InvalidGuid"),
        (str(uuid.UUID(int=1)), grant(principalId="x"), "InvalidGuid"),
        (str(uuid.UUID(int=1)), grant(principalId=None), "InvalidCreateRoleAssignmentRequest"),
        (
            str(uuid.UUID(int=1)),
            grant(roleDefinitionId=f"/x/{uuid.UUID(int=2)}"),
            "RoleDefinitionDoesNotExist",
        ),
        (
            str(uuid.UUID(int=1)),
            grant(principalId=str(uuid.UUID(int=3)), principalType=None),
            "PrincipalNotFound",
        ),
        (str(uuid.UUID(int=1)), grant(condition="nonsense", conditionVersion="2.0"), "InvalidCondition"),
    ],
)
def test_an_assignment_that_cannot_be(arm, name, body, expected):
    answer = arm("PUT", f"{ASSIGNMENTS}/{name}", body)
    assert answer.json()["error"]["code"] == expected


def test_an_assignment_to_nothing_is_refused(arm):
    path = ASSIGNMENTS.replace("casaacr01", "contosonone")
    assert arm("PUT", f"{path}/{uuid.UUID(int=1)}", grant()).json()["error"]["code"] == "ResourceNotFound"


def test_the_directory_tells_the_principal_s_type_and_its_id_without_dashes_when_it_can_t(arm):
    name = str(uuid.UUID(int=7))
    created = arm("PUT", f"{ASSIGNMENTS}/{name}", grant(principalType=None))
    assert created.json()["properties"]["principalType"] == "ServicePrincipal"
    arm("DELETE", f"{ASSIGNMENTS}/{name}")
    unknown = str(uuid.UUID(int=3))
    refused = arm("PUT", f"{ASSIGNMENTS}/{name}", grant(principalId=unknown, principalType=None))
    assert unknown.replace("-", "") in refused.json()["error"]["message"]


def test_lists_at_a_scope_include_what_is_inherited_and_leave_out_what_is_below(arm, authorization):
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    arm("PUT", f"{ASSIGNMENTS}/{uuid.UUID(int=9)}", grant())
    at_registry = list(authorization.role_assignments.list_for_scope(REGISTRY, filter="atScope()"))
    scopes = [assignment.scope for assignment in at_registry]
    assert {"/", subscription, REGISTRY} <= set(scopes)
    assert all(assignment.role_definition_id.startswith(subscription) for assignment in at_registry)
    above = authorization.role_assignments.list_for_scope(subscription, filter="atScope()")
    below = [assignment for assignment in above if assignment.scope.startswith(subscription + "/")]
    assert below == []
    assert arm("DELETE", f"{ASSIGNMENTS}/{uuid.UUID(int=9)}").status_code == 200


def test_assigned_to_follows_groups_and_principal_id_does_not(running, authorization):
    clusters = running.store.list_resources("Microsoft.ContainerService/managedClusters")
    (dev,) = [cluster for cluster in clusters if cluster["name"] == "aks-dev"]
    kubelet = dev["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
    scope = running.store.find_resource("Microsoft.ContainerRegistry/registries", "contosodev")["id"]
    listing = authorization.role_assignments.list_for_scope
    assert [found.principal_type for found in listing(scope, filter=f"assignedTo('{kubelet}')")] == ["Group"]
    assert list(listing(scope, filter=f"principalId eq '{kubelet}'")) == []
    assert list(listing(scope, filter=f"atScope() and assignedTo('{kubelet}')"))
    with pytest.raises(HttpResponseError, match="UnsupportedQuery"):
        list(listing(scope, filter="color eq 'red'"))


def test_definitions_are_built_in_or_custom(authorization):
    scope = f"/subscriptions/{SUBSCRIPTION}"
    roles = {role.role_name: role for role in authorization.role_definitions.list(scope)}
    assert roles["Owner"].role_type == "BuiltInRole"
    assert roles["Contoso Image Cleaner"].role_type == "CustomRole"
    assert [role.role_name for role in authorization.role_definitions.list(scope, filter="type eq 'CustomRole'")] == [
        name for name in roles if name.startswith("Contoso")
    ]
    assert authorization.role_definitions.get(scope, ACR_PULL).role_name == "AcrPull"


def test_permissions_are_those_of_the_caller(running):
    for who, expected in (("client", ["*"]), ("reader_client", ["*/read"])):
        with client(AuthorizationManagementClient, running.ready, SUBSCRIPTION, who=who) as authorization:
            (permission,) = authorization.permissions.list_for_resource(
                "resource-group-4", "Microsoft.ContainerRegistry", "", "registries", "casaacr01"
            )
            assert permission.actions == expected


def test_a_reader_can_not_assign(running):
    with Arm(running.ready, "reader_client") as reader:
        answer = reader("PUT", f"{ASSIGNMENTS}/{uuid.uuid4()}", grant())
    assert answer.status_code == 403
    assert "'Microsoft.Authorization/roleAssignments/write' over scope" in answer.json()["error"]["message"]


def test_clusters_are_read_with_both_their_identities(running):
    with client(ContainerServiceClient, running.ready, SUBSCRIPTION) as clusters:
        (listed,) = clusters.managed_clusters.list()
        cluster = clusters.managed_clusters.get("resource-group-4", "aks1")
        assert cluster.id == listed.id
        assert "/resourcegroups/" in cluster.id
        assert cluster.identity.principal_id == "a7283972-89ef-4ce1-a630-3925cb926d3c"
        assert cluster.identity_profile["kubeletidentity"].object_id == KUBELET
        with pytest.raises(HttpResponseError, match="ResourceNotFound"):
            clusters.managed_clusters.get("resource-group-4", "aks2")


def test_deny_assignments_are_listed_at_above_and_below_and_hold_on_the_control_plane(running, authorization, arm):
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    denials = authorization.deny_assignments
    assert list(denials.list()) == list(denials.list_for_scope(REGISTRY, filter="atScope()")) == []
    here = denial(REGISTRY, "frozen", {"actions": ["*/delete"]}, excluded=[READER.object_id])
    above = denial(subscription, "managed", {"actions": ["*/write"]}, [KUBELET], this_scope_only=True)
    for document in (here, above):
        running.store.put_resource(document)
    try:
        assert {one.deny_assignment_name for one in denials.list()} == {"frozen", "managed"}
        assert len(list(denials.list_for_scope(REGISTRY, filter="atScope()"))) == 2
        (top,) = denials.list_for_scope(subscription, filter="atScope()")
        assert (top.deny_assignment_name, top.do_not_apply_to_child_scopes) == ("managed", True)
        assert [one.id for one in denials.list(filter=f"principalId eq '{KUBELET}'")] == [above["id"]]
        (found,) = denials.list_for_scope(REGISTRY, filter="denyAssignmentName eq 'Frozen'")
        assert found.permissions[0].actions == ["*/delete"]
        assert [one.type for one in found.principals] == ["SystemDefined"]
        assert [one.id for one in found.exclude_principals] == [READER.object_id]
        with pytest.raises(HttpResponseError, match="UnsupportedQuery"):
            list(denials.list(filter="color eq 'red'"))
        assert arm("DELETE", REGISTRY).json()["error"]["code"] == "AuthorizationFailed"
    finally:
        for document in (here, above):
            running.store.delete_resource(document["id"])


def test_deny_assignments_take_a_permission_to_read(running, arm):
    """Contoso's restricted subscription lets the console see that it is there, and no more."""
    (restricted,) = [doc for doc in running.store.list_resources("subscriptions") if "restricted" in doc["displayName"]]
    refused = arm("GET", f"{restricted['id']}/providers/Microsoft.Authorization/denyAssignments")
    assert "'Microsoft.Authorization/denyAssignments/read' over scope" in refused.json()["error"]["message"]


def test_permissions_at_a_resource_count_what_is_assigned_at_that_very_resource(running):
    """The SDK's path has `//` where a parent resource would be."""
    extra = assignment(REGISTRY, "AcrPush", READER.object_id, "ServicePrincipal", "2026-01-01T00:00:00.0000000Z")
    running.store.put_resource(extra)
    try:
        with client(AuthorizationManagementClient, running.ready, SUBSCRIPTION, who="reader_client") as authorization:
            found = authorization.permissions.list_for_resource(
                "resource-group-4", "Microsoft.ContainerRegistry", "", "registries", "casaacr01"
            )
            actions = [permission.actions for permission in found]
        assert [a for (a, *_) in actions if "pull" in a] == ["Microsoft.ContainerRegistry/registries/pull/read"]
    finally:
        running.store.delete_resource(extra["id"])
