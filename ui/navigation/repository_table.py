"""The table of a registry's repositories from which one is opened."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pyarrow as pa

from services.images.repositories import Repository
from ui.elements.columns import Sizes, ago_column
from ui.elements.selectable_table import openable
from ui.elements.table import UTC

# What was measured, by the label of its column, with the column's help.
MEASURED = {"Size": "What it stores, shared layers included", "Untagged": "What no tag leads to"}


def choose_repository_row(
    names: Sequence[str],
    known: Iterable[Repository],
    key: str,
    alt: str,
    measured: Mapping[str, Callable[[str], int | None]],
) -> str | None:
    """Shows a row for each name; returns the one that is opened. `known` are those that could be read.

    `measured`: for labels of `MEASURED`, the bytes of a name, None where they are not known.
    """
    by_name = {one.name: one for one in known}

    def row(name: str) -> dict[str, object]:
        found = by_name.get(name)
        return {
            "Repository": name,
            **{label: of(name) for label, of in measured.items()},
            "Tags": found.tag_count if found else None,
            "Manifests": found.manifest_count if found else None,
            "Last update": found.updated if found else None,
        }

    return openable(
        names,
        row,
        key,
        alt,
        columns={**{label: Sizes(MEASURED[label]) for label in measured}, "Last update": ago_column()},
        types={"Tags": pa.int64(), "Manifests": pa.int64(), "Last update": UTC},
    )
