"""Reading what role assignments do not show: the groups of a principal, and the number of repository tokens.

Azure resolves groups, nested ones too, for users and service principals:
https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest
"""

from collections.abc import Iterable, Mapping
from threading import Event

from services.access.role_assignment_reading import assignments_at
from services.access.role_assignments import RoleAssignment
from services.arm.pages import items
from services.arm.subscriptions import Subscription
from services.connection.errors import as_service_error
from services.connection.names import require_object_id
from services.connection.parallel import Partial, Progress, counter, parallel_map
from services.connection.session import AzureSession
from services.registries.registry import Registry

# A principal's object id in lower case → the object ids of its groups that have a role assignment.
Groups = Mapping[str, frozenset[str]]


def read_groups(
    session: AzureSession,
    registry: Registry,
    principals: Iterable[str],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[tuple[str, frozenset[str]]]:
    """Each principal, in lower case, with its groups that have a role at a registry. One request each.

    Azure takes users and service principals only; a principal that refuses is a Refusal of the result.
    """
    wanted = sorted({one.lower() for one in principals})
    return parallel_map(
        lambda principal: (principal, _groups_at(session, registry.id, principal)),
        wanted,
        done=counter(progress, "principals", len(wanted)),
        stop=stop,
    )


def read_groups_everywhere(
    session: AzureSession, subscriptions: Iterable[Subscription], principal: str
) -> Partial[tuple[str, frozenset[str]]]:
    """Each subscription's id with the principal's groups that have a role in it, or above it."""
    return parallel_map(
        lambda one: (one.id, _groups_at(session, f"/subscriptions/{one.id}", principal)),
        subscriptions,
        name=lambda one: one.name,
    )


def asked_of(assignments: Iterable[RoleAssignment]) -> tuple[str, ...]:
    """The principals whose groups Azure reports: users and service principals."""
    kinds = {one.principal_id.lower(): one.principal_type.lower() for one in assignments}
    return tuple(sorted(principal for principal, kind in kinds.items() if kind in ("user", "serviceprincipal")))


def count_tokens(session: AzureSession, registry: Registry) -> int:
    """How many repository tokens a registry has. Raises ServiceError."""
    with as_service_error(f"Could not list the tokens of {registry.name}"):
        tokens = session.registries(registry.subscription_id).tokens
        listed = items(session, tokens.list, registry.resource_group, registry.name)
        return sum(1 for _ in listed)


def _groups_at(session: AzureSession, scope: str, principal: str) -> frozenset[str]:
    title = f"Could not read the groups of {principal}"
    require_object_id(title, principal)
    assigned = assignments_at(session, scope, f"groups of {principal}", filter=f"assignedTo('{principal}')")
    return frozenset(one.principal_id.lower() for one in assigned.all_values()) - {principal.lower()}
