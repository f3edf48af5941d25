"""What Azure answered the requests of a change, with its ids."""

import streamlit as st

from services.connection.changes import MOST_SENT
from services.jobs.jobs import Job
from services.wording import counted
from ui.elements.table import show_rows


def show_sent(job: Job) -> None:
    """Shows the requests of a job that changed something, folded; nothing where none is recorded."""
    if not job.sent:
        return
    number = counted(len(job.sent), "request")
    with st.expander(f"{number} to Azure, with ids", icon=":material/tag:"):
        show_rows(
            [
                {
                    "Request": f"{one.method} {one.target}",
                    "Status": one.status,
                    "Correlation id": one.correlation_id or None,
                    "Request id": one.request_id or None,
                }
                for one in job.sent
            ],
            "Requests that changed something, with the ids that Azure gave",
            key=f"sent {job.id}",
            columns={"Request": st.column_config.TextColumn(width="large")},
        )
        if len(job.sent) >= MOST_SENT:
            st.caption(f"The first {MOST_SENT:,} are recorded.")
