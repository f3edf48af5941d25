"""What this session began and shows until it is dismissed: changes that take minutes, each in a thread of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from ui.elements.errors import show_error
from ui.runtime.background import Reading, show_progress, start

PlanT = TypeVar("PlanT")
Result = TypeVar("Result")


@dataclass(frozen=True)
class RunKind(Generic[PlanT, Result]):
    """What runs of one kind are called in the session: those that follow a PlanT to a Result."""

    name: str


@dataclass(frozen=True)
class SessionRun(Generic[PlanT, Result]):
    """One run, under way or over. `reading.value` is None until it has ended well."""

    plan: PlanT
    reading: Reading[Result | None]


def runs_of(kind: RunKind[PlanT, Result]) -> dict[str, SessionRun[PlanT, Result]]:
    """Those of this session that are not dismissed, by their key, the oldest first."""
    runs: dict[str, SessionRun[PlanT, Result]] = st.session_state.setdefault(f"runs: {kind.name}", {})
    return runs


def begin(
    kind: RunKind[PlanT, Result],
    key: str,
    plan: PlanT,
    work: Callable[[Reading[Result | None]], Result],
    forget: Callable[[], None],
    *,
    verb: str,
) -> None:
    """Starts `work`, and runs the page again, which shows it. `forget` is called in its thread, however it ends.

    `work` may report to the reading, and heed its `stop`; `verb` stands before what it reports.
    """

    def whole(reading: Reading[Result | None]) -> None:
        try:
            reading.value = work(reading)
        finally:
            forget()  # What failed may have been done too.

    reading: Reading[Result | None] = start(None, whole, verb=verb)
    runs_of(kind)[key] = SessionRun(plan, reading)
    st.rerun()


def show(
    kind: RunKind[PlanT, Result],
    show_end: Callable[[PlanT, Result], None],
    *,
    stop: str = "",
    only: Callable[[PlanT], bool] = lambda _plan: True,
) -> None:
    """Those that this session began: under way, or how each ended, until it is dismissed.

    `stop`: the label of the button that stops one under way, "" where nothing stops it. `only`: of these plans.
    """
    for key, run in list(runs_of(kind).items()):
        if not only(run.plan):
            continue
        show_progress(run.reading, f"{kind.name} {key}", stop=stop)
        if run.reading.running:
            continue
        with st.container(border=True):
            if run.reading.error:
                show_error(run.reading.error)
            elif run.reading.value is not None:
                show_end(run.plan, run.reading.value)
            st.button("Dismiss", key=f"dismiss {kind.name} {key}", on_click=_dismiss, args=(kind, key))


def _dismiss(kind: RunKind[PlanT, Result], key: str) -> None:
    runs_of(kind).pop(key, None)
