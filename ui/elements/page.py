"""The header of a page, its az lines, and what it shows where there is nothing to show."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from ui.elements.text import ago, exact


def header(title: str, caption: str, at: datetime | None, refresh: Callable[[], None]) -> None:
    """The title, and below it the caption (a few words, or none), the age of the data, read `at`, and a button that
    calls `refresh`, after which the page runs again."""
    st.title(title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts = (caption, f"Read {ago(at)}" if at else "")
        st.markdown(" · ".join(part for part in parts if part), help=exact(at) if at else None, width="content")
        st.button("Refresh", icon=":material/refresh:", on_click=refresh, key=f"refresh {title}")


def az_lines(*lines: str, label: str = "The same with az and docker") -> None:
    """The shell lines that do the same as the page, in a closed expander."""
    with st.expander(label, icon=":material/terminal:"):
        st.code("\n".join(lines), language="bash", wrap_lines=True)


def empty(icon: str, title: str, caption: str) -> None:
    """An empty state: `title` says what is missing, `caption` (markdown) how to get it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"## {icon}", text_alignment="center")
        st.markdown(f"**{title}**", text_alignment="center")
        st.markdown(caption, text_alignment="center")
