"""Which cluster can pull from which registry, by role assignments and network rules. Nothing is read here.

What is unknown is UNKNOWN, or NETWORK if only the network is unknown; never CAN.
Rules of the network: https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks
and -private-link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import SubscriptionAccess
from services.access.role_assignments import AccessRecords
from services.aks.clusters import Cluster
from services.connection.parallel import Partial
from services.pull_checks.network import public_path
from services.pull_checks.permission import refusal, undetermined
from services.pull_checks.public_addresses import Outbound, has_address_rules, outbound_of
from services.registries.registry import Registry

# For each cell of the table; the access review lists all.
MOST_REASONS = 2


class Answer(StrEnum):
    """SOME: some repositories only. NETWORK: it has the role, but the registry's network refuses it or is unknown."""

    CAN = "can pull"
    SOME = "some repositories"
    CANNOT = "can't pull"
    NETWORK = "network"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Pair:
    """A cluster, a registry, whether the one can pull from the other, and why: a sentence or more."""

    cluster: Cluster
    registry: Registry
    answer: Answer
    reason: str


def pull_matrix(
    clusters: Iterable[Cluster],
    registries: Iterable[Registry],
    access: Mapping[str, SubscriptionAccess],
    addresses: Partial[tuple[str, str]],
) -> tuple[Pair, ...]:
    """A Pair for each cluster and registry, in their order.

    `access` by subscription id: the role assignments of the registry's subscription count. `addresses`: a public IP
    address's resource id in lower case and the address, as far as they were read (`addresses_by_id`).
    """
    registries = tuple(registries)
    records = {subscription: one.records for subscription, one in access.items()}
    return tuple(
        _pair(cluster, registry, records.get(registry.subscription_id), outbound)
        for cluster, outbound in ((cluster, outbound_of(cluster, addresses)) for cluster in clusters)
        for registry in registries
    )


def needed_addresses(clusters: Iterable[Cluster], registries: Iterable[Registry]) -> tuple[str, ...]:
    """The resource ids of the addresses that the matrix asks for: only if a registry has IP rules."""
    if not any(has_address_rules(registry) for registry in registries):
        return ()
    return tuple({address for cluster in clusters for address in cluster.network.outbound_ip_ids})


def _pair(cluster: Cluster, registry: Registry, records: AccessRecords | None, outbound: Outbound) -> Pair:
    answer, why = _by_roles(cluster, registry, records)
    if answer in (Answer.CAN, Answer.SOME) and (blocked := _by_network(registry, outbound)):
        return Pair(cluster, registry, Answer.NETWORK, f"{why} {blocked}")
    return Pair(cluster, registry, answer, why)


def _by_roles(cluster: Cluster, registry: Registry, records: AccessRecords | None) -> tuple[Answer, str]:
    if registry.access.anonymous_pull:
        return Answer.CAN, "Anonymous pull is on: no role is needed."
    puller = cluster.puller
    if not puller.object_id:
        if puller.client_id:
            return Answer.UNKNOWN, (
                f"It pulls as the service principal {puller.client_id}, whose object id only the directory knows."
            )
        return Answer.UNKNOWN, puller.why
    if records is None:
        return Answer.UNKNOWN, f"The role assignments of {registry.subscription} could not be read."
    decision = permission(records, puller.object_id, registry, Permission.PULL)
    match decision.verdict:
        case Verdict.YES:
            return Answer.CAN, f"{decision.granting[0].label}."
        case Verdict.SOME:
            return Answer.SOME, f"{decision.granting[0].label}: some repositories only."
        case Verdict.UNKNOWN:
            return Answer.UNKNOWN, undetermined(decision, MOST_REASONS)
    return Answer.CANNOT, _refusal(decision, cluster, registry, records)


def _refusal(decision: Decision, cluster: Cluster, registry: Registry, records: AccessRecords) -> str:
    control_plane = cluster.control_plane.object_id if cluster.control_plane else ""
    of_control_plane = None
    if control_plane and control_plane != cluster.puller.object_id:
        of_control_plane = permission(records, control_plane, registry, Permission.PULL)
    return refusal(cluster, registry, decision, of_control_plane)


def _by_network(registry: Registry, outbound: Outbound) -> str:
    """Why the registry's network refuses a cluster that has the role, or may; "" if it does not."""
    network, path = registry.network, public_path(registry, outbound)
    if path.open:
        return ""
    if network.public_access and path.open is None:
        return f"But only selected addresses are allowed, and the nodes' outbound address is unknown. {path.why}"
    if network.public_access:
        return f"But its address {path.why}"
    if not network.private_endpoints:
        return "But public access is off and there is no private endpoint: nobody can pull."
    return "But public access is off: nodes need a private endpoint that they can reach."
