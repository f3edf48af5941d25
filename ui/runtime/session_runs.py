"""Changes that take minutes: each runs in its own thread, and its session shows it until it is dismissed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from services.jobs.changes import Answer, Change
from ui.elements.errors import show_error
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress, start
from ui.runtime.changes import recorded, require_permission

PlanT = TypeVar("PlanT")
Result = TypeVar("Result")


@dataclass(frozen=True)
class RunKind(Generic[PlanT, Result]):
    """A kind of runs, from a PlanT to a Result, by its name in the session state."""

    name: str


@dataclass(frozen=True)
class SessionRun(Generic[PlanT, Result]):
    """One run. `reading.value` is None until it has succeeded."""

    plan: PlanT
    reading: Reading[Result | None]


def runs_of(kind: RunKind[PlanT, Result]) -> dict[str, SessionRun[PlanT, Result]]:
    """The runs of this session that are not dismissed, by key, the oldest first."""
    runs: dict[str, SessionRun[PlanT, Result]] = st.session_state.setdefault(f"runs: {kind.name}", {})
    return runs


def begin(
    kind: RunKind[PlanT, Result],
    key: str,
    plan: PlanT,
    work: Callable[[Reading[Result | None]], Result],
    forget: Callable[[], None],
    change: Change,
    answer: Callable[[Result], Answer],
    *,
    verb: str,
) -> None:
    """Starts `work`, and runs the page again, which shows it. `forget` is called in its thread, also where it fails.
    `change` is recorded before, with the `answer` or the error as its end.

    `work` may report to the reading, and return early where its `stop` is set; `verb` precedes what it reports. Raises
    ServiceError as `require_permission`.
    """

    who = connection.who()
    require_permission(who, change.action, change.target)

    def run(reading: Reading[Result | None]) -> None:
        try:
            with recorded(who, change, reading.stop) as record:
                result = work(reading)
                record(answer(result))
            reading.value = result
        finally:
            forget()  # A change that failed may have been made all the same.

    reading: Reading[Result | None] = start(None, run, verb=verb)
    runs_of(kind)[key] = SessionRun(plan, reading)
    st.rerun()


def show(
    kind: RunKind[PlanT, Result],
    show_end: Callable[[PlanT, Result], None],
    *,
    stop: str = "",
    only: Callable[[PlanT], bool] = lambda _plan: True,
) -> None:
    """Shows the runs of this session, with their progress or result, until they are dismissed.

    `stop`: the label of the button that stops a run, "" where nothing can. `only`: which plans to show.
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
