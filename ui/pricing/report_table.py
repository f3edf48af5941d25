"""A table of a report on a page: the same cells as in the files that are saved."""

from decimal import Decimal

import pyarrow as pa
import streamlit as st

from services.pricing.money import cents
from services.pricing.report import Cell, Table
from ui.elements.table import table_height

_MONEY = pa.decimal128(38, 2)


def show_table(table: Table, key: str, *, pinned: str = "") -> None:
    """`pinned` names the column that stays in sight; others' texts are shown as text."""
    columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True)) if table.rows else {}
    numbers = {name for name, cells in columns.items() if any(isinstance(cell, Decimal) for cell in cells)}
    if table.note:
        st.caption(table.note)
    st.dataframe(
        pa.table(
            {
                name: pa.array([_shown(cell, name in numbers) for cell in cells], _MONEY if name in numbers else None)
                for name, cells in columns.items()
            }
        ),
        key=key,
        height=table_height(len(table.rows)),
        hide_index=True,
        placeholder="–",
        alt=table.heading,
        column_config={
            **{name: st.column_config.NumberColumn(format="%.2f") for name in numbers},
            **({pinned: st.column_config.TextColumn(pinned=True)} if pinned else {}),
        },
    )


def _shown(cell: Cell, money: bool) -> Cell:
    if not money:
        return cell
    return cents(cell) if isinstance(cell, Decimal) else None if cell is None else Decimal(str(cell))
