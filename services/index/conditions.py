"""The statements that find images in the index, made once for each form of a query: its values are parameters.

Making one takes several times as long as the database needs for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Table, bindparam, func, literal_column, select

from services.database.index_tables import (
    children,
    config_words,
    contents,
    digests,
    labels,
    layer_uses,
    manifests,
    properties,
    tags,
    words,
)
from services.index.rows import ConfigWord

# Of a statement, beside those of its conditions.
REPOSITORIES, STANDING, LIMIT = "repositories", "standing", "looked_at"
# Forms that are kept: a query has at most 12 terms, and people type few of all forms.
_FORMS = 256


@dataclass(frozen=True)
class Form:
    """A query without its values. `conditions`: by their names in CONDITIONS, each as often as it is to be true; then
    those `refused`, which are to be false. `few`: only of REPOSITORIES; `order`: "size" or "age", else none is asked
    for; `with_tags`: the tags of each row are found with it."""

    conditions: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    few: bool = False
    readable: bool = False
    standing: bool = False
    order: str = ""
    with_tags: bool = False


def parameter(name: str, at: int) -> str:
    """The name of a parameter of the condition at this place in its form."""
    return f"{name}_{at}"


def _value(name: str, at: int) -> Any:
    return bindparam(parameter(name, at))


def _in_digests(at: int) -> Select[Any]:
    """The numbers of the digests between low and high, both included."""
    return select(digests.c.id).where(digests.c.digest.between(_value("low", at), _value("high", at)))


def _in_digest(at: int) -> Select[Any]:
    """The numbers of one digest."""
    return select(digests.c.id).where(digests.c.digest == _value("low", at))


def with_property(*tables: Table, ranges: int = 1, at: int = 0) -> Select[Any]:
    """The numbers of the manifests that have an annotation or a label `name` (of these tables), its value within one of
    the ranges: low, high, and low1, high1, …"""
    number = select(words.c.id).where(words.c.word == _value("name", at)).scalar_subquery()
    first, *rest = [
        select(table.c.manifest).where(
            table.c.name == number,
            table.c.value >= _value(f"low{one or ''}", at),
            table.c.value <= _value(f"high{one or ''}", at),
        )
        for table in tables
        for one in range(ranges)
    ]
    return first.union_all(*rest) if rest else first  # type: ignore[return-value]


def _with_word(kind: ConfigWord, at: int) -> Select[Any]:
    """The numbers of the images whose config has a word of this kind between low and high, both included."""
    found = select(words.c.id).where(words.c.word >= _value("low", at), words.c.word <= _value("high", at))
    return select(config_words.c.manifest).where(config_words.c.kind == int(kind), config_words.c.word.in_(found))


def _among(found: Callable[[int], Select[Any]]) -> Callable[[int], ColumnElement[bool]]:
    return lambda at: manifests.c.digest.in_(found(at))


def _using_layer(found: Select[Any]) -> Select[Any]:
    return select(layer_uses.c.manifest).where(layer_uses.c.layer.in_(found))


def _has_or_lists_layer(at: int) -> ColumnElement[bool]:
    """Whether a manifest has the layer, or lists one that has it."""
    using = _using_layer(_in_digests(at))
    listing = select(children.c.parent).where(children.c.child.in_(using))
    return manifests.c.digest.in_(using) | manifests.c.digest.in_(listing)


# Each with its parameters, whose names end on _ and the condition's place.
CONDITIONS: Mapping[str, Callable[[int], ColumnElement[bool]]] = {
    "digest": _among(_in_digests),
    "layer": _among(lambda at: _using_layer(_in_digests(at))),
    # Of a whole digest PostgreSQL knows that few rows have it, which it does not of a range.
    "one digest": _among(_in_digest),
    "layer within": _has_or_lists_layer,
    "one layer": _among(lambda at: _using_layer(_in_digest(at))),
    "annotation": _among(lambda at: with_property(properties, at=at)),
    "label": _among(lambda at: with_property(labels, at=at)),
    "env": _among(lambda at: _with_word(ConfigWord.ENV, at)),
    "author": _among(lambda at: _with_word(ConfigWord.AUTHOR, at)),
    "base name": _among(lambda at: with_property(properties, labels, ranges=3, at=at)),
    "numbers": lambda at: manifests.c.digest.in_(bindparam(parameter("numbers", at), expanding=True)),
    "larger": lambda at: manifests.c.size > _value("number", at),
    "smaller": lambda at: manifests.c.size < _value("number", at),
    "before": lambda at: manifests.c.created < _value("number", at),
    "after": lambda at: manifests.c.created > _value("number", at),
}
# Tags are in one text: a name of a tag has no blank.
_TAGS = (
    select(func.aggregate_strings(tags.c.name, " "))
    .where(tags.c.repository == manifests.c.repository, tags.c.digest == manifests.c.digest)
    .scalar_subquery()
    .label("tags")
)
_TAGS_OF_INDEXES = (
    select(func.aggregate_strings(tags.c.name, " "))
    .select_from(children.join(tags, tags.c.digest == children.c.parent))
    .where(children.c.child == manifests.c.digest, tags.c.repository == manifests.c.repository)
    .scalar_subquery()
    .label("tags_of_indexes")
)
_IMAGES = (
    select(
        manifests.c.repository, manifests.c.digest.label("number"), manifests.c.standing, manifests.c.created,
        manifests.c.size, digests.c.digest, contents.c.kind, words.c.word.label("platforms"),
    )
    .join(digests, digests.c.id == manifests.c.digest)
    .outerjoin(contents, (contents.c.digest == manifests.c.digest) & (manifests.c.readable == 1))
    .outerjoin(words, words.c.id == contents.c.platforms)
    .limit(bindparam(LIMIT, type_=Integer))
)  # fmt: skip


@lru_cache(_FORMS)
def images_statement(form: Form) -> Select[Any]:
    """The rows of manifests of a form: repository, number, standing, created, size, digest, kind and platforms (None
    where it could not be read); of a form with tags also tags and tags_of_indexes, in one text each."""
    statement = _IMAGES.where(*[CONDITIONS[name](at) for at, name in enumerate(form.conditions)])
    refused = enumerate(form.refused, len(form.conditions))
    statement = statement.where(*[~CONDITIONS[name](at) for at, name in refused])
    if form.few:
        statement = statement.where(manifests.c.repository.in_(bindparam(REPOSITORIES, expanding=True)))
    if form.readable:
        statement = statement.where(manifests.c.readable == 1)
    if form.standing:
        statement = statement.where(manifests.c.standing == bindparam(STANDING))
    if form.order == "size":
        statement = statement.where(manifests.c.size.is_not(None)).order_by(manifests.c.size.desc())
    elif form.order:
        statement = statement.where(manifests.c.created.is_not(None)).order_by(manifests.c.created)
    return statement.add_columns(_TAGS, _TAGS_OF_INDEXES) if form.with_tags else statement


@lru_cache(8)
def tags_statement(*, exact: bool, few: bool) -> Select[Any]:
    """Tags by name, or between low and high: repository, name, updated, and digest."""
    low, high = tags.c.name >= bindparam("low"), tags.c.name <= bindparam("high")
    named = tags.c.name == bindparam("low") if exact else low & high
    statement = (
        select(tags.c.repository, tags.c.name, tags.c.updated, digests.c.digest)
        .join(digests, digests.c.id == tags.c.digest)
        .where(named)
        .limit(bindparam(LIMIT, type_=Integer))
    )
    return statement.where(tags.c.repository.in_(bindparam(REPOSITORIES, expanding=True))) if few else statement


# The tags of manifests, and those of the indexes that list them: repository, number of the manifest, name, whose.
TAGS_OF = (
    select(tags.c.repository, tags.c.digest.label("number"), tags.c.name, literal_column("0").label("of_index"))
    .where(tags.c.digest.in_(bindparam("numbers", expanding=True)))
    .union_all(
        select(tags.c.repository, children.c.child, tags.c.name, literal_column("1"))
        .select_from(children.join(tags, tags.c.digest == children.c.parent))
        .where(children.c.child.in_(bindparam("numbers", expanding=True)))
    )
)
