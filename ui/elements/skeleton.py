"""What a page shows where nothing of its data has been read yet, in the shape of what comes."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def outlined(shape: Shape, part: str, subject: str) -> Iterator[None]:
    """Shows the outline of what comes while the block reads it: once a session for this `subject` of that part of a
    page, as what was shown stays while the page runs again."""
    shown = f"outline of {part}"
    place = st.empty()
    if st.session_state.get(shown) != subject:
        with place.container():
            show_skeleton(shape)
    try:
        yield
    finally:
        place.empty()
        st.session_state[shown] = subject
