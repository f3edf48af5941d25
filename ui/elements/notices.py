"""The result of the last action, shown on the page that follows it until the person does something else."""

from typing import NoReturn

import streamlit as st

_DONE = "done: the result of the last action"
_SHOWN = "done: what this run shows"


def say_done(sentence: str) -> None:
    """Keeps `sentence` (markdown) for the page that is shown next."""
    st.session_state[_DONE] = sentence


def show_done() -> None:
    """Shows the sentence that `say_done` kept, once."""
    if sentence := st.session_state.pop(_DONE, ""):
        st.session_state[_SHOWN] = sentence
        st.success(sentence, icon=":material/check_circle:")


def forget_shown() -> None:
    """At the beginning of a run: what the run before showed is kept no longer."""
    st.session_state.pop(_SHOWN, None)


def run_again() -> NoReturn:
    """Runs the page again because something has been read or has ended, not because somebody asked for it: what
    `show_done` shows stays."""
    if sentence := st.session_state.get(_SHOWN):
        st.session_state.setdefault(_DONE, sentence)
    st.rerun()
