"""Which images run, were pulled, or are to be rebuilt, as a search is given it: no statement of its own says it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from services.database.index_tables import children, contents, manifests, tags
from services.index.packing import pack_digest, unpack_numbers
from services.index.query import GIVEN, Query, Term
from services.index.rows import find_numbers, parts
from services.index.scope import Scope

# A registry's id and a repository.
Place = tuple[str, str]


@dataclass(frozen=True)
class Used:
    """The images that a term such as runs:, pulled: or rebuild: is about, by their places: digests, and tags where
    these alone are known. `anywhere`: digests that are such wherever they are, as it is not known whence they came.
    `unknown`: what is not known, in sentences; `unknown_of`: the ids of registries of whose images it is not known
    whether they are such; None: of none it is. `related`: whether an index is such where an image that it lists is,
    and the other way round."""

    digests: Mapping[Place, Collection[str]] = field(default_factory=dict)
    tags: Mapping[Place, Collection[str]] = field(default_factory=dict)
    anywhere: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    unknown_of: frozenset[str] | None = frozenset()
    related: bool = True


# What is known of a term.
FindUsed = Callable[[Term], Used]
Pair = tuple[int, int]  # The numbers of a repository and of a manifest.


def nothing_known(term: Term) -> Used:
    """Where nobody was asked."""
    return Used(unknown=(f"Nothing is known of {term.field}: here.",), unknown_of=None)


def pairs_of(db: Connection, used: Used, scope: Scope) -> frozenset[Pair]:
    """The manifests of the index that are such; where `related`, those that an index of theirs lists and the indexes
    that list them too: a node pulls an index, then one of its platforms."""
    wanted = used.digests.keys() | used.tags.keys()
    ids = {number: one.id for number, one in scope.registries.items()}
    places = {
        (ids[registry], name): number
        for number, (registry, name) in scope.repositories.items()
        if (ids[registry], name) in wanted
    }
    numbers = find_numbers(db, {digest for some in used.digests.values() for digest in some if pack_digest(digest)})
    found = {
        (repository, numbers[digest])
        for place, repository in places.items()
        for digest in used.digests.get(place, ())
        if digest in numbers
    }
    for place, repository in places.items():
        for part in parts(used.tags.get(place, ())):
            here = (tags.c.repository == repository) & tags.c.name.in_(part)
            found |= {(repository, number) for number in db.execute(select(tags.c.digest).where(here)).scalars()}
    everywhere = find_numbers(db, {digest for digest in used.anywhere if pack_digest(digest)}).values()
    for some_numbers in parts(everywhere):
        of_any = select(manifests.c.repository, manifests.c.digest).where(manifests.c.digest.in_(some_numbers))
        found |= {(row.repository, row.digest) for row in db.execute(of_any) if row.repository in scope.repositories}
    return frozenset(found | _related(db, found)) if used.related else frozenset(found)


def _related(db: Connection, found: Collection[Pair]) -> set[Pair]:
    numbers = {number for _, number in found}
    others: dict[int, set[int]] = {}
    for part in parts(numbers):
        for row in db.execute(select(children).where(children.c.child.in_(part))):
            others.setdefault(row.child, set()).add(row.parent)
        # What an index lists is read from its own row: the other table is by child.
        listed = select(contents.c.digest, contents.c.children).where(contents.c.digest.in_(part))
        for row in db.execute(listed):
            others.setdefault(row.digest, set()).update(unpack_numbers(row.children))
    return {(repository, other) for repository, number in found for other in others.get(number, ())}


@dataclass(frozen=True)
class Usage:
    """The manifests that each runs:, pulled: and rebuild: demands, and those that none may have."""

    demanded: tuple[frozenset[Pair], ...] = ()
    refused: frozenset[Pair] = frozenset()
    unknown: tuple[str, ...] = ()
    # Repositories of whose images a term with not: does not know whether they are such.
    unsure: frozenset[int] = frozenset()

    def fits(self, row: Row[Any]) -> bool:
        """Whether the manifest of this row is what the terms ask for."""
        pair = (row.repository, row.number)
        return (
            all(pair in some for some in self.demanded)
            and pair not in self.refused
            and row.repository not in self.unsure
        )


def usage_of(db: Connection, query: Query, scope: Scope, find_used: FindUsed) -> Usage | None:
    """What a query's terms about usage ask for; None where it has none."""
    terms, refused = query.of(*GIVEN), query.without(*GIVEN)
    if not terms and not refused:
        return None
    unknown: list[str] = []
    demanded = []
    for term in terms:
        used = find_used(term)
        unknown += used.unknown
        demanded.append(pairs_of(db, used, scope))
    without: set[Pair] = set()
    unsure: set[int] = set()
    for term in refused:
        used = find_used(term)
        unknown += used.unknown
        without |= pairs_of(db, used, scope)
        unsure |= {
            number
            for number, (registry, _) in scope.repositories.items()
            if used.unknown_of is None or scope.registries[registry].id in used.unknown_of
        }
    return Usage(tuple(demanded), frozenset(without), tuple(dict.fromkeys(unknown)), frozenset(unsure))
