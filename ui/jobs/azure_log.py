"""What Azure's own Activity Log has of a change, read when somebody asks for it."""

from collections.abc import Iterable
from datetime import UTC, datetime

import streamlit as st

from services.arm.activity_log import KEPT, AzureEvent, read_events
from services.connection.changes import SentChange
from services.connection.parallel import parallel_map
from services.jobs.jobs import Job
from ui.elements.columns import time_column
from ui.elements.errors import Part, panel, show_partial
from ui.elements.table import show_rows
from ui.runtime import connection

# A request each.
MOST_IDS = 50
_NOT_IN_IT = (
    "Changes of tags and manifests are not in it: a registry's own events are ContainerRegistryRepositoryEvents, in "
    "the Log Analytics workspace that its diagnostic settings name."
)


def show_azure_log(job: Job) -> None:
    """What Azure's Activity Log has of a job that has ended, by its correlation ids; nothing where it sent nothing."""
    if not job.ended or not job.sent:
        return
    with st.expander("In Azure's Activity Log", icon=":material/history:"), panel():
        wanted = _subscriptions_and_ids(job.sent)
        if any("/subscriptions/" not in one.target for one in job.sent):
            st.markdown(_NOT_IN_IT)
        if not wanted:
            return
        if datetime.now(UTC) - job.begun > KEPT:
            st.markdown(f"Azure keeps it for {KEPT.days} days: it has nothing of this change any more.")
            return
        if st.button("Read Activity Log", icon=":material/cloud_sync:", key=f"activity log {job.id}"):
            _show_events(job, wanted)


def _subscriptions_and_ids(sent: Iterable[SentChange]) -> list[tuple[str, str]]:
    """Of the requests to Resource Manager, each pair once."""
    pairs = (
        (one.target.partition("/subscriptions/")[2].partition("/")[0], one.correlation_id)
        for one in sent
        if "/subscriptions/" in one.target and one.correlation_id
    )
    return list(dict.fromkeys(pairs))


def _show_events(job: Job, wanted: list[tuple[str, str]]) -> None:
    session = connection.current()
    read = parallel_map(
        lambda pair: read_events(session, *pair, job.begun, job.ended),
        wanted[:MOST_IDS],
        name=lambda pair: pair[1],
    )
    show_partial(Part(read, "correlation id"))
    events = [event for found in read.values for event in found]
    if events:
        show_rows([_row(event) for event in events], "Events of Azure's Activity Log", columns={"When": time_column()})
    elif read.complete:
        st.markdown("Nothing yet: events are in it minutes after the change.")
    if len(wanted) > MOST_IDS:
        st.caption(f"Of {len(wanted):,} correlation ids the first {MOST_IDS} were read.")


def _row(event: AzureEvent) -> dict[str, object]:
    return {
        "When": event.at,
        "Operation": event.operation,
        "Status": event.status,
        "Caller": event.caller,
        "Resource": event.resource_id,
        "Correlation id": event.correlation_id,
    }
