"""Of which manifests the index does not know that they have a layer or an annotation not: what not: leaves out."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from services.database.index_tables import contents, properties
from services.index.packing import unpack_numbers
from services.index.query import Query
from services.index.rows import MOST_PROPERTIES, parts


def unsure_numbers(db: Connection, query: Query, numbers: Iterable[int]) -> frozenset[int]:
    """Those of these manifests' numbers that may have what the query refuses: indexes that list what was not read, for
    not:layer:, and manifests with more annotations than are kept, for not:annotation:. Looked for among what was found:
    over all of the index it would read whole tables."""
    numbers = tuple(numbers)
    found: set[int] = set()
    if query.without("layer"):
        found |= _with_unread(db, numbers)
    if query.without("annotation"):
        for part in parts(numbers):
            here = select(properties.c.manifest).where(properties.c.manifest.in_(part))
            full = here.group_by(properties.c.manifest).having(func.count() >= MOST_PROPERTIES)
            found |= set(db.execute(full).scalars())
    return frozenset(found)


def _with_unread(db: Connection, numbers: Iterable[int]) -> set[int]:
    listed: dict[int, tuple[int, ...]] = {}
    for part in parts(numbers):
        rows = db.execute(select(contents.c.digest, contents.c.children).where(contents.c.digest.in_(part)))
        listed |= {row.digest: unpack_numbers(row.children) for row in rows}
    unread = {number for below in listed.values() for number in below}
    for part in parts(tuple(unread)):
        unread -= set(db.execute(select(contents.c.digest).where(contents.c.digest.in_(part))).scalars())
    return {number for number, below in listed.items() if not unread.isdisjoint(below)}
