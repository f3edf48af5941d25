"""What `st.dataframe` is given, and how tall it is: whole where short, scrolling within itself where long."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import pandas as pd
import pyarrow as pa
import streamlit as st

Row = TypeVar("Row")

UTC = pa.timestamp("us", "UTC")
# One column of text, with an index of text.
_FACTS = pa.Schema.from_pandas(pd.DataFrame({"value": [""]}, index=[""]))

WHOLE_ROWS = 20
# More rows than these make a browser slow: the rest is turned to, a page at a time.
ROWS_A_PAGE = 2000
LONG_PX = 640


def table_height(rows: int) -> Literal["content"] | int:
    """The `height` of `st.dataframe` for so many rows."""
    return "content" if rows <= WHOLE_ROWS else LONG_PX


def page_of(rows: Sequence[Row], key: str) -> tuple[Sequence[Row], int]:
    """The rows to show of many, and the number of their page, which is turned above the table."""
    pages = -(-len(rows) // ROWS_A_PAGE)
    page = st.pagination(pages, key=f"{key}:page") if pages > 1 else 1
    return rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE], page


def table_of(rows: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    """Rows as Arrow, which Streamlit sends as it is; by way of pandas each rerun takes milliseconds more a table.

    `types` are for columns that may be empty from top to bottom: the others show theirs.
    """
    known = types or {}
    names = rows[0] if rows else known
    return pa.table({name: pa.array([row[name] for row in rows], known.get(name)) for name in names})


def show_facts(facts: Mapping[str, str]) -> None:
    """Names and what they are, one a line; the latter is read as markdown. Looks as a dict given to `st.table` does."""
    table = pa.table([list(facts.values()), list(facts)], schema=_FACTS)
    st.table(table, border="horizontal", hide_index=False, hide_header=True)
