"""The list of what was done through this console, its filters, its export, and the check of its log."""

import streamlit as st

from services.jobs.audit import as_lines, read_entries, verify
from services.jobs.export import csv_of
from services.jobs.jobs import LISTED, JobSummary
from services.wording import counted
from ui.deletion import deletions
from ui.elements.columns import ago_column
from ui.elements.errors import Part, panel, show_partial
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.text import plain
from ui.jobs.follow import rerun_on_change
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.runtime.database import database


def show_all(who: str) -> None:
    """Shows the jobs that `who` started. Raises ServiceError where the database can't be read."""
    read = deletions.all_recorded(who)
    show_partial(Part(read, "record"))
    found = read.values
    if not found and read.complete:
        show_no_activity()
        link_to(pages.CLEAN_UP, "Clean up a registry")
    if not found:
        return
    if any(job.runs or job.state == "Interrupted" for job in found):
        rerun_on_change(lambda: _progress_of(deletions.all_recorded(who).values), _progress_of(found))
    shown = _filtered(found)
    if not shown:
        empty(":material/filter_alt_off:", "Nothing matches", "Change the filters above.")
    else:
        _show_list(who, shown)
    if len(found) == LISTED:
        st.caption(f"The newest {LISTED:,}. The log has all of them.")
    _show_log()


def show_no_activity() -> None:
    """What stands in the place of the list where nothing has been done yet."""
    empty(":material/history:", "No activity", "Each change that you make in this console is listed with its result.")


def _progress_of(found: tuple[JobSummary, ...]) -> list[tuple[str, int, str]]:
    return [(job.id, job.recorded, job.state) for job in found]


def _filtered(found: tuple[JobSummary, ...]) -> tuple[JobSummary, ...]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Target", key="target", bind="query-params", placeholder="Registry or repository", width=280
        )
        action = st.selectbox(
            "Action", sorted({one.action for one in found}), index=None, key="action", bind="query-params",
            placeholder="Every action", width=220,
        )  # fmt: skip
        state = st.selectbox(
            "State", sorted({one.state for one in found}), index=None, key="state", bind="query-params",
            placeholder="Every state", width=180,
        )  # fmt: skip
    return tuple(
        one
        for one in found
        if (text or "").strip().casefold() in one.target.casefold()
        and action in (None, one.action)
        and state in (None, one.state)
    )


def _row(job: JobSummary) -> dict[str, object]:
    return {
        "Target": job.target,
        "Action": job.action[:1].upper() + job.action[1:],
        "Started": job.begun,
        "Items": job.items,
        "Recorded": job.recorded,
        "State": job.state,
    }


def _show_list(who: str, shown: tuple[JobSummary, ...]) -> None:
    opened = openable(
        shown,
        _row,
        "deletions",
        "Activity, the newest first",
        columns={
            "Started": ago_column(),
            "Recorded": st.column_config.NumberColumn(help="Items whose result is recorded"),
        },
        identity=lambda job: job.id,
    )
    if opened:
        open_page(pages.DELETIONS, record=opened.id)
    with st.container(horizontal=True):
        st.download_button(
            "Download list",
            lambda: csv_of(shown),
            "activity.csv",
            "text/csv",
            icon=":material/download:",
        )
        st.download_button(
            "Download log",
            lambda: as_lines(read_entries(database(), who)),
            "activity.jsonl",
            "application/jsonl",
            icon=":material/download:",
            help="Who did what and when, each entry with the hash of the one before: a line of JSON each",
        )


def _show_log() -> None:
    with st.expander("Log", icon=":material/link:"), panel():
        st.markdown(
            "Each change is logged in the transaction that records it, with the hash of the entry before. "
            "Keep the last hash elsewhere: with it, a log that was cut off or written anew shows too."
        )
        if not st.button("Check log", icon=":material/fact_check:"):
            return
        found = verify(database())
        if found.fault:
            st.error(plain(found.fault), icon=":material/link_off:")
        else:
            st.success(f"{counted(found.entries, 'entry', 'entries')}, all unchanged.", icon=":material/check_circle:")
        if found.removed_until:
            st.caption(f"Entries until {found.removed_until:%Y-%m-%d} were removed for their age.")
        st.caption("Last hash that fits")
        st.code(found.head, language=None)
