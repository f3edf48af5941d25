"""The private path from a cluster's nodes to a registry: endpoint, network, DNS zone, records. Pure.

https://learn.microsoft.com/azure/container-registry/container-registry-private-link
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.resource_ids import parse_id
from services.registries.registry import Registry

_SUFFIX = ".azurecr."


@dataclass(frozen=True)
class NetworkPath:
    """Whether nodes can use this path: yes, no, or None, unknown; `why` is a sentence."""

    open: bool | None
    why: str


@dataclass(frozen=True)
class Zone:
    """A private DNS zone: the ids of the networks linked to it, and its A records by name. Ids in lower case."""

    id: str
    networks: frozenset[str]
    records: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Endpoint:
    """A private endpoint: its network's id in lower case, its addresses by FQDN, and its DNS zones."""

    id: str
    network: str
    addresses: Mapping[str, tuple[str, ...]]
    zones: tuple[Zone, ...]


@dataclass(frozen=True)
class Networks:
    """What was read of a cluster's networks: by the id of each, the ids of those peered with it, all in lower case; and
    whether one of them uses other DNS servers than Azure's."""

    peers: Mapping[str, frozenset[str]]
    custom_dns: bool


def network_of(subnet_id: str) -> str:
    """The id, in lower case, of the virtual network of a subnet."""
    return subnet_id.lower().partition("/subnets/")[0]


def networks_of(cluster: Cluster) -> frozenset[str]:
    """The ids, in lower case, of its node pools' networks; pools in a network that AKS manages name none."""
    return frozenset(network_of(pool.subnet_id) for pool in cluster.pools if pool.subnet_id)


def private_path(
    cluster: Cluster,
    registry: Registry,
    endpoints: tuple[Endpoint, ...] | ServiceError,
    networks: Networks | ServiceError | None,
) -> NetworkPath:
    """Whether nodes reach the registry privately. `endpoints` are the approved ones, as read; `networks` None: not
    read, since no pool names a subnet."""
    if not registry.network.approved_endpoints:
        states = [endpoint.state for endpoint in registry.network.private_endpoints]
        others = f" ({', '.join(sorted(set(states)))})" if states else ""
        return NetworkPath(False, f"There is no approved private endpoint{others}.")
    if isinstance(endpoints, ServiceError):
        return NetworkPath(None, str(endpoints))
    if networks is None:
        return NetworkPath(None, "The nodes are in a network that AKS manages: its peerings are not read.")
    if isinstance(networks, ServiceError):
        return NetworkPath(None, str(networks))
    mine = networks_of(cluster)
    reach = [networks.peers.get(one, frozenset()) | {one} for one in mine]
    near = [endpoint for endpoint in endpoints if all(endpoint.network in reached for reached in reach)]
    if not near and any(endpoint.network in reached for endpoint in endpoints for reached in reach):
        why = (
            "Each approved private endpoint is in reach of some of the cluster's networks only, not of all node pools."
        )
        return NetworkPath(False, why)
    if not near:
        return NetworkPath(False, "No approved private endpoint is in the cluster's network, or in one peered with it.")
    if networks.custom_dns:
        return NetworkPath(None, "The cluster's network has custom DNS servers: what they answer is unknown.")
    tried = [_by_name(endpoint, mine) for endpoint in near]
    return next((path for path in tried if path.open), next((path for path in tried if path.open is None), tried[0]))


def _by_name(endpoint: Endpoint, mine: frozenset[str]) -> NetworkPath:
    """Whether the nodes' DNS leads to the endpoint."""
    name = parse_id(endpoint.id).name
    if not endpoint.zones:
        return NetworkPath(None, f"The private endpoint {name} has no DNS zone group: its DNS records are unknown.")
    linked = [zone for zone in endpoint.zones if mine <= zone.networks]
    if not linked:
        return NetworkPath(False, f"The zone of the private endpoint {name} is not linked to the cluster's network.")
    if not endpoint.addresses:
        return NetworkPath(None, f"Azure reports no addresses of the private endpoint {name}.")
    for fqdn, addresses in endpoint.addresses.items():
        record = fqdn.lower().partition(_SUFFIX)[0]
        if not any(set(zone.records.get(record, ())) & set(addresses) for zone in linked):
            return NetworkPath(
                False, f"The zone has no record {record} with the endpoint's address {', '.join(addresses)}."
            )
    return NetworkPath(True, f"{', '.join(sorted(endpoint.addresses))} resolve to the private endpoint {name}.")
