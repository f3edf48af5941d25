"""Running the checks: reads in parallel, and reports each check as soon as it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.memberships import Memberships
from services.access.permissions import Permission
from services.aks.clusters import Cluster
from services.aks.puller import PullerAccess, decide_pull, principal_of, read_puller
from services.arm.subscriptions import tenant_of
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession
from services.pull_checks import identity, image, network, state
from services.pull_checks import permission as permissions
from services.pull_checks.checks import Check, in_order
from services.pull_checks.network import Resolved
from services.pull_checks.private_link import private_path
from services.pull_checks.public_addresses import addresses_of_cluster, has_address_rules, outbound_of
from services.pull_checks.reading import (
    Lookup,
    look_up,
    read_endpoints,
    read_identity,
    read_image,
    read_name,
    read_networks,
)
from services.registries.registry import Registry

Read = TypeVar("Read")


@dataclass(frozen=True)
class PullQuestion:
    """Whether this cluster can pull from this registry, or this repository or image of it, at `now`.

    `principal_id`: the object id of a service principal, which only the directory knows; "" for managed identities."""

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


@dataclass(frozen=True)
class PullReport:
    """The checks that have run, in the order of `checks.ORDER`.

    `puller`: who pulls for the cluster and its access to the registry; `resolved`: what the login server resolves to.
    Both None if unknown: their checks say why.
    """

    checks: tuple[Check, ...] = ()
    puller: PullerAccess | None = None
    resolved: Resolved | None = None

    def with_part(self, part: "PullReport") -> "PullReport":
        """Both reports as one."""
        return PullReport(
            in_order((*self.checks, *part.checks)), self.puller or part.puller, self.resolved or part.resolved
        )


def run_checks(
    session: AzureSession,
    question: PullQuestion,
    on_report: Callable[[PullReport], None] = lambda _report: None,
    *,
    lookup: Lookup = look_up,
) -> PullReport:
    """Runs all checks. `on_report` is called in the caller's thread with the report so far, each time some finished.

    What can't be read raises nothing: its checks are UNKNOWN, with the reason.
    """
    cluster, registry = question.cluster, question.registry

    def exists() -> PullReport:
        return PullReport((identity.existence(cluster, _result_of(lambda: read_identity(session, cluster))),))

    def tenant() -> PullReport:
        of_registry = _result_of(lambda: tenant_of(session, registry.subscription_id))
        of_cluster = cluster.tenant_id or _result_of(lambda: tenant_of(session, cluster.subscription_id))
        return PullReport((identity.tenant(cluster, of_registry, of_cluster),))

    parts: list[Callable[[], PullReport]] = [
        lambda: _without_reading(question),
        lambda: _name(registry, lookup),
        exists,
        tenant,
        lambda: _permission(session, question),
        lambda: _network(session, question),
        lambda: _image(session, question),
    ]
    report = PullReport()

    def add(_index: int, part: PullReport | ServiceError) -> None:
        nonlocal report
        report = report.with_part(part if isinstance(part, PullReport) else PullReport())
        on_report(report)

    parallel_map(lambda part: part(), parts, server=registry.login_server, done=add)
    return report


def _result_of(read: Callable[[], Read]) -> Read | ServiceError:
    try:
        return read()
    except ServiceError as error:
        return error


def _without_reading(question: PullQuestion) -> PullReport:
    cluster, registry = question.cluster, question.registry
    return PullReport(
        (
            state.registry_state(registry),
            network.location(cluster, registry),
            identity.identity_model(cluster),
            identity.puller(cluster),
            permissions.anonymous(registry),
            network.data_endpoints(cluster, registry),
            permissions.audience(registry),
            state.cluster_state(cluster, registry),
        )
    )


def _name(registry: Registry, lookup: Lookup) -> PullReport:
    resolved = _result_of(lambda: read_name(registry, lookup))
    return PullReport(
        (network.name(registry, resolved),), resolved=None if isinstance(resolved, ServiceError) else resolved
    )


def _permission(session: AzureSession, question: PullQuestion) -> PullReport:
    cluster, registry = question.cluster, question.registry
    puller = _result_of(lambda: _puller(session, question))
    decision = puller if isinstance(puller, ServiceError) else _decision(question, puller)
    of_control_plane = None
    if not isinstance(decision, ServiceError) and decision.verdict is Verdict.NO and cluster.control_plane:
        other = cluster.control_plane.object_id
        access = _result_of(lambda: read_puller(session, cluster, registry, other)) if other else None
        of_control_plane = _of_control_plane(question, access) if isinstance(access, PullerAccess) else None
    checks = (
        permissions.pull_permission(cluster, registry, decision, of_control_plane, question.repository),
        permissions.group(decision),
        permissions.mode(registry, decision),
        state.assignment_age(decision, question.now),
    )
    return PullReport(
        tuple(check for check in checks if check), puller=None if isinstance(puller, ServiceError) else puller
    )


def _puller(session: AzureSession, question: PullQuestion) -> PullerAccess:
    cluster = question.cluster
    if not question.principal:
        title = f"Could not determine what {cluster.name} may pull"
        remedy = "Look up the object id with `az ad sp show --id` and the client id, and enter it here."
        raise ServiceError(title, f"Only the directory knows the object id. {cluster.puller.why}", remedy, "NoObjectId")
    return read_puller(session, cluster, question.registry, question.principal)


def _decision(question: PullQuestion, puller: PullerAccess) -> Decision:
    """The matrix's decision, by what Azure says of this one principal at this registry."""
    cluster, principal = question.cluster, puller.principal_id.lower()
    memberships = Memberships({principal: puller.access.groups}, {cluster.puller.client_id.lower(): principal})
    found = decide_pull(cluster, question.registry, puller.access.records, memberships, question.repository)
    assert found.decision is not None, "its principal and its role assignments were read"
    return found.decision


def _of_control_plane(question: PullQuestion, read: PullerAccess) -> Decision:
    repository = question.repository or None
    records, groups = read.access.records, read.access.groups
    return permission(records, read.principal_id, question.registry, Permission.PULL, repository, groups=groups)


def _network(session: AzureSession, question: PullQuestion) -> PullReport:
    cluster, registry = question.cluster, question.registry
    read = addresses_of_cluster(session, cluster) if has_address_rules(registry) else Partial[tuple[str, str]](())
    endpoints = _result_of(lambda: read_endpoints(session, registry))
    networks = _result_of(lambda: read_networks(session, cluster)) if endpoints else None
    public = network.public_path(registry, outbound_of(cluster, read))
    private = private_path(cluster, registry, endpoints, networks)
    checks = (
        network.rules(registry, public, private),
        network.outbound(registry, public, private),
        network.private_endpoints(registry, public, private),
    )
    return PullReport(tuple(check for check in checks if check))


def _image(session: AzureSession, question: PullQuestion) -> PullReport:
    cluster, registry = question.cluster, question.registry
    if not question.names_image:
        return PullReport((state.throttling(cluster, registry),))
    found = _result_of(lambda: read_image(session, registry, question.repository, question.reference))
    layers = None if isinstance(found, ServiceError) else found.layers
    return PullReport(
        (
            image.platform(cluster, found),
            image.image_state(found),
            state.throttling(cluster, registry, layers),
        )
    )
