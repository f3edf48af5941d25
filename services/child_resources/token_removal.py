"""Deleting a token, and with it the scope map that no other token has: planned, checked again, deleted, read back."""

from collections.abc import Callable
from dataclasses import dataclass

from services.child_resources.scope_map_removal import apply_scope_map_removal, read_scope_map_removal_plan
from services.child_resources.scope_maps import ScopeMap
from services.child_resources.tokens import Token, get_token, users_of
from services.commands import child_resources as az_child_resources
from services.connection.changes import Outcome, changed, remove
from services.connection.errors import ServiceError, if_there, says_not_found
from services.connection.resource_ids import same_id
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class TokenRemovalPlan:
    """A token that is deleted, and `scope_map` with it where no other token has it and it is not the registry's own.
    There is nothing that blocks it."""

    registry: Registry
    token: Token
    scope_map: ScopeMap | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_token_removal(
    registry: Registry, tokens: tuple[Token, ...], maps: tuple[ScopeMap, ...], token: Token
) -> TokenRemovalPlan:
    """What is deleted with a token, and what to know before."""
    own = next((one for one in maps if same_id(one.id, token.scope_map_id)), None)
    others = users_of(token.scope_map_id, tokens, but=token.name)
    warnings = ["Whoever signs in with it is refused from then on. Its passwords can't be restored."]
    if own and own.others:
        warnings.append("Its scope map is one of a connected registry: that may sync with this token.")
    with_it = own if own and not own.system and not others else None
    lines = [az_child_resources.remove_token(registry.name, token.name)]
    lines += [az_child_resources.remove_scope_map(registry.name, with_it.name)] if with_it else []
    return TokenRemovalPlan(registry, token, with_it, (), tuple(warnings), tuple(lines))


@dataclass(frozen=True)
class TokenRemovalResult:
    """`scope_map` None: it was to stay, or could not be deleted, for `map_error`."""

    token: Outcome
    scope_map: Outcome | None
    map_error: ServiceError | None = None


def apply_token_removal(
    session: AzureSession, plan: TokenRemovalPlan, report: Callable[[str], None] = lambda _state: None
) -> TokenRemovalResult:
    """Deletes the token, then its scope map as planned, where no other token has it by now.

    Raises ServiceError where the token is left: refused, or it has changed since it was shown.
    """
    registry, token = plan.registry, plan.token
    title = f"Could not delete the token {token.name}"
    report("checking again")
    now = if_there(lambda: get_token(session, registry, token.name), says_not_found)
    if now is not None and now != token:
        raise changed(title, "The token has changed since it was shown.")
    outcome = Outcome.ALREADY_DONE
    if now is not None:
        report("deleting the token")
        client = session.registries(registry.subscription_id).tokens
        outcome = remove(
            title,
            lambda: client.begin_delete(registry.resource_group, registry.name, token.name).result(),
            lambda: get_token(session, registry, token.name),
            says_not_found,
        )
    if plan.scope_map is None or outcome is Outcome.NOT_CONFIRMED:
        return TokenRemovalResult(outcome, None)
    report("deleting the scope map")
    try:
        of_map = apply_scope_map_removal(
            session, read_scope_map_removal_plan(session, registry, plan.scope_map, token.name)
        )
        return TokenRemovalResult(outcome, of_map)
    except ServiceError as error:
        return TokenRemovalResult(outcome, None, error)
