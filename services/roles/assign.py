"""Planning one role for one principal on a registry: what it gives there, what is against it, and the deed.

What a role gives depends on the registry's mode:
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.access.decisions import Decision, Verdict
from services.access.evaluation import blocks_grant, permission
from services.access.permissions import Permission, by_repository
from services.access.reading import PrincipalAccess, own_if_told, read_principal
from services.access.repository_scope import ALL, RepositoryChoice, condition_for
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition
from services.connection.changes import Outcome, changed, refused
from services.connection.names import is_guid
from services.connection.session import AzureSession
from services.registries.reading import describe_registry
from services.registries.registry import Mode, Registry
from services.roles.assignment import Grant, PrincipalType, same_grant, write_grant

NOTHING_HELD = PrincipalAccess(AccessRecords(()), frozenset())
# What takes the place of a role that a registry in ABAC mode ignores: "Migrate", in
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
INSTEAD = {
    "AcrPull": "Container Registry Repository Reader, and Catalog Lister for who lists repositories",
    "AcrPush": "Container Registry Repository Writer",
    "AcrDelete": "Container Registry Repository Contributor",
}


@dataclass(frozen=True)
class GrantPlan:
    """One role assignment. Nothing is sent while there are `blockers`, nor where there is `nothing_to_do`.

    `gives`: what the role lets do in the registry's mode. `may`: whether the caller may assign roles here, None where
    that could not be read.
    """

    registry: Registry
    role: RoleDefinition
    choice: RepositoryChoice
    grant: Grant
    gives: tuple[Permission, ...]
    nothing_to_do: bool
    may: bool | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]


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


def by_repositories(role: RoleDefinition) -> bool:
    """Whether a condition on repositories' names holds for all that the role gives: Catalog Lister's list, actions of
    the control plane and wildcards name no repository."""
    data = _data_actions(role)
    return bool(data) and all(map(by_repository, data)) and not any(block.actions for block in role.blocks)


def plan_grant(
    registry: Registry,
    role: RoleDefinition,
    principal_id: str,
    principal_type: PrincipalType,
    held: PrincipalAccess,
    own: tuple[PermissionBlock, ...] | None,
    choice: RepositoryChoice = ALL,
    *,
    client_ids: Mapping[str, str] | None = None,
) -> GrantPlan:
    """What would be written. `held`: what the principal holds here; `own`: the caller's permissions, None where they
    could not be read. `client_ids`: the client ids that are known, in lower case, each with whose it is.

    Raises ServiceError for a choice of what can be no repository's name.
    """
    mode = registry.access.mode
    given = gives(role, mode)
    split = choice != ALL
    condition = condition_for(choice, _data_actions(role)) if split else ""
    grant = Grant(registry.id, principal_id, principal_type, role.id, role.name, condition)
    same = _same(held, grant)
    nothing_to_do = bool(same and same.condition == condition)
    may = None if own is None else blocks_grant(own, Permission.ASSIGN_ROLES, mode)
    blockers = _about_principal(principal_id, client_ids or {})
    if split and mode is Mode.LEGACY:
        blockers.append("A registry in Legacy mode can't be opened for some repositories only: a role is for all.")
    elif split and not by_repositories(role):
        blockers.append(f"{role.name} can't be given for some repositories only: what it gives names no repository.")
    if same and not nothing_to_do:
        blockers.append(
            f"The principal holds {role.name} here already, under another condition ({same.condition or 'none'}). "
            "One principal holds a role at a scope once: remove that assignment first."
        )
    if may is False and not nothing_to_do:
        blockers.append(
            "You may not assign roles on this registry (Microsoft.Authorization/roleAssignments/write). Contributor "
            "does not include it; Owner, User Access Administrator and RBAC Administrator do."
        )
    warnings = [*_about_role(registry, role, given), *_about_held(registry, held, grant, given, choice)]
    if registry.unsettled:
        warnings.append(f"{registry.unsettled}: registry {registry.name}.")
    if may is None:
        warnings.append("Whether you may assign roles here could not be read: Azure will say.")
    if held.unread:
        warnings.append(f"Not read: {', '.join(refusal.what for refusal in held.unread)}.")
    return GrantPlan(
        registry,
        role,
        choice,
        grant,
        given,
        nothing_to_do,
        may,
        tuple(blockers),
        () if nothing_to_do else tuple(warnings),
    )


def read_grant_plan(
    session: AzureSession,
    registry: Registry,
    role: RoleDefinition,
    principal_id: str,
    principal_type: PrincipalType,
    choice: RepositoryChoice = ALL,
    *,
    client_ids: Mapping[str, str] | None = None,
) -> GrantPlan:
    """Reads what `plan_grant` needs: three or four requests. Raises ServiceError where the role assignments refuse."""
    # What is no GUID is not put into a filter.
    held = read_principal(session, registry, principal_id) if is_guid(principal_id) else NOTHING_HELD
    own = own_if_told(session, registry)
    return plan_grant(registry, role, principal_id, principal_type, held, own, choice, client_ids=client_ids)


@dataclass(frozen=True)
class Assigned:
    """`outcome` as of `write_grant`; `assignment` is what was read back, None where nothing was written or read."""

    outcome: Outcome
    assignment: RoleAssignment | None


def apply_grant(
    session: AzureSession,
    plan: GrantPlan,
    report: Callable[[str], None] = lambda _state: None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Assigned:
    """Writes the assignment as planned, once all of it is looked at again.

    Raises ServiceError where it is not there afterwards: refused by the plan, by Azure (see `write_grant`), or since
    the registry changed its mode.
    """
    title = f"Could not assign {plan.role.name} on {plan.registry.name}"
    report("looking again")
    registry = describe_registry(session, plan.registry.id)
    if registry.access.mode is not plan.registry.access.mode:
        raise changed(title, f"The registry is in {registry.access.mode} mode now: the role gives something else.")
    grant = plan.grant
    again = read_grant_plan(session, registry, plan.role, grant.principal_id, grant.principal_type, plan.choice)
    # Whose a client id is was known when it was planned.
    if plan.blockers or again.blockers:
        raise refused(title, " ".join(dict.fromkeys((*plan.blockers, *again.blockers))))
    if again.nothing_to_do:
        return Assigned(Outcome.ALREADY_DONE, None)
    written, assignment = write_grant(session, again.grant, title, report, sleep)
    return Assigned(written, assignment)


def _data_actions(role: RoleDefinition) -> tuple[str, ...]:
    return tuple(dict.fromkeys(action for block in role.blocks for action in block.data_actions))


def _same(held: PrincipalAccess, grant: Grant) -> RoleAssignment | None:
    wanted = (grant.scope, grant.principal_id, grant.role)
    return next((one for one in held.records.assignments if same_grant(one, *wanted)), None)


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
        instead = f" Its place is taken by {INSTEAD[role.name]}." if mode is Mode.ABAC and role.name in INSTEAD else ""
        what = "gives nothing" if not given else f"does not give: {', '.join(ignored)}"
        found.append(f"On a registry in {mode} mode {role.name} {what}.{instead}")
    elif not given:
        found.append(f"{role.name} gives nothing of what this console knows about registries.")
    if any("*" in block.actions for block in role.blocks):
        found.append(
            f"{role.name} gives every action on the registry, to come included: see whether a lesser role does."
        )
    if Permission.ASSIGN_ROLES in given:
        found.append(f"Whoever holds {role.name} gives every role on the registry to whom they like, themselves too.")
    if Permission.LIST_CREDENTIALS in given and registry.access.admin_user:
        found.append(f"The admin user is on, and {role.name} reads its passwords: they may do everything.")
    return found


def _about_held(
    registry: Registry,
    held: PrincipalAccess,
    grant: Grant,
    given: tuple[Permission, ...],
    choice: RepositoryChoice,
) -> list[str]:
    decisions = [
        decision for wanted in given for decision in _decisions(registry, held, grant.principal_id, wanted, choice)
    ]
    found = []
    if decisions and all(decision.verdict is Verdict.YES for decision in decisions):
        because = dict.fromkeys(reason.words for decision in decisions for reason in decision.because)
        found.append(f"The principal may do all of this already: {'; '.join(because)}.")
    taken = dict.fromkeys(denial.deny.name for decision in decisions for denial in decision.denials)
    if taken:
        found.append(f"A deny assignment takes some of it away, whatever role is given: {', '.join(taken)}.")
    return found


def _decisions(
    registry: Registry, held: PrincipalAccess, principal: str, wanted: Permission, choice: RepositoryChoice
) -> tuple[Decision, ...]:
    """Of each chosen repository; where all or a prefix of them is chosen, of all."""
    asked: tuple[str | None, ...] = choice.names if choice.names and not choice.prefixes else (None,)
    return tuple(permission(held.records, principal, registry, wanted, one, groups=held.groups) for one in asked)
