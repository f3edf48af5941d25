"""Rows of the index, written and removed within a transaction of the caller's.

What a manifest says is written once by its digest, and removed with the last repository that has it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, exists, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from services.database.index_tables import (
    children,
    config_words,
    configs,
    contents,
    digests,
    labels,
    layer_uses,
    manifests,
    properties,
    tags,
    words,
)
from services.images.manifests import Descriptor, Kind, Manifest
from services.index.packing import pack_digest, pack_numbers, unpack_digest, unpack_numbers

Item = TypeVar("Item")

# Values in one statement.
PART = 500
UNKNOWN_SIZE = -1
# Of one image: whoever pushes may write thousands.
MOST_PROPERTIES = 100
# PostgreSQL's indexes take values of 2,700 bytes.
LONGEST_VALUE = 400
_WRITING = 7243003


class StoredKind(IntEnum):
    """What a manifest is, as a row has it."""

    INDEX = 1
    IMAGE = 2
    ARTIFACT = 3


class Standing(IntEnum):
    """Whether something leads to a manifest: a tag, an index, or what it refers to."""

    USED = 0
    UNTAGGED = 1
    UNKNOWN = 2


class ConfigWord(IntEnum):
    """What a word of a config is."""

    ENV = 1
    AUTHOR = 2


STORED_KINDS = {
    Kind.INDEX: StoredKind.INDEX,
    Kind.IMAGE: StoredKind.IMAGE,
    Kind.ARTIFACT: StoredKind.ARTIFACT,
}


def lock_writing(db: Connection) -> None:
    """Lets one transaction write to the index at a time, until its end: of what two share, one might remove what the
    other has just found. SQLite has one writer anyway."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_WRITING)))


def parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most PART."""
    listed = list(items)
    return (listed[at : at + PART] for at in range(0, len(listed), PART))


def add_rows(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, but for those that are there."""
    if rows:
        adding = (postgresql if db.dialect.name == "postgresql" else sqlite).insert(table)
        db.execute(adding.on_conflict_do_nothing(), list(rows))


def numbers_of_digests(db: Connection, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The numbers of these digests with these sizes, made where they have none."""
    packed = {(pack_digest(digest), size): (digest, size) for digest, size in wanted}
    found: dict[tuple[str, int], int] = {}
    for part in parts(sorted(packed)):
        held = _find_digests(db, part)
        if missing := [key for key in part if key not in held]:
            db.execute(insert(digests), [{"digest": digest, "size": size} for digest, size in missing])
            held |= _find_digests(db, missing)
        found |= {packed[key]: held[key] for key in part}
    return found


def _find_digests(db: Connection, keys: Sequence[tuple[bytes, int]]) -> dict[tuple[bytes, int], int]:
    wanted = {digest for digest, _ in keys}
    rows = db.execute(select(digests).where(digests.c.digest.in_(wanted))).all()
    return {(bytes(row.digest), row.size): row.id for row in rows}


def find_numbers(db: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The numbers of those manifests' digests that have one."""
    packed = {pack_digest(digest): digest for digest in wanted}
    found = {}
    for part in parts(packed):
        here = digests.c.digest.in_(part) & (digests.c.size == UNKNOWN_SIZE)
        for row in db.execute(select(digests).where(here)):
            found[packed[bytes(row.digest)]] = row.id
    return found


def digests_of(db: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The digests by their numbers."""
    found = {}
    for part in parts(set(numbers)):
        for row in db.execute(select(digests.c.id, digests.c.digest).where(digests.c.id.in_(part))):
            found[row.id] = unpack_digest(bytes(row.digest))
    return found


def listed_by(db: Connection, numbers: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """The digests that each of these indexes lists."""
    below: dict[int, tuple[int, ...]] = {}
    for part in parts(numbers):
        lists = select(contents.c.digest, contents.c.children).where(contents.c.digest.in_(part))
        below |= {row.digest: unpack_numbers(row.children) for row in db.execute(lists)}
    names = digests_of(db, {child for some in below.values() for child in some})
    return {number: tuple(names[one] for one in some if one in names) for number, some in below.items()}


def numbers_of_words(db: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The numbers of these texts, made where they have none."""
    found: dict[str, int] = {}
    for part in parts(sorted(set(wanted))):
        held = _find_words(db, part)
        if missing := [word for word in part if word not in held]:
            db.execute(insert(words), [{"word": word} for word in missing])
            held |= _find_words(db, missing)
        found |= held
    return found


def _find_words(db: Connection, wanted: Sequence[str]) -> dict[str, int]:
    return {row.word: row.id for row in db.execute(select(words).where(words.c.word.in_(wanted)))}


def find_known(db: Connection, wanted: Iterable[str]) -> dict[str, Manifest]:
    """Those of the manifests that were read before, with their children and subject alone."""
    numbers = find_numbers(db, wanted)
    names = {number: digest for digest, number in numbers.items()}
    rows: list[Any] = []
    for part in parts(names):
        columns = (contents.c.digest, contents.c.subject, contents.c.children)
        rows += db.execute(select(*columns).where(contents.c.digest.in_(part))).all()
    below = {row.digest: unpack_numbers(row.children) for row in rows}
    others = {number for numbers_ in below.values() for number in numbers_} | {row.subject for row in rows} - {None}
    listed = digests_of(db, others)
    return {
        names[row.digest]: Manifest(
            names[row.digest], "", 0, Kind.INDEX if below[row.digest] else Kind.IMAGE, None, (),
            tuple(Descriptor(listed[child], "", None) for child in below[row.digest] if child in listed),
            listed.get(row.subject, ""), "", (),
        )
        for row in rows
    }  # fmt: skip


def sizes_of(manifest: Manifest) -> Iterator[tuple[str, int]]:
    """All digests that a manifest names, with the sizes of its layers."""
    yield manifest.digest, UNKNOWN_SIZE
    for layer in manifest.layers:
        yield layer.digest, UNKNOWN_SIZE if layer.size is None else layer.size
    for child in manifest.children:
        yield child.digest, UNKNOWN_SIZE
    if manifest.subject:
        yield manifest.subject, UNKNOWN_SIZE


def add_contents(db: Connection, read: Sequence[Manifest], platforms: Mapping[str, str]) -> None:
    """What manifests say, by their digests. `platforms`: those of images, as the registry lists them."""
    numbers = numbers_of_digests(db, (pair for one in read for pair in sizes_of(one)))
    named = {one.digest: ", ".join(one.platforms) or platforms.get(one.digest, "") for one in read}
    texts = numbers_of_words(db, {text for one in read for text in (one.media_type, named[one.digest])})
    rows, uses, below = [], [], []
    for one in read:
        number = numbers[one.digest, UNKNOWN_SIZE]
        layers = [numbers[digest, UNKNOWN_SIZE if size is None else size] for digest, size in _layers(one)]
        listed = [numbers[child.digest, UNKNOWN_SIZE] for child in one.children]
        uses += [{"layer": layer, "manifest": number} for layer in layers]
        below += [{"child": child, "parent": number} for child in listed]
        rows.append(
            {
                "digest": number,
                "kind": STORED_KINDS[one.kind],
                "media_type": texts[one.media_type],
                "platforms": texts[named[one.digest]],
                "subject": numbers.get((one.subject, UNKNOWN_SIZE)),
                "layers": pack_numbers(layers),
                "children": pack_numbers(listed),
            }
        )
    add_rows(db, contents, rows)
    add_rows(db, layer_uses, uses)
    add_rows(db, children, below)
    for one in read:
        if one.annotations:
            add_properties(db, properties, numbers[one.digest, UNKNOWN_SIZE], one.annotations)


def _layers(manifest: Manifest) -> Iterator[tuple[str, int | None]]:
    return ((layer.digest, layer.size) for layer in manifest.layers)


def add_properties(db: Connection, table: Table, manifest: int, pairs: Iterable[tuple[str, str]]) -> None:
    """Labels or annotations of a manifest (the table of which), but for what is longer than LONGEST_VALUE and those
    after the first MOST_PROPERTIES."""
    kept = [(storable(name), storable(value)) for name, value in pairs if len(name) + len(value) <= LONGEST_VALUE]
    kept = [(name, value) for name, value in kept if name][:MOST_PROPERTIES]
    names = numbers_of_words(db, {name for name, _ in kept})
    add_rows(db, table, [{"manifest": manifest, "name": names[name], "value": value} for name, value in kept])


def storable(text: str) -> str:
    """A text of others as both databases take it: without NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()


def remove_unused(db: Connection, numbers: Iterable[int]) -> None:
    """Removes what is known of those manifests that no repository has any more, or none where they may be read."""
    for part in parts(set(numbers)):
        here = manifests.c.digest.in_(part) & (manifests.c.readable == 1)
        kept = db.execute(select(manifests.c.digest).where(here).distinct()).scalars()
        left = sorted(set(part) - set(kept))
        columns = (contents.c.digest, contents.c.subject, contents.c.layers, contents.c.children)
        named = set(left)
        for row in db.execute(select(*columns).where(contents.c.digest.in_(left))).all():
            layers, below = unpack_numbers(row.layers), unpack_numbers(row.children)
            for some in parts(layers):
                mine = (layer_uses.c.layer.in_(some)) & (layer_uses.c.manifest == row.digest)
                db.execute(delete(layer_uses).where(mine))
            for some in parts(below):
                db.execute(delete(children).where(children.c.child.in_(some) & (children.c.parent == row.digest)))
            named |= {*layers, *below} | ({row.subject} if row.subject else set())
        for table in (properties, labels, config_words, configs):
            db.execute(delete(table).where(table.c.manifest.in_(left)))
        db.execute(delete(contents).where(contents.c.digest.in_(left)))
        _remove_digests(db, named)


def _remove_digests(db: Connection, numbers: Iterable[int]) -> None:
    """Removes the digests among these that no row names."""
    named_by = (
        manifests.c.digest, contents.c.digest, contents.c.subject, layer_uses.c.layer, children.c.child, tags.c.digest,
    )  # fmt: skip
    unnamed = [~exists().where(column == digests.c.id) for column in named_by]
    for part in parts(sorted(numbers)):
        db.execute(delete(digests).where(digests.c.id.in_(part), *unnamed))
