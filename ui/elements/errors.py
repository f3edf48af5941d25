"""How every error is shown: what happened, why, what to do, and the request id."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from services.connection.answers import NOT_UNDERSTOOD
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.wording import counted
from ui.elements.text import plain

# A registry that refuses does so for each of its repositories: a few panels say as much as a thousand.
SHOWN_REFUSALS = 10


def show_error(error: ServiceError) -> None:
    """The error panel. Text from Azure is shown as text, never as markdown."""
    with st.container(border=True):
        st.markdown(f":red[:material/error:] **{plain(error.title)}**")
        st.text(error.cause)
        st.markdown(f"**What to do:** {error.remedy}")
        facts = [f"HTTP {error.status}" if error.status else "", error.code]
        if known := " · ".join(fact for fact in facts if fact):
            st.caption(plain(known))
        if error.request_id:
            st.caption("Request id for Microsoft support")
            st.code(error.request_id, language=None)


@contextmanager
def panel() -> Iterator[None]:
    """Shows a ServiceError raised within as a panel; the rest of the page still runs."""
    try:
        yield
    except ServiceError as error:
        show_error(error)


def show_refused(partial: Partial[Any], one: str, many: str, *, verb: str = "read") -> None:
    """Shows what a partial result lacks, and why; nothing where it is complete. `verb`: what was to be done, as a
    participle."""
    if partial.untried:
        st.info(f"Stopped: {counted(partial.untried, one, many)} not {verb}.", icon=":material/stop_circle:")
    unread = [refusal for refusal in partial.refused if refusal.error.code != NOT_UNDERSTOOD]
    if unread:
        names = ", ".join(plain(refusal.what) for refusal in unread[:3])
        more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
        _show_refusals(f"{counted(len(unread), one, many)} could not be {verb}: {names}{more}", unread)
    odd = [refusal for refusal in partial.refused if refusal.error.code == NOT_UNDERSTOOD]
    if odd:
        more = f", and {counted(len(odd) - 1, 'list')} more" if len(odd) > 1 else ""
        _show_refusals(f"{plain(odd[0].error.title)}{more}", odd)


def _show_refusals(label: str, refusals: Sequence[Refusal]) -> None:
    with st.expander(label, icon=":material/warning:"):
        for refusal in refusals[:SHOWN_REFUSALS]:
            show_error(refusal.error)
        if len(refusals) > SHOWN_REFUSALS:
            st.markdown(f"{len(refusals) - SHOWN_REFUSALS:,} more, not shown.")


def show_unexpected(exc: Exception, log: logging.Logger) -> None:
    """Shows an unexpected failure: the traceback goes to the log, a reference to it to the page."""
    reference = secrets.token_hex(4)
    log.error("unexpected failure %s", reference, exc_info=exc)
    show_error(
        ServiceError(
            "The console failed here",
            f"A fault of the console itself ({type(exc).__name__}), not of Azure.",
            f"Reload the page. If it happens again, report it with the log's lines at reference {reference}.",
            "Unexpected",
        )
    )
