"""Reading role assignments, role definitions and deny assignments: a few requests a subscription, or one registry's.

https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-subscription
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import PermissionBlock, RoleDefinition, role_id
from services.arm.pages import items
from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession
from services.registries.registry import Registry


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
                roles |= list_roles(session, read.subscription)
            except ServiceError as error:
                unread = (*unread, Refusal("roles", error))
        found.append(SubscriptionAccess(read.subscription, read.records, unread))
    with_roles = tuple(
        SubscriptionAccess(
            one.subscription, AccessRecords(one.records.assignments, roles, one.records.denies), one.unread
        )
        for one in found
    )
    return Partial(with_roles, listed.refused, listed.untried)


def list_assignments(session: AzureSession, subscription: Subscription) -> tuple[RoleAssignment, ...]:
    """All role assignments in a subscription, and those above that it inherits. Raises ServiceError."""
    with as_service_error(f"Could not list the role assignments of {subscription.name}"):
        client = session.authorization(subscription.id)
        return tuple(
            assignment_from(model) for model in items(session, client.role_assignments.list_for_subscription())
        )


def list_assignments_at(session: AzureSession, registry: Registry) -> tuple[RoleAssignment, ...]:
    """The role assignments on a registry, and all above that it inherits, whoever holds them. Raises ServiceError."""
    with as_service_error(f"Could not list the role assignments of {registry.name}"):
        client = session.authorization(registry.subscription_id)
        listed = items(session, client.role_assignments.list_for_scope(registry.id, filter="atScope()"))
        return tuple(map(assignment_from, listed))


def list_roles(session: AzureSession, subscription: Subscription) -> dict[str, RoleDefinition]:
    """The roles that can be assigned in a subscription, built-in and custom, by GUID. Raises ServiceError."""
    with as_service_error(f"Could not list the roles of {subscription.name}"):
        client = session.authorization(subscription.id)
        models = items(session, client.role_definitions.list(f"/subscriptions/{subscription.id}"))
        return {role.id: role for role in map(role_from, models)}


def list_denies(session: AzureSession, subscription: Subscription) -> tuple[DenyAssignment, ...]:
    """The deny assignments in a subscription, and those above that it inherits. Raises ServiceError."""
    with as_service_error(f"Could not list the deny assignments of {subscription.name}"):
        client = session.authorization(subscription.id)
        return tuple(deny for model in items(session, client.deny_assignments.list()) for deny in denies_from(model))


def read_principal(
    session: AzureSession, registry: Registry, principal_id: str, roles: Mapping[str, RoleDefinition] | None = None
) -> PrincipalAccess:
    """What a principal holds at a registry, inherited and by groups, which Azure follows (`assignedTo`).

    `roles` are those that were read before; each other role that is held takes a request. Raises ServiceError where
    the role assignments refuse; what else refuses is in `unread`.
    """
    client = session.authorization(registry.subscription_id)
    with as_service_error(f"Could not list who may use {registry.name}"):
        held = items(
            session, client.role_assignments.list_for_scope(registry.id, filter=f"assignedTo('{principal_id}')")
        )
        assignments = tuple(map(assignment_from, held))
    unread = []
    known = dict(roles or {})
    for role in sorted({assignment.role for assignment in assignments} - known.keys()):
        try:
            with as_service_error(f"Could not read the role {role}"):
                known[role] = role_from(client.role_definitions.get(registry.id, role))
        except ServiceError as error:
            unread.append(Refusal(f"the role {role}", error))
    denies: tuple[DenyAssignment, ...] | None = None
    try:
        with as_service_error(f"Could not list the deny assignments at {registry.name}"):
            models = items(session, client.deny_assignments.list_for_scope(registry.id, filter="atScope()"))
            denies = tuple(deny for model in models for deny in denies_from(model))
    except ServiceError as error:
        unread.append(Refusal("deny assignments", error))
    me = principal_id.lower()
    groups = frozenset(one.principal_id.lower() for one in assignments) - {me}
    return PrincipalAccess(AccessRecords(assignments, known, denies), groups, tuple(unread))


def read_caller_permissions(session: AzureSession, registry: Registry) -> tuple[PermissionBlock, ...]:
    """What the caller may do at a registry, a block for each role that it holds. Raises ServiceError.

    Azure says here nothing of conditions, nor of deny assignments: who is let in by it may still be refused.
    """
    with as_service_error(f"Could not read what you may do at {registry.name}"):
        models = session.authorization(registry.subscription_id).permissions.list_for_resource(
            registry.resource_group, "Microsoft.ContainerRegistry", "", "registries", registry.name
        )
        return tuple(_block(model) for model in items(session, models))


def caller_permissions_or_none(session: AzureSession, registry: Registry) -> tuple[PermissionBlock, ...] | None:
    """What the caller may do at a registry; None where that can't be read."""
    try:
        return read_caller_permissions(session, registry)
    except ServiceError:
        return None


def group_permissions(session: AzureSession, subscription_id: str, group: str) -> tuple[PermissionBlock, ...]:
    """As `read_caller_permissions`, at a resource group. Raises ServiceError."""
    with as_service_error(f"Could not read what you may do in {group}"):
        models = session.authorization(subscription_id).permissions.list_for_resource_group(group)
        return tuple(_block(model) for model in items(session, models))


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
        created=model.created_on,
        created_by=model.created_by or "",
        description=model.description or "",
    )


def role_from(model: Any) -> RoleDefinition:
    """The SDK's model as a RoleDefinition."""
    return RoleDefinition(
        role_id(model.name or model.id or ""),
        model.role_name or model.name or "",
        str(model.role_type or ""),
        tuple(_block(block) for block in model.permissions or ()),
    )


def denies_from(model: Any) -> tuple[DenyAssignment, ...]:
    """The SDK's model as one DenyAssignment for all its blocks without a condition, and one for each other block."""
    blocks = model.permissions or ()
    by_condition: dict[str, list[PermissionBlock]] = {}
    for block in blocks:
        by_condition.setdefault(block.condition or "", []).append(_block(block))
    return tuple(
        DenyAssignment(
            id=model.id or "",
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
    try:
        return SubscriptionAccess(subscription, AccessRecords(assignments, denies=list_denies(session, subscription)))
    except ServiceError as error:
        return SubscriptionAccess(
            subscription, AccessRecords(assignments, denies=None), (Refusal("deny assignments", error),)
        )


def _block(model: Any) -> PermissionBlock:
    return PermissionBlock(
        tuple(model.actions or ()),
        tuple(model.not_actions or ()),
        tuple(model.data_actions or ()),
        tuple(model.not_data_actions or ()),
    )


def _who(models: Any) -> tuple[PrincipalRef, ...]:
    return tuple(PrincipalRef(model.id or "", str(model.type or "")) for model in models or ())
