"""What a query finds in the index, of what a person may find.

The database proposes rows by its indexes, a bounded number of them; those of repositories that are not the person's
are dropped here. Nothing is asked of a registry, but for the tokens that say what the person may read.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.database.engine import reading
from services.database.index_tables import (
    children,
    contents,
    digests,
    layer_uses,
    manifests,
    properties,
    tags,
    words,
)
from services.images.base_image import DIGEST, NAME
from services.images.manifests import Kind
from services.index.packing import digest_range, unpack_digest, unpack_numbers
from services.index.query import Query, Term, digest_prefix
from services.index.rows import STORED_KINDS, Standing, parts
from services.index.scope import IndexedRegistry, Readable, Scope
from services.index.store import IndexStore

# Of each group.
MOST = 1000
# Rows that are looked at for them: those of others among them are dropped.
_LOOKED_AT = 50_000
# Repositories that are named in a statement; where there are more, rows of others are dropped here.
_FEW = 300
# Images on one base, by their layers.
_MOST_DESCENDANTS = 2000
_KINDS = {stored: kind for kind, stored in STORED_KINDS.items()}
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class FoundRepository:
    """A repository by its registry."""

    registry: IndexedRegistry
    name: str


@dataclass(frozen=True)
class FoundTag:
    """A tag, and the digest that it had when it was read. `updated` None: the registry reports none."""

    registry: IndexedRegistry
    repository: str
    name: str
    digest: str
    updated: datetime | None


@dataclass(frozen=True)
class FoundImage:
    """A manifest. `tags`: its own; `tags_of_indexes`: those of the indexes that list it. `kind` None: it could not be
    read. `size` None: not known."""

    registry: IndexedRegistry
    repository: str
    digest: str
    kind: Kind | None
    platforms: str
    size: int | None
    created: datetime | None
    tags: tuple[str, ...] = ()
    tags_of_indexes: tuple[str, ...] = ()
    untagged: bool = False

    @property
    def every_tag(self) -> tuple[str, ...]:
        """Its own tags, then those of the indexes that list it."""
        return tuple(dict.fromkeys((*self.tags, *self.tags_of_indexes)))


@dataclass(frozen=True)
class Results:
    """What was found, each group at most MOST. `cut`: whether there may be more. `unread`: registries where it is not
    known what the person may read: nothing of them is here."""

    registries: tuple[IndexedRegistry, ...] = ()
    repositories: tuple[FoundRepository, ...] = ()
    tags: tuple[FoundTag, ...] = ()
    images: tuple[FoundImage, ...] = ()
    cut: bool = False
    unread: tuple[Refusal, ...] = ()

    @property
    def number(self) -> int:
        """How many were found."""
        return len(self.registries) + len(self.repositories) + len(self.tags) + len(self.images)


def search(
    store: IndexStore, query: Query, scope: Scope, readable: Readable, now: datetime, most: int = MOST
) -> Results:
    """What a query finds: at most `most` of each group. Raises ServiceError (NoDatabase)."""
    if not query.terms and not query.untagged:
        return Results()
    found = Results()
    # No name and no tag has a colon.
    by_name = not query.about_images and not any(":" in term.value for term in query.of(""))
    if by_name:
        if not query.of("tag", "repository"):
            found = replace(found, registries=tuple(scope.registries_of(query)[:most]))
        if not query.of("tag"):
            found = replace(found, repositories=_repositories(query, scope, most))
    with reading(store.engine, "The index could not be searched") as db:
        cut = len(found.repositories) == most
        if by_name and query.of("tag", ""):
            tags_found, more = _tags(db, query, scope, most)
            found, cut = replace(found, tags=tuple(tags_found)), cut or more
        if query.about_images or any(digest_prefix(term.value) for term in query.of("")):
            images, more = _images(db, query, scope, now, most)
            found, cut = replace(found, images=tuple(images)), cut or more
    return _only_readable(replace(found, cut=cut), readable)


def _repositories(query: Query, scope: Scope, most: int) -> tuple[FoundRepository, ...]:
    numbers = scope.fitting(query, [term.value for term in query.of("")])
    named = sorted((scope.repositories[number][1], scope.repositories[number][0]) for number in numbers)
    return tuple(FoundRepository(scope.registries[registry], name) for name, registry in named[:most])


def _only_readable(found: Results, readable: Readable) -> Results:
    """Without tags and images of repositories that the person may list and not read."""
    wanted: dict[IndexedRegistry, set[str]] = {}
    of_repositories: tuple[FoundTag | FoundImage, ...] = (*found.tags, *found.images)
    for one in of_repositories:
        wanted.setdefault(one.registry, set()).add(one.repository)
    allowed: set[tuple[int, str]] = set()
    unread = []
    for registry, names in wanted.items():
        try:
            allowed |= {(registry.number, name) for name in readable(registry, names)}
        except ServiceError as error:
            unread.append(Refusal(registry.name, error))
    return replace(
        found,
        tags=tuple(one for one in found.tags if (one.registry.number, one.repository) in allowed),
        images=tuple(one for one in found.images if (one.registry.number, one.repository) in allowed),
        unread=tuple(unread),
    )


def _walk(db: Connection, statement: Select[Any], allowed: Collection[int], most: int) -> tuple[list[Row[Any]], bool]:
    """The rows of allowed repositories, at most `most`, and whether there may be more."""
    found: list[Row[Any]] = []
    rows = db.execute(statement.limit(_LOOKED_AT + 1).execution_options(yield_per=1000))
    looked_at = 0
    with rows:
        for looked_at, row in enumerate(rows, 1):
            if looked_at > _LOOKED_AT:
                return found, True
            if row.repository in allowed:
                if len(found) == most:
                    return found, True
                found.append(row)
    return found, False


def _of_repositories(column: Any, allowed: Collection[int]) -> list[Any]:
    return [column.in_(sorted(allowed))] if len(allowed) <= _FEW else []


def _tags(db: Connection, query: Query, scope: Scope, most: int) -> tuple[list[FoundTag], bool]:
    """Tags by `tag:`, or by one of the words, the others being of the registry's and the repository's names."""
    terms, free = query.of("tag"), [term.value for term in query.of("")]
    choices = [(terms[0].value, terms[1:], free)] if terms else [
        (f"{word}*", (), [*free[:at], *free[at + 1 :]]) for at, word in enumerate(free)
    ]  # fmt: skip
    found: dict[tuple[int, str, str], FoundTag] = {}
    cut = False
    for pattern, more_terms, others in choices:
        allowed = scope.fitting(query, others)
        start = _literal_start(pattern)
        if not allowed or not start:
            continue
        named = tags.c.name == pattern if start == pattern else (tags.c.name >= start) & (tags.c.name <= start + _LAST)
        statement = (
            select(tags.c.repository, tags.c.name, tags.c.updated, digests.c.digest)
            .join(digests, digests.c.id == tags.c.digest)
            .where(named, *_of_repositories(tags.c.repository, allowed))
        )
        rows, more = _walk(db, statement, allowed, most)
        cut = cut or more
        for row in rows:
            if fnmatchcase(row.name, pattern) and all(fnmatchcase(row.name, one.value) for one in more_terms):
                number, repository = scope.repositories[row.repository]
                registry = scope.registries[number]
                tag = FoundTag(registry, repository, row.name, unpack_digest(bytes(row.digest)), _time(row.updated))
                found[number, repository, row.name] = tag
    oldest = datetime.min.replace(tzinfo=UTC)
    newest_first = sorted(found.values(), key=lambda one: one.updated or oldest, reverse=True)
    return newest_first[:most], cut or len(newest_first) > most


def _literal_start(pattern: str) -> str:
    return next((pattern[:at] for at, character in enumerate(pattern) if character in "*?["), pattern)


def _images(db: Connection, query: Query, scope: Scope, now: datetime, most: int) -> tuple[list[FoundImage], bool]:
    free = [term.value for term in query.of("")]
    allowed = scope.fitting(query, [word for word in free if not digest_prefix(word)])
    if not allowed:
        return [], False
    named = [*query.of("digest"), *(Term("digest", digest_prefix(one)) for one in free if digest_prefix(one))]
    among = [_numbers(term.value) for term in named]
    among += [_users_of_layer(term.value) for term in query.of("layer")]
    among += [_with_property(term.name, (term.value, term.value)) for term in query.of("annotation")]
    for term in query.of("base"):
        among.append(_on_base(db, term.value, scope))
    where: list[Any] = [manifests.c.digest.in_(one) for one in among]
    if not named:  # Few repositories have the same digest.
        where += _of_repositories(manifests.c.repository, allowed)
    if query.of("layer", "annotation", "base"):  # By what they say: in another repository it may be readable.
        where.append(manifests.c.readable == 1)
    by_size = bool(query.of("size"))
    for term in query.of("size"):
        where.append(manifests.c.size > term.number if term.above else manifests.c.size < term.number)
    for term in query.of("age"):
        then = int(now.timestamp()) - term.number * 3600
        where.append(manifests.c.created < then if term.above else manifests.c.created > then)
    columns = (
        manifests.c.repository, manifests.c.digest.label("number"), manifests.c.standing, manifests.c.created,
        manifests.c.size, digests.c.digest, contents.c.kind, words.c.word.label("platforms"),
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(digests, digests.c.id == manifests.c.digest)
        .outerjoin(contents, (contents.c.digest == manifests.c.digest) & (manifests.c.readable == 1))
        .outerjoin(words, words.c.id == contents.c.platforms)
        .where(*where)
    )
    if among:
        if query.untagged:
            statement = statement.where(manifests.c.standing == Standing.UNTAGGED)
        rows, cut = _walk(db, statement, allowed, most)
    else:
        # Each standing in the order of its index, which is that of the result.
        rows, cut = [], False
        order = manifests.c.size.desc() if by_size else manifests.c.created
        known = manifests.c.size.is_not(None) if by_size else manifests.c.created.is_not(None)
        for standing in [Standing.UNTAGGED] if query.untagged else list(Standing):
            of_standing = statement.where(manifests.c.standing == standing, known).order_by(order)
            some, more = _walk(db, of_standing, allowed, most)
            rows, cut = rows + some, cut or more
    found = _with_tags(db, rows, scope)
    for term in query.of("tag"):
        found = [one for one in found if any(fnmatchcase(tag, term.value) for tag in one.every_tag)]
    if by_size:
        found.sort(key=lambda one: -(one.size or 0))
    else:
        oldest_first = bool(query.of("age"))
        last = datetime.max.replace(tzinfo=UTC) if oldest_first else datetime.min.replace(tzinfo=UTC)
        found.sort(key=lambda one: one.created or last, reverse=not oldest_first)
    return found[:most], cut or len(found) > most


def _numbers(prefix: str) -> Select[Any]:
    """The numbers of the digests that begin so."""
    low, high = digest_range(prefix)
    return select(digests.c.id).where(digests.c.digest.between(low, high))


def _users_of_layer(prefix: str) -> Select[Any]:
    return select(layer_uses.c.manifest).where(layer_uses.c.layer.in_(_numbers(prefix)))


def _with_property(name: str, *ranges: tuple[str, str]) -> Select[Any]:
    """The numbers of the manifests with such a label or annotation, its value within one of the ranges."""
    number = select(words.c.id).where(words.c.word == name).scalar_subquery()
    first, *rest = [
        select(properties.c.manifest).where(
            properties.c.name == number,
            properties.c.value >= low,
            properties.c.value <= high,
        )
        for low, high in ranges
    ]
    return first.union_all(*rest) if rest else first  # type: ignore[return-value]


def _on_base(db: Connection, base: str, scope: Scope) -> Any:
    """The images whose builder says that they are on this base (a name, with or without its tag; or a digest), and of
    a digest of the index those whose layers begin with all of its layers."""
    prefix = digest_prefix(base)
    if not prefix:
        return _with_property(NAME, (base, base), (f"{base}:", f"{base}:{_LAST}"), (f"{base}@", f"{base}@{_LAST}"))
    said = db.execute(_with_property(DIGEST, (prefix, prefix + "g"))).scalars()
    return sorted({*islice(said, _MOST_DESCENDANTS), *_descendants(db, prefix, scope)})


def _descendants(db: Connection, prefix: str, scope: Scope) -> Iterator[int]:
    own = select(manifests.c.repository, manifests.c.digest).where(manifests.c.digest.in_(_numbers(prefix)))
    bases = {row.digest for row in db.execute(own.limit(_MOST_DESCENDANTS)) if row.repository in scope.repositories}
    for part in parts(bases):
        rows = db.execute(select(contents.c.digest, contents.c.children).where(contents.c.digest.in_(part))).all()
        bases = bases | {child for row in rows for child in unpack_numbers(row.children)}
    chains = set()
    for part in parts(bases):
        rows = db.execute(select(contents.c.layers).where(contents.c.digest.in_(part))).all()
        chains |= {unpack_numbers(row.layers) for row in rows}
    found = 0
    for chain in chains - {()}:
        uses = (
            select(contents.c.digest, contents.c.layers)
            .join(layer_uses, layer_uses.c.manifest == contents.c.digest)
            .where(layer_uses.c.layer == chain[-1])
        )
        for row in db.execute(uses.limit(_LOOKED_AT)):
            layers = unpack_numbers(row.layers)
            if len(layers) > len(chain) and layers[: len(chain)] == chain:
                found += 1
                if found > _MOST_DESCENDANTS:
                    return
                yield row.digest


def _with_tags(db: Connection, rows: Sequence[Row[Any]], scope: Scope) -> list[FoundImage]:
    numbers = {row.number for row in rows}
    parents: dict[int, list[int]] = {}
    for part in parts(numbers):
        for row in db.execute(select(children).where(children.c.child.in_(part))):
            parents.setdefault(row.child, []).append(row.parent)
    named: dict[tuple[int, int], list[str]] = {}
    wanted = numbers | {parent for some in parents.values() for parent in some}
    for part in parts(wanted):
        columns = (tags.c.repository, tags.c.digest, tags.c.name)
        for row in db.execute(select(*columns).where(tags.c.digest.in_(part))):
            named.setdefault((row.repository, row.digest), []).append(row.name)
    found = []
    for row in rows:
        number, repository = scope.repositories[row.repository]
        found.append(
            FoundImage(
                scope.registries[number],
                repository,
                unpack_digest(bytes(row.digest)),
                _KINDS[row.kind] if row.kind is not None else None,
                row.platforms or "",
                row.size,
                _time(row.created),
                tuple(sorted(named.get((row.repository, row.number), ()))),
                tuple(
                    sorted(
                        {
                            name
                            for parent in parents.get(row.number, ())
                            for name in named.get((row.repository, parent), ())
                        }
                    )
                ),
                row.standing == Standing.UNTAGGED,
            )
        )
    return found


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
