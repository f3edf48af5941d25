"""The last deletions of the console, and those among them that need attention."""

from collections.abc import Sequence

from services.estate.attention import Attention
from services.jobs.jobs import JobSummary
from services.registries.findings import Risk
from ui.deletion.activity import show_no_activity
from ui.elements.columns import ago_column
from ui.elements.selectable_table import openable
from ui.navigation import pages
from ui.navigation.links import link_to, open_page

SHOWN = 5
_WRONG = ("Failed", "Incomplete", "Interrupted", "Unknown")


def show_activity(records: Sequence[JobSummary]) -> None:
    """The newest `SHOWN` of the records, each opening its results."""
    if not records:
        show_no_activity()
        return
    picked = openable(
        records[:SHOWN],
        lambda record: {
            "Action": record.action.capitalize(),
            "Target": record.target,
            "State": record.state,
            "Started": record.begun,
        },
        "activity",
        "The last changes, the newest first",
        columns={"Started": ago_column()},
        identity=lambda record: record.id,
    )
    if picked:
        open_page(pages.DELETIONS, record=picked.id)
    if len(records) > SHOWN:
        link_to(pages.DELETIONS, "All activity")


def failed_deletions(records: Sequence[JobSummary]) -> list[Attention]:
    """The newest `SHOWN` that did not come to their end, as entries of what needs attention."""
    return [
        Attention(
            Risk.MEDIUM,
            f"{record.action.capitalize()}: {record.state.lower()}",
            record.repository or record.target,
            record.error or "Not every item has a recorded result.",
            record_id=record.id,
        )
        for record in records[:SHOWN]
        if record.state in _WRONG
    ]
