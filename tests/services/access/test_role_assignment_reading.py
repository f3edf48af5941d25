"""Reading who may do what: which requests it takes, and what a refusal leaves untold."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import (
    list_assignments,
    list_denies,
    list_roles,
    read_access,
    read_caller_permissions,
    read_principal,
)
from services.access.role_assignments import PrincipalRef
from services.access.role_definitions import ACR_PULL, PermissionBlock
from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.registries.registry import Mode, Registry
from tests.support.canned import ARM, Answer, Canned
from tests.support.cases import case
from tests.support.shell_lines import registry as a_registry

S1, S2, S3 = (Subscription(f"s{number}", f"contoso-{number}", "tenant", "Enabled") for number in (1, 2, 3))
ME, GROUP, OTHER = (f"aaaaaaaa-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
CUSTOM = "cccccccc-0000-0000-0000-000000000001"
REFUSED = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}})
AUTHORIZATION = "providers/Microsoft.Authorization"


@pytest.fixture
def hub() -> Registry:
    resource_id = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contosohub"
    registry = a_registry(id=resource_id, name="contosohub", subscription_id="s1", resource_group="rg")
    return replace(registry, access=replace(registry.access, mode=Mode.LEGACY))


def assignment(scope: str, role: str = ACR_PULL, principal: str = ME, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{scope}/{AUTHORIZATION}/roleAssignments/{role}-{principal}",
        "name": f"{role}-{principal}",
        "properties": {
            "scope": scope,
            "roleDefinitionId": f"/subscriptions/s1/{AUTHORIZATION}/roleDefinitions/{role.upper()}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
            **properties,
        },
    }


def role(guid: str, name: str, kind: str = "BuiltInRole", **permissions: list[str]) -> dict[str, Any]:
    properties = {"roleName": name, "type": kind, "permissions": [permissions]}
    return {"id": f"/x/{guid}", "name": guid, "properties": properties}


PULLS = role(ACR_PULL, "AcrPull", actions=["Microsoft.ContainerRegistry/registries/pull/read"])
CLEANS = role(CUSTOM, "Cleaner", "CustomRole", actions=["Microsoft.ContainerRegistry/registries/artifacts/delete"])


def deny(scope: str, *permissions: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{scope}/{AUTHORIZATION}/denyAssignments/d",
        "name": "d",
        "properties": {
            "denyAssignmentName": "no changes",
            "scope": scope,
            "permissions": list(permissions),
            "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
            "excludePrincipals": [{"id": OTHER, "type": "User"}],
            "isSystemProtected": True,
            **properties,
        },
    }


def listed(*documents: dict[str, Any]) -> Answer:
    return Answer(200, {"value": list(documents)})


def serve(wire: Canned, scope: str, **answers: Answer) -> None:
    """Answers at a scope for roleAssignments, roleDefinitions and denyAssignments."""
    for kind, answer in answers.items():
        wire.on("GET", f"{ARM}{scope}/{AUTHORIZATION}/{kind}", answer)


def subscription(wire: Canned, name: str, *held: dict[str, Any], **answers: Answer) -> None:
    empty = {"roleAssignments": listed(*held), "roleDefinitions": listed(PULLS), "denyAssignments": listed()}
    serve(wire, f"/subscriptions/{name}", **{**empty, **answers})


def test_an_assignment_with_all_that_is_told_of_it(wire: Canned, azure: AzureSession) -> None:
    told = {
        "condition": "ActionMatches{'*'}",
        "createdOn": "2026-01-02T03:04:05.1234567Z",
        "createdBy": OTHER,
        "description": "attached",
    }
    subscription(wire, "s1", assignment("/subscriptions/s1", **told), assignment("/", principalType=None))
    first, second = list_assignments(azure, S1).values
    assert (first.scope, first.role, first.principal_id) == ("/subscriptions/s1", ACR_PULL, ME)
    assert first.principal_type == "ServicePrincipal"
    assert first.condition == told["condition"]
    assert first.created == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert (first.created_by, first.description) == (OTHER, "attached")
    assert (second.condition, second.created, second.created_by, second.principal_type) == ("", None, "", "")


def test_pages_are_followed(wire: Canned, azure: AzureSession) -> None:
    url = f"{ARM}/subscriptions/s1/{AUTHORIZATION}/roleAssignments"
    first = Answer(200, {"value": [assignment("/")], "nextLink": f"{url}?page=2"})
    wire.on("GET", url, first, listed(assignment("/subscriptions/s1")))
    assert [found.scope for found in list_assignments(azure, S1).values] == ["/", "/subscriptions/s1"]


def test_an_assignment_without_principal_costs_itself(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    """And one may be what gives: nothing is refused for certain."""
    documents = case("answers/role_assignments_one_without_principal")["body"]["value"]
    subscription(wire, "s1", *documents)
    found = list_assignments(azure, S1)
    assert [one.principal_id for one in found.values] == ["p"]
    (refusal,) = found.refused
    assert refusal.error.title == "1 of 2 role assignments of contoso-1 could not be understood"
    (access,) = read_access(azure, [S1]).values
    assert [refusal.what for refusal in access.unread] == ["role assignments"]
    decision = permission(access.records, ME, hub, Permission.PULL, groups=())
    assert (decision.verdict, bool(decision.unread)) == (Verdict.UNKNOWN, True)
    whole = replace(access.records, all_assignments=True)
    assert permission(whole, ME, hub, Permission.PULL, groups=()).verdict is Verdict.NO


@pytest.mark.parametrize("odd", ["x", 5, [], {"id": "/d", "properties": None}])
def test_a_deny_that_could_not_be_understood_may_deny_anything(wire: Canned, azure: AzureSession, odd: Any) -> None:
    subscription(wire, "s1", denyAssignments=listed(deny("/", {"actions": ["*"]}), odd))
    (access,) = read_access(azure, [S1]).values
    assert access.records.denies is None
    assert "deny assignments" in [refusal.what for refusal in access.unread]


def test_roles_with_each_block_apart(wire: Canned, azure: AzureSession) -> None:
    two = role(CUSTOM, "Two", "CustomRole")
    two["properties"]["permissions"] = [
        {"actions": ["*"], "notActions": ["*/delete"]},
        {"dataActions": ["a/b"], "notDataActions": ["a/c"]},
    ]
    subscription(wire, "s1", roleDefinitions=listed(two, PULLS))
    found = {role.id: role for role in list_roles(azure, S1).values}
    assert found.keys() == {CUSTOM, ACR_PULL}
    assert (found[CUSTOM].name, found[CUSTOM].kind) == ("Two", "CustomRole")
    assert found[CUSTOM].blocks == (
        PermissionBlock(("*",), ("*/delete",)),
        PermissionBlock(data_actions=("a/b",), not_data_actions=("a/c",)),
    )


def test_denies_are_apart_by_the_condition_of_their_blocks(wire: Canned, azure: AzureSession) -> None:
    blocks = [{"actions": ["a"]}, {"actions": ["b"], "condition": "ActionMatches{'b'}"}, {"dataActions": ["c"]}]
    under = deny("/subscriptions/s1", *blocks, condition="ActionMatches{'*'}", doNotApplyToChildScopes=True)
    subscription(wire, "s1", denyAssignments=listed(under))
    plain, conditioned = list_denies(azure, S1)
    assert plain.blocks == (PermissionBlock(("a",)), PermissionBlock(data_actions=("c",)))
    assert plain.condition == "(ActionMatches{'*'})"
    assert conditioned.condition == "(ActionMatches{'*'}) AND (ActionMatches{'b'})"
    assert plain.principals == (PrincipalRef("00000000-0000-0000-0000-000000000000", "SystemDefined"),)
    assert (plain.excluded, plain.name) == ((PrincipalRef(OTHER, "User"),), "no changes")
    assert (plain.this_scope_only, plain.system_protected) == (True, True)


def test_subscriptions_take_two_requests_each_and_roles_one_in_all(wire: Canned, azure: AzureSession) -> None:
    for name in ("s1", "s2", "s3"):
        subscription(wire, name, assignment(f"/subscriptions/{name}"))
    found = read_access(azure, [S1, S2, S3])
    assert found.complete
    assert [one.subscription for one in found.values] == [S1, S2, S3]
    assert all(one.records.role(ACR_PULL) for one in found.values)
    assert len(wire.sent) == 7


def test_a_custom_role_is_read_where_it_is_assigned(wire: Canned, azure: AzureSession) -> None:
    subscription(wire, "s1", assignment("/subscriptions/s1"))
    subscription(wire, "s2", assignment("/subscriptions/s2", CUSTOM), roleDefinitions=listed(PULLS, CLEANS))
    subscription(wire, "s3", assignment("/subscriptions/s3", CUSTOM))
    found = read_access(azure, [S1, S2, S3])
    assert [one.records.roles[CUSTOM].name for one in found.values] == ["Cleaner"] * 3
    assert len(wire.sent) == 8


def test_what_refuses_is_named_and_the_records_know_it(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    held = assignment(hub.id), assignment(hub.id, CUSTOM)
    subscription(wire, "s1", *held, denyAssignments=REFUSED, roleDefinitions=REFUSED)
    subscription(wire, "s2", roleAssignments=REFUSED)
    found = read_access(azure, [S1, S2])
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [("contoso-2", "AuthorizationFailed")]
    (one,) = found.values
    assert [refusal.what for refusal in one.unread] == ["deny assignments", "roles"]
    assert one.records.denies is None
    decision = permission(one.records, ME, hub, Permission.PULL, groups=[])
    assert (decision.verdict, bool(decision.unread)) == (Verdict.UNKNOWN, True)
    # AcrPull stands in the table; what the custom role gives can't be told.
    told = permission(replace(one.records, denies=()), ME, hub, Permission.PULL, groups=[])
    assert (told.verdict, [reason.role for reason in told.undetermined]) == (Verdict.YES, [CUSTOM])
    assert permission(replace(one.records, denies=()), OTHER, hub, Permission.PULL).verdict is Verdict.NO


def test_progress_counts_subscriptions(wire: Canned, azure: AzureSession) -> None:
    subscription(wire, "s1")
    told: list[tuple[int, int, str]] = []
    read_access(azure, [S1], progress=lambda *done: told.append(done))
    assert told == [(1, 1, "subscriptions")]


def test_a_principal_is_asked_for_with_its_groups(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    of_group = assignment("/subscriptions/s1", CUSTOM, GROUP, principalType="Group")
    serve(wire, hub.id, roleAssignments=listed(assignment(hub.id), of_group), denyAssignments=listed())
    for document in (PULLS, CLEANS):
        wire.on("GET", f"{ARM}{hub.id}/{AUTHORIZATION}/roleDefinitions/{document['name']}", Answer(200, document))
    found = read_principal(azure, hub, ME.upper())
    assert wire.sent[0].query["$filter"] == f"assignedTo('{ME.upper()}')"
    assert found.groups == {GROUP}
    assert not found.unread
    deleting = permission(found.records, ME, hub, Permission.DELETE, groups=found.groups)
    assert deleting.verdict is Verdict.YES
    assert (
        deleting.granting[0].label
        == f"Cleaner (custom role), inherited from the subscription s1, held by the group {GROUP}"
    )


def test_ones_own_permissions_are_asked_for_at_the_registry(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    url = f"{ARM}/subscriptions/s1/resourcegroups/rg/providers/Microsoft.ContainerRegistry//registries/contosohub"
    blocks = [{"actions": ["*"], "notActions": ["*/write"], "dataActions": [], "notDataActions": None}, {}]
    wire.on("GET", f"{url}/{AUTHORIZATION}/permissions", Answer(200, {"value": blocks}), REFUSED)
    assert read_caller_permissions(azure, hub) == (PermissionBlock(("*",), ("*/write",)), PermissionBlock())
    with pytest.raises(ServiceError) as raised:
        read_caller_permissions(azure, hub)
    assert raised.value.title == "Could not read what you may do at contosohub"


def test_roles_that_were_read_before_are_not_asked_for_again(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    subscription(wire, "s1", roleDefinitions=listed(PULLS, CLEANS))
    roles = {role.id: role for role in list_roles(azure, S1).values}
    serve(wire, hub.id, roleAssignments=listed(assignment(hub.id, CUSTOM)), denyAssignments=listed())
    assert read_principal(azure, hub, ME, roles).records.role(CUSTOM)
    assert [path.rpartition("/")[2] for path in wire.paths()] == [
        "roleDefinitions",
        "roleAssignments",
        "denyAssignments",
    ]


def test_what_refuses_of_a_principal(wire: Canned, azure: AzureSession, hub: Registry) -> None:
    serve(wire, hub.id, roleAssignments=listed(assignment(hub.id, CUSTOM)), denyAssignments=REFUSED)
    wire.on("GET", f"{ARM}{hub.id}/{AUTHORIZATION}/roleDefinitions/{CUSTOM}", REFUSED)
    found = read_principal(azure, hub, ME)
    assert [refusal.what for refusal in found.unread] == [f"the role {CUSTOM}", "deny assignments"]
    assert permission(found.records, ME, hub, Permission.PULL, groups=found.groups).verdict is Verdict.UNKNOWN
    serve(wire, hub.id, roleAssignments=REFUSED)
    with pytest.raises(ServiceError) as raised:
        read_principal(azure, hub, ME)
    assert raised.value.title == "Could not list the role assignments at contosohub"
