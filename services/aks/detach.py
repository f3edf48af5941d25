"""Removing a cluster's role on a registry: that assignment alone, and what still allows it to pull afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.access.caller_rights import caller_right
from services.access.decisions import Decision
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import caller_permissions_or_none, read_principal
from services.access.role_assignments import RoleAssignment, scope_key
from services.access.role_definitions import ACR_PULL, REPOSITORY_READER, PermissionBlock
from services.aks.clusters import Cluster
from services.aks.puller import PullerAccess, read_puller
from services.commands import access as az_access
from services.connection.changes import Outcome, refused
from services.connection.errors import ServiceError
from services.connection.resource_ids import same_id
from services.connection.session import AzureSession
from services.registries.registry import Registry
from services.roles.unassign import remove_assignment

ATTACHING = frozenset({ACR_PULL, REPOSITORY_READER})


@dataclass(frozen=True)
class DetachPlan:
    """`assignment` is what is removed, None where there is nothing to. `left`: whether nodes may pull after it."""

    cluster: Cluster
    registry: Registry
    principal_id: str
    assignment: RoleAssignment | None
    left: Decision
    may: bool | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The line of the same; empty where nothing is removed."""
        return (az_access.remove_assignment(self.assignment.id),) if self.assignment else ()


def attachments(registry: Registry, puller_access: PullerAccess) -> tuple[RoleAssignment, ...]:
    """The puller's own assignments on exactly this registry, of a role that attaching gives, in either mode."""
    return tuple(
        one
        for one in puller_access.access.records.assignments
        if scope_key(one.scope) == scope_key(registry.id)
        and same_id(one.principal_id, puller_access.principal_id)
        and one.role in ATTACHING
    )


def plan_detach(
    cluster: Cluster,
    registry: Registry,
    puller_access: PullerAccess,
    caller_permissions: tuple[PermissionBlock, ...] | None,
    assignment_id: str = "",
) -> DetachPlan:
    """What would be removed: the attachment of that id, or the only one there is.

    `caller_permissions` as in `plan_attach`.
    """
    found = attachments(registry, puller_access)
    chosen = [one for one in found if not assignment_id or same_id(one.id, assignment_id)]
    assignment = chosen[0] if len(chosen) == 1 else None
    right = caller_right(caller_permissions, Permission.REMOVE_ROLES, registry.access.mode)
    blockers: list[str] = []
    if not puller_access.principal_id:
        blockers.append("Unknown whose assignment it is: the object id of who pulls is not known.")
    elif not chosen:
        blockers.append("There is nothing to detach: the cluster has no pull role of its own on this registry.")
    elif not assignment:
        blockers.append(f"There are {len(chosen)} assignments to choose from: AcrPull, and one for ABAC mode.")
    if right.blocker and chosen:
        blockers.append(right.blocker)
    warnings = [right.warning] if right.warning else []
    if assignment:
        warnings.append(
            "Running pods continue. A node that needs an image again can't pull it unless another role allows it."
        )
    return DetachPlan(
        cluster,
        registry,
        puller_access.principal_id,
        assignment,
        _without(registry, puller_access, assignment),
        right.may,
        tuple(blockers),
        tuple(warnings),
    )


def read_detach_plan(
    session: AzureSession, cluster: Cluster, registry: Registry, assignment_id: str = "", *, principal_id: str = ""
) -> DetachPlan:
    """Reads what `plan_detach` needs. Raises ServiceError where the role assignments refuse."""
    puller_access = read_puller(session, cluster, registry, principal_id)
    return plan_detach(cluster, registry, puller_access, caller_permissions_or_none(session, registry), assignment_id)


@dataclass(frozen=True)
class Detached:
    """`left`: whether nodes may still pull, as read after it, and because of what; None where it could not be read."""

    outcome: Outcome
    left: Decision | None


def apply_detach(
    session: AzureSession, plan: DetachPlan, report: Callable[[str], None] = lambda _state: None
) -> Detached:
    """Removes the assignment as planned.

    DELETED: it was removed, and is gone as read back. ALREADY_DONE: somebody else did. NOT_CONFIRMED: Azure took it,
    and it could not be read back. Raises ServiceError where it is still there, or where nobody can tell.
    """
    title = f"Could not detach {plan.registry.name} from {plan.cluster.name}"
    if plan.blockers or not plan.assignment:
        raise refused(title, " ".join(plan.blockers) or "There is nothing to detach.")
    outcome = remove_assignment(session, plan.assignment, title, report)
    return Detached(outcome, None if outcome is Outcome.NOT_CONFIRMED else _left(session, plan))


def _left(session: AzureSession, plan: DetachPlan) -> Decision | None:
    try:
        access = read_principal(session, plan.registry, plan.principal_id)
    except ServiceError:
        return None
    return _without(plan.registry, PullerAccess(plan.principal_id, access), plan.assignment)


def _without(registry: Registry, puller_access: PullerAccess, assignment: RoleAssignment | None) -> Decision:
    """Whether the puller may pull without this assignment. A list that is a moment old may still have it."""
    records = puller_access.access.records
    kept = tuple(one for one in records.assignments if not assignment or not same_id(one.id, assignment.id))
    return permission(
        replace(records, assignments=kept),
        puller_access.principal_id,
        registry,
        Permission.PULL,
        groups=puller_access.access.groups,
    )
