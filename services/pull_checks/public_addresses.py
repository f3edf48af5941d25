"""From which public addresses a cluster's nodes reach a registry: what is read, and the one rule of what it says."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from services.aks.clusters import Cluster
from services.arm.resources import get_resource
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, Refusal, parallel_map
from services.connection.session import AzureSession
from services.registries.registry import Registry

# Of these outbound types a cluster's own resources do not say which address a registry sees.
_BEHIND_FIREWALL = frozenset({"userdefinedrouting", "none", "block"})


@dataclass(frozen=True)
class Outbound:
    """All public addresses that nodes come from; where they are not known none, and `unknown` says why."""

    addresses: tuple[str, ...]
    unknown: str = ""


def asks_for_addresses(registry: Registry) -> bool:
    """Whether it matters from which address nodes come: the registry lets some in and not others."""
    return registry.network.public_access and not registry.network.open_to_all


def behind_firewall(cluster: Cluster) -> bool:
    """Whether nodes go out through a firewall or proxy, whose address is the one that counts."""
    return cluster.network.outbound_type.lower() in _BEHIND_FIREWALL


def outbound_of(cluster: Cluster, read: Partial[tuple[str, str]]) -> Outbound:
    """The addresses that the cluster's nodes come from. `read`: resource ids in lower case with their addresses."""
    if behind_firewall(cluster):
        kind = cluster.network.outbound_type
        return Outbound((), f"Outbound type {kind}: the address of a firewall or proxy is what counts.")
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
    return parallel_map(lambda one: (one.lower(), _read_address(session, one)), _once(resource_ids), name=str.lower)


def addresses_of_cluster(session: AzureSession, cluster: Cluster) -> Partial[tuple[str, str]]:
    """The same of one cluster, one request after another: it may be called from within parallel work."""
    values, refused = [], []
    for resource_id in _once(cluster.network.outbound_ip_ids):
        try:
            values.append((resource_id.lower(), _read_address(session, resource_id)))
        except ServiceError as error:
            refused.append(Refusal(resource_id.lower(), error))
    return Partial(tuple(values), tuple(refused))


def _once(resource_ids: Iterable[str]) -> list[str]:
    """Each id once, whatever its case."""
    return list({resource_id.lower(): resource_id for resource_id in sorted(resource_ids)}.values())


def _read_address(session: AzureSession, resource_id: str) -> str:
    """Raises ServiceError, also where it has no address yet."""
    document = get_resource(session, resource_id)
    with as_service_error(f"Could not read the public address {resource_id.rpartition('/')[2]}"):
        return str(ip_address(document["properties"]["ipAddress"]))
