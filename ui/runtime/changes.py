"""How a confirmed change runs: recorded in the database before the first request, and with how it ended."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import streamlit as st

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.jobs.audit import record_refusal
from services.jobs.changes import Answer, Change, nothing_changed, record_change
from ui.elements import write_permission
from ui.elements.errors import panel
from ui.elements.notices import say_done
from ui.elements.writing import Plan, confirm
from ui.runtime import connection
from ui.runtime.database import database
from ui.runtime.settings import read_settings

Result = TypeVar("Result")
Report = Callable[[str], None]


def require_permission(who: str, action: str, target: str) -> None:
    """Raises ServiceError (ReadOnly) where the session of this page may change nothing, once that is recorded: its
    buttons are disabled, so that whoever comes here went past them."""
    permission = write_permission.current()
    if not permission.allowed:
        record_refusal(database(), who, action, target, permission.error)
        raise permission.error


def recorded(
    who: str, change: Change, stop: threading.Event | None = None
) -> AbstractContextManager[Callable[[Answer], None]]:
    """`record_change` in the console's database. Raises ServiceError (NoDatabase) as it does."""
    try:
        engine = database()
    except ServiceError as error:
        raise nothing_changed(error) from error
    return record_change(engine, who, change, read_settings().lease, stop)


def run(
    label: str,
    change: Change,
    apply: Callable[[Report], Result],
    forget: Callable[[], None],
    answer: Callable[[Result], Answer],
) -> Result:
    """Runs `apply` and returns its result. A status shows `label`, then what `apply` reports. The record of `change`
    gets the `answer`.

    `forget` is called whether it succeeds or fails. Raises ServiceError as `apply` does, or NoDatabase before it.
    """
    who = connection.who()
    require_permission(who, change.action, change.target)
    try:
        with (
            recorded(who, change) as record,
            st.status(label, expanded=False) as status,
        ):
            result = apply(lambda state: status.update(label=state.capitalize()))
            record(answer(result))
            return result
    finally:
        forget()  # A change that failed may have been made all the same.


def confirm_and_run(
    plan: Plan,
    label: str,
    target: str,
    apply: Callable[[Report], Result],
    forget: Callable[[], None],
    done: Callable[[Result], str],
    *,
    typed: str = "",
    ready: bool = True,
    in_dialog: bool = True,
    effect: object = None,
    access: bool = False,
    then: Callable[[], None] = st.rerun,
) -> None:
    """The end of a dialog or a page: `confirm`, `run`, and `then`, which leads to the page that shows the sentence of
    `done` (markdown). `target`: what is changed, as the record names it. `access`: it changes who may do what.

    A ServiceError is shown here.
    """
    if not confirm(plan, label, typed=typed, ready=ready, in_dialog=in_dialog, effect=effect, access=access):
        return
    said: list[str] = []

    def say(result: Result) -> Answer:
        said.append(done(result))
        outcome = getattr(result, "outcome", result)
        return Answer(said[-1], not isinstance(outcome, Outcome) or outcome.is_done)

    with panel():
        run(label, Change(label, target, plan.commands), apply, forget, say)
        say_done(said[-1])
        then()
