"""As whom a cluster pulls, which roles that principal has at a registry, and whether it may pull from it.

`decide_pull` is the one answer for a cluster and a registry by role assignments: of the matrix, the checker, plans that
change or delete a registry, and the dry run of ABAC mode. They differ in what was read, and in nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.access.decisions import Decision, Reason, Verdict
from services.access.evaluation import permission
from services.access.memberships import Memberships
from services.access.permissions import Permission
from services.access.role_assignment_reading import PrincipalAccess, read_principal
from services.access.role_assignments import AccessRecords
from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.registries.registry import Registry


class UnknownCause(StrEnum):
    """Why it is unknown whether a cluster can pull."""

    ASSIGNMENTS = "assignments not read"
    IDENTITY = "identity not known"
    GROUPS = "group members not read"
    ROLE = "role or condition not decided"
    NETWORK = "network not known"


@dataclass(frozen=True)
class PullDecision:
    """Whether a cluster's nodes may pull from a registry, by role assignments alone.

    `principal_id` is "" where it is not known who pulls; then, and where the role assignments were not read, `decision`
    is None. Where the answer is unknown `missing` has the reasons in short ('members of platform-engineers could not be
    read') and `why` in sentences; `cause` says which kind of reading is missing.
    """

    principal_id: str
    decision: Decision | None
    missing: tuple[str, ...] = ()
    why: str = ""
    cause: UnknownCause | None = None


def decide_pull(
    cluster: Cluster,
    registry: Registry,
    records: AccessRecords | None,
    memberships: Memberships,
    repository: str = "",
) -> PullDecision:
    """The decision on pulling from the registry, or from one repository of it.

    `records`: of the registry's subscription or of the principal at the registry, None where they were not read.
    """
    principal, missing, why = _resolve_principal(cluster, memberships)
    if not principal:
        return PullDecision("", None, (missing,), why, UnknownCause.IDENTITY)
    if records is None:
        unread = f"role assignments of {registry.subscription} could not be read"
        return PullDecision(principal, None, (unread,), f"The {unread}.", UnknownCause.ASSIGNMENTS)
    groups = memberships.groups.get(principal.lower())
    known = groups if isinstance(groups, frozenset) else None
    decision = permission(records, principal, registry, Permission.PULL, repository or None, groups=known)
    if decision.verdict is not Verdict.UNKNOWN:
        return PullDecision(principal, decision)
    undetermined = decision.undetermined
    of_groups = frozenset(reason.group for reason in undetermined if reason.group and known is None)
    why = str(groups) if of_groups and isinstance(groups, ServiceError) else ""
    cause = UnknownCause.ROLE if undetermined or decision.denials else UnknownCause.ASSIGNMENTS
    if of_groups:
        cause = UnknownCause.GROUPS
    missing_parts = tuple(_missing(decision, undetermined, of_groups, memberships))
    return PullDecision(principal, decision, missing_parts, why, cause)


def _missing(
    decision: Decision, undetermined: Iterable[Reason], of_groups: frozenset[str], memberships: Memberships
) -> Iterator[str]:
    for name in sorted(memberships.name(group) for group in of_groups):
        yield f"members of {name} could not be read"
    for role in dict.fromkeys(reason.role for reason in undetermined if reason.group not in of_groups):
        yield f"whether {role} applies is unknown"
    for denial in decision.denials:
        if denial.verdict is Verdict.UNKNOWN:
            yield f"whether the deny assignment {denial.deny.name} applies is unknown"
    if decision.unread:
        yield f"{decision.unread[0].lower()}{decision.unread[1:].rstrip('.')}"


def object_id_of(cluster: Cluster, memberships: Memberships) -> str:
    """The object id that the cluster's nodes pull as; "" where it is not known."""
    return _resolve_principal(cluster, memberships)[0]


def _resolve_principal(cluster: Cluster, memberships: Memberships) -> tuple[str, str, str]:
    """The object id; where it is "" the reason in short, and in sentences."""
    puller = cluster.puller
    if puller.object_id:
        return puller.object_id, "", ""
    if not puller.client_id:
        return "", f"the identity of {cluster.name} is not reported", puller.why
    found = memberships.object_ids.get(puller.client_id.lower())
    who = f"It pulls as the service principal {puller.client_id}"
    if isinstance(found, ServiceError):
        return "", f"the service principal of {cluster.name} could not be read", f"{who}. {found}"
    if found is None:
        why = f"{who}, whose object id only the directory knows."
        return "", f"the service principal of {cluster.name} was not read", why
    missing = f"the service principal of {cluster.name} is not in the directory"
    return found, missing, f"{who}, which is not in this directory."


@dataclass(frozen=True)
class PullerAccess:
    """The role assignments of the principal of that object id at a registry. `principal_id` "" where nobody is known to
    pull."""

    principal_id: str
    access: PrincipalAccess


def principal_of(cluster: Cluster) -> str:
    """The object id of whom a role has to be assigned to; "" where only the directory knows it (service principals)."""
    return cluster.puller.object_id


def read_puller(session: AzureSession, cluster: Cluster, registry: Registry, principal_id: str = "") -> PullerAccess:
    """The access of the cluster's puller, or of the principal of that object id, to a registry. Raises ServiceError."""
    principal = principal_id or principal_of(cluster)
    if not principal:
        return PullerAccess("", PrincipalAccess(AccessRecords(()), frozenset()))
    return PullerAccess(principal, read_principal(session, registry, principal))
