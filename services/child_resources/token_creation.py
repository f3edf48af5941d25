"""A token and the scope map that is created for it: planned, checked again, created, read back.

https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

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
from services.child_resources.tokens import Token, get_token, list_tokens
from services.commands import child_resources as az_child_resources
from services.connection.changes import LOOK_AGAIN, Outcome, changed, refused, write
from services.connection.errors import ServiceError, says_not_found
from services.connection.resource_ids import same_id
from services.connection.session import AzureSession
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry
_NAME = re.compile(r"[A-Za-z0-9-]{5,50}")
# As `az acr token create --repository` names it. With it, the token's name has ten characters less.
_MAP_OF = "{}-scope-map"
_LONGEST = 40


@dataclass(frozen=True)
class TokenPlan:
    """A token and the scope map that is created for it. `map_there`: an earlier try created the scope map already.
    Nothing is sent while there are `blockers`. In `commands`, what is not given yet stands in capitals."""

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
        return _description(self.name)

    @property
    def commands(self) -> tuple[str, ...]:
        registry, name = self.registry.name, self.name or "NAME"
        scope_map = _MAP_OF.format(name)
        rights = tuple(dict.fromkeys(str(right) for grant in self.grants for right in grant.rights))
        repositories = tuple(grant.repository for grant in self.grants) or ("REPOSITORY",)
        add_map = az_child_resources.add_scope_map(registry, scope_map, repositories, rights, _description(name))
        add_token = az_child_resources.add_token(registry, name, scope_map)
        return (add_token,) if self.map_there else (add_map, add_token)


def _description(token: str) -> str:
    return f"Created by ACR Console for the token {token}"


def read_token_plan(session: AzureSession, registry: Registry, name: str, grants: tuple[Grant, ...]) -> TokenPlan:
    """Reads the tokens and the scope maps that are there, and plans. Raises ServiceError."""
    tokens, maps = list_tokens(session, registry), list_scope_maps(session, registry)
    return plan_token(registry, tokens.all_values(), maps.all_values(), name, grants)


def plan_token(
    registry: Registry, tokens: tuple[Token, ...], maps: tuple[ScopeMap, ...], name: str, grants: tuple[Grant, ...]
) -> TokenPlan:
    """What forbids a token beside those that exist, and what to know before it is created."""
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
    """Creates the scope map, then the token, which has no password yet. CREATED: both are there so, as read back.
    NOT_CONFIRMED: Azure took the token, and it does not show, or could not be read.

    Raises ServiceError where there is no token: refused by the plan, by Azure, or since the lists have changed. Where
    the scope map was created before, the error says that it is left.
    """
    title, registry = f"Could not create the token {plan.name}", plan.registry
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_token_plan(session, registry, plan.name, plan.grants)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    client = session.registries(registry.subscription_id)
    if not again.map_there:
        report("creating the scope map")
        _create_map(session, again)
    report("creating the token")
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


def _create_map(session: AzureSession, plan: TokenPlan) -> None:
    title, registry = f"Could not create the scope map {plan.scope_map}", plan.registry
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
        cause = "Azure took it, and it does not show as planned, or could not be read. No token was created."
        raise ServiceError(title, cause, LOOK_AGAIN, "NotConfirmed")
