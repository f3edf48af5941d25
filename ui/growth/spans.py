"""Of how many days growth is shown: only those are read."""

import streamlit as st

SPANS: dict[str, int | None] = {"3 months": 92, "12 months": 366, "All": None}
_FIRST = "12 months"


def chosen_span(key: str) -> int | None:
    """The days that were chosen last by `choose_span` with that key; None for all."""
    return SPANS[st.session_state.get(key, _FIRST)]


def choose_span(key: str) -> None:
    """Asks for the span; the page then runs again."""
    st.radio("Span", list(SPANS), list(SPANS).index(_FIRST), horizontal=True, key=key, label_visibility="collapsed")
