"""Who pulls for a cluster, and what it holds at a registry: what attaching and detaching both ask."""

from dataclasses import dataclass

from services.access.role_assignment_reading import PrincipalAccess, read_principal
from services.access.role_assignments import AccessRecords
from services.aks.clusters import Cluster
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class PullerAccess:
    """What the principal of that object id holds at a registry. `principal_id` "" where nobody is known to pull."""

    principal_id: str
    access: PrincipalAccess


def principal_of(cluster: Cluster) -> str:
    """The object id of whom a role has to be assigned to; "" where only the directory knows it (service principals)."""
    return cluster.puller.object_id


def read_puller(session: AzureSession, cluster: Cluster, registry: Registry, principal_id: str = "") -> PullerAccess:
    """What the cluster's puller, or the principal of that object id, holds at a registry. Raises ServiceError."""
    principal = principal_id or principal_of(cluster)
    if not principal:
        return PullerAccess("", PrincipalAccess(AccessRecords(()), frozenset()))
    return PullerAccess(principal, read_principal(session, registry, principal))
