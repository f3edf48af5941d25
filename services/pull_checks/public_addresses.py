"""The public addresses from which a cluster's nodes reach a registry: read, and worked out from what was read."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from services.aks.clusters import Cluster
from services.arm.resources import get_resource
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, Refusal, parallel_map
from services.connection.session import AzureSession
from services.registries.registry import Registry

# With these outbound types a registry sees the address of a firewall or proxy, which is none of the cluster's.
_BEHIND_FIREWALL = frozenset({"userdefinedrouting", "none", "block"})


@dataclass(frozen=True)
class Outbound:
    """The nodes' outbound public addresses; empty if they are unknown, and then `unknown` says why."""

    addresses: tuple[str, ...]
    unknown: str = ""


def has_address_rules(registry: Registry) -> bool:
    """Whether the nodes' outbound address matters: the registry allows some addresses only."""
    return registry.network.public_access and not registry.network.open_to_all


def behind_firewall(cluster: Cluster) -> bool:
    """Whether nodes connect through a firewall or proxy, whose address the registry then sees."""
    return cluster.network.outbound_type.lower() in _BEHIND_FIREWALL


def outbound_of(cluster: Cluster, read: Partial[tuple[str, str]]) -> Outbound:
    """The outbound addresses of the cluster's nodes. `read`: resource ids in lower case with their addresses."""
    if behind_firewall(cluster):
        kind = cluster.network.outbound_type
        return Outbound((), f"Outbound type {kind}: registries see the address of a firewall or proxy.")
    if any(pool.public_ips for pool in cluster.pools):
        return Outbound((), "Nodes have public addresses of their own, which are not read here.")
    if not cluster.network.outbound_ip_ids:
        kind = cluster.network.outbound_type
        return Outbound((), f"Azure reports no outbound address of this cluster (outbound type {kind}).")
    by_id, refused = dict(read.values), {refusal.what: refusal.error for refusal in read.refused}
    ids = [resource_id.lower() for resource_id in cluster.network.outbound_ip_ids]
    for resource_id in ids:
        if error := refused.get(resource_id):
            return Outbound((), str(error))
        if not by_id.get(resource_id):
            return Outbound((), f"The public address {resource_id.rpartition('/')[2]} was not read.")
    return Outbound(tuple(by_id[resource_id] for resource_id in ids))


def addresses_by_id(session: AzureSession, resource_ids: Iterable[str]) -> Partial[tuple[str, str]]:
    """Resource id, in lower case, and address of each public IP address. One request each, in parallel."""
    return parallel_map(lambda one: (one.lower(), _read_address(session, one)), _distinct(resource_ids), name=str.lower)


def addresses_of_cluster(session: AzureSession, cluster: Cluster) -> Partial[tuple[str, str]]:
    """The same of one cluster, one request after another: it can be called from within parallel work."""
    values, refused = [], []
    for resource_id in _distinct(cluster.network.outbound_ip_ids):
        try:
            values.append((resource_id.lower(), _read_address(session, resource_id)))
        except ServiceError as error:
            refused.append(Refusal(resource_id.lower(), error))
    return Partial(tuple(values), tuple(refused))


def _distinct(resource_ids: Iterable[str]) -> list[str]:
    """Each id once, whatever its case."""
    return list({resource_id.lower(): resource_id for resource_id in sorted(resource_ids)}.values())


def _read_address(session: AzureSession, resource_id: str) -> str:
    """Raises ServiceError, also if it has no address yet."""
    document = get_resource(session, resource_id)
    with as_service_error(f"Could not read the public address {resource_id.rpartition('/')[2]}"):
        return str(ip_address(document["properties"]["ipAddress"]))
