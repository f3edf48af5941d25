"""The record of a change that is no deletion: what was planned, how far it is, and how it ended."""

import streamlit as st

from services.jobs.jobs import Job
from ui.elements.page import az_lines, header
from ui.elements.text import ago, exact, plain
from ui.jobs import runs
from ui.jobs.azure_log import show_azure_log
from ui.jobs.notices import show_error_of, show_interrupted, show_open, show_results, show_running, show_stop
from ui.jobs.promotion import show_promotion
from ui.jobs.sent import show_sent
from ui.navigation import pages
from ui.navigation.links import last_step, step
from ui.runtime import connection


def show_record(who: str, job: Job) -> None:
    """Shows a job of `who` by its items, or a change that was recorded without any. Another person's has no button that
    stops it."""
    mine = who == connection.who()
    by = "" if mine else f", by {job.login or job.who.rpartition('/')[2]}"
    header(
        plain(job.action),
        plain(f"{job.target}, started {ago(job.begun)} ({exact(job.begun)}){by}"),
        None,
        lambda: None,
        (step(pages.DELETIONS), last_step(job.action)),
    )
    if reading := runs.under_way(who, job.id):
        show_running(who, job.id, reading, "Stop" if mine else "")
        job = runs.find(who, job.id) or job
    if job.ended:
        show_error_of(who, job)
        if job.state == "Incomplete":
            st.warning("Not all of it was done, or could be confirmed.", icon=":material/pending:")
        show_results(job)
        if not job.items and not job.answer and not job.error:
            st.markdown(job.state)
    elif job.items:
        if not reading or not reading.running:
            show_open(who, job, "Stop" if mine else "")
        show_results(job)
    elif job.runs:
        st.info("Running. Refresh shows how it ended.", icon=":material/pending:")
        if mine:
            show_stop(who, job)
    else:
        show_interrupted(job)
    show_promotion(job)
    show_sent(job)
    show_azure_log(job)
    if commands := job.details.get("commands"):
        az_lines(*commands, label="Planned")
