"""Tables: short ones in full height, long ones with a scroll bar, those of thousands of rows in pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import pandas as pd
import pyarrow as pa
import streamlit as st

from ui.elements.columns import Sizes, Unit, size_column, unit_of
from ui.elements.styled_table import Worded, styled
from ui.elements.text import size

Row = TypeVar("Row")
Cells = Mapping[str, Any]
Columns = Mapping[str, Any]
Types = Mapping[str, pa.DataType]

UTC = pa.timestamp("us", "UTC")
TEXTS = pa.list_(pa.string())
# One column of text, with an index of text.
_FACTS = pa.Schema.from_pandas(pd.DataFrame({"value": [""]}, index=[""]))

WHOLE_ROWS = 20
# More rows than these make a browser slow: the rest is on further pages.
ROWS_A_PAGE = 2000
# In a longer table names have the colour of text: styling costs a rerun 50 µs a row.
LINK_ROWS = 500
LONG_PX = 640
# Of a table's text: a character of a number, and what is around it.
_CHARACTER_PX, _CELL_PX = 8, 32
# Deeper names of a tree are indented as these.
DEEPEST = 12


def table_height(rows: int) -> Literal["content"] | int:
    """The `height` of `st.dataframe` for so many rows."""
    return "content" if rows <= WHOLE_ROWS else LONG_PX


def page_of(rows: Sequence[Row], key: str) -> tuple[Sequence[Row], int]:
    """The rows of the current page, and its number; the pages are turned above the table."""
    pages = -(-len(rows) // ROWS_A_PAGE)
    page = st.pagination(pages, key=f"{key}:page") if pages > 1 else 1
    return rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE], page


def indented(name: str, depth: int) -> str:
    """A name that belongs to one above it, in a table that shows a tree."""
    return "\u2003" * min(depth, DEEPEST) + ("└ " if depth else "") + name


def table_of(rows: Sequence[Cells], types: Types | None = None) -> pa.Table:
    """Rows as Arrow, which Streamlit sends as they are; through pandas each table costs milliseconds more per rerun.

    `types`: of the columns that may have no value at all; those of the others follow from their values.
    """
    known = types or {}
    names = rows[0] if rows else known
    return pa.table({name: pa.array([row[name] for row in rows], known.get(name)) for name in names})


def in_units(rows: Sequence[Cells], columns: Columns, types: Types, *, link: str = "") -> tuple[Any, dict[str, Any]]:
    """The rows for `st.dataframe`, and how it is to show the columns: those of `Sizes` in one unit each where one does,
    those of `Worded` in words. The column `link` has names that open something."""
    found = {name: unit_of(row[name] for row in rows) for name, column in columns.items() if isinstance(column, Sizes)}
    units = {name: unit for name, unit in found.items() if unit}
    columns = {
        name: Worded(size, column.help) if isinstance(column, Sizes) and name not in units else column
        for name, column in columns.items()
    }
    words = {name: column.words for name, column in columns.items() if isinstance(column, Worded)}
    scaled = (
        [
            {
                name: None if cell is None else cell / units[name].bytes if name in units else cell
                for name, cell in row.items()
            }
            for row in rows
        ]
        if units
        else rows
    )
    numbers = dict.fromkeys((*units, *words), pa.float64())
    table = table_of(scaled, {**numbers, **types})
    shown = {name: _configured(name, column, units.get(name), rows) for name, column in columns.items()}
    if words or (link and len(rows) <= LINK_ROWS):
        return styled(table, link if len(rows) <= LINK_ROWS else "", words), shown
    return table, shown


def _configured(name: str, column: Any, unit: Unit | None, rows: Sequence[Cells]) -> Any:
    if unit and isinstance(column, Sizes):
        return size_column(unit, column.help)
    if isinstance(column, Worded):
        # A table that is too wide narrows its columns, and what is cut of "210 MiB" is another number.
        written = (column.words(float(cell)) for row in rows if isinstance(cell := row[name], int | float))
        width = _CELL_PX + _CHARACTER_PX * max(map(len, (name, *written)))
        return st.column_config.NumberColumn(help=column.help, alignment=column.alignment, width=width)
    return column


def show_rows(
    rows: Sequence[Cells],
    alt: str,
    *,
    key: str = "",
    columns: Columns | None = None,
    types: Types | None = None,
    placeholder: str = "–",
) -> None:
    """Shows a table. `columns` are those of `st.dataframe`, or `Sizes`; None is shown as `placeholder`."""
    rows, page = page_of(rows, key or alt)
    data, shown = in_units(rows, columns or {}, types or {})
    st.dataframe(
        data,
        key=f"{key} {page}" if key else None,
        height=table_height(len(rows)),
        hide_index=True,
        placeholder=placeholder,
        alt=alt,
        column_config=shown,
    )


def show_facts(facts: Mapping[str, str]) -> None:
    """Shows names with their values (markdown), one per line, as `st.table` shows a dict."""
    table = pa.table([list(facts.values()), list(facts)], schema=_FACTS)
    st.table(table, border="horizontal", hide_index=False, hide_header=True)
