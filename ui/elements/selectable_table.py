"""Tables with selectable rows. A selection belongs to the items shown, not to row numbers."""

from collections.abc import Callable, Mapping, Sequence
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

    Where the first column is text, a click on its cell selects the row too.

    `identity` identifies an item; by default the first cell of its row does. Where the items have changed since a row
    was selected, none is: its number may now be another item's. `on_select` is called before the page runs again.
    """
    found = selectable_many(
        items, row, key, alt, columns=columns, types=types, identity=identity, on_select=on_select, mode="single-row"
    )
    return found[0] if found else None


def openable(
    items: Sequence[Item],
    row: Rows[Item],
    key: str,
    alt: str,
    *,
    columns: Columns | None = None,
    types: Types | None = None,
    identity: Identity[Item] | None = None,
) -> Item | None:
    """As `selectable`, for rows that open a page each: after Back none is selected, and so none opens again."""
    visits = f"visits of {key}"
    visit = st.session_state.setdefault(visits, 0)
    found = selectable(items, row, f"{key} {visit}", alt, columns=columns, types=types, identity=identity)
    if found is not None:
        st.session_state[visits] = visit + 1
    return found


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
    items, rows, table = _page_of(items, row, key, identity)

    def selected(event: Any) -> list[Item]:
        return [items[number] for number in event["selection"]["rows"] if number < len(items)]

    def call() -> None:
        if on_select and (chosen := selected(st.session_state[table])):
            on_select(chosen[0])

    def select() -> None:
        st.session_state[table] = {"selection": {"rows": [_clicked(table)]}}
        call()

    event = _show(
        rows,
        table,
        alt,
        columns,
        types,
        mode,
        select if mode == "single-row" else None,
        call if on_select else None,
    )
    return selected(event)


def openable_many(
    items: Sequence[Item],
    row: Rows[Item],
    key: str,
    alt: str,
    *,
    columns: Columns | None = None,
    types: Types | None = None,
    identity: Identity[Item] | None = None,
) -> tuple[Item | None, list[Item]]:
    """As `selectable_many`, with names that open: returns the item whose name was clicked, and all selected ones."""
    items, rows, table = _page_of(items, row, key, identity)
    opened = f"{table} opened"

    def open_row() -> None:
        st.session_state[opened] = _clicked(table)

    event = _show(rows, table, alt, columns, types, "multi-row", open_row, None)
    number = st.session_state.pop(opened, None)
    return (
        items[number] if number is not None and number < len(items) else None,
        [items[selected] for selected in event["selection"]["rows"] if selected < len(items)],
    )


def _page_of(
    items: Sequence[Item], row: Rows[Item], key: str, identity: Identity[Item] | None
) -> tuple[Sequence[Item], list[Cells], str]:
    """The items of the page that is shown, their rows, and the key of their table: other items have another."""
    items, page = page_of(items, key)
    rows = [row(item) for item in items]
    names = [identity(item) for item in items] if identity else [next(iter(cells.values())) for cells in rows]
    return items, rows, f"{key} {page} {crc32(repr(names).encode()):08x}"


def _show(
    rows: Sequence[Cells],
    table: str,
    alt: str,
    columns: Columns | None,
    types: Types | None,
    mode: Literal["single-row", "multi-row"],
    on_name: Callable[[], None] | None,
    on_select: Callable[[], None] | None,
) -> Any:
    """Shows the table of that key. Where the first column is text, a click on a name calls `on_name`."""
    first, value = next(iter(rows[0].items())) if rows else ("", None)
    link = first if on_name and isinstance(value, str) else ""
    data, shown = in_units(rows, columns or {}, types or {}, link=link)
    if link and on_name:
        shown[link] = _name_column(table, shown.get(link) or {}, on_name)
    return st.dataframe(
        data,
        key=table,
        height=table_height(len(rows)),
        hide_index=True,
        on_select=on_select or "rerun",
        selection_mode=mode,
        placeholder="–",
        alt=alt,
        column_config=shown,
    )


def _clicked(table: str) -> int:
    """The row whose name was clicked in the table of that key."""
    return int(st.session_state[_of_names(table)].row)


def _of_names(table: str) -> str:
    return f"{table} name"


def _name_column(table: str, column: Mapping[str, Any], on_click: Callable[[], None]) -> Any:
    """The column of names, as `column` is configured. By keyboard, Shift+Space selects a row."""
    return st.column_config.ButtonColumn(
        type="tertiary",
        alignment="left",
        pinned=True,
        width=column.get("width"),
        help=column.get("help"),
        key=_of_names(table),
        on_click=on_click,
    )
