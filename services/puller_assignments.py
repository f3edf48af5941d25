"""Who pulls for a cluster, and what it holds at a registry: what attaching and detaching both ask."""

from dataclasses import dataclass

from services.assignments import PrincipalAccess, assignment_from, own_permissions, read_principal
from services.cloud import AzureSession
from services.clusters import Cluster
from services.errors import ServiceError, explained
from services.registries import Registry
from services.role_assignments import AccessRecords, RoleAssignment, scope_key
from services.role_definitions import PermissionBlock


@dataclass(frozen=True)
class PullerAccess:
    """What the principal of that object id holds at a registry. `principal_id` "" where nobody is known to pull."""

    principal_id: str
    access: PrincipalAccess


def principal_of(cluster: Cluster) -> str:
    """The object id of whom a role has to be assigned to; "" where only the directory knows it (service principals)."""
    return cluster.puller.object_id


def same_grant(assignment: RoleAssignment, scope: str, principal_id: str, role: str) -> bool:
    """Whether it gives this principal this role at exactly this scope: Azure keeps one such assignment at most."""
    return (
        scope_key(assignment.scope) == scope_key(scope)
        and assignment.principal_id.lower() == principal_id.lower()
        and assignment.role == role
    )


def find_assignment(session: AzureSession, registry: Registry, principal_id: str, role: str) -> RoleAssignment | None:
    """The assignment of a role to a principal on the registry itself, by whatever name. Raises ServiceError."""
    with explained(f"Could not read the role assignments of {registry.name}"):
        client = session.authorization(registry.subscription_id).role_assignments
        listed = client.list_for_scope(registry.id, filter=f"principalId eq '{principal_id}'")
        return next(
            (one for one in map(assignment_from, listed) if same_grant(one, registry.id, principal_id, role)), None
        )


def read_puller(session: AzureSession, cluster: Cluster, registry: Registry, principal_id: str = "") -> PullerAccess:
    """What the cluster's puller, or the principal of that object id, holds at a registry. Raises ServiceError."""
    principal = principal_id or principal_of(cluster)
    if not principal:
        return PullerAccess("", PrincipalAccess(AccessRecords(()), frozenset()))
    return PullerAccess(principal, read_principal(session, registry, principal))


def own_if_told(session: AzureSession, registry: Registry) -> tuple[PermissionBlock, ...] | None:
    """What the caller may do at a registry; None where that can't be read."""
    try:
        return own_permissions(session, registry)
    except ServiceError:
        return None
