"""The page run again: with the result of the last action, shown until the person does something else, and by a timer,
as what is watched goes on. Neither a click nor an open dialog is lost with it."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Literal, NoReturn, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

_DONE = "done: the result of the last action"
_SHOWN = "done: what this run shows"
_TIMED = "the fragments that a timer runs"
_OPEN = "a dialog is open"

_in_dialog = ContextVar("whether a dialog is being drawn", default=False)

Shown = ParamSpec("Shown")


def say_done(sentence: str) -> None:
    """Keeps `sentence` (markdown) for the page that is shown next."""
    st.session_state[_DONE] = sentence


def show_done() -> None:
    """Shows the sentence that `say_done` kept, once."""
    if sentence := st.session_state.pop(_DONE, ""):
        st.session_state[_SHOWN] = sentence
        st.success(sentence, icon=":material/check_circle:")


def forget_shown() -> None:
    """At the beginning of a run: what the run before showed is kept no longer, and its dialog is closed."""
    st.session_state.pop(_SHOWN, None)
    st.session_state.pop(_OPEN, None)


def run_again() -> NoReturn:
    """Runs the page again because something has been read or has ended, not because somebody asked for it: what
    `show_done` shows stays."""
    if sentence := st.session_state.get(_SHOWN):
        st.session_state.setdefault(_DONE, sentence)
    st.rerun()


def ticking(every: float | None) -> Callable[[Callable[Shown, bool]], Callable[Shown, None]]:
    """A fragment that a timer runs every so many seconds, None for no more; where it returns True the whole page runs
    again.

    While the whole page runs, or a fragment that no timer runs, somebody may have clicked: to run again before the
    script is at that button would lose the click, so that it waits for the next time. What is pressed within a ticking
    fragment needs an `on_click`, for the same reason. It also waits while a dialog is open, which Streamlit would close
    with all that was typed.
    """

    def decorated(show: Callable[Shown, bool]) -> Callable[Shown, None]:
        def tick(*args: Shown.args, **kwargs: Shown.kwargs) -> None:
            alone = _by_timers_alone()
            if show(*args, **kwargs) and alone and not st.session_state.get(_OPEN):
                run_again()

        # Streamlit tells fragments apart by their functions' names.
        tick.__module__, tick.__qualname__ = show.__module__, show.__qualname__
        return st.fragment(tick, run_every=every)

    return decorated


def typing(show: Callable[Shown, None]) -> Callable[Shown, None]:
    """A fragment that is run again as somebody types into its box: the page around it stays as it is. What is to become
    of the page is the person's own act, and ends with `st.rerun()` or another page."""
    return st.fragment(show)


def dialog(
    title: str, *, width: Literal["small", "medium", "large"] = "small"
) -> Callable[[Callable[Shown, None]], Callable[Shown, None]]:
    """`st.dialog` that stays open until somebody closes it: what is read meanwhile is shown after that."""

    def decorated(show: Callable[Shown, None]) -> Callable[Shown, None]:
        @wraps(show)
        def opened(*args: Shown.args, **kwargs: Shown.kwargs) -> None:
            st.session_state[_OPEN] = True
            token = _in_dialog.set(True)
            try:
                show(*args, **kwargs)
            finally:
                _in_dialog.reset(token)

        return st.dialog(title, width=width, on_dismiss="rerun")(opened)

    return decorated


def in_dialog() -> bool:
    """Whether a dialog is being drawn: no page runs again for what it waits for."""
    return _in_dialog.get()


def _by_timers_alone() -> bool:
    context, this = get_script_run_ctx(), ThreadState.get().fragment_id
    if context is None or this is None:
        return False
    timed: set[str] = st.session_state.setdefault(_TIMED, set())
    timed.add(this)
    running = context.fragment_ids_this_run
    return bool(running) and timed.issuperset(running or ())
