"""Registries and their catalogues, cached. `who` (cloud and identity) is part of every key: no identity sees what
another has read.

Values are frozen or only read, so that sessions share one copy. Settings and lists are kept for minutes; what a digest
names never changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import streamlit as st

from services.access.role_assignment_reading import caller_permissions_or_none
from services.access.role_definitions import PermissionBlock
from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal, parallel_map
from services.images import repositories
from services.registries.reading import get_registry, list_registries
from services.registries.registry import Registry, SoftDelete
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, may_be_kept, start

Value = TypeVar("Value")

# `hash_funcs` for arguments that are registries or clusters: one that was read again is the same one.
BY_ID: dict[str | type[Any], Callable[[Any], Any]] = {
    Registry: lambda registry: registry.id,
    Cluster: lambda cluster: cluster.id,
}


@dataclass(frozen=True)
class Loaded(Generic[Value]):
    """A value, when it was read, and the parts of it that could not be read."""

    value: Value
    at: datetime
    lacks: tuple[Refusal, ...] = ()


def read_now(value: Value, lacks: tuple[Refusal, ...] = ()) -> Loaded[Value]:
    """`value` as read at this moment."""
    return Loaded(value, datetime.now(UTC), lacks)


def loaded_fresh(loaded: Loaded[Value]) -> bool:
    """Whether a cache may keep it: the `validate` of `st.cache_resource` for values that may lack a part."""
    return may_be_kept((datetime.now(UTC) - loaded.at).total_seconds(), loaded.lacks)


@dataclass(frozen=True)
class Inventory:
    """Every registry, and its repositories' names where they could be read (by registry id).

    `counts`: how many repositories each catalogue has, with those that could not be read.
    """

    registries: Partial[Registry]
    catalogues: Mapping[str, tuple[str, ...]]
    counts: Partial[int]

    @property
    def repository_counts(self) -> Mapping[str, int]:
        return {registry_id: len(names) for registry_id, names in self.catalogues.items()}

    @property
    def usages(self) -> Partial[Registry]:
        """The registries whose usage was read, those that refused it, and how many are not read yet."""
        found = self.registries.values
        refused = tuple(
            Refusal(registry.name, refusal.error)
            for registry in found
            for refusal in registry.unread
            if refusal.what == "usage"
        )
        known = tuple(registry for registry in found if registry.usages is not None)
        return Partial(known, refused, len(found) - len(known) - len(refused))

    @property
    def detailed(self) -> bool:
        """Whether every registry is here with its usages, or with the reason why they can't be read."""
        found = self.registries.values
        return bool(found) and all(registry.usages is not None or registry.unread for registry in found)


@st.cache_resource(ttl="10m", show_spinner=False, validate=fresh)
def inventory(who: str) -> Reading[Inventory]:
    """All registries of all subscriptions, then their catalogues: the value grows as they are read."""
    session = connection.session(who)

    def work(reading: Reading[Inventory]) -> None:
        def listed(so_far: Partial[Registry]) -> None:
            reading.value = Inventory(so_far, {}, Partial(()))

        found = list_registries(session, progress=reading.report, listed=listed, stop=reading.stop)
        reading.value = Inventory(found, {}, Partial(()))
        reachable = [registry for registry in found.values if registry.login_server]
        names: dict[str, tuple[str, ...]] = {}
        tried = 0

        def listed_names(index: int, found_names: tuple[str, ...] | ServiceError) -> None:
            nonlocal tried
            tried += 1
            if not isinstance(found_names, ServiceError):
                names[reachable[index].id] = found_names
                reading.value = Inventory(found, dict(names), Partial(()))
            reading.report(tried, len(reachable), "catalogues")

        read = parallel_map(
            lambda registry: repositories.all_repository_names(session.registry(registry.login_server)),
            reachable,
            server=lambda registry: registry.login_server,
            name=lambda registry: registry.name,
            done=listed_names,
            stop=reading.stop,
        )
        counts = Partial(tuple(len(catalogue) for catalogue in read.values), read.refused, read.untried)
        reading.value = Inventory(found, names, counts)
        details = (refusal for registry in found.values for refusal in registry.unread)
        reading.lacks = (*found.refused, *details, *read.refused)

    return start(Inventory(Partial(()), {}, Partial(())), work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=500, validate=loaded_fresh)
def registry(who: str, resource_id: str) -> Loaded[Registry]:
    """One registry with all its details."""
    found = get_registry(connection.session(who), resource_id)
    return read_now(found, found.unread)


def soft_delete(who: str, known: Registry) -> SoftDelete:
    """The soft delete policy of `known`, which may stand in a list that was read without it."""
    if known.soft_delete.days is not None:
        return known.soft_delete
    try:
        return registry(who, known.id).value.soft_delete
    except ServiceError as error:
        return SoftDelete(unread=error.cause)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, hash_funcs=BY_ID)
def read_caller_permissions(who: str, registry: Registry) -> tuple[PermissionBlock, ...] | None:
    """The caller's permissions on a registry; None where they can't be read."""
    return caller_permissions_or_none(connection.session(who), registry)


@dataclass(frozen=True)
class Catalogue:
    """The names of a registry's repositories, and the attributes of those read so far."""

    names: tuple[str, ...]
    repositories: Partial[repositories.Repository]

    @property
    def manifests(self) -> int | None:
        """The number of manifests, without the repositories that refused; None until all have been asked."""
        known = self.repositories.values
        asked = len(known) + len(self.repositories.refused) == len(self.names)
        return sum(repository.manifest_count for repository in known) if asked else None


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def catalogue(who: str, login_server: str) -> Reading[Catalogue]:
    """The names first, then the attributes; the value grows as they are read."""
    client = connection.session(who).registry(login_server)

    def work(reading: Reading[Catalogue]) -> None:
        names: list[str] = []
        for page in repositories.repository_names(client):
            names += page
            reading.report(len(names), 0, "names")
            reading.value = Catalogue(tuple(names), Partial(()))
            if reading.stop.is_set():
                return
        so_far: list[repositories.Repository] = []
        tried = 0

        def got(repository: repositories.Repository | None) -> None:
            nonlocal tried
            tried += 1
            if repository:
                so_far.append(repository)
            if tried % 200 == 0:
                reading.value = Catalogue(tuple(names), Partial(tuple(so_far)))
            reading.report(tried, len(names), "repositories")

        read = repositories.get_repositories(client, names, done=got, stop=reading.stop)
        reading.value = Catalogue(tuple(names), read)
        reading.lacks = read.refused

    return start(Catalogue((), Partial(())), work)


def forget_registry(who: str, known: Registry) -> None:
    """Drops what was read of one registry: its settings, the caller's permissions on it, and its catalogue."""
    registry.clear(who, known.id)
    read_caller_permissions.clear(who, known)
    catalogue.clear(who, known.login_server)
