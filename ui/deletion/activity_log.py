"""The log of the console: who signed in, what was refused, its export, and the check of its chain."""

from collections.abc import Callable

import streamlit as st

from services.jobs.audit import CONSOLE, REFUSED, SIGN_INS, Entry, as_lines, newest_entries, read_entries, verify
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import panel
from ui.elements.page import empty
from ui.elements.table import show_rows
from ui.elements.text import plain
from ui.runtime import connection
from ui.runtime.database import database

# So many sign-ins and refusals are listed.
LISTED = 500


def name_of(who: str, login: str) -> str:
    """Who did something, as a table has it: the name that they sign in with, or else the object id."""
    if login or not who or who == CONSOLE:
        return login or who.capitalize() or "Unknown"
    return connection.person().name if who == connection.who() else who.rpartition("/")[2]


def show_sign_ins(who: str | None) -> None:
    """Shows the newest sign-ins and refusals of `who`, or of everyone where it is None."""
    found = newest_entries(database(), who, SIGN_INS, LISTED)
    if not found:
        empty(":material/login:", "Nothing recorded", "Sign-ins, refused sign-ins and refused changes are listed here.")
        return
    show_rows(
        [_row(entry) for entry in found],
        "Sign-ins and refusals, the newest first",
        columns={"When": ago_column(), "Detail": st.column_config.TextColumn(width="large")},
    )
    if len(found) == LISTED:
        st.caption(f"The newest {LISTED:,}. The log has all of them.")


def _row(entry: Entry) -> dict[str, object]:
    said = entry.fields
    what = f"Refused by {'the console' if said.get('by') == 'console' else said.get('by')}"
    return {
        "When": entry.at,
        "Who": name_of(said["who"], said.get("login", "")),
        "What": what if said["what"] == REFUSED else str(said["what"]).capitalize(),
        "Action": said.get("action", ""),
        "Target": said.get("target", ""),
        "Detail": said.get("reason") or said.get("text") or ", ".join(said.get("roles", ())),
    }


def show_log(who: str | None) -> None:
    """The log as a file, of `who` or of everyone, and the check of its chain."""
    st.markdown(
        "Each change is logged in the transaction that records it, with the hash of the entry before. "
        "Keep the last hash elsewhere: with it, a log that was cut off or written anew shows too."
    )
    with st.container(horizontal=True):
        checked = st.button("Check log", icon=":material/fact_check:")
        download = _lines_of(who)
        st.download_button(
            "Download log",
            download,
            "activity.jsonl",
            "application/jsonl",
            icon=":material/download:",
            help="Who did what and when, each entry with the hash of the one before: a line of JSON each",
        )
    if not checked:
        return
    with panel():
        found = verify(database())
        if found.fault:
            st.error(plain(found.fault), icon=":material/link_off:")
        else:
            st.success(f"{counted(found.entries, 'entry', 'entries')}, all unchanged.", icon=":material/check_circle:")
        if found.removed_until:
            st.caption(f"Entries until {found.removed_until:%Y-%m-%d} were removed for their age.")
        st.caption("Last hash that fits")
        st.code(found.head, language=None)


def _lines_of(who: str | None) -> Callable[[], str]:
    return lambda: as_lines(read_entries(database(), who))
