"""The result of the last action, shown once on the page that follows it."""

import streamlit as st

_DONE = "done: the result of the last action"


def say_done(sentence: str) -> None:
    """Keeps `sentence` (markdown) for the page that is shown next."""
    st.session_state[_DONE] = sentence


def show_done() -> None:
    """Shows the sentence that `say_done` kept, once."""
    if sentence := st.session_state.pop(_DONE, ""):
        st.success(sentence, icon=":material/check_circle:")
