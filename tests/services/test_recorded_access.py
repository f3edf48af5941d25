"""Recorded answers of Microsoft.Authorization."""

import json
from typing import Any

import pytest

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_assignment_reading import (
    assignment_from,
    list_assignments,
    list_roles,
    read_caller_permissions,
    read_principal,
)
from services.connection.errors import ServiceError
from services.registries.registry import Mode
from services.roles.planned_assignment import WAITS_S, PlannedAssignment, write_assignment
from services.roles.unassign import remove_assignment
from tests.support.canned import ARM, Answer
from tests.support.recordings import RECORDINGS, S1, Area, Recording, arm, refusals, time
from tests.support.shell_lines import registry as a_registry

AUTHORIZATION = f"{ARM}/subscriptions/s1/providers/Microsoft.Authorization"


def check_assignment(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.id, found.name, found.scope) == (document["id"], document["name"], properties["scope"])
    assert properties["roleDefinitionId"].lower().endswith(found.role)
    assert found.principal_id == properties["principalId"]
    assert found.principal_type == properties.get("principalType", "")
    assert found.created == time(properties["createdOn"])
    assert found.created_by == (properties["createdBy"] or "")
    assert (found.condition, found.description) == (properties.get("condition") or "", "")


def replay_assignments(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleAssignments", recording.answer)
    for found, document in zip(list_assignments(session, S1).values, recording.body["value"], strict=True):
        check_assignment(found, document)


def replay_assignment(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleAssignments/a", recording.answer)
    check_assignment(
        assignment_from(session.authorization("s1").role_assignments.get("/subscriptions/s1", "a")), recording.body
    )


def replay_grant(recording: Recording) -> None:
    """Our name for the assignment is another than the recorded one: read back, it counts all the same."""
    wire, session = arm()
    properties = recording.body["properties"]
    role = properties["roleDefinitionId"].rpartition("/")[2]
    kind = properties.get("principalType", "ServicePrincipal")
    grant = PlannedAssignment(properties["scope"], properties["principalId"], kind, role, "R")
    url = f"{ARM}{grant.scope}/providers/Microsoft.Authorization/roleAssignments"
    wire.on("PUT", f"{url}/{grant.name}", recording.answer)
    wire.on("GET", url, Answer(200, {"value": [recording.sent_body]}))
    written, found = write_assignment(session, grant, "T", lambda _state: None, wire.sleep)
    assert written == "already done"
    check_assignment(found, recording.body)
    assert json.loads(wire.sent[0].body)["properties"]["principalType"] == kind
    assert not wire.slept


def replay_role_removal(recording: Recording) -> None:
    wire, session = arm()
    url = f"{ARM}{recording.body['id']}"
    gone = Answer(404, {"error": {"code": "RoleAssignmentNotFound", "message": "M"}})
    wire.on("GET", url, Answer(200, recording.sent_body), gone)
    wire.on("DELETE", url, recording.answer)
    model = session.authorization("s1").role_assignments.get_by_id(recording.body["id"].lstrip("/"))
    wire.on("GET", url, Answer(200, recording.sent_body), gone)
    assert remove_assignment(session, assignment_from(model), "T", lambda _state: None) == "deleted"


def check_role(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.id, found.name, found.kind) == (document["name"], properties["roleName"], properties["type"])
    kinds = ("actions", "notActions", "dataActions", "notDataActions")
    assert [
        (block.actions, block.not_actions, block.data_actions, block.not_data_actions) for block in found.blocks
    ] == [tuple(tuple(block.get(kind, ())) for kind in kinds) for block in properties["permissions"]]


def replay_role(recording: Recording) -> None:
    """A role that is held at a registry, read with who holds it."""
    wire, session = arm()
    registry = a_registry()
    url, guid = f"{ARM}{registry.id}/providers/Microsoft.Authorization", recording.body["name"]
    held = {"roleDefinitionId": f"/roleDefinitions/{guid}", "principalId": "p", "scope": registry.id}
    wire.on("GET", f"{url}/roleAssignments", Answer(200, {"value": [{"id": "i", "properties": held}]}))
    wire.on("GET", f"{url}/denyAssignments", Answer(200, {"value": []}))
    wire.on("GET", f"{url}/roleDefinitions/{guid}", recording.answer)
    found = read_principal(session, registry, "p")
    assert not found.unread
    check_role(found.records.roles[guid], recording.body)


def replay_roles(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleDefinitions", recording.answer)
    found = {role.id: role for role in list_roles(session, S1).values}
    assert len(found) == len(recording.body["value"])
    for document in recording.body["value"]:
        check_role(found[document["name"]], document)


def replay_permissions(recording: Recording) -> None:
    wire, session = arm()
    registry = a_registry(subscription_id="s1", resource_group="rg", name="contosoacr")
    at = "/subscriptions/s1/resourcegroups/rg/providers/Microsoft.ContainerRegistry//registries/contosoacr"
    wire.on("GET", f"{ARM}{at}/providers/Microsoft.Authorization/permissions", recording.answer)
    found = read_caller_permissions(session, registry)
    assert [list(block.actions) for block in found] == [block["actions"] for block in recording.body["value"]]
    assert blocks_grant(found, Permission.ASSIGN_ROLES, Mode.LEGACY)


AREA = Area(
    "access",
    read={
        "real/authorization/role_assignment_list_*.json": replay_assignments,
        "real/authorization/role_assignment_get_*.json": replay_assignment,
        "real/authorization/role_assignment_create_*.json": replay_grant,
        "real/authorization/role_assignment_delete_200.json": replay_role_removal,
        "real/authorization/role_definition_get_*.json": replay_role,
        "real/authorization/role_definitions_*.json": replay_roles,
        "real/authorization/permissions_*.json": replay_permissions,
    },
    not_read={},
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()


@pytest.mark.parametrize(
    "file", [file for file in refusals("access") if "role_assignment_exists" in file or "principal_not_found" in file]
)
def test_a_role_assignment_that_azure_refuses(file: str) -> None:
    """What exists is success, whatever the words; whom the directory does not know is waited for."""
    recording = RECORDINGS[file]
    wire, session = arm()
    grant = PlannedAssignment(a_registry().id, "p", "ServicePrincipal", "r", "R")
    url = f"{ARM}{grant.scope}/providers/Microsoft.Authorization/roleAssignments"
    held = {"roleDefinitionId": "/roleDefinitions/r", "principalId": "p", "scope": grant.scope}
    wire.on("PUT", f"{url}/{grant.name}", recording.answer)
    # Where the directory does not know the principal, nothing was assigned.
    there = [{"id": "i", "name": "n", "properties": held}] if "exists" in file else []
    wire.on("GET", url, Answer(200, {"value": there}))
    slept: list[float] = []
    if "exists" in file:
        written, found = write_assignment(session, grant, "T", lambda _state: None, slept.append)
        assert (written, found and found.name, slept) == ("already done", "n", [])
    else:
        with pytest.raises(ServiceError, match="PrincipalNotFound"):
            write_assignment(session, grant, "T", lambda _state: None, slept.append)
        assert tuple(slept) == WAITS_S
