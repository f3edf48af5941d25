"""A table of a report on a page: the same cells as in the files that are saved."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from services.pricing.money import cents
from services.pricing.report import Bytes, Cell, Table
from ui.elements.columns import money_column
from ui.elements.styled_table import Worded
from ui.elements.table import show_rows
from ui.elements.text import plain, size

_MONEY = pa.decimal128(38, 2)


def show_folded(table: Table, key: str) -> None:
    """The table of the chart above, in a closed expander with its heading."""
    with st.expander(plain(table.heading), icon=":material/table:"):
        show_table(table, key)


def show_table(table: Table, key: str) -> None:
    """Shows the table. Texts are not rendered as Markdown."""
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]
    numbers = {name for name in table.columns if any(isinstance(row[name], Decimal) for row in rows)}
    if table.note:
        st.caption(table.note)
    sentences = {name for name in table.columns if any(_is_sentence(row[name]) for row in rows)}
    days = {name for name in table.columns if any(isinstance(row[name], date) for row in rows)}
    sizes = {name for name in table.columns if any(isinstance(row[name], Bytes) for row in rows)}
    show_rows(
        [{name: _shown(cell, name in numbers) for name, cell in row.items()} for row in rows],
        table.heading,
        key=key,
        columns={
            **dict.fromkeys(numbers, money_column()),
            **dict.fromkeys(days, st.column_config.DateColumn(format="YYYY-MM-DD")),
            **dict.fromkeys(sizes, Worded(size)),
            **dict.fromkeys(sentences, st.column_config.TextColumn(width="large")),
        },
        types=dict.fromkeys(numbers, _MONEY),
    )


def _is_sentence(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.endswith(".")


def _shown(cell: Cell, money: bool) -> str | int | Decimal | date | None:
    if isinstance(cell, Bytes):
        return cell.count
    if not money:
        return cell
    return cents(cell) if isinstance(cell, Decimal) else None if cell is None else Decimal(str(cell))
