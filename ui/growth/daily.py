"""How far the daily snapshot of a registry is, and why there is none."""

import streamlit as st

from services.growth.daily import ReadState
from ui.elements.text import ago, plain
from ui.runtime import connection
from ui.runtime.settings import read_settings

_PAGES = "A day counts also where a person opened a page that reads all of the registry."


def show_daily(state: ReadState | None, listing: ReadState | None) -> None:
    """Says what the worker read of the registry, and what it could not. `listing`: of the list of registries."""
    if why := _none_taken():
        st.caption(f"No daily snapshot is taken by itself: {why} {_PAGES}")
        return
    if state is None:
        st.caption(f"No daily snapshot yet: {_unlisted(listing)} {_PAGES}")
        return
    last = f"The last daily snapshot is of {state.day:%Y-%m-%d}." if state.day else "There is no daily snapshot yet."
    if state.error and not state.today:
        when = f" ({ago(state.tried)})" if state.tried else ""
        st.warning(
            f"Today's snapshot could not be taken{when}. {plain(state.error)} It is tried again each hour. {last}",
            icon=":material/help:",
        )
    elif state.running:
        st.caption(f"Today's snapshot is being taken. {last}")
    elif not state.today:
        st.caption(f"{last} Today's is not taken yet.")


def _unlisted(listing: ReadState | None) -> str:
    """Why the worker does not know the registry."""
    if listing and listing.error:
        return f"the console could not list all registries. {plain(listing.error)}"
    if listing is None or listing.day is None:
        return "the console has not listed its registries yet."
    return "the console lists its registries each day, and this one is not among those that its own identity sees."


def _none_taken() -> str:
    """Why the console takes none by itself; "" where it does."""
    if not read_settings().snapshot_reads:
        return (
            "this console may read nothing for it. Its operator allows that by the setting "
            "ACR_CONSOLE_SNAPSHOT_READS, an environment variable of the console: how many reads a minute of one "
            "registry, such as 1000."
        )
    if not connection.has_own_identity():
        return "this console has no identity of its own (ACR_CONSOLE_OWN_IDENTITY)."
    return ""
