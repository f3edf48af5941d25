"""Names from the directory: in batches, with what is missing, and where it refuses."""

import json
from dataclasses import replace

import pytest

from sandbox.seeds import company
from services.access.directory import BATCH, Names, names_of
from services.access.role_assignment_reading import read_access
from services.arm.subscriptions import list_subscriptions
from services.connection.endpoints import CLOUDS
from services.connection.session import AzureSession
from tests.support.canned import CLOUD, Answer, Canned, Credential
from tests.support.own_sandbox import OwnSandbox

BY_IDS = f"{CLOUD.graph}/v1.0/directoryObjects/getByIds"
REFUSED = Answer(403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}})


def guid(number: int) -> str:
    return f"aaaaaaaa-0000-0000-0000-{number:012}"


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_each_cloud_s_directory_is_asked_with_a_token_for_it_alone(cloud: str) -> None:
    wire, credential = Canned(), Credential()
    endpoints = cloud
    wire.on("POST", f"{endpoints.graph}/v1.0/directoryObjects/getByIds", Answer(200, {"value": []}))
    found = names_of(AzureSession(credential, endpoints, wire), [guid(1)])
    assert found == Names({}, frozenset({guid(1)}))
    assert set(credential.asked) == {f"{endpoints.graph}/.default"}
    assert wire.sent[0].headers["Authorization"].startswith("Bearer ")


def test_ids_go_in_batches_once_each_and_no_text_that_is_no_id(wire: Canned, azure: AzureSession) -> None:
    def answered(sent: object) -> Answer:
        ids = json.loads(sent.body)["ids"]  # type: ignore[attr-defined]
        shown = [{"@odata.type": "#microsoft.graph.group", "id": one, "displayName": f"group {one}"} for one in ids]
        return Answer(200, {"value": shown})

    wire.on("POST", BY_IDS, answered)
    wanted = [guid(number) for number in range(BATCH + 5)]
    found = names_of(azure, [*wanted, *(one.upper() for one in wanted), "not an id", ""])
    assert sorted(len(json.loads(sent.body)["ids"]) for sent in wire.sent) == [5, BATCH]
    assert sorted(found.by_id) == wanted
    assert (found.missing, found.unread) == (frozenset(), None)


def test_what_refuses_stays_an_id_and_is_not_called_missing(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", BY_IDS, REFUSED)
    found = names_of(azure, [guid(1), guid(2)])
    assert (found.by_id, found.missing) == ({}, frozenset())
    assert found.unread
    assert (found.unread.code, found.unread.cause) == ("Authorization_RequestDenied", "Insufficient privileges.")


def test_a_name_that_may_not_be_told_is_empty(wire: Canned, azure: AzureSession) -> None:
    shown = {"@odata.type": "#microsoft.graph.servicePrincipal", "id": guid(1), "displayName": None, "appId": None}
    wire.on("POST", BY_IDS, Answer(200, {"value": [shown]}))
    (named,) = names_of(azure, [guid(1)]).by_id.values()
    assert (named.name, named.kind, named.sign_in) == ("", "service principal", "")


def test_a_cloud_without_a_directory_is_not_asked(wire: Canned) -> None:
    session = AzureSession(Credential(), replace(CLOUD, graph=""), wire)
    unread = names_of(session, [guid(1)]).unread
    assert unread
    assert unread.code == "NoDirectory"
    assert wire.sent == []
    assert names_of(session, []) == Names()


def test_an_answer_that_is_no_list_is_said(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", BY_IDS, Answer(200, []))
    unread = names_of(azure, [guid(1)]).unread
    assert unread
    assert unread.code == "BadAnswer"


def test_the_estate_s_principals_have_names_and_the_deleted_one_has_none(session: AzureSession) -> None:
    access = read_access(session, list_subscriptions(session).values)
    held = {one.principal_id for of_one in access.values for one in of_one.records.assignments}
    found = names_of(session, held)
    assert found.missing == {company.GONE}
    assert found.by_id.keys() == held - {company.GONE}
    named = found.by_id[company.LEAD]
    assert (named.name, named.kind, named.sign_in) == ("Payments lead", "user", "payments-lead@contoso.example")
    kinds = {named.kind for named in found.by_id.values()}
    assert kinds == {"user", "group", "service principal", "managed identity"}


def test_a_directory_that_is_down_costs_the_names_only(own: OwnSandbox) -> None:
    own.break_({"method": "POST", "path": "/directoryObjects/getByIds$", "status": 503})
    found = names_of(own.session(), ["7d2f894e-14ab-41d0-b83d-dda90d45c7d6"])
    assert found.by_id == {}
    assert found.unread
    assert found.unread.status == 503
