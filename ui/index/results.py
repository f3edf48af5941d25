"""What a search found, a table for each group, each row opened by its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import streamlit as st

from services.index.export import csv_of
from services.index.scope import IndexedRegistry
from services.index.search import MOST, FoundImage, FoundRepository, FoundTag, Results
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.selectable_table import openable
from ui.elements.styled_table import Worded
from ui.elements.table import UTC, Cells, Columns, Types
from ui.elements.text import plain, short
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.navigation.selection import keys_of

Item = TypeVar("Item")
# Tags in a cell, and repositories in a sentence; the rest is counted.
_TAGS = _NAMED = 3
_STATE = "Index"
_CHANGED_COLUMN = st.column_config.TextColumn(help="Whether the console has changed the repository since it was read")


@dataclass(frozen=True)
class ImageColumn:
    """A column of images beside those of the index: `cell` is its number, None unknown; `text` that in CSV."""

    name: str
    column: Worded
    cell: Callable[[FoundImage], float | None]
    text: Callable[[FoundImage], str]


def show_results(found: Results, registries: Sequence[Registry], pulled: ImageColumn | None = None) -> None:
    """The groups that have something; opens the page of what is clicked. `registries`: those of the person. `pulled`:
    when images were pulled last, where the search is about that."""
    keys = keys_of(registries)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        cut = f" The first {MOST:,} of each group: narrow the search for the rest." if found.cut else ""
        st.markdown(f"**{counted(found.number, 'result')}**{cut}", width="content")
        st.download_button(
            "CSV",
            lambda: "\ufeff" + csv_of(found, pulled.text if pulled else None),
            "search.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    columns, types = _IMAGES, _IMAGE_TYPES

    def image(one: FoundImage) -> Cells:
        return {**_image(one), **({pulled.name: pulled.cell(one)} if pulled else {})}

    if pulled:
        columns, types = {**columns, pulled.name: pulled.column}, {**types, pulled.name: pa.float64()}
    if one := _group("Images", found.images, image, "images found", columns, types, found.has_changed):
        open_page(pages.IMAGE, registry=keys[one.registry.id], repository=one.repository, reference=one.digest)
    if tag := _group("Tags", found.tags, _tag, "tags found", _TAGS_COLUMNS, {"Updated": UTC}, found.has_changed):
        open_page(pages.IMAGE, registry=keys[tag.registry.id], repository=tag.repository, reference=tag.name)
    if place := _group(
        "Repositories", found.repositories, _repository, "repositories found", {}, {}, found.has_changed
    ):
        open_page(pages.REPOSITORY, registry=keys[place.registry.id], repository=place.name)
    if registry := _group("Registries", found.registries, _registry, "registries found", _AGES, {"Indexed": UTC}):
        open_page(pages.REGISTRY, registry=keys[registry.id])


def changed_line(found: Results) -> str:
    """Which repositories the console has changed since they were compared with the index, in a sentence (markdown);
    "" none."""
    if not found.changed:
        return ""
    named = ", ".join(plain(f"{one.name} in {one.registry.name}") for one in found.changed[:_NAMED])
    more = len(found.changed) - _NAMED
    named += f" and {more:,} more" if more > 0 else ""
    return (
        f":orange-badge[:material/sync_problem: Changed] The console has changed {named} since the index was compared "
        f"with {'them' if len(found.changed) > 1 else 'it'}: what is found there may be gone, and what is new there is "
        "not found. Index registries reads it again."
    )


def _group(
    title: str,
    items: Sequence[Item],
    row: Callable[[Item], Cells],
    key: str,
    columns: Columns | None = None,
    types: Types | None = None,
    changed: Callable[[Item], bool] | None = None,
) -> Item | None:
    """`changed`: whether the console has changed the repository of an item since, which a column says then."""
    if not items:
        return None
    st.markdown(f"##### {title} :gray[{len(items):,}]")
    if changed and any(map(changed, items)):
        columns, types = {**(columns or {}), _STATE: _CHANGED_COLUMN}, {**(types or {}), _STATE: pa.string()}
        cells = row

        def row(one: Item) -> Cells:
            return {**cells(one), _STATE: "Changed since" if changed(one) else None}

    return openable(items, row, key, f"{title} that were found", columns=columns, types=types, identity=lambda one: one)


def _image(one: FoundImage) -> Cells:
    return {
        "Image": f"{one.repository}@{short(one.digest)}",
        "Tags": _listed(one.every_tag) or ("Untagged" if one.untagged else None),
        "Registry": one.registry.name,
        "Kind": one.kind.value if one.kind else "not read",
        "Platforms": one.platforms or None,
        "Size": one.size,
        "Created": one.created,
    }


_IMAGES: Columns = {
    "Tags": st.column_config.TextColumn(help="Also those of an index that lists it"),
    "Size": Sizes("Compressed layers; of an index, of all its platforms"),
    "Created": ago_column("When it was pushed to this repository first"),
}
_IMAGE_TYPES: Types = {"Tags": pa.string(), "Platforms": pa.string(), "Size": pa.int64(), "Created": UTC}


def _tag(one: FoundTag) -> Cells:
    return {
        "Tag": f"{one.repository}:{one.name}",
        "Registry": one.registry.name,
        "Digest": short(one.digest),
        "Updated": one.updated,
    }


_TAGS_COLUMNS: Columns = {"Updated": ago_column("When the tag was pushed or moved last")}
_AGES: Columns = {"Indexed": ago_column("When it was compared with the index last")}


def _repository(one: FoundRepository) -> Cells:
    return {"Repository": one.name, "Registry": one.registry.name}


def _registry(one: IndexedRegistry) -> Cells:
    return {
        "Registry": one.name,
        "Login server": one.login_server,
        "Repositories": one.repositories,
        "Indexed": one.read,
    }


def _listed(tags: Sequence[str]) -> str:
    more = len(tags) - _TAGS
    return ", ".join(tags[:_TAGS]) + (f" and {more:,} more" if more > 0 else "")
