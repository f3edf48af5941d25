"""Taking a token away, and with it the scope map that no other token has: planned, looked at again, read back."""

from collections.abc import Callable
from dataclasses import dataclass

from services.child_resources.scope_maps import ScopeMap, remove_scope_map
from services.child_resources.tokens import Token, get_token, list_tokens
from services.connection.changes import Outcome, changed, remove
from services.connection.errors import ServiceError, if_there, says_not_found
from services.connection.resource_ids import same_id
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class RemovalPlan:
    """A token that is removed, and `scope_map` with it where no other token has it and it is not the registry's own."""

    registry: Registry
    token: Token
    scope_map: ScopeMap | None
    warnings: tuple[str, ...]


def plan_token_removal(
    registry: Registry, tokens: tuple[Token, ...], maps: tuple[ScopeMap, ...], token: Token
) -> RemovalPlan:
    """What goes with a token, and what to know before."""
    own = next((one for one in maps if same_id(one.id, token.scope_map_id)), None)
    others = users_of(token.scope_map_id, tokens, but=token.name)
    warnings = ["Whoever signs in with it is refused from then on. Its passwords can't be had back."]
    if own and own.others:
        warnings.append("Its scope map is one of a connected registry: that may sync with this token.")
    goes = own if own and not own.system and not others else None
    return RemovalPlan(registry, token, goes, tuple(warnings))


def users_of(scope_map_id: str, tokens: tuple[Token, ...], *, but: str = "") -> tuple[str, ...]:
    """The names of the tokens that have a scope map, one of them left out."""
    return tuple(
        token.name
        for token in tokens
        if same_id(token.scope_map_id, scope_map_id) and token.name.casefold() != but.casefold()
    )


@dataclass(frozen=True)
class Removed:
    """`scope_map` None: it was to stay, or could not be removed, for `map_error`."""

    token: Outcome
    scope_map: Outcome | None
    map_error: ServiceError | None = None


def apply_token_removal(
    session: AzureSession, plan: RemovalPlan, report: Callable[[str], None] = lambda _state: None
) -> Removed:
    """Removes the token, then its scope map as planned, where no other token has it by now.

    Raises ServiceError where the token is left: refused, or another one than was shown.
    """
    registry, token = plan.registry, plan.token
    title = f"Could not remove the token {token.name}"
    report("looking again")
    now = if_there(lambda: get_token(session, registry, token.name), says_not_found)
    if now is not None and now != token:
        raise changed(title, "The token is another one than was shown.")
    outcome = Outcome.ALREADY_DONE
    if now is not None:
        report("removing the token")
        client = session.registries(registry.subscription_id).tokens
        outcome = remove(
            title,
            lambda: client.begin_delete(registry.resource_group, registry.name, token.name).result(),
            lambda: get_token(session, registry, token.name),
            says_not_found,
        )
    if plan.scope_map is None or outcome is Outcome.NOT_CONFIRMED:
        return Removed(outcome, None)
    report("removing the scope map")
    try:
        used_by = users_of(plan.scope_map.id, list_tokens(session, registry), but=token.name)
        return Removed(outcome, remove_scope_map(session, registry, plan.scope_map, used_by))
    except ServiceError as error:
        return Removed(outcome, None, error)
