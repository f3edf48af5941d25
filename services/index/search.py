"""What a query finds in the index, of what a person may find.

The database proposes rows by its indexes, a bounded number of them; those of repositories that are not the person's
are dropped here. Nothing is asked of a registry, but for the tokens that say what the person may read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, Row, Select

from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.database.engine import reading
from services.images.manifests import Kind
from services.index.bases import KnownBases, base_name_values, known_bases, on_base
from services.index.conditions import (
    LIMIT,
    REPOSITORIES,
    STANDING,
    TAGS_OF,
    Form,
    images_statement,
    parameter,
    tags_statement,
)
from services.index.packing import LAST, digest_range, text_range, unpack_digest
from services.index.query import GIVEN, Query, digest_prefix
from services.index.rows import STORED_KINDS, Standing, listed_by, parts
from services.index.scope import IndexedRegistry, Readable, Scope
from services.index.store import IndexStore
from services.index.unsure import unsure_numbers
from services.index.usage import FindUsed, Usage, nothing_known, usage_of

# Of each group.
MOST = 1000
# Rows that are looked at for them: those of others among them are dropped.
_LOOKED_AT = 50_000
# Rows that are read at once before they are streamed, which takes PostgreSQL several round trips.
_FIRST = 2000
# Manifests that are named in a statement.
_MOST_NUMBERS = 5000
# Repositories that are named in a statement; where there are more, rows of others are dropped here.
_FEW = 300
_KINDS = {stored: kind for kind, stored in STORED_KINDS.items()}


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
    read. `size` None: not known. `listed`: where the search is about pulls, the digests that an index lists."""

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
    listed: tuple[str, ...] = ()

    @property
    def every_tag(self) -> tuple[str, ...]:
        """Its own tags, then those of the indexes that list it."""
        return tuple(dict.fromkeys((*self.tags, *self.tags_of_indexes)))


@dataclass(frozen=True)
class Results:
    """What was found, each group at most MOST. `cut`: whether there may be more. `unread`: registries where it is not
    known what the person may read: nothing of them is here. `configs_unread`: the person's repositories, where it asks
    for what configs say, that have images with a tag whose config is not in the index yet. `unknown`: what is not
    known of what runs or was pulled, in sentences. `changed`: the person's repositories that the query may be about
    and that the console has changed since they were read, by name. `bases`: where it asks for a base and nothing was
    found, of how many images one is known."""

    registries: tuple[IndexedRegistry, ...] = ()
    repositories: tuple[FoundRepository, ...] = ()
    tags: tuple[FoundTag, ...] = ()
    images: tuple[FoundImage, ...] = ()
    cut: bool = False
    unread: tuple[Refusal, ...] = ()
    configs_unread: int = 0
    unknown: tuple[str, ...] = ()
    changed: tuple[FoundRepository, ...] = ()
    bases: KnownBases | None = None

    @property
    def number(self) -> int:
        """How many were found."""
        return len(self.registries) + len(self.repositories) + len(self.tags) + len(self.images)

    def has_changed(self, one: FoundRepository | FoundTag | FoundImage) -> bool:
        """Whether the console has changed the repository of what was found since it was read."""
        name = one.name if isinstance(one, FoundRepository) else one.repository
        return FoundRepository(one.registry, name) in self.changed


def search(
    store: IndexStore,
    query: Query,
    scope: Scope,
    readable: Readable,
    now: datetime,
    most: int = MOST,
    find_used: FindUsed = nothing_known,
) -> Results:
    """What a query finds: at most `most` of each group. `find_used` says what runs: and pulled: are about.

    Raises ServiceError (NoDatabase).
    """
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
    # Before a connection is held: it may ask a registry.
    used = {term: find_used(term) for term in (*query.of(*GIVEN), *query.without(*GIVEN))}
    with reading(store.engine, "The index could not be searched") as db:
        cut = len(found.repositories) == most
        if by_name and query.of("tag", ""):
            tags_found, more = _tags(db, query, scope, most)
            found, cut = replace(found, tags=tuple(tags_found)), cut or more
        if query.about_images or any(digest_prefix(term.value) for term in query.of("")):
            usage = usage_of(db, query, scope, used.__getitem__)
            images, more = _images(db, query, scope, now, most, usage)
            unknown = usage.unknown if usage else ()
            found, cut = replace(found, images=tuple(images), unknown=unknown), cut or more
        if query.of("base") and not found.images:
            base = digest_prefix(query.of("base")[0].value.removesuffix("*"))
            found = replace(found, bases=known_bases(db, base, scope.repositories))
    unread = len(scope.configs_unread.intersection(scope.fitting(query, ()))) if query.about_configs else 0
    changed = _by_name(scope, scope.changed.intersection(scope.fitting(query, ())))
    return _only_readable(replace(found, cut=cut, configs_unread=unread, changed=changed), readable)


def _repositories(query: Query, scope: Scope, most: int) -> tuple[FoundRepository, ...]:
    return _by_name(scope, scope.fitting(query, [term.value for term in query.of("")]))[:most]


def _by_name(scope: Scope, numbers: Collection[int]) -> tuple[FoundRepository, ...]:
    named = sorted((scope.repositories[number][1], scope.repositories[number][0]) for number in numbers)
    return tuple(FoundRepository(scope.registries[registry], name) for name, registry in named)


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


def _walk(
    db: Connection,
    statement: Select[Any],
    values: Mapping[str, Any],
    allowed: Collection[int],
    most: int,
    streamed: Select[Any] | None = None,
    usage: Usage | None = None,
) -> tuple[list[Row[Any]], bool]:
    """The rows of allowed repositories, at most `most`, and whether there may be more. `streamed`: the statement where
    there are many rows."""
    first = db.execute(statement, {**values, LIMIT: _FIRST}).all()
    rows: Iterable[Row[Any]] = first
    if len(first) == _FIRST:  # More than that are not held at once.
        statement = statement if streamed is None else streamed
        rows = db.execute(statement, {**values, LIMIT: _LOOKED_AT + 1}, execution_options={"yield_per": 1000})
    found: list[Row[Any]] = []
    for looked_at, row in enumerate(rows, 1):
        if looked_at > _LOOKED_AT:
            return found, True
        if row.repository in allowed and (usage is None or usage.fits(row)):
            if len(found) == most:
                return found, True
            found.append(row)
    return found, False


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
        values: dict[str, Any] = {"low": start} if start == pattern else {"low": start, "high": start + LAST}
        exact, few = start == pattern, _are_few(allowed, values)
        first, streamed = tags_statement(exact=exact, few=False), tags_statement(exact=exact, few=few)
        rows, more = _walk(db, first, values, allowed, most, streamed)
        cut = cut or more
        for row in rows:
            if fnmatchcase(row.name, pattern) and all(fnmatchcase(row.name, one.value) for one in more_terms):
                number, repository = scope.repositories[row.repository]
                registry = scope.registries[number]
                tag = FoundTag(registry, repository, row.name, unpack_digest(bytes(row.digest)), _time(row.updated))
                found[number, repository, row.name] = tag
    newest_first = sorted(found.values(), key=lambda one: one.updated or _NEVER, reverse=True)
    return newest_first[:most], cut or len(newest_first) > most


_NEVER = datetime.min.replace(tzinfo=UTC)


def _are_few(allowed: Collection[int], values: dict[str, Any]) -> bool:
    """Whether the repositories are named in the statement: then they are among the values."""
    if len(allowed) > _FEW:
        return False
    values[REPOSITORIES] = sorted(allowed)
    return True


def _literal_start(pattern: str) -> str:
    return next((pattern[:at] for at, character in enumerate(pattern) if character in "*?["), pattern)


def _images(
    db: Connection, query: Query, scope: Scope, now: datetime, most: int, usage: Usage | None = None
) -> tuple[list[FoundImage], bool]:
    free = [term.value for term in query.of("")]
    allowed = scope.fitting(query, [word for word in free if not digest_prefix(word)])
    if not allowed:
        return [], False
    form, values = _form_of(db, query, scope, now, usage)
    if not {"digest", "one digest"}.intersection(form.conditions):  # Few repositories have the same digest.
        form = replace(form, few=_are_few(allowed, values))
    rows: list[Row[Any]] = []
    cut = False
    if form.order:
        # Each standing in the order of its index, which is that of the result.
        for standing in [Standing.UNTAGGED] if query.untagged else list(Standing):
            some, more = _walk(
                db, images_statement(form), {**values, STANDING: int(standing)}, allowed, most, usage=usage
            )
            rows, cut = rows + some, cut or more
    else:
        # Without the repositories' names, which take long to send: most often there are few rows.
        with_tags = images_statement(replace(form, few=False, with_tags=True))
        rows, cut = _walk(db, with_tags, values, allowed, most, images_statement(form), usage)
    unsure = unsure_numbers(db, query, {row.number for row in rows})
    rows = [row for row in rows if row.number not in unsure]
    by_pulls = bool(query.of("pulled") or query.without("pulled"))
    found = _with_tags(db, rows, scope, listed_by(db, {row.number for row in rows}) if by_pulls else {})
    for term in query.of("tag"):
        found = [one for one in found if any(fnmatchcase(tag, term.value) for tag in one.every_tag)]
    if query.of("size"):
        found.sort(key=lambda one: -(one.size or 0))
    else:
        oldest_first = bool(query.of("age"))
        last = datetime.max.replace(tzinfo=UTC) if oldest_first else _NEVER
        found.sort(key=lambda one: one.created or last, reverse=not oldest_first)
    return found[:most], cut or len(found) > most


def _form_of(
    db: Connection, query: Query, scope: Scope, now: datetime, usage: Usage | None
) -> tuple[Form, dict[str, Any]]:
    """A query's form, and its values. What is on a base by its layers is looked for here."""
    conditions: list[str] = []
    values: dict[str, Any] = {}

    def add(condition: str, **given: object) -> None:
        values.update({parameter(name, len(conditions)): value for name, value in given.items()})
        conditions.append(condition)

    prefixes = [digest_prefix(term.value) for term in query.of("digest", "") if digest_prefix(term.value)]
    for condition, some in (("digest", prefixes), ("layer", [term.value for term in query.of("layer")])):
        for prefix in some:
            low, high = digest_range(prefix)
            if low == high:
                add(f"one {condition}", low=low)
            else:
                add(condition, low=low, high=high)
    for term in query.of("annotation", "label"):
        first, last = text_range(term.value)
        add(term.field, name=term.name, low=first, high=last)
    for term in query.of("env"):
        first, last = text_range(term.value)
        add("env", low=first, high=last)
    for term in query.of("author"):
        first = term.value.removesuffix("*")
        add("author", low=first, high=first + LAST)
    for term in query.of("base"):
        if prefix := digest_prefix(term.value.removesuffix("*")):
            add("numbers", numbers=on_base(db, prefix, scope.repositories))
        else:
            add("base name", **base_name_values(term.value))
    if usage and usage.demanded:  # One condition for all: a statement takes so many numbers only.
        pairs = frozenset.intersection(*usage.demanded)
        if len(pairs) <= _MOST_NUMBERS:  # Where there are more, others are dropped as they come.
            add("numbers", numbers=sorted({number for _, number in pairs}))
    among = bool(conditions)
    for term in query.of("size"):
        add("larger" if term.above else "smaller", number=term.number)
    for term in query.of("age"):
        add("before" if term.above else "after", number=int(now.timestamp()) - term.number * 3600)
    wanted = tuple(conditions)
    for term in query.without("layer"):
        low, high = digest_range(term.value)
        add("layer within", low=low, high=high)
    for term in query.without("annotation"):
        add("annotation", name=term.name, low=term.value, high=term.value)
    if among and query.untagged:
        values[STANDING] = int(Standing.UNTAGGED)
    form = Form(
        wanted,
        tuple(conditions[len(wanted) :]),
        # By what they say: in another repository it may be readable.
        readable=query.about_configs or bool(query.of("layer", "annotation") or query.without("layer", "annotation")),
        standing=not among or query.untagged,
        order="" if among else "size" if query.of("size") else "age",
    )
    return form, values


def _with_tags(
    db: Connection, rows: Sequence[Row[Any]], scope: Scope, listed: Mapping[int, tuple[str, ...]]
) -> list[FoundImage]:
    named = bool(rows) and "tags" in rows[0]._fields
    tags_of: dict[tuple[int, int, int], list[str]] = {}
    for part in parts({row.number for row in rows}) if not named else ():
        for one in db.execute(TAGS_OF, {"numbers": part}):
            tags_of.setdefault((one.repository, one.number, one.of_index), []).append(one.name)
    found = []
    for row in rows:
        number, repository = scope.repositories[row.repository]
        if named:
            own, of_indexes = ((text or "").split() for text in (row.tags, row.tags_of_indexes))
        else:
            own, of_indexes = (tags_of.get((row.repository, row.number, of_index), []) for of_index in (0, 1))
        found.append(
            FoundImage(
                scope.registries[number],
                repository,
                unpack_digest(bytes(row.digest)),
                _KINDS[row.kind] if row.kind is not None else None,
                row.platforms or "",
                row.size,
                _time(row.created),
                tuple(sorted(own)),
                tuple(sorted(set(of_indexes))),
                row.standing == Standing.UNTAGGED,
                listed.get(row.number, ()),
            )
        )
    return found


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
