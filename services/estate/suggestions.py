"""What may be meant by a text that is still being typed into the search: places, and the query language's words.

Names of registries and repositories are those of the asker's own lists. Tags come from the index by one statement, of
repositories in the asker's own catalogues that they may read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services.connection.errors import ServiceError
from services.database.engine import reading
from services.estate.search import Hit, HitKind, Known, by_name
from services.index.conditions import LIMIT, REPOSITORIES, tags_statement
from services.index.packing import LAST
from services.index.query import EXAMPLES, LONGEST, NEGATED, Query, Term, has_fields
from services.index.scope import Readable, Scope
from services.index.store import IndexStore
from services.registries.registry import Registry

MOST_SUGGESTIONS = 6
# One character begins too many names.
LEAST_CHARACTERS = 2
_MOST_WORDS = 2
_LEAST_TAGS = 2
# Rows of tags that are looked at, and repositories that are named in their statement.
_LOOKED_AT = 500
_FEW = 300


@dataclass(frozen=True)
class Suggestion:
    """A place (`hit`), or `text`: what the box has with its last word completed."""

    hit: Hit | None = None
    text: str = ""


@dataclass(frozen=True)
class SearchedIndex:
    """Where tags are looked for: the asker's part of the index, and which repositories they may read."""

    store: IndexStore
    scope: Scope
    readable: Readable


def suggest(
    known: Known, index: SearchedIndex | None, text: str, most: int = MOST_SUGGESTIONS
) -> tuple[Suggestion, ...]:
    """At most `most` suggestions: places, then words of the query language. `index` None: it can't be searched.

    A text that has fields already is no name, so that its last word is completed alone. Raises ServiceError where the
    database fails.
    """
    if len(text) > LONGEST:  # It is no query, however it ends.
        return ()
    words = completions(known, text)[:most]
    name = text.strip()
    if has_fields(text) or len(name) < LEAST_CHARACTERS:
        return tuple(Suggestion(text=one) for one in words)
    words = words[:_MOST_WORDS]
    room = most - len(words)
    names = by_name(known, name, room)
    tags = _tags(index, {one.id: one for one in known.registries}, text, room) if index else ()
    places = [*names[: max(room - len(tags), room - _LEAST_TAGS)], *tags][:room]
    return (*(Suggestion(hit) for hit in places), *(Suggestion(text=one) for one in words))


def completions(known: Known, text: str) -> tuple[str, ...]:
    """`text` with its last word completed, in each way in which the query language knows it. Pure."""
    last = text.split(" ")[-1]
    if not last or text.count('"') % 2:
        return ()
    start = text[: len(text) - len(last)]
    if negated := last.casefold().startswith("not:"):
        start, last = start + last[:4], last[4:]
    field, colon, value = last.partition(":")
    field, value = field.casefold(), value.casefold()
    if not colon:
        fields = [f"{one}:" for one in (NEGATED if negated else EXAMPLES)]
        return tuple(start + one for one in (*fields, *(() if negated else ("untagged",))) if one.startswith(field))
    if field not in ("registry", "repository", "rebuild"):
        return ()
    if field == "rebuild":
        names = {"yes", "no"}
    elif field == "registry":
        names = {one.name for one in known.registries}
    else:
        names = {name for one in known.registries for name in known.repositories.get(one.id, ())}
    fitting = sorted(
        (name for name in names if value in name.casefold() and value != name.casefold()),
        key=lambda name: (not name.casefold().startswith(value), len(name), name),
    )
    return tuple(f"{start}{field}:{name}" for name in fitting[:MOST_SUGGESTIONS])


def _tags(index: SearchedIndex, registries: Mapping[str, Registry], text: str, most: int) -> tuple[Hit, ...]:
    """Tags that begin with the last word, in repositories that the words before name; of repository:tag those of it."""
    *words, last = text.split()
    named, colon, start = last.rpartition(":")
    server, slash, path = named.partition("/")
    servers = {name.casefold() for one in registries.values() for name in (one.name, one.login_server)}
    query = Query()
    if slash and server.casefold() in servers:
        query = Query((Term("registry", server), Term("repository", path)))
    elif colon:
        words = [*words, named]
    allowed = index.scope.fitting(query, words)
    values: dict[str, Any] = {"low": start, "high": start + LAST, LIMIT: _LOOKED_AT}
    few = len(allowed) <= _FEW
    if not allowed or not (start or (colon and few)):
        return ()
    if few:
        values[REPOSITORIES] = sorted(allowed)
    with reading(index.store.engine, "The index could not be searched") as db:
        rows = db.execute(tags_statement(exact=False, few=few), values).all()
    fitting = sorted(
        (row for row in rows if row.repository in allowed and row.name.startswith(start)),
        key=lambda row: (len(row.name), -(row.updated or 0), row.name),
    )
    return _readable_hits(index, registries, fitting, most)


def _readable_hits(
    index: SearchedIndex, registries: Mapping[str, Registry], rows: list[Row[Any]], most: int
) -> tuple[Hit, ...]:
    """The first `most` of the rows that the asker may read: no more registries are asked than that takes."""
    found: list[Hit] = []
    asked: dict[tuple[int, str], bool] = {}
    for row in rows[: 2 * most]:
        place = index.scope.repositories[row.repository]
        number, name = place
        of = index.scope.registries[number]
        registry = registries.get(of.id)
        if place not in asked:
            try:
                asked[place] = bool(registry) and name in index.readable(of, (name,))
            except ServiceError:  # Nothing of it is suggested; the search itself says why.
                asked[place] = False
        if registry and asked[place]:
            found.append(Hit(HitKind.IMAGE, f"{name}:{row.name}", registry.name, registry, None, name, row.name))
        if len(found) == most:
            break
    return tuple(found)
