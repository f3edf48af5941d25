"""Long reads, each in its own thread, shared by all sessions of an identity, with progress and a Stop button.

A page shows what has been read so far. The read continues when the page is left; the next visit shows its progress.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

import streamlit as st

from services.connection.errors import SIGN_IN_NEEDED, ServiceError, is_denied
from services.connection.parallel import Refusal
from ui.elements.notices import in_dialog, ticking
from ui.elements.skeleton import Shape, show_skeleton
from ui.elements.text import plain

Value = TypeVar("Value")

# A read that ends within this is shown at once, with no progress that only flickers.
BLINK_S = 0.25
# A dialog waits so long for what it shows, and then does without it.
DIALOG_S = 20
# What a page has shown and reads again by itself is waited for so long: without it the page may not come to the button
# whose click this run is for, and the click would be lost.
AGAIN_S = 5
# How often what has been read since is looked at.
TICK_S = 0.5
# A failure, also of a part, is shown this long before a rerun reads again.
FAILURE_KEPT_S = 20
# A part that Azure denies stays denied until someone grants a role; a stopped read is what the reader chose.
DENIED_KEPT_S = 300
# A refusal that only a new sign-in ends must not be shown after it.
SIGN_IN_KEPT_S = 2

# Of this thread: whether the last reading that a cache was asked for has just been thrown away.
_lapsed = threading.local()


@dataclass
class Reading(Generic[Value]):
    """A read that is running or has ended. `value` is what has been read so far; `lacks` are the parts of it that could
    not be read.

    `verb` and `amount` word its progress: other long work, such as a push, runs the same way and may count bytes.
    `again`: it replaces one that a cache kept no longer, as a part of it had failed.
    """

    value: Value
    verb: str = "Reading"
    amount: Callable[[int], str] = "{:,}".format
    what: str = ""
    done: int = 0
    of: int = 0
    error: ServiceError | None = None
    lacks: tuple[Refusal, ...] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    stop: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)
    again: bool = False
    _ended: float = 0.0

    def report(self, done: int, of: int, what: str) -> None:
        self.done, self.of, self.what = done, of, what

    def report_state(self, state: str) -> None:
        """Reports the state of work that counts nothing."""
        self.report(0, 0, state)

    @property
    def running(self) -> bool:
        return not self.finished.is_set()

    @property
    def moment(self) -> float:
        """How many seconds a page waits for it before it shows progress."""
        return max(BLINK_S, AGAIN_S if self.again else 0)

    @property
    def fresh(self) -> bool:
        """Whether a cache may keep it: what failed, or lacks a part, is kept for a short time only."""
        if self.running:
            return True
        age = time.monotonic() - self._ended
        if self.error:
            return age < (SIGN_IN_KEPT_S if self.error.code == SIGN_IN_NEEDED else FAILURE_KEPT_S)
        return may_be_kept(age, self.lacks) and (age < DENIED_KEPT_S or not self.stop.is_set())

    def end(self, error: ServiceError | None) -> None:
        self.error = error
        self.at = datetime.now(UTC)
        self._ended = time.monotonic()
        self.finished.set()


def may_be_kept(age_s: float, lacks: Iterable[Refusal]) -> bool:
    """Whether a cache may keep for `age_s` seconds a value that lacks these parts. All that is there is kept for the
    cache's own time."""
    errors = [refusal.error for refusal in lacks]
    if any(error.code == SIGN_IN_NEEDED for error in errors):
        return age_s < SIGN_IN_KEPT_S
    return not errors or age_s < (DENIED_KEPT_S if all(map(is_denied, errors)) else FAILURE_KEPT_S)


def fresh(reading: Reading[Value]) -> bool:
    """Whether a cache may keep it: the `validate` of `st.cache_resource`, which else reads it again at once."""
    _lapsed.now = not reading.fresh
    return reading.fresh


def start(
    value: Value,
    work: Callable[[Reading[Value]], None],
    *,
    verb: str = "Reading",
    amount: Callable[[int], str] = "{:,}".format,
    stop: threading.Event | None = None,
) -> Reading[Value]:
    """Runs `work` in a thread. It sets `reading.value` as parts are read, reports, and returns when `stop` is set."""
    reading = Reading(value, verb, amount, stop=stop or threading.Event(), again=getattr(_lapsed, "now", False))
    _lapsed.now = False

    def run() -> None:
        error = ServiceError(
            f"The console failed while {verb.lower()}",
            "A fault of the console itself, not of Azure; the log has the details.",
            "Refresh. If it happens again, report it with the log.",
            "Unexpected",
        )
        try:
            work(reading)
        except ServiceError as refused:
            reading.end(refused)
        except BaseException:
            logging.getLogger("acr_console").exception("%s failed unexpectedly", verb.lower())
            reading.end(error)
            raise
        else:
            reading.end(None)

    # Requests that it makes belong to the run of the page that began it, also in traces.
    threading.Thread(target=copy_context().run, args=(run,), name="reading", daemon=True).start()
    return reading


def show_progress(
    reading: Reading[Value],
    key: str,
    *,
    stop: str = "Stop",
    on_stop: Callable[[], None] | None = None,
    shape: Shape | None = None,
) -> None:
    """Progress with a button to stop it while `reading` runs; the page is run again as parts are read and at the end.

    `stop`: the label of the button, "" where it can't be stopped. `on_stop`: what stops it, where that is more than to
    set its `stop`. `shape`: what comes, where the page has nothing of it
    to show yet: a skeleton stands in its place.
    """
    if reading.finished.wait(reading.moment):
        return
    if in_dialog():
        with st.spinner(plain(f"{reading.verb} {reading.what}".strip())):
            reading.finished.wait(DIALOG_S)
    else:
        _progress(reading, key, stop, on_stop or reading.stop.set, shape)


@ticking(TICK_S)
def _progress(reading: Reading[Value], key: str, stop: str, on_stop: Callable[[], None], shape: Shape | None) -> bool:
    seen, done = f"{key}:seen", reading.done
    what = plain(f"{reading.verb} {reading.what}".strip())
    text = f"{what}: {reading.amount(done)} of {reading.amount(reading.of)}" if reading.of else what
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(done / reading.of, 1.0) if reading.of else 0.0, text=text)
        if stop:
            st.button(stop, icon=":material/stop_circle:", key=f"{key}:stop", on_click=on_stop)
    if shape:
        show_skeleton(shape)
    shown = int(st.session_state.get(seen, 0))
    if done < shown:  # Another read, or its next step, counts from 0.
        shown = st.session_state[seen] = 0
    if done - shown >= max(1, reading.of // 10):
        st.session_state[seen] = done
        return True
    return not reading.running


def rerun_when_done(reading: Reading[Value]) -> None:
    """Says what is being read, and runs the page again at its end. Nothing waits for it: for what a page can do without
    at first."""
    if reading.running:
        _await(reading)


@ticking(TICK_S)
def _await(reading: Reading[Value]) -> bool:
    st.caption(f"{reading.verb} {reading.what}…")
    return not reading.running
