"""Registries at random as rules of days see them: a day between one push and the next, the last of them now."""

from dataclasses import replace
from typing import TypeVar

from sandbox.storage.store import Store
from services.images.repositories import ManifestRow, Tag
from services.images.repository_contents import RepositoryContents
from tests.support.registries_at_random import Pushes, read, write
from tests.support.repository_samples import NOW

Item = TypeVar("Item", Tag, ManifestRow)
_MINUTES_A_DAY = 24 * 60


def stored(store: Store, drawn: tuple[Pushes, ...]) -> tuple[RepositoryContents, ...]:
    """What is read of a drawn registry, its times a day apart instead of a minute."""
    store.delete_registry_data("r")
    write(store, "r", drawn)
    found = read(store, "r")
    last = max(one.updated for of_one in found for one in (*of_one.rows, *of_one.tags) if one.updated)

    def moved(item: Item) -> Item:
        return replace(item, **{
            name: NOW - (last - at) * _MINUTES_A_DAY
            for name in ("created", "updated") if (at := getattr(item, name))
        })  # fmt: skip

    return tuple(
        replace(one, rows=tuple(moved(row) for row in one.rows), tags=tuple(moved(tag) for tag in one.tags))
        for one in found
    )
