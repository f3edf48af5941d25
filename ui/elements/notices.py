"""What the last action did, said once on the page that is shown after it."""

import streamlit as st

_DONE = "done: what the last action did"


def say_done(sentence: str) -> None:
    """Keeps `sentence` (markdown) for the next run."""
    st.session_state[_DONE] = sentence


def show_done() -> None:
    """What the action before this run did, once."""
    if sentence := st.session_state.pop(_DONE, ""):
        st.success(sentence, icon=":material/check_circle:")
