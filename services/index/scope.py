"""What of the index a person may find: the registries that their own listing has now, and of each the repositories
that their own catalogue has now. Whether they may read what is in a repository, the registry's token says.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import READ, Need
from services.connection.errors import as_service_error
from services.database.engine import reading
from services.database.index_tables import registries, repositories
from services.images.tag_list import matches
from services.index.query import Query, Term
from services.index.store import CHANGED, IndexStore, IndexTarget, created_key
from services.wording import counted

_PART = 500
# Whether a registry is in the index: all of it, all but what could not be read, or nothing that is complete.
INDEXED = "indexed"
PARTLY = "indexed in part"
NOT_INDEXED = "not indexed"


@dataclass(frozen=True)
class IndexedRegistry:
    """A registry in the index. `id` as the asker's listing has it. `read`: when the last comparison with the
    registry to its end began, None never; `unread`: what could not be read then, in words. `repositories`: those of
    the asker."""

    number: int
    id: str
    name: str
    login_server: str
    read: datetime | None
    tried: datetime | None
    unread: str
    repositories: int

    @property
    def state(self) -> str:
        """Whether all of it was compared: see IndexCount."""
        return NOT_INDEXED if self.read is None else PARTLY if self.unread else INDEXED


@dataclass(frozen=True)
class IndexCount:
    """How many registries are indexed to the end, in part (some of it could not be read), and not at all. `least`:
    there may be more registries."""

    whole: int
    part: int
    none: int
    least: bool = False

    @property
    def sentence(self) -> str:
        """'12 registries: 10 indexed, 1 indexed in part, 1 not indexed': what there is none of is left out."""
        of = counted(self.whole + self.part + self.none, "registry", "registries")
        each = ((self.whole, INDEXED), (self.part, PARTLY), (self.none, NOT_INDEXED))
        said = ", ".join(f"{number:,} {state}" for number, state in each if number or state == INDEXED)
        return f"{'At least ' if self.least else ''}{of}: {said}"


def count_states(states: Iterable[str], *, least: bool = False) -> IndexCount:
    """How many registries have each state; any word that is none counts as not indexed."""
    found = list(states)
    whole, part = found.count(INDEXED), found.count(PARTLY)
    return IndexCount(whole, part, len(found) - whole - part, least)


@dataclass(frozen=True)
class Scope:
    """What a person may find: registries by their number in the index, and repositories (registry's number, name).
    `configs_unread`: repositories that have images with a tag whose config is not in the index, or may have.
    `changed`: repositories that the console has changed since they were read."""

    registries: Mapping[int, IndexedRegistry]
    repositories: Mapping[int, tuple[int, str]]
    configs_unread: frozenset[int] = frozenset()
    changed: frozenset[int] = frozenset()

    def fitting(self, query: Query, words: Iterable[str]) -> Collection[int]:
        """The numbers of the repositories that a query's registry and repository, and each of the `words`, name."""
        words = [word.casefold() for word in words]
        terms = (*query.of("registry", "repository"), *query.without("registry", "repository"))
        if not terms and not words:
            return self.repositories.keys()
        servers = {
            number: f"{one.name} {one.login_server}".casefold()
            for number, one in self.registries.items()
            if _names(one, query)
        }
        of_repository, not_of = query.of("repository"), query.without("repository")
        return {
            number
            for number, (registry, name) in self.repositories.items()
            if registry in servers
            and all(matches(name, term.value) for term in of_repository)
            and not any(matches(name, term.value) for term in not_of)
            and all(word in name.casefold() or word in servers[registry] for word in words)
        }

    def words(self) -> frozenset[str]:
        """The names of registries and repositories, and the parts of the latter between slashes."""
        names = {name for _, name in self.repositories.values()}
        parts = {part for name in names for part in name.split("/")}
        return frozenset({*(one.name for one in self.registries.values()), *names, *parts})

    def registries_of(self, query: Query) -> list[IndexedRegistry]:
        """The registries that a query's words name, by name."""
        words = [term.value.casefold() for term in query.of("")]
        found = [
            one
            for one in self.registries.values()
            if _names(one, query) and all(word in f"{one.name} {one.login_server}".casefold() for word in words)
        ]
        return sorted(found, key=lambda one: (one.name, one.id))


def examples_of(scope: Scope) -> tuple[str, ...]:
    """Queries to begin with, by what the person may find: of one that they name there is something."""
    registry = max(scope.registries.values(), key=lambda one: (one.repositories, one.name), default=None)
    folders = sorted(name.partition("/")[0] for _, name in scope.repositories.values() if "/" in name)
    named = [f"registry:{registry.name}"] if registry else []
    named += [f"repository:{folders[len(folders) // 2]}/*"] if folders else []
    return (*named, "tag:v*", "size:>100MiB", "age:>90d", "untagged", "not:pulled:90d")


def _names(one: IndexedRegistry, query: Query) -> bool:
    def named(term: Term) -> bool:
        return matches(one.name, term.value) or matches(one.login_server, term.value)

    return all(map(named, query.of("registry"))) and not any(map(named, query.without("registry")))


def read_scope(store: IndexStore, listed: Iterable[IndexTarget], catalogues: Mapping[str, Collection[str]]) -> Scope:
    """The part of the index that is of the `listed` registries, and in their `catalogues` (by the registry's id).

    A registry without a catalogue has no repositories here. Raises ServiceError (NoDatabase).
    """
    targets = {(one.id.lower(), created_key(one.created)): one for one in listed}
    found: dict[int, IndexedRegistry] = {}
    names: dict[int, tuple[int, str]] = {}
    with reading(store.engine, "The index could not be read") as db:
        for row in db.execute(select(registries).where(registries.c.azure == store.azure)):
            if one := targets.get((row.resource, row.created)):
                found[row.id] = IndexedRegistry(
                    row.id, one.id, one.name, one.login_server, row.read, row.tried, row.unread, 0
                )
        numbers = list(found)
        columns = (
            repositories.c.id, repositories.c.registry, repositories.c.name, repositories.c.counts,
            repositories.c.configs_unread,
        )  # fmt: skip
        unread, changed = set(), set()
        allowed = {number: frozenset(catalogues.get(one.id, ())) for number, one in found.items()}
        for at in range(0, len(numbers), _PART):
            here = repositories.c.registry.in_(numbers[at : at + _PART])
            for row in db.execute(select(*columns).where(here)):
                if row.name in allowed[row.registry]:
                    names[row.id] = (row.registry, row.name)
                    if row.configs_unread != 0:
                        unread.add(row.id)
                    if row.counts == CHANGED:
                        changed.add(row.id)
    counts: dict[int, int] = {}
    for registry, _ in names.values():
        counts[registry] = counts.get(registry, 0) + 1
    counted = {number: replace(one, repositories=counts.get(number, 0)) for number, one in found.items()}
    return Scope(counted, names, frozenset(unread), frozenset(changed))


# Which of these repositories of a registry the asker may read the images of.
Readable = Callable[[IndexedRegistry, Collection[str]], Collection[str]]


def readable_repositories(client: RegistryClient, names: Collection[str]) -> frozenset[str]:
    """Those of the repositories whose images this client may read, by the registry's own tokens: one token in Legacy
    mode, one for each ten repositories in ABAC mode. Raises ServiceError where nobody can sign in."""
    with as_service_error(f"Could not sign in to {client.login_server}"):
        client.tokens.hold_for_reading(names)
    return frozenset(name for name in names if client.tokens.holds(Need(name, READ)))
