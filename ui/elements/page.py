"""The header of a page, its az lines, and what it shows where there is nothing to show."""

from collections.abc import Callable, Iterable
from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.elements.text import ago, exact

# Shows one step of a page's path, as the functions of ui/navigation/links.py make them.
Step = Callable[[], object]


def header(
    title: str, caption: str, at: datetime | None, refresh: Callable[[], None], path: Iterable[Step] = ()
) -> DeltaGenerator:
    """The path to the page (its steps from the section down), the title, and below it the `caption` (a few words, or
    none). At the right, how old the data is, read `at`, and an icon that calls `refresh`, after which the page runs
    again.

    Returns the container at the right of these, for the page's one primary action and a menu of others.
    """
    if steps := tuple(path):
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            for number, show_step in enumerate(steps):
                if number:
                    st.markdown(":small[:gray[/]]", width="content")
                show_step()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            if at:
                st.markdown(f":small[Read {ago(at)}]", width="content")
            st.button(
                "",
                icon=":material/refresh:",
                help=f"Refresh what was read at {exact(at)}" if at else "Refresh",
                on_click=refresh,
                type="tertiary",
                key=f"refresh {title}",
            )
            actions = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content")
    if caption:
        st.markdown(caption)
    return actions


def az_lines(*lines: str, label: str = "The same with az and docker") -> None:
    """The shell lines that do the same as the page, in a closed expander."""
    with st.expander(label, icon=":material/terminal:"):
        st.code("\n".join(lines), language=None, wrap_lines=True)


def empty(icon: str, title: str, caption: str) -> None:
    """An empty state: `title` says what is missing, `caption` (markdown) how to get it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"## {icon}", text_alignment="center")
        st.markdown(f"**{title}**", text_alignment="center")
        st.markdown(caption, text_alignment="center")
