"""How every error is shown: what happened, why, what to do, and the request id."""

import logging
import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services.connection.answers import NOT_UNDERSTOOD
from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from services.connection.parallel import Partial, Refusal
from services.wording import counted
from ui.elements.page import end_outline
from ui.elements.text import plain

# A few panels say as much as a thousand.
SHOWN_CAUSES = 10
# Names in the line above the panels, of one kind; and titles in a panel.
SHOWN_NAMES = 2
SHOWN_OTHERS = 10
# What differs between the answers of one cause: ids of resources, and GUIDs.
_NAMES = re.compile(r"/subscriptions/[^\s'\"]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def show_error(error: ServiceError, others: Sequence[str] = ()) -> None:
    """The error panel. Text from Azure is shown as text, never as markdown. `others`: titles of errors with the same
    cause."""
    with st.container(border=True):
        st.markdown(f":red[:material/error:] **{plain(error.title)}**")
        st.text(error.cause)
        if others:
            more = f"; {len(others) - SHOWN_OTHERS:,} more" if len(others) > SHOWN_OTHERS else ""
            st.markdown(f"**The same for:** {'; '.join(map(plain, others[:SHOWN_OTHERS]))}{more}")
        st.markdown(f"**What to do:** {error.remedy}")
        if error.code == SIGN_IN_NEEDED:
            _show_sign_in_again()
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


@dataclass(frozen=True)
class Part:
    """A part of a page's data, which may lack something: `one` of its entries is a subscription, `many` are
    subscriptions; "" is `one` with an s."""

    partial: Partial[Any]
    one: str
    many: str = ""


def show_partial(*parts: Part, verb: str = "read") -> None:
    """Shows what a page's data lacks, in one closed line with the reasons within; nothing where all is complete.

    For once a page, or a dialog, below its head. `verb`: what was to be done, as a participle.
    """
    sentence = partial_sentence(parts, verb=verb)
    refusals = [refusal for part in parts for refusal in part.partial.refused]
    if not refusals:
        if sentence:
            st.info(sentence, icon=":material/stop_circle:")
        return
    causes = group_causes(refusals)
    with st.expander(sentence, icon=":material/warning:"):
        for error, others in causes[:SHOWN_CAUSES]:
            show_error(error, others)
        if len(causes) > SHOWN_CAUSES:
            st.markdown(f"{len(causes) - SHOWN_CAUSES:,} more, not shown.")


def partial_sentence(parts: Iterable[Part], *, verb: str = "read") -> str:
    """ "Partial data: 1 subscription (contoso), 2 usages could not be read", as markdown; "" where nothing is lacking.

    A subscription that refuses several lists is one subscription.
    """
    names: dict[tuple[str, str], dict[str, None]] = {}
    untried: Counter[tuple[str, str]] = Counter()
    odd: list[str] = []
    for part in parts:
        nouns = (part.one, part.many)
        for refusal in part.partial.refused:
            if refusal.error.code == NOT_UNDERSTOOD:
                odd.append(plain(refusal.error.title))
            else:
                names.setdefault(nouns, {})[refusal.what] = None
        untried[nouns] += part.partial.untried
    unread = ", ".join(f"{counted(len(found), *nouns)}{_named(found)}" for nouns, found in names.items())
    left = ", ".join(counted(number, *nouns) for nouns, number in untried.items() if number)
    facts = [
        f"{unread} could not be {verb}" if unread else "",
        f"{odd[0]}, and {counted(len(odd) - 1, 'list')} more" if len(odd) > 1 else "".join(odd),
        f"stopped, {left} not {verb}" if left else "",
    ]
    said = "; ".join(fact for fact in facts if fact)
    head = "Partial data" if verb == "read" else "Incomplete"
    return f"{head}: {said}" if said else ""


def _named(names: Collection[str]) -> str:
    return f" ({', '.join(plain(name) for name in names)})" if len(names) <= SHOWN_NAMES else ""


def group_causes(refusals: Iterable[Refusal]) -> list[tuple[ServiceError, tuple[str, ...]]]:
    """The errors of different causes, each with the titles of the others of its cause.

    One cause: the same thing refuses with the same code, or others refuse with the same words but for their names.
    """
    groups: list[dict[str, ServiceError]] = []
    known: dict[tuple[object, ...], dict[str, ServiceError]] = {}
    for refusal in refusals:
        error = refusal.error
        words = _NAMES.sub("…", error.cause.replace(refusal.what, "…"))
        keys = [(error.status, error.code, words), *([(refusal.what, error.status, error.code)] if error.code else [])]
        group = next((known[key] for key in keys if key in known), None)
        if group is None:
            group = {}
            groups.append(group)
        group.setdefault(error.title, error)
        for key in keys:
            known.setdefault(key, group)
    return [(next(iter(group.values())), tuple(group)[1:]) for group in groups]


def show_unexpected(exc: Exception, log: logging.Logger) -> None:
    """Shows an unexpected failure: the traceback goes to the log, a reference to it to the page."""
    reference = secrets.token_hex(4)
    log.error("unexpected failure %s", reference, exc_info=exc)
    end_outline()
    show_error(
        ServiceError(
            "The console failed here",
            f"A fault of the console itself ({type(exc).__name__}), not of Azure.",
            f"Reload the page. If it happens again, report it with the log's lines at reference {reference}.",
            "Unexpected",
        )
    )


def redirect_message(url: str) -> ForwardMsg:
    """Streamlit's message that sends a browser's tab to `url`: what st.login sends, which has no other address."""
    message = ForwardMsg()
    message.auth_redirect.url = url
    return message


def _show_sign_in_again() -> None:
    """A button that leads through the sign-in back to this page, with all that its address has."""
    # Several panels of a page may each have one. The callback belongs to the run that was shown.
    key = f"sign in again {secrets.token_hex(4)}"
    st.button("Sign in again", icon=":material/login:", type="primary", key=key, on_click=_go_to_sign_in)


def _go_to_sign_in() -> None:
    here = urlsplit(st.context.url or "/").path or "/"
    query = urlencode([(name, value) for name in st.query_params for value in st.query_params.get_all(name)])
    again = urlencode({"again": "1", "next": f"{here}?{query}" if query else here})
    if context := get_script_run_ctx():
        context.enqueue(redirect_message(f"/auth/login?{again}"))
