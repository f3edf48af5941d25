"""The top of a page: what it is, how old its data is, and Refresh."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from ui.elements.text import ago, exact


def header(title: str, caption: str, at: datetime | None, refresh: Callable[[], None]) -> None:
    """The title; below it the caption (a few words, or none), the data's age, and a Refresh: it forgets, and reads
    anew."""
    st.title(title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts = (caption, f"Read {ago(at)}" if at else "")
        st.markdown(" · ".join(part for part in parts if part), help=exact(at) if at else None, width="content")
        st.button("Refresh", icon=":material/refresh:", on_click=refresh, key=f"refresh {title}")


def az_lines(*lines: str, label: str = "The same with az and docker") -> None:
    """The lines that do what the page shows, folded away until asked for."""
    with st.expander(label, icon=":material/terminal:"):
        st.code("\n".join(lines), language="bash", wrap_lines=True)


def empty(icon: str, title: str, caption: str) -> None:
    """What would be here, and how to get it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"## {icon}", text_alignment="center")
        st.markdown(f"**{title}**", text_alignment="center")
        st.markdown(caption, text_alignment="center")
