"""Networking as generic resources by id: outbound addresses, and the private way to a registry."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.clusters.network import REGISTRY_ZONE
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.seeds.networks import network, peering
from sandbox.seeds.places import APPS, NETWORK
from tests.support.azure_clients import Arm, client

VNET = f"{NETWORK}/virtualNetworks/secure-vnet"
VERSION = "2024-05-01"


@pytest.fixture
def resources(running):
    with client(ResourceManagementClient, running.ready, APPS) as made:
        yield made.resources


def listed(arm, path):
    return arm("GET", path).json()["value"]


def test_every_outbound_address_of_a_cluster_can_be_looked_up_by_its_id(running, resources):
    found = {}
    for cluster in running.store.list_resources(CLUSTER_TYPE):
        profile = cluster["properties"]["networkProfile"].get("loadBalancerProfile", {})
        for one in profile.get("effectiveOutboundIPs", ()):
            found[cluster["name"]] = resources.get_by_id(one["id"], api_version=VERSION).properties["ipAddress"]
    assert sorted(found) == ["aks-batch", "aks-dev", "aks-payments", "aks-platform", "aks1"]
    assert len(set(found.values())) == 5
    assert found["aks1"] == "203.0.113.10"


def test_a_private_endpoint_leads_to_its_network_its_zone_and_the_records_of_both_endpoints(running, arm, resources):
    registry = running.store.find_resource(REGISTRY_TYPE, "contososecure")
    (connection,) = registry["properties"]["privateEndpointConnections"]
    endpoint = resources.get_by_id(connection["properties"]["privateEndpoint"]["id"], api_version=VERSION)
    links = endpoint.properties["privateLinkServiceConnections"]
    assert [one["properties"]["privateLinkServiceId"] for one in links] == [registry["id"]]
    assert endpoint.properties["subnet"]["id"].startswith(VNET + "/subnets/")
    (group,) = listed(arm, endpoint.id + "/privateDnsZoneGroups")
    (config,) = group["properties"]["privateDnsZoneConfigs"]
    zone = resources.get_by_id(config["properties"]["privateDnsZoneId"], api_version=VERSION)
    assert (zone.name, zone.location) == (REGISTRY_ZONE, "global")
    (link,) = listed(arm, zone.id + "/virtualNetworkLinks")
    assert link["properties"]["virtualNetwork"]["id"] == VNET
    records = {one["name"]: one["properties"]["aRecords"] for one in listed(arm, zone.id + "/A")}
    for config in endpoint.properties["customDnsConfigs"]:
        (address,) = config["ipAddresses"]
        assert records[config["fqdn"].removesuffix(".azurecr.io")] == [{"ipv4Address": address}]
    hosts = [config["fqdn"] for config in endpoint.properties["customDnsConfigs"]]
    assert set(registry["properties"]["dataEndpointHostNames"]) < set(hosts)


def test_a_network_shows_its_subnets_and_peerings_inside_and_beside_it(running, arm, resources):
    other = f"{NETWORK}/virtualNetworks/other-vnet"
    added = [*network(other, "swedencentral", "10.61.0.0/16", {}), peering(VNET, other)]
    for document in added:
        running.store.put_resource(document)
    try:
        properties = resources.get_by_id(VNET, api_version=VERSION).properties
        assert [subnet["name"] for subnet in properties["subnets"]] == ["endpoints", "nodes"]
        (inside,) = properties["virtualNetworkPeerings"]
        assert inside["properties"]["remoteVirtualNetwork"]["id"] == other
        assert listed(arm, VNET + "/virtualNetworkPeerings") == [inside]
        assert arm("GET", f"{VNET}/virtualNetworkPeerings/{inside['name']}").json() == inside
        assert arm("GET", VNET + "/subnets/nodes").json()["properties"]["addressPrefix"] == "10.60.0.0/24"
    finally:
        for document in added:
            running.store.delete_resource(document["id"])


def test_what_is_not_there_is_told_by_type_and_name(arm, resources):
    with pytest.raises(HttpResponseError, match="virtualNetworks/no-vnet' under resource group"):
        resources.get_by_id(f"{NETWORK}/virtualNetworks/no-vnet", api_version=VERSION)
    missing = arm("GET", f"{NETWORK}/privateDnsZones/none.example/A")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_zones_are_found_by_their_type_among_all_resources(resources):
    (zone,) = resources.list(filter="resourceType eq 'Microsoft.Network/privateDnsZones'")
    assert zone.id == f"{NETWORK}/privateDnsZones/{REGISTRY_ZONE}"


def test_reading_networks_takes_a_role_there(running):
    """The Reader holds its role in the walkthrough's subscription alone."""
    with Arm(running.ready, "reader_client") as reader:
        refused = reader("GET", VNET)
        (cluster,) = running.store.list_resources(CLUSTER_TYPE, "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f")
        profile = cluster["properties"]["networkProfile"]["loadBalancerProfile"]
        assert reader("GET", profile["effectiveOutboundIPs"][0]["id"]).status_code == 200
    assert refused.status_code == 403
    assert f"'Microsoft.Network/virtualNetworks/read' over scope '{VNET}'" in refused.json()["error"]["message"]
