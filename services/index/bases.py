"""Which images are on a base: by what their builder says, and by their layers."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select

from services.database.index_tables import contents, digests, labels, layer_uses, manifests, properties, words
from services.images.base_image import DIGEST, NAME
from services.index.conditions import parameter, with_property
from services.index.packing import LAST, digest_range, text_range, unpack_numbers
from services.index.rows import parts
from services.wording import counted

# Rows that are looked at, and images that are found, by their layers.
_LOOKED_AT = 50_000
_MOST_DESCENDANTS = 2000


@dataclass(frozen=True)
class KnownBases:
    """Of how many images a base is known, whichever it is: `by_annotation` and `by_label` of those that name it, each
    at least so many where `least`. `layers`: whether the layers of all were compared with those of each base that
    was meant; None where the base was not given by its digest."""

    by_annotation: int
    by_label: int
    least: bool = False
    layers: bool | None = None

    @property
    def sentence(self) -> str:
        """'12 images name a base: 9 by an annotation, 3 by a label. …'"""
        number = self.by_annotation + self.by_label
        least = "at least " if self.least else ""
        said = f"Of those that you may list, {least}{counted(number, 'image names a base', 'images name a base')}"
        said += f": {self.by_annotation:,} by an annotation, {self.by_label:,} by a label. " if number else ". "
        if self.layers:
            return f"{said}The layers of all others were compared with those of this base."
        if self.layers is None:
            return (
                f"{said}Any other may be built on this one: layers are compared where the base is given by its digest."
            )
        return f"{said}Any other may be built on this one: it is not in the index, or not all layers could be compared."


def known_bases(db: Connection, digest: str, visible: Collection[int]) -> KnownBases:
    """Of how many images in `visible` repositories a base is known. `digest`: the beginning of that which was looked
    for; "" where it was a name."""
    names = select(words.c.id).where(words.c.word.in_((NAME, DIGEST)))
    found: list[set[int]] = []
    least = False
    for table in (properties, labels):
        statement = (
            select(manifests.c.repository, manifests.c.digest)
            .join(table, table.c.manifest == manifests.c.digest)
            .where(table.c.name.in_(names), manifests.c.readable == 1)
            .limit(_LOOKED_AT)
        )
        rows = db.execute(statement).all()
        least = least or len(rows) == _LOOKED_AT
        found.append({row.digest for row in rows if row.repository in visible})
    layers = None
    if digest:
        own = select(manifests.c.repository).where(manifests.c.digest.in_(_numbers(digest)), manifests.c.readable == 1)
        layers = any(number in visible for number in db.execute(own.limit(_MOST_DESCENDANTS)).scalars())
        layers = layers and _descendants(db, digest, visible)[1]
    return KnownBases(len(found[0]), len(found[1] - found[0]), least, layers)


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
    return sorted({*islice(said, _MOST_DESCENDANTS), *_descendants(db, prefix, visible)[0]})


def _numbers(prefix: str) -> Select[Any]:
    """The numbers of the digests that begin so."""
    low, high = digest_range(prefix)
    return select(digests.c.id).where(digests.c.digest.between(low, high))


def _descendants(db: Connection, prefix: str, visible: Collection[int]) -> tuple[set[int], bool]:
    """The images whose layers begin with those of a base, and whether all were compared with each base."""
    own = select(manifests.c.repository, manifests.c.digest).where(manifests.c.digest.in_(_numbers(prefix)))
    rows = db.execute(own.limit(_MOST_DESCENDANTS)).all()
    whole = len(rows) < _MOST_DESCENDANTS
    bases = {row.digest for row in rows if row.repository in visible}
    below: dict[int, tuple[int, ...]] = {}
    for part in parts(bases):
        lists = select(contents.c.digest, contents.c.children).where(contents.c.digest.in_(part))
        below |= {row.digest: unpack_numbers(row.children) for row in db.execute(lists)}
    bases |= {child for children in below.values() for child in children}
    chains: dict[int, tuple[int, ...]] = {}
    for part in parts(bases):
        layers = select(contents.c.digest, contents.c.layers).where(contents.c.digest.in_(part))
        chains |= {row.digest: unpack_numbers(row.layers) for row in db.execute(layers)}
    # An index has no layers of its own.
    whole = whole and all(chains.get(one) or below.get(one) for one in bases)
    found: set[int] = set()
    for chain in {*chains.values()} - {()}:
        uses = (
            select(contents.c.digest, contents.c.layers)
            .join(layer_uses, layer_uses.c.manifest == contents.c.digest)
            .where(layer_uses.c.layer == chain[-1])
        )
        looked_at = 0
        for row in db.execute(uses.limit(_LOOKED_AT)):
            looked_at += 1
            layers_of = unpack_numbers(row.layers)
            if len(layers_of) > len(chain) and layers_of[: len(chain)] == chain:
                if len(found) == _MOST_DESCENDANTS:
                    return found, False
                found.add(row.digest)
        whole = whole and looked_at < _LOOKED_AT
    return found, whole
