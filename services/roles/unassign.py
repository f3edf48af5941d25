"""Taking back one role assignment: what its holder may do after it, and the removal, read back."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.access.caller_rights import caller_right
from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import (
    PrincipalAccess,
    assignment_from,
    caller_permissions_or_none,
    read_principal,
)
from services.access.role_assignments import AccessRecords, RoleAssignment, may_be_group, scope_key, scope_label
from services.access.role_definitions import PermissionBlock
from services.commands import access as az_access
from services.connection.answers import checked
from services.connection.changes import Outcome, changed, refused, remove
from services.connection.errors import ServiceError, as_service_error, if_there, says_not_found
from services.connection.resource_ids import parse_id, same_id
from services.connection.session import AzureSession
from services.registries.reading import describe_registry
from services.registries.registry import Registry
from services.roles.assign import gives


@dataclass(frozen=True)
class RemovalPlan:
    """What is removed, and what that leaves. Nothing is sent while there are `blockers`.

    `gave`: what the role gives on the registry. `left`: whether its holder may still do each of it afterwards, and
    because of what. `own_last`: it is by this assignment alone that the caller may assign roles here, or that is
    unknown: without it nobody undoes this from here.
    """

    registry: Registry
    assignment: RoleAssignment
    role_name: str
    gave: tuple[Permission, ...]
    left: tuple[Decision, ...]
    own_last: bool
    may: bool | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The line of the same."""
        return (az_access.remove_assignment(self.assignment.id),)


def on_registry_itself(registry: Registry, assignment: RoleAssignment) -> bool:
    """Whether it stands on the registry, and not above it."""
    return scope_key(assignment.scope) == scope_key(registry.id)


def plan_removal(
    registry: Registry,
    assignment: RoleAssignment,
    principal_access: PrincipalAccess,
    caller_permissions: tuple[PermissionBlock, ...] | None,
    me: str,
    my_access: PrincipalAccess | None,
) -> RemovalPlan:
    """What would be removed. `principal_access`: what the assignment's holder has here; `caller_permissions`, and
    `my_access` what the caller, of the object id `me`, has here; both None where they could not be read."""
    role = principal_access.records.role(assignment.role)
    given = gives(role, registry.access.mode) if role else ()
    right = caller_right(caller_permissions, Permission.REMOVE_ROLES, registry.access.mode)
    blockers = []
    if not on_registry_itself(registry, assignment):
        blockers.append(f"It is inherited from {scope_label(assignment.scope)}: it can be removed there only.")
    if right.blocker:
        blockers.append(right.blocker)
    warnings = [right.warning] if right.warning else []
    if role is None:
        warnings.append("Unknown what its role gives: its definition could not be read.")
    own_last = (role is None or Permission.ASSIGN_ROLES in given) and _is_own_last(registry, assignment, me, my_access)
    if own_last:
        warnings.append(
            "By this assignment alone you may assign roles here, as far as is known. Without it you can't undo "
            "this, nor give anyone a role: that needs someone with this right at the resource group or above."
        )
    if principal_access.unread:
        warnings.append(f"Not read: {', '.join(refusal.what for refusal in principal_access.unread)}.")
    return RemovalPlan(
        registry,
        assignment,
        role.name if role else assignment.role,
        given,
        _left(registry, assignment, given, principal_access),
        own_last,
        right.may,
        tuple(blockers),
        tuple(warnings),
    )


def read_removal_plan(session: AzureSession, registry: Registry, assignment: RoleAssignment) -> RemovalPlan:
    """Reads what `plan_removal` needs: five or six requests. Raises ServiceError where the role assignments refuse."""
    principal_access = read_principal(session, registry, assignment.principal_id)
    me = session.identity.object_id
    try:
        mine = read_principal(session, registry, me, principal_access.records.roles)
    except ServiceError:
        mine = None
    return plan_removal(registry, assignment, principal_access, caller_permissions_or_none(session, registry), me, mine)


@dataclass(frozen=True)
class Removed:
    """`left`: what its holder may do afterwards of what the role gave, as read; None where it could not be read."""

    outcome: Outcome
    left: tuple[Decision, ...] | None


def apply_removal(
    session: AzureSession,
    plan: RemovalPlan,
    report: Callable[[str], None] = lambda _state: None,
    *,
    own_last_too: bool = False,
) -> Removed:
    """Removes the assignment as planned, see `remove_assignment`.

    The caller's own last right to assign roles goes only with `own_last_too`. Raises ServiceError where it is still
    there, or where nobody can tell.
    """
    title = f"Could not remove {plan.role_name} from {plan.registry.name}"
    report("checking again")
    again = read_removal_plan(session, describe_registry(session, plan.registry.id), plan.assignment)
    if again.blockers:
        raise refused(title, " ".join(again.blockers))
    if again.own_last and not own_last_too:
        raise refused(title, "You would lose your own right to assign roles here, and did not confirm that.")
    outcome = remove_assignment(session, plan.assignment, title, report)
    if outcome is Outcome.NOT_CONFIRMED:
        return Removed(outcome, None)
    try:
        principal_access = read_principal(session, plan.registry, plan.assignment.principal_id)
    except ServiceError:
        return Removed(outcome, None)
    return Removed(outcome, _left(plan.registry, plan.assignment, plan.gave, principal_access))


def _left(
    registry: Registry, assignment: RoleAssignment, given: tuple[Permission, ...], principal_access: PrincipalAccess
) -> tuple[Decision, ...]:
    """Whether its holder may do each without it. A list that is a moment old may still have it."""
    kept = _without(assignment, principal_access)
    return tuple(
        permission(kept, assignment.principal_id, registry, one, groups=principal_access.groups) for one in given
    )


def _without(assignment: RoleAssignment, principal_access: PrincipalAccess) -> AccessRecords:
    kept = tuple(one for one in principal_access.records.assignments if not same_id(one.id, assignment.id))
    return replace(principal_access.records, assignments=kept)


def _is_own_last(registry: Registry, assignment: RoleAssignment, me: str, mine: PrincipalAccess | None) -> bool:
    """Whether the caller holds it, themselves or by a group, and nothing else lets them assign roles."""
    if mine is None:  # A group may be one of the caller's.
        return same_id(assignment.principal_id, me) or may_be_group(assignment.principal_type)
    if not any(same_id(one.id, assignment.id) for one in mine.records.assignments):
        return False
    left = permission(_without(assignment, mine), me, registry, Permission.ASSIGN_ROLES, groups=mine.groups)
    return left.verdict is not Verdict.YES


def remove_assignment(
    session: AzureSession, assignment: RoleAssignment, title: str, report: Callable[[str], None]
) -> Outcome:
    """Removes the assignment as it was read.

    DELETED: it was removed, and is gone as read back. ALREADY_DONE: somebody else did. NOT_CONFIRMED: Azure took it,
    and it could not be read back. Raises ServiceError where it is still there, where it is another one than was
    shown, or where nobody can tell.
    """
    report("checking again")
    now = if_there(lambda: _read(session, assignment, title), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    if (now.role, now.principal_id, now.condition) != (
        assignment.role,
        assignment.principal_id,
        assignment.condition,
    ):
        raise changed(title, "The assignment has changed since it was shown.")
    report("removing the assignment")

    def read() -> RoleAssignment:
        report("verifying")
        return _read(session, now, title)

    client = session.authorization(_subscription(now)).role_assignments
    return remove(title, lambda: client.delete_by_id(now.id), read, says_not_found)


def _read(session: AzureSession, assignment: RoleAssignment, title: str) -> RoleAssignment:
    with as_service_error(title):
        client = session.authorization(_subscription(assignment)).role_assignments
        return checked(assignment_from(client.get_by_id(assignment.id)))


def _subscription(assignment: RoleAssignment) -> str:
    """Of the scope, which is a registry's."""
    return parse_id(assignment.scope).subscription
