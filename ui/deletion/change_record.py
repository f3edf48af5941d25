"""The record of a change that is no deletion: what was planned, and how it ended."""

import streamlit as st

from services.jobs.jobs import Job, state_of
from ui.deletion import runs
from ui.elements.errors import panel
from ui.elements.page import az_lines, header
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write
from ui.navigation import pages
from ui.navigation.links import last_step, step

_INTERRUPTED = (
    "How it ended is not recorded: the console ended before, or could not reach its database. Nothing more is sent. "
    "What is there now is what Azure shows."
)


def show_change(who: str, job: Job) -> None:
    """Shows a job that has no items."""
    header(
        plain(job.action),
        plain(f"{job.login_server}, started {ago(job.begun)} ({exact(job.begun)})"),
        None,
        lambda: None,
        (step(pages.DELETIONS), last_step(job.action)),
    )
    state = state_of(job.runs, job.error, job.ended, 0, incomplete=job.incomplete)
    if state == "Running":
        st.info("Running. Refresh shows how it ended.", icon=":material/pending:")
        if st.button("Stop", icon=":material/stop_circle:", disabled=not may_write()):
            with panel():
                runs.stop(who, job.id)
                st.toast("It stops where that can be done: what Azure has begun goes on.")
    elif state == "Interrupted":
        st.warning(_INTERRUPTED, icon=":material/help:")
    elif job.error:
        st.error(plain(job.error), icon=":material/error:")
    else:
        if state == "Incomplete":
            st.warning("Not all of it was done, or could be confirmed.", icon=":material/pending:")
        st.markdown(job.answer or state)
    if commands := job.details.get("commands"):
        az_lines(*commands, label="Planned")
