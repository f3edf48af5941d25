"""Which images are to be rebuilt: their base's tag points to another image than the one that they were built on.

A base is what an image's builder names (`services.images.base_image`); where its tag points to is known as of the last
time that the index was compared with its registry. An image that was pushed after that may be on a newer base than the
index has: of it nothing is said.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from services.connection.errors import ServiceError
from services.database.engine import reading
from services.database.index_tables import contents, labels, manifests, properties, tags, words
from services.images.base_image import DIGEST, NAME, BaseImage, BaseTag, base_image_of, has_moved
from services.index.packing import unpack_numbers
from services.index.rows import digests_of, parts
from services.index.scope import IndexedRegistry, Readable, Scope
from services.index.store import IndexStore
from services.index.usage import Used

_LOOKING = "The base images could not be looked for"
# Images with a named base that are looked at.
_LOOKED_AT = 50_000
# Why it is not known, of one image or of several.
NO_BASE = "the builder named no base image with a tag"
_NOT_INDEXED = "the base's tag is not in the index, or not in a registry that you can read"
_LATER = "pushed after the base's registry was compared with the index"
_UNREAD = "not all of the base's registry could be read when it was compared with the index"
_CHANGED = "this console has changed the base's repository since it was read for the index"
_LAYERS = "the builder wrote no digest of the base, and the layers do not tell"
_CUT = f"more than {_LOOKED_AT:,} images have a named base"

# A login server, a repository and a tag.
_Name = tuple[str, str, str]


@dataclass(frozen=True)
class Rebuild:
    """Whether an image is to be rebuilt; `needed` None: not known, and `why` says it. `now`: the digest that its base's
    tag points to, and `as_of` when that was read."""

    needed: bool | None
    why: str = ""
    now: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True)
class _KnownTag:
    registry: IndexedRegistry
    tag: BaseTag
    changed: bool


def rebuild_of(
    store: IndexStore,
    scope: Scope,
    readable: Readable,
    base: BaseImage | None,
    layers: tuple[str, ...],
    created: datetime | None,
) -> Rebuild:
    """Whether one image is to be rebuilt. `layers` from the base up; `created`: when it was pushed, None unknown.

    Raises ServiceError (NoDatabase).
    """
    if base is None or not base.tag:
        return Rebuild(None, NO_BASE)
    allowed = _allowed(scope, readable, {_name(base)})
    with reading(store.engine, "The base image could not be looked for") as db:
        known = _read_tags(db, scope, allowed)
    return _rebuild(base, layers, created, known.get(_name(base)))


def find_rebuilds(store: IndexStore, scope: Scope, readable: Readable, *, needed: bool) -> Used:
    """The images of which it is known that they are to be rebuilt, or that they are not; what is not known is said.

    Raises ServiceError (NoDatabase).
    """
    with reading(store.engine, _LOOKING) as db:
        named, created, cut = _named_bases(db, scope)
    bases = {number: base for number, base in named.items() if base.tag}
    # A registry is asked while no connection is held.
    allowed = _allowed(scope, readable, {_name(base) for base in bases.values()})
    with reading(store.engine, _LOOKING) as db:
        known = _read_tags(db, scope, allowed)
        by_layers = [number for number, base in bases.items() if not base.built_on and _name(base) in known]
        layers = _layers(db, by_layers)
        unknown = {NO_BASE: True, _CUT: cut}
        found = []
        for number, base in bases.items():
            one = _rebuild(base, layers.get(number, ()), created[number], known.get(_name(base)))
            if one.needed is needed:
                found.append(number)
            elif one.needed is None:
                unknown[one.why] = True
        digests = frozenset(digests_of(db, found).values())
    sentences = tuple(f"Unknown whether to rebuild some images: {why}." for why, said in unknown.items() if said)
    # An index is to be rebuilt where one of its images is; that one needs not be says nothing of the others.
    return Used(anywhere=digests, unknown=sentences, unknown_of=None, related=needed)


def _name(base: BaseImage) -> _Name:
    return base.server.casefold(), base.repository, base.tag


def _rebuild(base: BaseImage, layers: tuple[str, ...], created: datetime | None, known: _KnownTag | None) -> Rebuild:
    if known is None:
        return Rebuild(None, _NOT_INDEXED)
    now, as_of = known.tag.digest, known.registry.read
    if known.registry.unread or known.changed:
        return Rebuild(None, _CHANGED if known.changed else _UNREAD, now, as_of)
    moved = has_moved(base.built_on, layers, known.tag)
    if moved is None:
        return Rebuild(None, _LAYERS, now, as_of)
    if moved and (created is None or as_of is None or created >= as_of):
        return Rebuild(None, _LATER, now, as_of)
    return Rebuild(moved, "", now, as_of)


def _with_name(table: Table, name: str) -> Select[Any]:
    number = select(words.c.id).where(words.c.word == name).scalar_subquery()
    return select(table.c.manifest, table.c.value).where(table.c.name == number)


def _named_bases(db: Connection, scope: Scope) -> tuple[dict[int, BaseImage], dict[int, datetime | None], bool]:
    """The bases that builders name, by the number of the image, of images that may be found; when each was pushed; and
    whether there may be more."""
    pairs: dict[int, list[list[tuple[str, str]]]] = {}
    created: dict[int, datetime | None] = {}
    cut = False
    for at, table in enumerate((properties, labels)):
        here = _with_name(table, NAME).subquery()
        statement: Select[Any] = (
            select(here.c.manifest, here.c.value, manifests.c.repository, manifests.c.created)
            .join(manifests, manifests.c.digest == here.c.manifest)
            .where(manifests.c.readable == 1)
            .limit(_LOOKED_AT + 1)
        )
        rows = db.execute(statement).all()
        cut = cut or len(rows) > _LOOKED_AT
        for row in rows[:_LOOKED_AT]:
            if row.repository in scope.repositories:
                pairs.setdefault(row.manifest, [[], []])[at] = [(NAME, row.value)]
                pushed = _time(row)
                created[row.manifest] = _later(created.get(row.manifest, pushed), pushed)
        for part in parts(pairs):
            for row in db.execute(_with_name(table, DIGEST).where(table.c.manifest.in_(part))):
                pairs[row.manifest][at].append((DIGEST, row.value))
    bases = {number: base for number, both in pairs.items() if (base := base_image_of(*both))}
    return bases, created, cut


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else None


def _time(row: Row[Any]) -> datetime | None:
    return datetime.fromtimestamp(row.created, UTC) if row.created is not None else None


def _allowed(
    scope: Scope, readable: Readable, wanted: Collection[_Name]
) -> Mapping[tuple[IndexedRegistry, int], set[_Name]]:
    """Those of the tags that are in repositories that the asker may read, by registry and number of repository."""
    servers = {one.login_server.casefold(): one for one in scope.registries.values() if one.read}
    numbers = {place: number for number, place in scope.repositories.items()}
    by_repository: dict[IndexedRegistry, dict[str, set[_Name]]] = {}
    for one in wanted:
        server, repository, _ = one
        registry = servers.get(server)
        if registry and (registry.number, repository) in numbers:
            by_repository.setdefault(registry, {}).setdefault(repository, set()).add(one)
    return {
        (registry, numbers[registry.number, name]): names[name]
        for registry, names in by_repository.items()
        for name in _readable(readable, registry, set(names))
    }


def _read_tags(
    db: Connection, scope: Scope, allowed: Mapping[tuple[IndexedRegistry, int], set[_Name]]
) -> Mapping[_Name, _KnownTag]:
    """What the index has of these tags."""
    found: dict[_Name, tuple[IndexedRegistry, int, bool]] = {}
    for (registry, number), names in allowed.items():
        by_tag = {name[-1]: name for name in names}
        for part in parts(by_tag):
            here = (tags.c.repository == number) & tags.c.name.in_(part)
            for row in db.execute(select(tags.c.name, tags.c.digest).where(here)):
                found[by_tag[row.name]] = registry, row.digest, number in scope.changed
    known = _read_base_tags(db, {digest for _, digest, _ in found.values()})
    return {
        name: _KnownTag(registry, known[digest], changed)
        for name, (registry, digest, changed) in found.items()
        if digest in known
    }


def _readable(readable: Callable[..., Collection[str]], registry: IndexedRegistry, names: set[str]) -> Collection[str]:
    try:
        return readable(registry, names)
    except ServiceError:  # Then it is not known where the base's tag points to.
        return ()


def _read_base_tags(db: Connection, numbers: Iterable[int]) -> Mapping[int, BaseTag]:
    """What the index has of these manifests, by their numbers."""
    rows = {row.digest: row for row in _contents(db, numbers)}
    below = {number: unpack_numbers(row.children) for number, row in rows.items()}
    rows |= {row.digest: row for row in _contents(db, {child for some in below.values() for child in some})}
    layers = {number: unpack_numbers(row.layers) for number, row in rows.items()}
    names = digests_of(db, {*rows, *(one for some in (*layers.values(), *below.values()) for one in some)})

    def named(some: Iterable[int]) -> tuple[str, ...]:
        return tuple(names.get(one, "") for one in some)

    return {
        number: BaseTag(
            names[number],
            named(children),
            tuple(named(layers[one]) for one in (number, *children) if layers.get(one)),
            all(one in rows for one in children),
        )
        for number, children in below.items()
    }


def _contents(db: Connection, numbers: Iterable[int]) -> Iterator[Row[Any]]:
    rows: Select[Any] = select(contents.c.digest, contents.c.layers, contents.c.children)
    for part in parts(set(numbers)):
        yield from db.execute(rows.where(contents.c.digest.in_(part))).all()


def _layers(db: Connection, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The layers of these images, from the base up, by the number of each."""
    listed = {row.digest: unpack_numbers(row.layers) for row in _contents(db, numbers)}
    names = digests_of(db, {one for some in listed.values() for one in some})
    return {number: tuple(names.get(one, "") for one in some) for number, some in listed.items()}
