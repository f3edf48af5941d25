"""Searching the directory: what is asked, two of one name told apart, and what a refusal leaves."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.seeds import company
from services.access.directory_search import MOST, search_directory
from services.connection.session import AzureSession
from tests.support.canned import CLOUD, Answer, Canned, Credential, Sent
from tests.support.own_sandbox import OwnSandbox

KINDS = ("users", "groups", "servicePrincipals")
REFUSED = Answer(403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}})
NOTHING = Answer(200, {"value": []})
KUBELET, KUBELET_CLIENT = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6", "d55c1efa-7418-42a5-9dc4-34467aba4ca0"


def guid(number: int) -> str:
    return f"aaaaaaaa-0000-0000-0000-{number:012}"


def answer_all(wire: Canned, **answers: Answer) -> None:
    for kind in KINDS:
        wire.on("GET", f"{CLOUD.graph}/v1.0/{kind}", answers.get(kind, NOTHING))


def query_of(sent: Sent) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(sent.url).query).items()}


def test_each_kind_is_asked_once_by_an_advanced_query(wire: Canned, azure: AzureSession) -> None:
    answer_all(wire)
    assert not search_directory(azure, " pay ").found
    assert sorted(sent.path for sent in wire.sent) == sorted(f"/v1.0/{kind}" for kind in KINDS)
    assert all(sent.headers["ConsistencyLevel"] == "eventual" for sent in wire.sent)
    searched = {sent.path.rpartition("/")[2]: query_of(sent)["$search"] for sent in wire.sent}
    assert searched["groups"] == searched["servicePrincipals"] == '"displayName:pay"'
    assert searched["users"] == '"displayName:pay" OR "userPrincipalName:pay"'


def test_two_of_one_name_are_told_apart_and_managed_identities_named_as_such(wire: Canned, azure: AzureSession) -> None:
    users = [{"id": guid(n), "displayName": "Kim", "userPrincipalName": f"kim{n}@contoso.example"} for n in (2, 1)]
    identity = {"id": guid(3), "displayName": "aks", "appId": guid(4), "servicePrincipalType": "ManagedIdentity"}
    answer_all(wire, users=Answer(200, {"value": users}), servicePrincipals=Answer(200, {"value": [identity]}))
    found = search_directory(azure, "k").found
    assert [(one.name, one.kind, one.sign_in) for one in found] == [
        ("aks", "managed identity", guid(4)),
        ("Kim", "user", "kim1@contoso.example"),
        ("Kim", "user", "kim2@contoso.example"),
    ]


def test_a_kind_that_refuses_is_named_and_the_others_stay(wire: Canned, azure: AzureSession) -> None:
    group = Answer(200, {"value": [{"id": guid(1), "displayName": "engineers"}]})
    answer_all(wire, users=REFUSED, groups=group)
    result = search_directory(azure, "e")
    assert [(one.name, one.kind) for one in result.found] == [("engineers", "group")]
    assert [(refusal.what, refusal.error.code) for refusal in result.refused] == [
        ("users", "Authorization_RequestDenied")
    ]


def test_more_than_are_listed_is_said(wire: Canned, azure: AzureSession) -> None:
    groups = [{"id": guid(number), "displayName": f"group {number}"} for number in range(MOST + 1)]
    answer_all(wire, groups=Answer(200, {"value": groups}))
    result = search_directory(azure, "group")
    assert (len(result.found), result.more) == (MOST, True)
    answer_all(wire, groups=Answer(200, {"value": groups[:MOST]}))
    assert not search_directory(azure, "group").more


@given(st.text(min_size=1, max_size=40))
def test_no_text_ends_the_quotes_of_the_query(text: str) -> None:
    wire = Canned()
    answer_all(wire)
    wire.on("POST", f"{CLOUD.graph}/v1.0/directoryObjects/getByIds", NOTHING)
    search_directory(AzureSession(Credential(), CLOUD, wire), text)
    for sent in wire.sent:
        search = query_of(sent).get("$search", "")
        assert not search or re.fullmatch(r'"\w+:[^"\\]*"( OR "\w+:[^"\\]*")?', search)


@pytest.mark.parametrize("known_by", [KUBELET, KUBELET_CLIENT, KUBELET_CLIENT.upper()])
def test_an_object_id_and_a_client_id_lead_to_the_same_principal(own: OwnSandbox, known_by: str) -> None:
    result = search_directory(own.session(), known_by)
    assert [(one.id, one.name, one.kind) for one in result.found] == [(KUBELET, "aks1-agentpool", "managed identity")]
    assert not result.refused


def test_the_estate_is_found_by_words_and_by_sign_in_names(session: AzureSession) -> None:
    by_word = [one.name for one in search_directory(session, "lead").found]
    assert by_word == ["Payments lead"]
    (lead,) = search_directory(session, "payments-lead@").found
    assert (lead.id, lead.kind) == (company.LEAD, "user")
    kinds = {one.kind for one in search_directory(session, "payments").found}
    assert {"user", "group", "managed identity"} <= kinds
    assert not search_directory(session, "nobody of this name").found
    assert not search_directory(session, "  ").found
