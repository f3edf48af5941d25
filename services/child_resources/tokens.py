"""Tokens of a registry: names with passwords of their own, for what has no identity in Entra. Listed, enabled,
disabled.

https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.commands import child_resources as az_child_resources
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.changes import Outcome, changed, refused, write
from services.connection.errors import as_service_error, says_not_found
from services.connection.parallel import Partial
from services.connection.resource_ids import parse_id, same_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry


@dataclass(frozen=True)
class Password:
    """password1 or password2 of a token. Azure shows its value once. `expiry` None: it does not expire."""

    name: str
    created: datetime | None
    expiry: datetime | None


@dataclass(frozen=True)
class Token:
    """A token as ARM lists it: never with its passwords. `scope_map_id` is a resource id, "" where it has none."""

    id: str
    name: str
    status: str
    scope_map_id: str
    created: datetime | None
    provisioning_state: str
    passwords: tuple[Password, ...]

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"

    @property
    def scope_map(self) -> str:
        """The name of its scope map."""
        return parse_id(self.scope_map_id).child

    def password(self, name: str) -> Password | None:
        return next((password for password in self.passwords if password.name == name), None)


def list_tokens(session: AzureSession, registry: Registry) -> Partial[Token]:
    """All of them, by name. Raises ServiceError."""
    with as_service_error(f"Could not list the tokens of {registry.name}"):
        client = session.registries(registry.subscription_id).tokens
        listed = items(session, client.list, registry.resource_group, registry.name)
        found = read_entries(f"tokens of {registry.name}", listed, _token)
    return replace(found, values=tuple(sorted(found.values, key=lambda token: token.name.casefold())))


def get_token(session: AzureSession, registry: Registry, name: str) -> Token:
    """One token. Raises ServiceError."""
    with as_service_error(f"Could not read the token {name}"):
        client = session.registries(registry.subscription_id).tokens
        return checked(_token(client.get(registry.resource_group, registry.name, name)))


def users_of(scope_map_id: str, tokens: tuple[Token, ...], *, but: str = "") -> tuple[str, ...]:
    """The names of the tokens that have a scope map, one of them left out."""
    return tuple(
        token.name
        for token in tokens
        if same_id(token.scope_map_id, scope_map_id) and token.name.casefold() != but.casefold()
    )


@dataclass(frozen=True)
class TokenStatusPlan:
    """A token that will be enabled or disabled. Nothing is sent while there are `blockers`."""

    registry: Registry
    token: Token
    enabled: bool
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_token_status(registry: Registry, token: Token, *, enabled: bool) -> TokenStatusPlan:
    """What it does to those who use the token."""
    word = _status(enabled)
    blockers = (f"{token.name} is {word} already.",) if token.enabled is enabled else ()
    refuses = (
        "Whoever signs in with it is refused from then on. What signed in before may go on until its access token "
        "ends, within about an hour."
    )
    line = az_child_resources.set_token_status(registry.name, token.name, token.scope_map, word)
    return TokenStatusPlan(registry, token, enabled, blockers, () if enabled else (refuses,), (line,))


def _status(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"


def apply_token_status(
    session: AzureSession, plan: TokenStatusPlan, report: Callable[[str], None] = lambda _state: None
) -> Outcome:
    """Enables or disables the token as planned: CHANGED or NOT_CONFIRMED.

    Raises ServiceError where it is left as it was: refused, or it has changed since it was shown.
    """
    registry, token, status = plan.registry, plan.token, _status(plan.enabled)
    title = f"Could not {'enable' if plan.enabled else 'disable'} the token {token.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    if get_token(session, registry, token.name) != token:
        raise changed(title, "The token has changed since it was shown.")
    report("changing")
    client = session.registries(registry.subscription_id).tokens
    # The scope map goes along: `az acr token update --help` says that without it the token loses it.
    body = models.TokenUpdateParameters(
        properties=models.TokenUpdateProperties(status=status, scope_map_id=token.scope_map_id or None)
    )
    found = write(
        title,
        lambda: client.begin_update(registry.resource_group, registry.name, token.name, body).result(),
        lambda: get_token(session, registry, token.name),
        lambda now: now == replace(token, status=status),
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


def _token(model: models.Token) -> Token:
    if not model.id or not model.name:
        raise ValueError("a token without id or name")
    properties = model.properties or models.TokenProperties()
    passwords = (properties.credentials.passwords if properties.credentials else None) or ()
    return Token(
        id=model.id,
        name=model.name,
        status=sdk_text(properties.status),
        scope_map_id=properties.scope_map_id or "",
        created=time_or_none(properties.creation_date),
        provisioning_state=sdk_text(properties.provisioning_state),
        passwords=tuple(
            Password(sdk_text(one.name), time_or_none(one.creation_time), _expiry(one.expiry)) for one in passwords
        ),
    )


def _expiry(value: object) -> datetime | None:
    """None: never. A time that cannot be is no such promise, and raises ValueError."""
    time = time_or_none(value)
    if value is not None and time is None:
        raise ValueError("a password expires in the year 1")
    return time
