"""Groups and service principals from the directory: nested ones, each once, and each refusal as a value."""

import json
from dataclasses import replace

import pytest

from sandbox.identity.principals import principal
from sandbox.seeds import company
from services.access.memberships import Memberships, read_memberships
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from tests.support.canned import CLOUD, Answer, Canned, Credential
from tests.support.own_sandbox import OwnSandbox

APPLICATIONS = f"{CLOUD.graph}/v1.0/servicePrincipals"
REFUSED = Answer(403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}})
NAMES = f"{CLOUD.graph}/v1.0/directoryObjects/getByIds"
ME, OTHER, GROUP, ELSEWHERE = (f"aaaaaaaa-0000-0000-0000-{number:012}" for number in range(4))
CLIENT = "bbbbbbbb-0000-0000-0000-000000000000"


def groups_of(principal_id: str) -> str:
    return f"{APPLICATIONS}/{principal_id}/getMemberGroups"


def test_each_is_asked_once_and_only_for_groups_that_bear_on_something(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", groups_of(ME), Answer(200, {"value": [GROUP.upper(), ELSEWHERE]}))
    named = {"@odata.type": "#microsoft.graph.group", "id": GROUP, "displayName": "nodes"}
    wire.on("POST", NAMES, Answer(200, {"value": [named]}))
    found = read_memberships(azure, [ME, ME.upper(), ""], [], [GROUP.upper()])
    assert found == Memberships({ME: frozenset({GROUP})}, {}, {GROUP: "nodes"})
    assert found.with_names(f"held by the group {GROUP}, not {OTHER}.") == f"held by the group nodes, not {OTHER}."
    assert [sent.path for sent in wire.sent] == [
        groups_of(ME).removeprefix(CLOUD.graph),
        "/v1.0/directoryObjects/getByIds",
    ]
    assert json.loads(wire.sent[0].body) == {"securityEnabledOnly": False}


def test_where_no_group_has_a_role_nobody_s_groups_are_read(wire: Canned, azure: AzureSession) -> None:
    assert read_memberships(azure, [ME], [], []) == Memberships()
    assert wire.sent == []


def test_a_client_id_leads_to_an_object_id_and_its_groups(wire: Canned, azure: AzureSession) -> None:
    wire.on("GET", APPLICATIONS, Answer(200, {"value": [{"id": ME.upper(), "appId": CLIENT}]}))
    wire.on("POST", groups_of(ME), Answer(200, {"value": []}))
    wire.on("POST", NAMES, Answer(200, {"value": []}))
    found = read_memberships(azure, [], [CLIENT.upper()], [GROUP])
    assert (found.object_ids, found.groups) == ({CLIENT: ME}, {ME: frozenset()})
    assert wire.sent[0].query["$filter"] == f"appId eq '{CLIENT}'"


def test_what_the_directory_does_not_have_is_no_refusal(wire: Canned, azure: AzureSession) -> None:
    wire.on("GET", APPLICATIONS, Answer(200, {"value": []}))
    assert read_memberships(azure, [], [CLIENT], []).object_ids == {CLIENT: ""}


@pytest.mark.parametrize("answer", [REFUSED, Answer(200, []), Answer(200, {"value": None}), Answer(200, "x")])
def test_a_refusal_is_the_value_of_the_one_that_was_asked_for(
    wire: Canned, azure: AzureSession, answer: Answer
) -> None:
    wire.on("POST", groups_of(ME), Answer(200, {"value": [GROUP]}))
    wire.on("POST", groups_of(OTHER), answer)
    wire.on("GET", APPLICATIONS, answer)
    wire.on("POST", NAMES, answer)
    found = read_memberships(azure, [ME, OTHER, "no id"], [CLIENT], [GROUP])
    assert found.groups[ME] == frozenset({GROUP})
    for refused in (found.groups[OTHER], found.groups["no id"], found.object_ids[CLIENT]):
        assert isinstance(refused, ServiceError)
    assert found.known_groups.keys() == {ME}
    assert {refusal.what for refusal in found.refused} == {OTHER, "no id", CLIENT}
    assert found.name(GROUP) == GROUP
    filled = found.with_groups({OTHER: frozenset({GROUP}), ME: frozenset()})
    assert filled.known_groups == {ME: frozenset({GROUP}), OTHER: frozenset({GROUP})}


def test_a_cloud_without_a_directory_is_not_asked(wire: Canned) -> None:
    session = AzureSession(Credential(), replace(CLOUD, graph=""), wire)
    found = read_memberships(session, [ME], [CLIENT], [GROUP])
    assert [refusal.error.code for refusal in found.refused] == ["NoDirectory", "NoDirectory"]
    assert wire.sent == []


def test_a_group_within_a_group_counts(own: OwnSandbox) -> None:
    store = own.sandbox.store
    store.put_resource(principal(ME, "kubelet", "managedIdentity", app_id=CLIENT))
    store.put_resource(principal(GROUP, "inner", "group", members=[ME]))
    store.put_resource(principal(OTHER, "outer", "group", members=[GROUP]))
    found = read_memberships(own.session(), [ME], [], [OTHER, GROUP])
    assert found.groups == {ME: frozenset({GROUP, OTHER})}
    assert found.names == {GROUP: "inner", OTHER: "outer"}


def test_the_estate_s_identities_are_read(session: AzureSession) -> None:
    found = read_memberships(session, [], [company.BATCH_APP], [company.NODES, company.ENGINEERS])
    assert found.object_ids == {company.BATCH_APP: company.BATCH}
    assert found.groups == {company.BATCH: frozenset()}
    assert found.names[company.NODES] == "dev-cluster-nodes"
