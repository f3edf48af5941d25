"""The header of a page, what stands in its place until it is known, its az lines, and what it shows where there is
nothing to show."""

from collections.abc import Callable, Iterable
from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.elements.skeleton import Shape, show_skeleton
from ui.elements.text import ago, exact

# Shows one step of a page's path, as the functions of ui/navigation/links.py make them.
Step = Callable[[], object]

_ANNOUNCED = "places of the announced heading and outline"
_TURN = "which of two places is announced in"
_SUBJECT = "what the page announces"
_HEADED = "what the page's header was shown for"


def open_heading() -> None:
    """Makes the place of what `announce` shows, above all else of the page: another one than in the last run, as the
    browser keeps parts of what was shown in the same place while a run lasts."""
    places = (st.empty(), st.empty()), (st.empty(), st.empty())
    st.session_state[_TURN] = turn = 1 - st.session_state.get(_TURN, 0)
    st.session_state[_ANNOUNCED] = places[turn]


def announce(title: str, path: Iterable[Step], subject: str) -> None:
    """The title, the path and the outline of what comes, until `header` is called: a page may first have to wait for
    Azure. Nothing where the page has had its header for this `subject`: then that stays while the page runs again."""
    st.session_state[_SUBJECT] = subject
    if st.session_state.get(_HEADED) == subject:
        return
    heading, outline = st.session_state[_ANNOUNCED]
    with heading.container():
        _show_path(path)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.title(title, anchor=False, width="content")
    with outline.container():
        show_skeleton(Shape.PLAN)


def end_outline() -> None:
    """Removes the outline of what comes, and keeps the announced title: for what a page says without a header."""
    if places := st.session_state.get(_ANNOUNCED):
        places[1].empty()


def end_announced() -> None:
    """Removes the announced title too, as another one follows."""
    for place in st.session_state.get(_ANNOUNCED, ()):
        place.empty()


def _show_path(path: Iterable[Step]) -> None:
    if steps := tuple(path):
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            for number, show_step in enumerate(steps):
                if number:
                    st.markdown(":small[:gray[/]]", width="content")
                show_step()


def header(
    title: str, caption: str, at: datetime | None, refresh: Callable[[], None], path: Iterable[Step] = ()
) -> DeltaGenerator:
    """The path to the page (its steps from the section down), the title, and below it the `caption` (a few words, or
    none). At the right, how old the data is, read `at`, and an icon that calls `refresh`, after which the page runs
    again.

    Returns the container at the right of these, for the page's one primary action and a menu of others.
    """
    end_announced()
    st.session_state[_HEADED] = st.session_state.get(_SUBJECT)
    _show_path(path)
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
