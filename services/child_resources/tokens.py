"""Tokens of a registry: names with passwords of their own, for what has no identity in Entra. Made, enabled, disabled.

https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from azure.mgmt.containerregistry import models

from services.child_resources.scope_maps import (
    Grant,
    Right,
    ScopeMap,
    actions_of,
    get_scope_map,
    list_scope_maps,
    objections,
)
from services.connection.changes import LOOK_AGAIN, Outcome, changed, refused, write
from services.connection.errors import ServiceError, as_service_error, says_not_found
from services.connection.resource_ids import parse_id, same_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry
_NAME = re.compile(r"[A-Za-z0-9-]{5,50}")
# As `az acr token create --repository` names it. With it, the token's name has ten characters less.
_MAP_OF = "{}-scope-map"
_LONGEST = 40


@dataclass(frozen=True)
class Password:
    """password1 or password2 of a token. What it is, Azure told once. `expiry` None: it does not expire."""

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


def list_tokens(session: AzureSession, registry: Registry) -> tuple[Token, ...]:
    """All of them, by name. Raises ServiceError."""
    with as_service_error(f"Could not list the tokens of {registry.name}"):
        client = session.registries(registry.subscription_id).tokens
        found = [_token(model) for model in client.list(registry.resource_group, registry.name)]
    return tuple(sorted(found, key=lambda token: token.name.casefold()))


def get_token(session: AzureSession, registry: Registry, name: str) -> Token:
    """One token. Raises ServiceError."""
    with as_service_error(f"Could not read the token {name}"):
        client = session.registries(registry.subscription_id).tokens
        return _token(client.get(registry.resource_group, registry.name, name))


@dataclass(frozen=True)
class TokenPlan:
    """A token and the scope map that is made for it. `map_there`: an earlier try made the scope map already. Nothing
    is sent while there are `blockers`."""

    registry: Registry
    name: str
    grants: tuple[Grant, ...]
    map_there: bool
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def scope_map(self) -> str:
        return _MAP_OF.format(self.name)

    @property
    def description(self) -> str:
        return f"Made by ACR Console for the token {self.name}"


def plan_token(
    registry: Registry, tokens: tuple[Token, ...], maps: tuple[ScopeMap, ...], name: str, grants: tuple[Grant, ...]
) -> TokenPlan:
    """What is in the way of a token beside those that are there, and what to know before it is made."""
    own = tuple(scope_map for scope_map in maps if not scope_map.system)
    same = next((one for one in own if one.name.casefold() == _MAP_OF.format(name).casefold()), None)
    blockers = _about_registry(registry, tokens, own, same)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        blockers.append(f"Its name must be 5 to {_LONGEST} letters, digits or dashes.")
    elif name.casefold() in {token.name.casefold() for token in tokens}:
        blockers.append(f"There is a token {name} already.")
    blockers += objections(grants)
    if same and set(actions_of(same.grants)) | set(same.others) != set(actions_of(grants)):
        blockers.append(f"There is a scope map {same.name} already, and it allows something else.")
    return TokenPlan(registry, name, grants, same is not None, tuple(blockers), _warnings(registry, grants))


def _about_registry(
    registry: Registry, tokens: tuple[Token, ...], own: tuple[ScopeMap, ...], same: ScopeMap | None
) -> list[str]:
    found: list[str] = []
    sku = sku_of(registry.sku)
    if sku is None:
        found.append(f"A {registry.sku} registry has no tokens.")
    else:
        most = LIMITS[sku].tokens
        if len(tokens) >= most:
            found.append(f"{sku} has at most {most:,} tokens, and there are {len(tokens):,}.")
        if len(own) >= most and not same:
            found.append(f"{sku} has at most {most:,} scope maps, and there are {len(own):,}.")
    return found


def _warnings(registry: Registry, grants: tuple[Grant, ...]) -> tuple[str, ...]:
    rights = {right for grant in grants for right in grant.rights}
    found: list[str] = []
    if registry.unsettled:
        found.append(f"{registry.unsettled}.")
    wide = [grant.repository for grant in grants if grant.repository.endswith("*")]
    if "*" in wide:
        found.append("* is every repository of the registry, those to come among it.")
    elif wide:
        found.append(f"{', '.join(wide)}: every repository that begins so, those to come among it.")
    if Right.PUSH in rights and Right.PULL not in rights:
        found.append("A push needs pull as well: without it, docker push is refused.")
    if Right.DELETE in rights:
        found.append("Whoever has its password may delete images, and the registry's log names the token alone.")
    if Right.WRITE_METADATA in rights:
        found.append("Setting locks includes taking them off.")
    return tuple(found)


def apply_token(session: AzureSession, plan: TokenPlan, report: Callable[[str], None] = lambda _state: None) -> Outcome:
    """Makes the scope map, then the token, which has no password yet. CREATED: both are there so, as read back.
    NOT_CONFIRMED: Azure took the token, and it does not show, or could not be read.

    Raises ServiceError where there is no token: refused by the plan, by Azure, or since the lists have changed. Where
    the scope map was made before, the error says that it is left.
    """
    title, registry = f"Could not make the token {plan.name}", plan.registry
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("looking again")
    tokens, maps = list_tokens(session, registry), list_scope_maps(session, registry)
    again = plan_token(registry, tokens, maps, plan.name, plan.grants)
    if again.blockers:
        raise changed(title, f"What was not in the way before is now: {' '.join(again.blockers)}")
    client = session.registries(registry.subscription_id)
    if not again.map_there:
        report("making the scope map")
        _make_map(session, again)
    report("making the token")
    scope_map_id = f"{registry.id}/scopeMaps/{plan.scope_map}"
    body = models.Token(properties=models.TokenProperties(scope_map_id=scope_map_id, status="enabled"))
    try:
        found = write(
            title,
            lambda: client.tokens.begin_create(registry.resource_group, registry.name, plan.name, body).result(),
            lambda: get_token(session, registry, plan.name),
            lambda token: token.enabled and same_id(token.scope_map_id, scope_map_id),
            says_not_found,
        )
    except ServiceError as error:
        left = f"The scope map {plan.scope_map} is there, and is left: trying again uses it."
        raise replace(error, cause=f"{error.cause} {left}") from error
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED


def _make_map(session: AzureSession, plan: TokenPlan) -> None:
    title, registry = f"Could not make the scope map {plan.scope_map}", plan.registry
    client = session.registries(registry.subscription_id).scope_maps
    actions = actions_of(plan.grants)
    body = models.ScopeMap(properties=models.ScopeMapProperties(description=plan.description, actions=list(actions)))
    found = write(
        title,
        lambda: client.begin_create(registry.resource_group, registry.name, plan.scope_map, body).result(),
        lambda: get_scope_map(session, registry, plan.scope_map),
        lambda scope_map: set(actions_of(scope_map.grants)) == set(actions) and not scope_map.others,
        says_not_found,
    )
    if found is None:  # A token must not have a scope map that allows something else.
        cause = "Azure took it, and it does not show as planned, or could not be read. No token was made."
        raise ServiceError(title, cause, LOOK_AGAIN, "NotConfirmed")


def apply_status(session: AzureSession, registry: Registry, token: Token, *, enabled: bool) -> Outcome:
    """Enables or disables a token. Raises ServiceError where it is left as it was: refused, or another one by now."""
    title = f"Could not {'enable' if enabled else 'disable'} the token {token.name}"
    if get_token(session, registry, token.name) != token:
        raise changed(title, "The token is another one than was shown.")
    client = session.registries(registry.subscription_id).tokens
    # The scope map goes along: `az acr token update --help` says that without it the token loses it.
    body = models.TokenUpdateParameters(
        properties=models.TokenUpdateProperties(
            status="enabled" if enabled else "disabled", scope_map_id=token.scope_map_id or None
        )
    )
    found = write(
        title,
        lambda: client.begin_update(registry.resource_group, registry.name, token.name, body).result(),
        lambda: get_token(session, registry, token.name),
        lambda now: now == replace(token, status="enabled" if enabled else "disabled"),
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


def _token(model: models.Token) -> Token:
    properties = model.properties or models.TokenProperties()
    passwords = (properties.credentials.passwords if properties.credentials else None) or ()
    return Token(
        id=model.id or "",
        name=model.name or "",
        status=sdk_text(properties.status),
        scope_map_id=properties.scope_map_id or "",
        created=properties.creation_date,
        provisioning_state=sdk_text(properties.provisioning_state),
        passwords=tuple(Password(sdk_text(one.name), one.creation_time, one.expiry) for one in passwords),
    )
