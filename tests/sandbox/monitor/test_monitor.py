"""Diagnostic settings, workspaces, queries and metrics, as callers who may and who may not."""

from tests.support.azure_clients import Arm

HUB = (
    "/subscriptions/c2f1a6d4-7e0b-4d39-8a55-1b6c90e2f7a8/resourceGroups/platform-registries-rg/providers"
    "/Microsoft.ContainerRegistry/registries/contosohub"
)
DEV = (
    "/subscriptions/d47be913-05c8-4f62-9b1e-a3f86c2d5e10/resourceGroups/dev-rg/providers"
    "/Microsoft.ContainerRegistry/registries/contosodev"
)
EVENTS = [{"category": "ContainerRegistryRepositoryEvents", "enabled": True}]


def settings_of(registry):
    return f"{registry}/providers/microsoft.insights/diagnosticSettings"


def test_a_setting_is_put_listed_and_deleted(arm):
    (there,) = arm("GET", settings_of(HUB)).json()["value"]
    assert there["properties"]["logs"][0]["category"] == EVENTS[0]["category"]
    workspace = there["properties"]["workspaceId"]
    one = f"{settings_of(DEV)}/logs"
    body = {"properties": {"workspaceId": workspace, "logs": EVENTS}}
    assert arm("PUT", one, body=body).status_code == 200
    assert [found["name"] for found in arm("GET", settings_of(DEV)).json()["value"]] == ["logs"]
    again = arm("PUT", f"{settings_of(DEV)}/other", body=body)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "Conflict")
    nowhere = arm("PUT", one, body={"properties": {"logs": EVENTS}})
    assert nowhere.status_code == 400
    unknown = {"properties": {"workspaceId": workspace, "logs": [{"category": "Pulls", "enabled": True}]}}
    assert arm("PUT", one, body=unknown).status_code == 400
    assert arm("DELETE", one).status_code == 200
    assert arm("DELETE", one).status_code == 204


def test_workspaces_are_listed_where_they_may_be(arm, running):
    path = f"/subscriptions/{HUB.split('/')[2]}/providers/Microsoft.OperationalInsights/workspaces"
    assert [one["name"] for one in arm("GET", path).json()["value"]] == ["contoso-logs"]
    with Arm(running.ready, "reader_client") as reader:
        assert reader("GET", settings_of(HUB)).status_code == 403


def test_a_query_of_its_own_is_refused_as_azure_refuses_it(arm):
    answer = arm("POST", f"/v1{HUB}/query", body={"query": "ContainerRegistryRepositoryEvents | take 1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadArgumentError"
    assert answer.json()["error"]["innererror"]["innererror"]["code"] == "SYN0002"


def test_metrics_are_of_fifty_resources_of_one_subscription(arm):
    path = f"/subscriptions/{HUB.split('/')[2]}/metrics:getBatch"
    asked = {"metricnames": "TotalPullCount", "metricnamespace": "Microsoft.ContainerRegistry/registries"}
    for ids, status in (([HUB], 200), ([HUB] * 51, 400), ([DEV], 404), ([], 400)):
        assert arm("POST", path, {"resourceids": ids}, **asked).status_code == status
    wrong = {**asked, "metricnames": "StorageUsed"}
    assert arm("POST", path, {"resourceids": [HUB]}, **wrong).status_code == 400
