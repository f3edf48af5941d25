"""Reading role assignments, role definitions and deny assignments: a few requests a subscription, or one registry's.

https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-subscription
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from azure.mgmt.authorization.v2022_04_01 import models

from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import PermissionBlock, RoleDefinition, role_id
from services.arm.pages import items
from services.arm.resources import list_resources
from services.arm.subscriptions import Subscription
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession
from services.registries.registry import Registry

_PROVIDER = "/providers/Microsoft.Authorization"


@dataclass(frozen=True)
class SubscriptionAccess:
    """What was read of one subscription; `unread` names what refused, and `records` then knows that it lacks it."""

    subscription: Subscription
    records: AccessRecords
    unread: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class PrincipalAccess:
    """What one principal holds at one registry, and `groups`, the groups by which it holds some of it."""

    records: AccessRecords
    groups: frozenset[str]
    unread: tuple[Refusal, ...] = ()


def read_access(
    session: AzureSession, subscriptions: Iterable[Subscription], *, progress: Progress | None = None
) -> Partial[SubscriptionAccess]:
    """Role assignments and deny assignments of each subscription, those above it that reach it included, and roles.

    Two requests a subscription; roles take one request in all, and one more for each subscription where a role is
    assigned that is neither built in nor known by then. A subscription whose role assignments refuse is a Refusal; one
    whose deny assignments or roles refuse is there, with `unread`.
    """
    subscriptions = tuple(subscriptions)
    listed = parallel_map(
        partial(_assignments_and_denies, session),
        subscriptions,
        name=lambda subscription: subscription.name,
        done=counter(progress, "subscriptions", len(subscriptions)),
    )
    roles: dict[str, RoleDefinition] = {}
    found = []
    for read in listed.values:
        unread = read.unread
        missing = {assignment.role for assignment in read.records.assignments} - roles.keys()
        if missing:
            try:
                found_roles = list_roles(session, read.subscription)
                roles |= {role.id: role for role in found_roles.values}
                unread += found_roles.refused
            except ServiceError as error:
                unread = (*unread, Refusal("roles", error))
        found.append(SubscriptionAccess(read.subscription, read.records, unread))
    with_roles = tuple(replace(one, records=replace(one.records, roles=roles)) for one in found)
    return Partial(with_roles, listed.refused, listed.untried)


def list_assignments(session: AzureSession, subscription: Subscription) -> Partial[RoleAssignment]:
    """All role assignments in a subscription, and those above that it inherits. Raises ServiceError."""
    what = f"role assignments of {subscription.name}"
    return assignments_at(session, f"/subscriptions/{subscription.id}", what)


def list_assignments_at(session: AzureSession, registry: Registry) -> Partial[RoleAssignment]:
    """The role assignments on a registry, and all above that it inherits, whoever holds them. Raises ServiceError."""
    return assignments_at(session, registry.id, f"role assignments of {registry.name}", filter="atScope()")


def assignments_at(session: AzureSession, scope: str, what: str, **query: str) -> Partial[RoleAssignment]:
    """The role assignments that a `filter` of Azure's chooses at a scope. `what` they are, for titles. Raises
    ServiceError."""
    entries = list_resources(session, f"{scope}{_PROVIDER}/roleAssignments", f"Could not list the {what}", **query)
    return read_entries(what, entries, lambda entry: assignment_from(models.RoleAssignment.deserialize(entry)))


def list_roles(session: AzureSession, subscription: Subscription) -> Partial[RoleDefinition]:
    """The roles that can be assigned in a subscription, built-in and custom. Raises ServiceError."""
    what = f"roles of {subscription.name}"
    scope = f"/subscriptions/{subscription.id}{_PROVIDER}/roleDefinitions"
    entries = list_resources(session, scope, f"Could not list the {what}")
    return read_entries(what, entries, lambda entry: role_from(models.RoleDefinition.deserialize(entry)))


def list_denies(session: AzureSession, subscription: Subscription) -> tuple[DenyAssignment, ...]:
    """The deny assignments in a subscription, and those above that it inherits. Raises ServiceError."""
    return _denies_at(session, f"/subscriptions/{subscription.id}", f"deny assignments of {subscription.name}")


def _denies_at(session: AzureSession, scope: str, what: str, **query: str) -> tuple[DenyAssignment, ...]:
    """Raises ServiceError also where one of them could not be understood: it may deny anything."""
    entries = list_resources(session, f"{scope}{_PROVIDER}/denyAssignments", f"Could not list the {what}", **query)
    read = read_entries(what, entries, lambda entry: denies_from(models.DenyAssignment.deserialize(entry)))
    return tuple(deny for denies in read.all_values() for deny in denies)


def read_principal(
    session: AzureSession, registry: Registry, principal_id: str, roles: Mapping[str, RoleDefinition] | None = None
) -> PrincipalAccess:
    """What a principal holds at a registry, inherited and by groups, which Azure follows (`assignedTo`).

    `roles` are those that were read before; each other role that is held takes a request. Raises ServiceError where
    the role assignments refuse; what else refuses is in `unread`.
    """
    client = session.authorization(registry.subscription_id)
    assigned = assignments_at(
        session, registry.id, f"role assignments at {registry.name}", filter=f"assignedTo('{principal_id}')"
    )
    assignments = assigned.values
    unread = [Refusal("role assignments", refusal.error) for refusal in assigned.refused]
    known = dict(roles or {})
    for role in sorted({assignment.role for assignment in assignments} - known.keys()):
        try:
            with as_service_error(f"Could not read the role {role}"):
                known[role] = checked(role_from(client.role_definitions.get(registry.id, role)))
        except ServiceError as error:
            unread.append(Refusal(f"the role {role}", error))
    denies: tuple[DenyAssignment, ...] | None = None
    try:
        denies = _denies_at(session, registry.id, f"deny assignments at {registry.name}", filter="atScope()")
    except ServiceError as error:
        unread.append(Refusal("deny assignments", error))
    me = principal_id.lower()
    groups = frozenset(one.principal_id.lower() for one in assignments) - {me}
    records = AccessRecords(assignments, known, denies, all_assignments=not assigned.refused)
    return PrincipalAccess(records, groups, tuple(unread))


def read_caller_permissions(session: AzureSession, registry: Registry) -> tuple[PermissionBlock, ...]:
    """What the caller may do at a registry, a block for each role that it holds. Raises ServiceError.

    Azure leaves conditions and deny assignments out of this: a caller who may by it can still be refused.
    """
    with as_service_error(f"Could not read what you may do at {registry.name}"):
        client = session.authorization(registry.subscription_id).permissions
        where = (registry.resource_group, "Microsoft.ContainerRegistry", "", "registries", registry.name)
        return tuple(checked(_block(model)) for model in items(session, client.list_for_resource, *where))


def caller_permissions_or_none(session: AzureSession, registry: Registry) -> tuple[PermissionBlock, ...] | None:
    """What the caller may do at a registry; None where that can't be read."""
    try:
        return read_caller_permissions(session, registry)
    except ServiceError:
        return None


def group_permissions(session: AzureSession, subscription_id: str, group: str) -> tuple[PermissionBlock, ...]:
    """As `read_caller_permissions`, at a resource group. Raises ServiceError."""
    with as_service_error(f"Could not read what you may do in {group}"):
        client = session.authorization(subscription_id).permissions
        return tuple(checked(_block(model)) for model in items(session, client.list_for_resource_group, group))


def assignment_from(model: Any) -> RoleAssignment:
    """The SDK's model as a RoleAssignment. Raises ValueError where it lacks what one needs."""
    if not (model.id and model.role_definition_id and model.principal_id and model.scope):
        raise ValueError("a role assignment without scope, role or principal")
    return RoleAssignment(
        id=model.id,
        name=model.name or "",
        scope=model.scope,
        role=role_id(model.role_definition_id),
        principal_id=model.principal_id,
        principal_type=str(model.principal_type or ""),
        condition=model.condition or "",
        created=time_or_none(model.created_on),
        created_by=model.created_by or "",
        description=model.description or "",
    )


def role_from(model: Any) -> RoleDefinition:
    """The SDK's model as a RoleDefinition. Raises ValueError where it lacks what one needs."""
    if not (model.name or model.id) or model.permissions is None:
        raise ValueError("a role without an id or permissions")
    return RoleDefinition(
        role_id(model.name or model.id or ""),
        model.role_name or model.name or "",
        str(model.role_type or ""),
        tuple(_block(block) for block in model.permissions),
    )


def denies_from(model: Any) -> tuple[DenyAssignment, ...]:
    """The SDK's model as one DenyAssignment for all its blocks without a condition, and one for each other block.

    Raises ValueError where it lacks what one needs.
    """
    if not model.id or not model.permissions or model.principals is None:
        raise ValueError("a deny assignment without id, permissions or principals")
    blocks = model.permissions
    by_condition: dict[str, list[PermissionBlock]] = {}
    for block in blocks:
        by_condition.setdefault(block.condition or "", []).append(_block(block))
    return tuple(
        DenyAssignment(
            id=model.id,
            name=model.deny_assignment_name or model.name or "",
            scope=model.scope or "/",
            blocks=tuple(of_one),
            principals=_who(model.principals),
            excluded=_who(model.exclude_principals),
            this_scope_only=bool(model.do_not_apply_to_child_scopes),
            system_protected=bool(model.is_system_protected),
            condition=" AND ".join(f"({part})" for part in (model.condition, condition) if part),
        )
        for condition, of_one in by_condition.items()
    )


def _assignments_and_denies(session: AzureSession, subscription: Subscription) -> SubscriptionAccess:
    assignments = list_assignments(session, subscription)
    unread = tuple(Refusal("role assignments", refusal.error) for refusal in assignments.refused)
    denies: tuple[DenyAssignment, ...] | None = None
    try:
        denies = list_denies(session, subscription)
    except ServiceError as error:
        unread += (Refusal("deny assignments", error),)
    records = AccessRecords(assignments.values, denies=denies, all_assignments=not assignments.refused)
    return SubscriptionAccess(subscription, records, unread)


def _block(model: Any) -> PermissionBlock:
    return PermissionBlock(
        tuple(model.actions or ()),
        tuple(model.not_actions or ()),
        tuple(model.data_actions or ()),
        tuple(model.not_data_actions or ()),
    )


def _who(models: Any) -> tuple[PrincipalRef, ...]:
    return tuple(PrincipalRef(_id_of(model), str(model.type or "")) for model in models or ())


def _id_of(principal: Any) -> str:
    if not principal.id:
        raise ValueError("a principal without an id")
    return str(principal.id)
