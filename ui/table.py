"""How tall a table is: whole where it is short, scrolling within itself where it is long."""

from typing import Literal

WHOLE_ROWS = 20
LONG_PX = 640


def table_height(rows: int) -> Literal["content"] | int:
    """The `height` of `st.dataframe` for so many rows."""
    return "content" if rows <= WHOLE_ROWS else LONG_PX
