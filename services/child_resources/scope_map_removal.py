"""Deleting a scope map that no token has: planned, checked again, deleted, read back."""

from collections.abc import Callable
from dataclasses import dataclass

from services.child_resources.scope_maps import ScopeMap, get_scope_map
from services.child_resources.tokens import Token, list_tokens, users_of
from services.commands import child_resources as az_child_resources
from services.connection.changes import Outcome, changed, refused, remove
from services.connection.errors import if_there, says_not_found
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class ScopeMapRemovalPlan:
    """A scope map that is deleted. `deleted_token`: the token that was deleted just before, which a list may still
    have. Nothing is sent while there are `blockers`."""

    registry: Registry
    scope_map: ScopeMap
    deleted_token: str
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_scope_map_removal(
    registry: Registry, scope_map: ScopeMap, tokens: tuple[Token, ...], deleted_token: str = ""
) -> ScopeMapRemovalPlan:
    """What forbids it, with the registry's `tokens`."""
    used_by = users_of(scope_map.id, tokens, but=deleted_token)
    blockers: list[str] = []
    if scope_map.system:
        blockers.append(f"{scope_map.name} is the registry's own: it can't be deleted.")
    if used_by:
        blockers.append(f"Tokens have it, and could do nothing any more: {', '.join(used_by)}.")
    line = az_child_resources.remove_scope_map(registry.name, scope_map.name)
    return ScopeMapRemovalPlan(registry, scope_map, deleted_token, tuple(blockers), (), (line,))


def read_scope_map_removal_plan(
    session: AzureSession, registry: Registry, scope_map: ScopeMap, deleted_token: str = ""
) -> ScopeMapRemovalPlan:
    """Reads the tokens that are there, and plans. Raises ServiceError."""
    return plan_scope_map_removal(registry, scope_map, list_tokens(session, registry).all_values(), deleted_token)


def apply_scope_map_removal(
    session: AzureSession, plan: ScopeMapRemovalPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Deletes a scope map as it was shown: DELETED, ALREADY_DONE or NOT_CONFIRMED.

    Raises ServiceError where it is left: refused, or it has changed since it was shown.
    """
    registry, scope_map = plan.registry, plan.scope_map
    title = f"Could not delete the scope map {scope_map.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_scope_map_removal_plan(session, registry, scope_map, plan.deleted_token)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    now = if_there(lambda: get_scope_map(session, registry, scope_map.name), says_not_found)
    if now is None:
        return Outcome.ALREADY_DONE
    if now != scope_map:
        raise changed(title, "The scope map has changed since it was shown.")
    report("deleting")
    client = session.registries(registry.subscription_id).scope_maps
    return remove(
        title,
        lambda: client.begin_delete(registry.resource_group, registry.name, scope_map.name).result(),
        lambda: get_scope_map(session, registry, scope_map.name),
        says_not_found,
    )
