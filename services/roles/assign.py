"""Planning one role for one principal on a registry: what it gives there, what is against it; and assigning it.

What a role gives depends on the registry's mode:
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.access.caller_rights import caller_right
from services.access.decisions import Verdict
from services.access.evaluation import blocks_grant, permission_by_choice
from services.access.permissions import Permission
from services.access.repository_scope import ALL, RepositoryChoice, condition_for
from services.access.rights import data_actions, takes_condition
from services.access.role_assignment_reading import PrincipalAccess, caller_permissions_or_none, read_principal
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition
from services.connection.changes import Outcome, changed, refused
from services.connection.names import is_guid
from services.connection.session import AzureSession
from services.registries.reading import describe_registry
from services.registries.registry import Mode, Registry
from services.roles import admin_request
from services.roles.planned_assignment import PlannedAssignment, PrincipalType, find_same, write_assignment

NOTHING_HELD = PrincipalAccess(AccessRecords(()), frozenset())
# What takes the place of a role that a registry in ABAC mode ignores: "Migrate", in
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
INSTEAD = {
    "AcrPull": "Container Registry Repository Reader, and Catalog Lister for who lists repositories",
    "AcrPush": "Container Registry Repository Writer",
    "AcrDelete": "Container Registry Repository Contributor",
}


@dataclass(frozen=True)
class AssignmentPlan:
    """One role assignment. Nothing is sent while there are `blockers`, nor where there is `nothing_to_do`.

    `gives`: what the role lets do in the registry's mode. `may`: whether the caller may assign roles here, None where
    that could not be read.
    """

    registry: Registry
    role: RoleDefinition
    choice: RepositoryChoice
    assignment: PlannedAssignment
    gives: tuple[Permission, ...]
    nothing_to_do: bool
    may: bool | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The line of the same."""
        return (admin_request.as_az(self.assignment),)


def gives(role: RoleDefinition, mode: Mode) -> tuple[Permission, ...]:
    """What the role lets do with a registry in this mode."""
    return tuple(one for one in Permission if blocks_grant(role.blocks, one, mode))


def assignable(roles: Iterable[RoleDefinition]) -> tuple[RoleDefinition, ...]:
    """Those among a subscription's roles that are about registries, by name: the built-in ones that are known here as
    Azure tells them, and the custom ones that give something in either mode."""
    found = {**BUILT_IN, **{role.id: role for role in roles if role.id in BUILT_IN or _is_custom(role)}}
    return tuple(sorted(found.values(), key=lambda role: role.name.casefold()))


def _is_custom(role: RoleDefinition) -> bool:
    return role.kind == "CustomRole" and any(gives(role, mode) for mode in Mode)


def plan_assignment(
    registry: Registry,
    role: RoleDefinition,
    principal_id: str,
    principal_type: PrincipalType,
    principal_access: PrincipalAccess,
    caller_permissions: tuple[PermissionBlock, ...] | None,
    choice: RepositoryChoice = ALL,
    *,
    client_ids: Mapping[str, str] | None = None,
) -> AssignmentPlan:
    """What would be written. `principal_access`: what the principal holds here; `caller_permissions`, None where they
    could not be read. `client_ids`: the client ids that are known, in lower case, each with whose it is.

    Raises ServiceError for a choice of what can be no repository's name.
    """
    mode = registry.access.mode
    given = gives(role, mode)
    split = choice != ALL
    condition = condition_for(choice, data_actions(role)) if split else ""
    planned = PlannedAssignment(registry.id, principal_id, principal_type, role.id, role.name, condition)
    same = find_same(principal_access.records.assignments, registry.id, principal_id, role.id)
    nothing_to_do = bool(same and same.condition == condition)
    right = caller_right(caller_permissions, Permission.ASSIGN_ROLES, mode)
    blockers = _about_principal(principal_id, client_ids or {})
    if split and mode is Mode.LEGACY:
        blockers.append("A registry in Legacy mode can't be opened for some repositories only: a role is for all.")
    elif split and not takes_condition(role):
        blockers.append(f"{role.name} can't be given for some repositories only: what it gives names no repository.")
    if same and not nothing_to_do:
        blockers.append(
            f"The principal holds {role.name} here already, under another condition ({same.condition or 'none'}). "
            "Azure keeps one assignment of a role per principal and scope: remove it first."
        )
    if right.blocker and not nothing_to_do:
        blockers.append(right.blocker)
    warnings = [
        *_about_role(registry, role, given),
        *_about_present_access(registry, principal_access, planned, given, choice),
    ]
    if registry.unsettled:
        warnings.append(f"{registry.unsettled}: registry {registry.name}.")
    if right.warning:
        warnings.append(right.warning)
    if principal_access.unread:
        warnings.append(f"Not read: {', '.join(refusal.what for refusal in principal_access.unread)}.")
    return AssignmentPlan(
        registry,
        role,
        choice,
        planned,
        given,
        nothing_to_do,
        right.may,
        tuple(blockers),
        () if nothing_to_do else tuple(warnings),
    )


def read_assignment_plan(
    session: AzureSession,
    registry: Registry,
    role: RoleDefinition,
    principal_id: str,
    principal_type: PrincipalType,
    choice: RepositoryChoice = ALL,
    *,
    client_ids: Mapping[str, str] | None = None,
) -> AssignmentPlan:
    """Reads what `plan_assignment` needs: three or four requests.

    Raises ServiceError where the role assignments refuse.
    """
    # What is no GUID is not put into a filter.
    principal_access = read_principal(session, registry, principal_id) if is_guid(principal_id) else NOTHING_HELD
    caller_permissions = caller_permissions_or_none(session, registry)
    return plan_assignment(
        registry,
        role,
        principal_id,
        principal_type,
        principal_access,
        caller_permissions,
        choice,
        client_ids=client_ids,
    )


@dataclass(frozen=True)
class Assigned:
    """`outcome` as of `write_assignment`; `assignment` as read back, None where nothing was written or read."""

    outcome: Outcome
    assignment: RoleAssignment | None


def apply_assignment(
    session: AzureSession,
    plan: AssignmentPlan,
    report: Callable[[str], None] = lambda _state: None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Assigned:
    """Writes the assignment as planned, once all of it is looked at again.

    Raises ServiceError where it is not there afterwards: refused by the plan, by Azure (see `write_assignment`), or
    since the registry changed its mode.
    """
    title = f"Could not assign {plan.role.name} on {plan.registry.name}"
    report("checking again")
    registry = describe_registry(session, plan.registry.id)
    if registry.access.mode is not plan.registry.access.mode:
        raise changed(title, f"The registry is in {registry.access.mode} mode now: the role gives something else.")
    planned = plan.assignment
    again = read_assignment_plan(
        session, registry, plan.role, planned.principal_id, planned.principal_type, plan.choice
    )
    # Whose a client id is was known when it was planned.
    if plan.blockers or again.blockers:
        raise refused(title, " ".join(dict.fromkeys((*plan.blockers, *again.blockers))))
    if again.nothing_to_do:
        return Assigned(Outcome.ALREADY_DONE, None)
    written, assignment = write_assignment(session, again.assignment, title, report, sleep)
    return Assigned(written, assignment)


def _about_principal(principal_id: str, client_ids: Mapping[str, str]) -> list[str]:
    if not is_guid(principal_id):
        return ["An object id is a GUID, as `az ad user show`, `az ad group show` and `az ad sp show` tell it."]
    if whose := client_ids.get(principal_id.lower()):
        return [f"That is the client id of {whose}. A role is assigned to the object id."]
    return []


def _about_role(registry: Registry, role: RoleDefinition, given: tuple[Permission, ...]) -> list[str]:
    mode = registry.access.mode
    other = Mode.LEGACY if mode is Mode.ABAC else Mode.ABAC
    ignored = [one for one in gives(role, other) if one not in given]
    found = []
    if ignored:
        instead = f" Use {INSTEAD[role.name]}." if mode is Mode.ABAC and role.name in INSTEAD else ""
        what = "gives nothing" if not given else f"does not give: {', '.join(ignored)}"
        found.append(f"On a registry in {mode} mode {role.name} {what}.{instead}")
    elif not given:
        found.append(f"{role.name} gives nothing of what this console knows about registries.")
    if any("*" in block.actions for block in role.blocks):
        found.append(
            f"{role.name} gives every action on the registry, to come included: see whether a lesser role does."
        )
    if Permission.ASSIGN_ROLES in given:
        found.append(f"Whoever holds {role.name} can assign every role on the registry to anyone, themselves included.")
    if Permission.LIST_CREDENTIALS in given and registry.access.admin_user:
        found.append(f"The admin user is on, and {role.name} reads its passwords: they may do everything.")
    return found


def _about_present_access(
    registry: Registry,
    principal_access: PrincipalAccess,
    planned: PlannedAssignment,
    given: tuple[Permission, ...],
    choice: RepositoryChoice,
) -> list[str]:
    decisions = [
        decision
        for wanted in given
        for decision in permission_by_choice(
            principal_access.records, planned.principal_id, registry, wanted, choice, groups=principal_access.groups
        )
    ]
    found = []
    if decisions and all(decision.verdict is Verdict.YES for decision in decisions):
        granting = dict.fromkeys(reason.label for decision in decisions for reason in decision.granting)
        found.append(f"The principal may do all of this already: {'; '.join(granting)}.")
    taken = dict.fromkeys(denial.deny.name for decision in decisions for denial in decision.denials)
    if taken:
        found.append(f"A deny assignment denies some of it, whatever role is assigned: {', '.join(taken)}.")
    return found
