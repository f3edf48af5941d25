"""Checks of the network path from nodes to the registry: name, rules, outbound address, data endpoints."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.pull_checks.checks import TITLES, Check, CheckState, unknown
from services.pull_checks.private_link import NetworkPath
from services.pull_checks.public_addresses import Outbound, behind_firewall
from services.registries.registry import Registry

NAME, LOCATION, RULES = (TITLES[one] for one in ("C2", "C17", "C9"))
ADDRESS, PRIVATE, DATA = (TITLES[one] for one in ("C10", "C11", "C12"))
_FORBIDDEN = "failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden"


@dataclass(frozen=True)
class Resolved:
    """What a name resolves to where the console runs; `canonical` is "" if it is the same name."""

    addresses: tuple[str, ...]
    canonical: str


def host_of(login_server: str) -> str:
    """The login server without a port."""
    return login_server.partition(":")[0]


def name(registry: Registry, resolved: Resolved | ServiceError) -> Check:
    """C2: the registry's name, looked up where the console runs, which is no node: advisory only."""
    host = host_of(registry.login_server)
    if isinstance(resolved, ServiceError):
        evidence = f"{host} does not resolve where the console runs: {resolved.cause}"
        fix = "Look it up on a node too, and check the DNS servers of the cluster's network."
        return Check("C2", NAME, CheckState.WARNING, evidence, f"dial tcp: lookup {host}: no such host", fix)
    also = f", canonical name {resolved.canonical}" if resolved.canonical else ""
    evidence = f"{host} resolves to {', '.join(resolved.addresses)} where the console runs{also}."
    return Check("C2", NAME, CheckState.PASSED, evidence)


def location(cluster: Cluster, registry: Registry) -> Check:
    """C17: whether images come from the cluster's region."""
    if not (registry.location and cluster.location):
        silent = " nor ".join(one.name for one in (registry, cluster) if not one.location)
        return unknown("C17", LOCATION, f"Azure does not report a region of {silent}.")
    if registry.location == cluster.location:
        return Check("C17", LOCATION, CheckState.PASSED, f"Both are in {registry.location}.")
    if registry.replicas is None:
        return unknown("C17", LOCATION, f"{registry.name} is in {registry.location}; its replicas could not be read.")
    if any(replica.region == cluster.location for replica in registry.replicas):
        evidence = f"{registry.name} has a replica in {cluster.location}, where the cluster is."
        return Check("C17", LOCATION, CheckState.PASSED, evidence)
    evidence = f"{registry.name} is in {registry.location}, the cluster in {cluster.location}."
    fix = "Pulls are slower and their traffic is billed: a replica in the cluster's region (Premium) avoids both."
    return Check("C17", LOCATION, CheckState.WARNING, evidence, "Pulling image takes long", fix)


def public_path(registry: Registry, outbound: Outbound) -> NetworkPath:
    """Whether the registry's public endpoint allows the addresses of `outbound`."""
    network = registry.network
    if not network.public_access:
        return NetworkPath(False, "Public access is off.")
    if network.open_to_all:
        return NetworkPath(True, "All networks are allowed.")
    if outbound.unknown:
        return NetworkPath(None, outbound.unknown)
    rules = ", ".join(network.ip_rules)
    if outside := [address for address in outbound.addresses if not is_allowed(address, network.ip_rules)]:
        return NetworkPath(False, f"{', '.join(outside)} is in none of the registry's IP rules ({rules or 'none'}).")
    return NetworkPath(True, f"{', '.join(outbound.addresses)} is allowed by the registry's IP rules ({rules}).")


def is_allowed(address: str, rules: Iterable[str]) -> bool:
    """Whether an address is in one of the rules: single addresses, or ranges in CIDR notation."""
    one = ip_address(address)
    ranges = []
    for rule in rules:
        with suppress(ValueError):  # A rule of an unknown form allows nobody.
            ranges.append(ip_network(rule, strict=False))
    return any(one in among for among in ranges)


def either_path(public: NetworkPath, private: NetworkPath) -> NetworkPath:
    """Whether nodes reach the registry by its public endpoint or a private one: what C9 and the matrix say."""
    if public.open:
        return public
    why = f"Public endpoint: {public.why} Private endpoint: {private.why}"
    return NetworkPath(private.open or (None if None in (public.open, private.open) else False), why)


def rules(registry: Registry, public: NetworkPath, private: NetworkPath) -> Check:
    """C9: whether nodes can reach the registry, by its public endpoint or a private one."""
    path = either_path(public, private)
    evidence = path.why
    if path.open:
        return Check("C9", RULES, CheckState.PASSED, evidence)
    if path.open is None:
        return unknown("C9", RULES, evidence, "Ask the network's administrator, or run a test pull.")
    fix = (
        "Add the cluster's outbound address to the IP rules, or create a private endpoint in its network."
        if registry.network.public_access
        else "Create a private endpoint in the cluster's network, with the zone privatelink.azurecr.io linked to it."
    )
    return Check("C9", RULES, CheckState.FAILED, evidence, _FORBIDDEN, fix)


def outbound(registry: Registry, public: NetworkPath, private: NetworkPath) -> Check | None:
    """C10: the nodes' outbound address against the IP rules. None if public access is off."""
    if not registry.network.public_access:
        return None
    if public.open:
        return Check("C10", ADDRESS, CheckState.PASSED, public.why)
    fix = f"Add it: `az acr network-rule add --name {registry.name} --ip-address …`."
    if private.open:
        return Check("C10", ADDRESS, CheckState.WARNING, f"{public.why} Nodes use a private endpoint.", "", fix)
    if public.open is None:
        return unknown("C10", ADDRESS, public.why, "Look up the address, and compare it with the IP rules.")
    return Check("C10", ADDRESS, CheckState.FAILED, public.why, _FORBIDDEN, fix)


def private_endpoints(registry: Registry, public: NetworkPath, private: NetworkPath) -> Check | None:
    """C11: whether nodes reach an approved private endpoint by its name. None if there is none and none is needed."""
    if not registry.network.private_endpoints and registry.network.public_access:
        return None
    fix = (
        "An approved endpoint has to be in the cluster's network or one peered with it, and the zone "
        "privatelink.azurecr.io, with records for the registry and each of its data endpoints, linked to it."
    )
    if private.open:
        return Check("C11", PRIVATE, CheckState.PASSED, private.why)
    if public.open:
        evidence = f"{private.why} Nodes use the public endpoint."
        state = CheckState.WARNING
        return Check("C11", PRIVATE, state, evidence, "", fix)
    if private.open is None:
        return unknown("C11", PRIVATE, private.why, fix)
    return Check("C11", PRIVATE, CheckState.FAILED, private.why, f"{_FORBIDDEN}, or dial tcp: i/o timeout", fix)


def data_endpoints(cluster: Cluster, registry: Registry) -> Check:
    """C12: the hosts that layers come from, which a firewall has to allow as well.

    https://learn.microsoft.com/azure/container-registry/container-registry-firewall-access-rules
    """
    hosts = ", ".join(registry.network.data_endpoints) or "*.blob.core.windows.net"
    if behind_firewall(cluster):
        symptom = "dial tcp: i/o timeout, after the manifest was read"
        evidence = f"Layers come from {hosts}; nodes connect through a firewall (outbound type "
        evidence += f"{cluster.network.outbound_type})."
        fix = f"Let nodes reach {hosts} on port 443" + (
            "." if registry.network.data_endpoints else ", or give the registry dedicated data endpoints (Premium)."
        )
        return Check("C12", DATA, CheckState.WARNING, evidence, symptom, fix)
    return Check("C12", DATA, CheckState.PASSED, f"Layers come from {hosts}; nodes connect directly.")
