"""Scope maps: which rights a registry's own tokens have in which of its repositories.

https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import ServiceError, as_service_error
from services.connection.names import require_repository
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.registries.registry import Registry

# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-features-and-limits
MOST_REPOSITORIES = 500
MOST_ACTIONS = 500
_REPOSITORIES = "repositories/"


class Right(StrEnum):
    """What a token may do in a repository, as scope maps write it."""

    PULL = "content/read"
    PUSH = "content/write"
    DELETE = "content/delete"
    READ_METADATA = "metadata/read"
    WRITE_METADATA = "metadata/write"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Right.PULL: "pull",
    Right.PUSH: "push",
    Right.DELETE: "delete",
    Right.READ_METADATA: "list tags",
    Right.WRITE_METADATA: "set locks",
}


@dataclass(frozen=True)
class Grant:
    """Rights in one repository, or in all whose names begin so where it ends in `*`."""

    repository: str
    rights: tuple[Right, ...]

    @property
    def words(self) -> str:
        """team/app: pull, list tags"""
        return f"{self.repository}: {', '.join(right.words for right in self.rights)}"


@dataclass(frozen=True)
class ScopeMap:
    """`system`: one of the registry's own, which can't be changed. `others`: what it allows beside repositories, such
    as the messages of a connected registry."""

    id: str
    name: str
    description: str
    system: bool
    grants: tuple[Grant, ...]
    others: tuple[str, ...]
    created: datetime | None


def grants_of(actions: Iterable[str]) -> tuple[tuple[Grant, ...], tuple[str, ...]]:
    """Actions such as repositories/team/app/content/read by repository, and those that are none of a repository."""
    found: dict[str, set[Right]] = {}
    others: list[str] = []
    for action in actions:
        repository, right = _taken_apart(action)
        if right is None:
            others.append(action)
        else:
            found.setdefault(repository, set()).add(right)
    grants = (Grant(name, tuple(right for right in Right if right in found[name])) for name in sorted(found))
    return tuple(grants), tuple(others)


def _taken_apart(action: str) -> tuple[str, Right | None]:
    for right in Right:
        if action.startswith(_REPOSITORIES) and action.endswith(f"/{right}"):
            return action.removeprefix(_REPOSITORIES).removesuffix(f"/{right}"), right
    return "", None


def actions_of(grants: Iterable[Grant]) -> tuple[str, ...]:
    """The other way round."""
    return tuple(f"{_REPOSITORIES}{grant.repository}/{right}" for grant in grants for right in grant.rights)


def objections(grants: tuple[Grant, ...]) -> list[str]:
    """Why Azure would not take a scope map of these, each a sentence."""
    found: list[str] = []
    if not grants:
        found.append("Choose a repository.")
    elif not all(grant.rights for grant in grants):
        found.append("Choose a right.")
    bad = [grant.repository for grant in grants if not is_pattern(grant.repository)]
    found += [f"{name} is no name for a repository, and no beginning of one such as team/*." for name in bad]
    if len(grants) > MOST_REPOSITORIES:
        found.append(f"A scope map has at most {MOST_REPOSITORIES} repositories: {len(grants)} are chosen.")
    elif len(actions_of(grants)) > MOST_ACTIONS:
        found.append(
            f"A scope map has at most {MOST_ACTIONS} actions: the rights in these repositories are "
            f"{len(actions_of(grants))}."
        )
    return found


def is_pattern(repository: str) -> bool:
    """Whether it is a repository's name, or `*`, or a beginning such as `team/*`."""
    name = repository.removesuffix("/*")
    if repository == "*":
        return True
    try:
        require_repository("", name)
    except ServiceError:
        return False
    return True


def list_scope_maps(session: AzureSession, registry: Registry) -> Partial[ScopeMap]:
    """All of them, by name, the registry's own first. Raises ServiceError."""
    with as_service_error(f"Could not list the scope maps of {registry.name}"):
        client = session.registries(registry.subscription_id).scope_maps
        listed = items(session, client.list, registry.resource_group, registry.name)
        found = read_entries(f"scope maps of {registry.name}", listed, _scope_map)
    in_order = sorted(found.values, key=lambda scope_map: (not scope_map.system, scope_map.name.casefold()))
    return replace(found, values=tuple(in_order))


def get_scope_map(session: AzureSession, registry: Registry, name: str) -> ScopeMap:
    """One scope map. Raises ServiceError."""
    with as_service_error(f"Could not read the scope map {name}"):
        client = session.registries(registry.subscription_id).scope_maps
        return checked(_scope_map(client.get(registry.resource_group, registry.name, name)))


def _scope_map(model: models.ScopeMap) -> ScopeMap:
    if not model.id or not model.name:
        raise ValueError("a scope map without id or name")
    properties = model.properties
    grants, others = grants_of((properties.actions if properties else None) or ())
    return ScopeMap(
        id=model.id,
        name=model.name,
        description=(properties.description if properties else "") or "",
        system=((properties.type if properties else "") or "").casefold() == "systemdefined",
        grants=grants,
        others=others,
        created=time_or_none(properties.creation_date if properties else None),
    )
