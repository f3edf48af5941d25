"""Whether the nodes of a cluster get through to a registry, by its private endpoint or past its firewall.

https://learn.microsoft.com/azure/container-registry/container-registry-private-link
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.arm.networks import A_RECORD, PEERING, ZONE_LINK
from sandbox.storage.store import Store

REGISTRY_ZONE = "privatelink.azurecr.io"
Document = Mapping[str, Any]


def reaches(store: Store, cluster: Document, pool: Document, registry: Document) -> bool:
    """Whether a node of the pool may talk to the registry. Behind a firewall outside Azure its address is not known."""
    properties = registry["properties"]
    rules = properties.get("networkRuleSet") or {}
    if _privately(store, pool, registry):
        return True
    if properties.get("publicNetworkAccess") == "Disabled":
        return False
    if rules.get("defaultAction") != "Deny":
        return True
    ranges = [ipaddress.ip_network(rule["value"], strict=False) for rule in rules.get("ipRules") or ()]
    return any(address in one for address in _outbound(store, cluster) for one in ranges)


def _outbound(store: Store, cluster: Document) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The public addresses that the world sees of a cluster."""
    profile = cluster["properties"]["networkProfile"].get("loadBalancerProfile") or {}
    for one in profile.get("effectiveOutboundIPs") or ():
        document = store.get_resource(one["id"])
        if document is not None:
            yield ipaddress.ip_address(document["properties"]["ipAddress"])


def _privately(store: Store, pool: Document, registry: Document) -> bool:
    """Whether an approved endpoint is in reach of the pool's network, and that network's DNS knows its addresses."""
    network = _network(pool.get("vnetSubnetID") or "")
    if not network:
        return False
    known = _resolved(store, network)
    near = {network, *_peers(store, network)}
    for connection in registry["properties"].get("privateEndpointConnections") or ():
        properties = connection["properties"]
        endpoint = store.get_resource(properties["privateEndpoint"]["id"])
        if endpoint is None or properties["privateLinkServiceConnectionState"]["status"] != "Approved":
            continue
        names = endpoint["properties"]["customDnsConfigs"]
        addresses = {address for name in names for address in name["ipAddresses"]}
        if _network(endpoint["properties"]["subnet"]["id"]) in near and addresses <= known:
            return True
    return False


def _network(subnet_id: str) -> str:
    return subnet_id.lower().rpartition("/subnets/")[0]


def _peers(store: Store, network: str) -> Iterator[str]:
    for document in store.list_resources(PEERING, network):
        if document["properties"]["peeringState"] == "Connected":
            yield document["properties"]["remoteVirtualNetwork"]["id"].lower()


def _resolved(store: Store, network: str) -> set[str]:
    """The addresses in all zones of registries that are linked to a network."""
    found = set()
    for link in store.list_resources(ZONE_LINK):
        zone = link["id"].rpartition("/virtualNetworkLinks/")[0]
        if link["properties"]["virtualNetwork"]["id"].lower() == network and zone.lower().endswith(REGISTRY_ZONE):
            for record in store.list_resources(A_RECORD, zone):
                found |= {one["ipv4Address"] for one in record["properties"]["aRecords"]}
    return found
