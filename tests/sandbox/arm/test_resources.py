"""Subscriptions, resource groups and the generic resource list, through the real clients."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from sandbox.server import Sandbox
from tests.support.azure_clients import SUBSCRIPTION, Arm, client

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    with Sandbox.start(tmp_path_factory.mktemp("resources"), seed="estate") as running:
        yield running.ready


@pytest.fixture
def arm(ready):
    with Arm(ready) as session:
        yield session


@pytest.fixture
def resources(ready):
    with client(ResourceManagementClient, ready, SUBSCRIPTION) as made:
        yield made


def test_an_identity_that_a_cluster_names(arm):
    identity = (
        "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f/resourcegroups/node-rg"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/aks1-agentpool"
    )
    found = arm("GET", identity).json()
    assert found["properties"]["clientId"] == "d55c1efa-7418-42a5-9dc4-34467aba4ca0"
    assert found["properties"]["principalId"] == "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
    assert arm("GET", f"{identity}-gone").status_code == 404


def test_each_identity_sees_the_subscriptions_it_has_a_role_in(ready):
    for who, expected in (
        ("client", ["casacloud", "contoso-platform", "contoso-apps", "contoso-restricted"]),
        ("reader_client", ["casacloud"]),
    ):
        with client(SubscriptionClient, ready, who=who) as subscriptions:
            assert [found.display_name for found in subscriptions.subscriptions.list()] == expected


def test_a_subscription_its_tenant_and_its_locations(ready):
    with client(SubscriptionClient, ready) as subscriptions:
        assert subscriptions.subscriptions.get(SUBSCRIPTION).display_name == "casacloud"
        assert [tenant.tenant_id for tenant in subscriptions.tenants.list()] == [ready["tenant_id"]]
        names = {place.name: place.display_name for place in subscriptions.subscriptions.list_locations(SUBSCRIPTION)}
        assert names["eastus2"] == "East US 2"


def test_another_s_subscription_does_not_exist(ready):
    made = client(SubscriptionClient, ready, who="reader_client")
    with made as subscriptions, pytest.raises(ResourceNotFoundError):
        subscriptions.subscriptions.get(ready["subscription_ids"][1])


def test_a_group_s_life(resources):
    assert not resources.resource_groups.check_existence("contoso-new-rg")
    made = resources.resource_groups.create_or_update("contoso-new-rg", {"location": "East US 2", "tags": {"a": "b"}})
    assert (made.location, made.tags) == ("eastus2", {"a": "b"})
    assert resources.resource_groups.check_existence("CONTOSO-NEW-RG")
    assert "contoso-new-rg" in [group.name for group in resources.resource_groups.list()]
    resources.resource_groups.begin_delete("contoso-new-rg").result()
    assert not resources.resource_groups.check_existence("contoso-new-rg")
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        resources.resource_groups.get("contoso-new-rg")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("contoso-x-rg", {}, "LocationRequired"),
        ("contoso-x-rg", {"location": "atlantis"}, "LocationNotAvailableForResourceGroup"),
        ("dotted.", {"location": "eastus"}, "InvalidResourceGroupName"),
        ("casacloud_rg1", {"location": "westus"}, "InvalidResourceGroupLocation"),
    ],
)
def test_a_group_that_cannot_be(arm, name, body, code):
    assert arm("PUT", f"{GROUPS}/{name}", body).json()["error"]["code"] == code


def test_groups_are_created_once(arm):
    body = {"location": "eastus"}
    assert [arm("PUT", f"{GROUPS}/contoso-twice", body).status_code for _ in range(2)] == [201, 200]


def test_a_reader_reads_groups_and_is_told_that_it_may_not_write(ready):
    with client(ResourceManagementClient, ready, SUBSCRIPTION, who="reader_client") as resources:
        assert next(group.name for group in resources.resource_groups.list()) == "casacloud_rg1"
        with pytest.raises(HttpResponseError) as refused:
            resources.resource_groups.create_or_update("mine", {"location": "eastus"})
    assert refused.value.status_code == 403
    assert refused.value.error.code == "AuthorizationFailed"
    action = "'Microsoft.Resources/subscriptions/resourceGroups/write' over scope"
    assert ready["reader_client_id"] in refused.value.message
    assert action in refused.value.message


def test_deleting_a_group_deletes_the_registries_in_it(tmp_path):
    with Sandbox.start(tmp_path, seed="walkthrough") as running, Arm(running.ready) as arm:
        deleted = arm("DELETE", f"{GROUPS}/resource-group-4")
        assert deleted.status_code == 202
        assert arm.poll(deleted) == ["Deleting", 200]
        listed = arm("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries")
        assert listed.json() == {"value": []}
        assert running.store.list_repositories("casaacr01") == []


def test_resources_are_filtered_by_type_and_name(resources):
    kind = "resourceType eq 'Microsoft.ContainerRegistry/registries'"
    assert [found.name for found in resources.resources.list(filter=kind)] == ["casaacr01"]
    both = f"{kind} and name eq 'CASAACR01'"
    (found,) = resources.resources.list(filter=both)
    assert found.sku.name == "Standard"
    assert list(resources.resources.list(filter="name eq 'other'")) == []
    with pytest.raises(HttpResponseError, match="InvalidFilter"):
        list(resources.resources.list(filter="color eq 'red'"))


def test_lists_come_in_pages_that_next_link_connects(arm):
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
    first = arm("GET", path, dollar_top="1").json()
    assert len(first["value"]) == 1
    second = arm("GET", first["nextLink"]).json()
    assert second["value"][0]["name"] != first["value"][0]["name"]


def test_a_registered_provider_names_its_locations(resources):
    provider = resources.providers.get("Microsoft.ContainerRegistry")
    assert provider.registration_state == "Registered"
    (kind,) = [kind for kind in provider.resource_types if kind.resource_type == "registries"]
    assert "East US 2" in kind.locations
