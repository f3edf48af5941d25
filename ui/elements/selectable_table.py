"""Tables with selectable rows. A selection belongs to the items shown, not to row numbers."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar
from zlib import crc32

import streamlit as st

from ui.elements.table import Cells, Columns, Types, in_units, page_of, table_height

Item = TypeVar("Item")
Rows = Callable[[Item], Cells]
Identity = Callable[[Item], object]


def selectable(
    items: Sequence[Item],
    row: Rows[Item],
    key: str,
    alt: str,
    *,
    columns: Columns | None = None,
    types: Types | None = None,
    identity: Identity[Item] | None = None,
    on_select: Callable[[Item], None] | None = None,
) -> Item | None:
    """Shows one row per item; returns the selected item. `columns` and `types` are those of `show_rows`.

    `identity` identifies an item; by default the first cell of its row does. Where the items have changed since a row
    was selected, none is: its number may now be another item's. `on_select` is called before the page runs again.
    """
    found = selectable_many(
        items, row, key, alt, columns=columns, types=types, identity=identity, on_select=on_select, mode="single-row"
    )
    return found[0] if found else None


def selectable_many(
    items: Sequence[Item],
    row: Rows[Item],
    key: str,
    alt: str,
    *,
    columns: Columns | None = None,
    types: Types | None = None,
    identity: Identity[Item] | None = None,
    on_select: Callable[[Item], None] | None = None,
    mode: Literal["single-row", "multi-row"] = "multi-row",
) -> list[Item]:
    """As `selectable`, for several rows: returns all selected items."""
    items, page = page_of(items, key)
    rows = [row(item) for item in items]
    names = [identity(item) for item in items] if identity else [next(iter(cells.values())) for cells in rows]
    table = f"{key} {page} {crc32(repr(names).encode()):08x}"

    def selected(event: Any) -> list[Item]:
        return [items[number] for number in event.selection.rows if number < len(items)]

    def call() -> None:
        if on_select and (chosen := selected(st.session_state[table])):
            on_select(chosen[0])

    data, shown = in_units(rows, columns or {}, types or {})
    event = st.dataframe(
        data,
        key=table,
        height=table_height(len(rows)),
        hide_index=True,
        on_select=call if on_select else "rerun",
        selection_mode=mode,
        placeholder="–",
        alt=alt,
        column_config=shown,
    )
    return selected(event)
