"""Running the checks: what each needs is read in parallel, and each is told as soon as it can be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.aks.clusters import Cluster
from services.aks.puller import principal_of, read_puller
from services.arm.subscriptions import tenant_of
from services.connection.errors import ServiceError
from services.connection.parallel import parallel_map
from services.connection.session import AzureSession
from services.pull_checks import identity, image, network, state
from services.pull_checks import permission as permissions
from services.pull_checks.checks import Check, in_order
from services.pull_checks.private_link import private_way
from services.pull_checks.reading import (
    Lookup,
    look_up,
    read_addresses,
    read_endpoints,
    read_identity,
    read_image,
    read_name,
    read_networks,
)
from services.registries.registry import Registry

Read = TypeVar("Read")
Found = Callable[[tuple[Check, ...]], None]


@dataclass(frozen=True)
class PullQuestion:
    """Whether this cluster can pull from this registry, at `now`; with a repository, or a tag or digest of it, if
    wanted. `principal_id`: the object id of a service principal, which only the directory knows."""

    cluster: Cluster
    registry: Registry
    now: datetime
    repository: str = ""
    reference: str = ""
    principal_id: str = ""

    @property
    def principal(self) -> str:
        return self.principal_id or principal_of(self.cluster)

    @property
    def names_image(self) -> bool:
        return bool(self.repository and self.reference)


def run_checks(
    session: AzureSession,
    question: PullQuestion,
    found: Found = lambda _checks: None,
    *,
    lookup: Lookup = look_up,
) -> tuple[Check, ...]:
    """All checks in the order of `pull_check.ORDER`. `found(checks)` is called in the caller's thread as they finish.

    Raises nothing for what can't be read: those checks are UNKNOWN, with the reason.
    """
    cluster, registry = question.cluster, question.registry

    def name() -> tuple[Check, ...]:
        return (network.name(registry, _tried(lambda: read_name(registry, lookup))),)

    def exists() -> tuple[Check, ...]:
        return (identity.existence(cluster, _tried(lambda: read_identity(session, cluster))),)

    def tenant() -> tuple[Check, ...]:
        return (identity.tenant(cluster, _tried(lambda: tenant_of(session, registry.subscription_id))),)

    groups: list[Callable[[], tuple[Check, ...]]] = [
        lambda: _at_hand(question),
        name,
        exists,
        tenant,
        lambda: _permission(session, question),
        lambda: _network(session, question),
        lambda: _image(session, question),
    ]
    done: list[Check] = []

    def tell(_index: int, checks: tuple[Check, ...] | None) -> None:
        done.extend(checks or ())
        found(in_order(checks or ()))

    parallel_map(lambda group: group(), groups, done=tell)
    return in_order(done)


def _tried(read: Callable[[], Read]) -> Read | ServiceError:
    try:
        return read()
    except ServiceError as error:
        return error


def _at_hand(question: PullQuestion) -> tuple[Check, ...]:
    cluster, registry = question.cluster, question.registry
    return (
        state.registry_state(registry),
        network.location(cluster, registry),
        identity.identity_model(cluster),
        identity.puller(cluster),
        permissions.anonymous(registry),
        network.data_endpoints(cluster, registry),
        permissions.audience(registry),
        state.cluster_state(cluster, registry),
    )


def _permission(session: AzureSession, question: PullQuestion) -> tuple[Check, ...]:
    cluster, registry = question.cluster, question.registry
    decision = _tried(lambda: _asked(session, question, question.principal))
    mistaken = None
    if not isinstance(decision, ServiceError) and decision.verdict is Verdict.NO and cluster.control_plane:
        other = cluster.control_plane.object_id
        found = _tried(lambda: _asked(session, question, other)) if other else None
        mistaken = None if isinstance(found, ServiceError) else found
    checks = (
        permissions.pull_permission(cluster, registry, decision, mistaken, question.repository),
        permissions.group(decision),
        permissions.mode(registry, decision),
        state.freshness(decision, question.now),
    )
    return tuple(check for check in checks if check)


def _asked(session: AzureSession, question: PullQuestion, principal: str) -> Decision:
    cluster, registry = question.cluster, question.registry
    if not principal:
        title = f"Could not tell what {cluster.name} may pull"
        remedy = "Look up the object id: `az ad sp show --id` with the client id, and give it here."
        raise ServiceError(title, f"Only the directory knows the object id. {cluster.puller.why}", remedy, "NoObjectId")
    held = read_puller(session, cluster, registry, principal)
    return permission(
        held.access.records,
        principal,
        registry,
        Permission.PULL,
        question.repository or None,
        groups=held.access.groups,
    )


def _network(session: AzureSession, question: PullQuestion) -> tuple[Check, ...]:
    cluster, registry = question.cluster, question.registry
    restricted = registry.network.public_access and not registry.network.open_to_all
    addresses = _tried(lambda: read_addresses(session, cluster)) if restricted else ()
    endpoints = _tried(lambda: read_endpoints(session, registry))
    networks = _tried(lambda: read_networks(session, cluster)) if endpoints else None
    public = network.public_way(cluster, registry, addresses)
    private = private_way(cluster, registry, endpoints, networks)
    checks = (
        network.rules(registry, public, private),
        network.outbound(registry, public, private),
        network.private_endpoints(registry, public, private),
    )
    return tuple(check for check in checks if check)


def _image(session: AzureSession, question: PullQuestion) -> tuple[Check, ...]:
    cluster, registry = question.cluster, question.registry
    if not question.names_image:
        return (state.throttling(cluster, registry),)
    found = _tried(lambda: read_image(session, registry, question.repository, question.reference))
    layers = None if isinstance(found, ServiceError) else found.layers
    return (
        image.platform(cluster, found),
        image.image_state(found),
        state.throttling(cluster, registry, layers),
    )
