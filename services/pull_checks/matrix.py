"""Which cluster can pull from which registry, by role assignments and network rules. Nothing is read here.

All views ask `pull_matrix`: the matrix, and the plans that change or delete a registry. What is unknown is UNKNOWN,
never CAN.
Rules of the network: https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks
and -private-link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.memberships import Memberships
from services.access.permissions import Permission
from services.access.role_assignment_reading import SubscriptionAccess
from services.access.role_assignments import AccessRecords
from services.aks.clusters import Cluster
from services.aks.puller import PullDecision, UnknownCause, decide_pull
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.pull_checks.network import either_path, public_path
from services.pull_checks.permission import no_effect, refusal, undetermined
from services.pull_checks.private_link import Endpoint, NetworkPath, Networks, private_path
from services.pull_checks.public_addresses import Outbound, has_address_rules, outbound_of
from services.registries.registry import Registry

_NOTHING: Partial[Any] = Partial(())
# For each cell of the table; the access review lists all.
MOST_REASONS = 2


class Answer(StrEnum):
    """SOME: some repositories only. CANNOT: a role was assigned for it and has no effect. NETWORK: it has the role, but
    the registry's network refuses it. NO_ROLE: it is not attached, as most clusters to most registries."""

    CAN = "can pull"
    SOME = "some repositories"
    CANNOT = "can't pull"
    NETWORK = "network"
    UNKNOWN = "unknown"
    NO_ROLE = "no role"


@dataclass(frozen=True)
class PrivateLinks:
    """What was read of private paths: approved endpoints by the registry's id, networks by the cluster's; both ids in
    lower case, an error where it was not read."""

    endpoints: Mapping[str, tuple[Endpoint, ...] | ServiceError] = field(default_factory=dict)
    networks: Mapping[str, Networks | ServiceError | None] = field(default_factory=dict)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What could not be read, by resource id."""
        both = (*self.endpoints.items(), *self.networks.items())
        return tuple(Refusal(one, found) for one, found in both if isinstance(found, ServiceError))


@dataclass(frozen=True)
class Pulls:
    """What the matrix needs; registries without usages and replicas. `addresses`: resource id and address."""

    clusters: Partial[Cluster] = _NOTHING
    registries: Partial[Registry] = _NOTHING
    access: Partial[SubscriptionAccess] = _NOTHING
    addresses: Partial[tuple[str, str]] = _NOTHING
    memberships: Memberships = field(default_factory=Memberships)
    private_links: PrivateLinks = field(default_factory=PrivateLinks)

    @cached_property
    def by_subscription(self) -> Mapping[str, SubscriptionAccess]:
        return {one.subscription.id: one for one in self.access.values}


@dataclass(frozen=True)
class Pair:
    """A cluster, a registry, and whether the one can pull from the other.

    `by_roles` is CAN, SOME, CANNOT or UNKNOWN: what role assignments say, and `why` a sentence or more on it. `path` is
    the network path from the nodes. `principal_id`: as whom it pulls, "" where that is unknown. `missing`: what was not
    read and leaves the answer unknown, in short; `role_cause`: why `by_roles` is UNKNOWN. `role_has_no_effect`: CANNOT
    although a role was assigned that would let it pull in the other mode, under another condition, without a deny
    assignment, or if the kubelet identity had it instead of the control plane's.
    """

    cluster: Cluster
    registry: Registry
    by_roles: Answer
    why: str
    path: NetworkPath
    principal_id: str = ""
    missing: tuple[str, ...] = ()
    role_cause: UnknownCause | None = None
    role_has_no_effect: bool = False

    @property
    def answer(self) -> Answer:
        if self.by_roles is Answer.CANNOT and not self.role_has_no_effect:
            return Answer.NO_ROLE
        if not self._has_role or self.path.open:
            return self.by_roles
        return Answer.UNKNOWN if self.path.open is None else Answer.NETWORK

    @property
    def cause(self) -> UnknownCause | None:
        """Why the answer is UNKNOWN; None where it is another."""
        if self.answer is not Answer.UNKNOWN:
            return None
        return UnknownCause.NETWORK if self._has_role else self.role_cause or UnknownCause.ROLE

    @property
    def _has_role(self) -> bool:
        return self.by_roles in (Answer.CAN, Answer.SOME)

    @property
    def reason(self) -> str:
        if not self._has_role or self.path.open:
            return self.why
        how = "The network refuses it" if self.path.open is False else "Unknown whether the network allows it"
        return f"{self.why} {how}: {self.path.why}"

    @property
    def can(self) -> bool | None:
        """Whether it can pull, at least from some repositories; None where that is unknown."""
        if self.by_roles is Answer.CANNOT or self.path.open is False:
            return False
        return None if self.by_roles is Answer.UNKNOWN or self.path.open is None else True


def pull_matrix(pulls: Pulls, registries: Iterable[Registry] | None = None) -> tuple[Pair, ...]:
    """A Pair for each cluster and registry, in their order. `registries`: others than were read, as with settings that
    are planned. The role assignments of the registry's subscription count."""
    registries = pulls.registries.values if registries is None else tuple(registries)
    records = {subscription: one.records for subscription, one in pulls.by_subscription.items()}
    return tuple(
        _pair(pulls, cluster, registry, records.get(registry.subscription_id), outbound)
        for cluster, outbound in ((one, outbound_of(one, pulls.addresses)) for one in pulls.clusters.values)
        for registry in registries
    )


def needed_addresses(clusters: Iterable[Cluster], registries: Iterable[Registry]) -> tuple[str, ...]:
    """The resource ids of the addresses that the matrix asks for: only if a registry has IP rules."""
    if not any(has_address_rules(registry) for registry in registries):
        return ()
    return tuple({address for cluster in clusters for address in cluster.network.outbound_ip_ids})


def _pair(
    pulls: Pulls, cluster: Cluster, registry: Registry, records: AccessRecords | None, outbound: Outbound
) -> Pair:
    path = _path(pulls.private_links, cluster, registry, outbound)
    if registry.access.anonymous_pull:
        return Pair(cluster, registry, Answer.CAN, "Anonymous pull is on: no role is needed.", path)
    found = decide_pull(cluster, registry, records, pulls.memberships)
    groups = pulls.memberships.groups.get(found.principal_id.lower())
    by_roles, why, no_effect = _by_roles(cluster, registry, records, found, groups_known=isinstance(groups, frozenset))
    missing = found.missing
    if not missing and path.open is None and by_roles is not Answer.CANNOT:
        missing = (f"network path of {cluster.name} is unknown",)
    why = pulls.memberships.with_names(why)
    return Pair(cluster, registry, by_roles, why, path, found.principal_id, missing, found.cause, no_effect)


def _by_roles(
    cluster: Cluster, registry: Registry, records: AccessRecords | None, found: PullDecision, *, groups_known: bool
) -> tuple[Answer, str, bool]:
    """The answer, why, and whether a role without effect was assigned. Of a group whose members are unknown none is."""
    decision = found.decision
    if decision is None or records is None:
        return Answer.UNKNOWN, found.why, False
    match decision.verdict:
        case Verdict.YES:
            return Answer.CAN, f"{decision.granting[0].label}.", False
        case Verdict.SOME:
            return Answer.SOME, f"{decision.granting[0].label}: some repositories only.", False
        case Verdict.UNKNOWN:
            return Answer.UNKNOWN, f"{undetermined(decision, MOST_REASONS)} {found.why}".rstrip(), False
    control_plane = cluster.control_plane.object_id if cluster.control_plane else ""
    of_control_plane = None
    if control_plane != found.principal_id and control_plane.lower() in records.principals:
        of_control_plane = permission(records, control_plane, registry, Permission.PULL)
    mistaken = bool(of_control_plane and of_control_plane.granting)
    assigned = [one for one in (*decision.reasons, *decision.ignored) if groups_known or not one.group]
    without_effect = mistaken or bool(assigned or decision.denials)
    said = no_effect(cluster, decision, of_control_plane) if without_effect else ""
    why = said or refusal(cluster, registry, decision, of_control_plane)
    return Answer.CANNOT, why, without_effect


def _path(links: PrivateLinks, cluster: Cluster, registry: Registry, outbound: Outbound) -> NetworkPath:
    public = public_path(registry, outbound)
    if public.open:
        return public
    endpoints = links.endpoints.get(registry.id.lower())
    if endpoints is None and registry.network.approved_endpoints:
        return either_path(public, NetworkPath(None, "Its private endpoints were not read."))
    return either_path(public, private_path(cluster, registry, endpoints or (), links.networks.get(cluster.id.lower())))
