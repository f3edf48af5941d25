"""What a page shows where nothing of its data has been read yet, in the shape of what comes."""

from enum import Enum

import streamlit as st

FIGURE_PX, ROW_PX, LINE_PX = 96, 31, 24


class Shape(Enum):
    """What comes: `figures` side by side, then lines of text, then a table of `rows`."""

    PAGE = (4, 0, 8)
    TABLE = (0, 0, 8)
    PLAN = (0, 2, 5)
    LINE = (0, 1, 0)

    def __init__(self, figures: int, lines: int, rows: int) -> None:
        self.figures, self.lines, self.rows = figures, lines, rows


def show_skeleton(shape: Shape) -> None:
    """Shows the outline of what comes."""
    if shape.figures:
        for column in st.columns(shape.figures):
            with column:
                st.skeleton(FIGURE_PX)
    for _ in range(shape.lines):
        st.skeleton(LINE_PX)
    if shape.rows:
        st.skeleton(ROW_PX * shape.rows)
