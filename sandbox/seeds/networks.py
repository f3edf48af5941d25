"""Builders of networking documents, with the members that Azure gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.networks import (
    A_RECORD,
    NETWORK,
    PEERING,
    PRIVATE_ENDPOINT,
    PUBLIC_ADDRESS,
    SUBNET,
    ZONE,
    ZONE_GROUP,
    ZONE_LINK,
)
from sandbox.clusters.network import REGISTRY_ZONE
from sandbox.seeds.resources import Document, guid


def public_address(resource_id: str, location: str, address: str) -> Document:
    return {
        **_resource(resource_id, PUBLIC_ADDRESS, location),
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": guid("resource", resource_id),
            "ipAddress": address,
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": 30,
            "ipTags": [],
        },
    }


def outbound_addresses(cluster: Mapping[str, Any], *addresses: str) -> list[Document]:
    """The public addresses that a cluster's load balancer names, in its order."""
    profile = cluster["properties"]["networkProfile"]["loadBalancerProfile"]
    ids = [one["id"] for one in profile["effectiveOutboundIPs"]]
    return [public_address(one, cluster["location"], address) for one, address in zip(ids, addresses, strict=True)]


def network(resource_id: str, location: str, prefix: str, subnets: Mapping[str, str]) -> list[Document]:
    """A virtual network and its subnets, by name with their address prefixes."""
    document = {
        **_resource(resource_id, NETWORK, location),
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": guid("resource", resource_id),
            "addressSpace": {"addressPrefixes": [prefix]},
            "enableDdosProtection": False,
        },
    }
    inside = [
        _nested(resource_id, SUBNET, name, {"provisioningState": "Succeeded", "addressPrefix": subnet})
        for name, subnet in subnets.items()
    ]
    return [document, *inside]


def peering(network_id: str, other_id: str, state: str = "Connected") -> Document:
    """One side of a peering of two virtual networks; the other side is a document of its own."""
    properties = {
        "provisioningState": "Succeeded",
        "peeringState": state,
        "peeringSyncLevel": "FullyInSync",
        "remoteVirtualNetwork": {"id": other_id},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
    }
    return _nested(network_id, PEERING, f"to-{other_id.rpartition('/')[2]}", properties)


def private_endpoint(
    resource_id: str,
    location: str,
    subnet_id: str,
    registry_id: str,
    addresses: Mapping[str, str],
    zone_id: str | None = None,
) -> list[Document]:
    """An endpoint of a registry, with addresses by FQDN, and its zone group where it keeps a zone's records."""
    name = resource_id.rpartition("/")[2]
    document = {
        **_resource(resource_id, PRIVATE_ENDPOINT, location),
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": guid("resource", resource_id),
            "privateLinkServiceConnections": [
                {
                    "name": name,
                    "id": f"{resource_id}/privateLinkServiceConnections/{name}",
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateLinkServiceId": registry_id,
                        "groupIds": ["registry"],
                        "privateLinkServiceConnectionState": {"status": "Approved", "actionsRequired": "None"},
                    },
                }
            ],
            "manualPrivateLinkServiceConnections": [],
            "subnet": {"id": subnet_id},
            "customDnsConfigs": [{"fqdn": fqdn, "ipAddresses": [address]} for fqdn, address in addresses.items()],
        },
    }
    if zone_id is None:
        return [document]
    zones = [{"name": REGISTRY_ZONE.replace(".", "-"), "properties": {"privateDnsZoneId": zone_id}}]
    group = {"provisioningState": "Succeeded", "privateDnsZoneConfigs": zones}
    return [document, _nested(resource_id, ZONE_GROUP, "default", group)]


def zone(resource_id: str, network_ids: Sequence[str], records: Mapping[str, str]) -> list[Document]:
    """A private DNS zone, its links to networks, and its A records: addresses by name below the zone."""
    name = resource_id.rpartition("/")[2]
    document = {
        **_resource(resource_id, ZONE, "global"),
        "properties": {
            "provisioningState": "Succeeded",
            "maxNumberOfRecordSets": 25000,
            "maxNumberOfVirtualNetworkLinks": 1000,
            "numberOfRecordSets": len(records) + 1,
            "numberOfVirtualNetworkLinks": len(network_ids),
        },
    }
    links = [
        {
            **_nested(
                resource_id,
                ZONE_LINK,
                f"{one.rpartition('/')[2]}-link",
                {
                    "provisioningState": "Succeeded",
                    "registrationEnabled": False,
                    "virtualNetwork": {"id": one},
                    "virtualNetworkLinkState": "Completed",
                },
            ),
            "location": "global",
        }
        for one in network_ids
    ]
    found = [
        _nested(
            resource_id,
            A_RECORD,
            record,
            {
                "fqdn": f"{record}.{name}.",
                "ttl": 10,
                "aRecords": [{"ipv4Address": address}],
                "isAutoRegistered": False,
            },
        )
        for record, address in records.items()
    ]
    return [document, *links, *found]


def _resource(resource_id: str, kind: str, location: str) -> Document:
    return {"id": resource_id, "name": resource_id.rpartition("/")[2], "type": kind, "location": location, "tags": {}}


def _nested(parent_id: str, kind: str, name: str, properties: Document) -> Document:
    return {
        "id": f"{parent_id}/{kind.rpartition('/')[2]}/{name}",
        "name": name,
        "type": kind,
        "properties": properties,
    }
