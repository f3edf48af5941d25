"""Which images are on a base: by what their builder says, and by their layers."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select

from services.database.index_tables import contents, digests, labels, layer_uses, manifests, properties
from services.images.base_image import DIGEST, NAME
from services.index.conditions import parameter, with_property
from services.index.packing import LAST, digest_range, text_range, unpack_numbers
from services.index.rows import parts

# Rows that are looked at, and images that are found, by their layers.
_LOOKED_AT = 50_000
_MOST_DESCENDANTS = 2000


def base_name_values(base: str) -> dict[str, str]:
    """The values of the condition "base name": a base by its name, with or without its tag or digest; with a * at its
    end by how it begins."""
    low, high = text_range(base)
    return {
        "name": NAME, "low": low, "high": high, "low1": f"{base}:", "high1": f"{base}:{LAST}",
        "low2": f"{base}@", "high2": f"{base}@{LAST}",
    }  # fmt: skip


def on_base(db: Connection, prefix: str, visible: Collection[int]) -> list[int]:
    """The numbers of images whose builder names a base of a digest that begins so, and of those whose layers begin with
    all of its layers, where a `visible` repository has it."""
    values = {"name": DIGEST, "low": prefix, "high": prefix + "g"}
    statement = with_property(properties, labels)
    said = db.execute(statement, {parameter(name, 0): value for name, value in values.items()}).scalars()
    return sorted({*islice(said, _MOST_DESCENDANTS), *_descendants(db, prefix, visible)})


def _numbers(prefix: str) -> Select[Any]:
    """The numbers of the digests that begin so."""
    low, high = digest_range(prefix)
    return select(digests.c.id).where(digests.c.digest.between(low, high))


def _descendants(db: Connection, prefix: str, visible: Collection[int]) -> Iterator[int]:
    own = select(manifests.c.repository, manifests.c.digest).where(manifests.c.digest.in_(_numbers(prefix)))
    bases = {row.digest for row in db.execute(own.limit(_MOST_DESCENDANTS)) if row.repository in visible}
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
