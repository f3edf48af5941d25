"""Microsoft Graph, as far as the pulls of a cluster with a service principal need it."""

import pytest

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import registry_permissions
from tests.support.azure_clients import Arm


@pytest.fixture
def graph(running):
    """Requests below /v1.0 with a token for Graph."""
    base = running.ready["graph"]
    with Arm(running.ready, scope=f"{base}/.default") as session:
        yield lambda path, **query: session("GET", f"{base}/v1.0{path}", **query)


def test_a_cluster_s_client_id_leads_to_the_object_id_that_roles_are_assigned_to(running, graph):
    clusters = running.store.list_resources(CLUSTER_TYPE)
    (batch,) = [doc for doc in clusters if "identityProfile" not in doc["properties"]]
    client_id = batch["properties"]["servicePrincipalProfile"]["clientId"]
    (found,) = graph("/servicePrincipals", dollar_filter=f"appId eq '{client_id}'").json()["value"]
    assert (found["appId"], found["servicePrincipalType"]) == (client_id, "Application")
    hub = running.store.find_resource(REGISTRY_TYPE, "contosohub")
    assert "pull" in registry_permissions(running.store, hub, found["id"], "web/storefront")
    assert graph(f"/servicePrincipals/{found['id']}").json()["displayName"] == "contoso-batch"


def test_nobody_a_filter_that_is_not_understood_and_a_token_for_another(running, graph):
    nobody = graph("/servicePrincipals", dollar_filter="appId eq '00000000-0000-0000-0000-000000000009'")
    assert nobody.json()["value"] == []
    odd = graph("/servicePrincipals", dollar_filter="startswith(displayName,'a')")
    assert (odd.status_code, odd.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    with Arm(running.ready) as session:
        refused = session("GET", running.ready["graph"] + "/v1.0/servicePrincipals")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_a_search_asks_for_its_header_and_finds_beginnings_of_words(running, graph):
    search = {"dollar_search": '"displayName:lead"'}
    refused = graph("/users", **search)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    base = running.ready["graph"]
    with Arm(running.ready, scope=f"{base}/.default") as session:
        session.headers["ConsistencyLevel"] = "eventual"

        def found(search, **query):
            return session("GET", f"{base}/v1.0/users", dollar_search=search, **query)

        assert [one["displayName"] for one in found('"displayName:lead"').json()["value"]] == ["Payments lead"]
        assert found('"displayName:ead"').json()["value"] == []
        either = found('"displayName:nobody" OR "userPrincipalName:payments-"', dollar_top=1)
        assert len(either.json()["value"]) == 1
        assert found("displayName:lead").json()["error"]["code"] == "Request_BadRequest"
