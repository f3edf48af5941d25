"""The tables of a registry's webhooks, and of one webhook's last calls."""

import streamlit as st

from services.child_resources.webhook_events import Event
from services.child_resources.webhooks import Webhook
from ui.elements.columns import ago_column
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import TEXTS, UTC, show_rows
from ui.elements.text import ago, exact, plain


def show_webhooks(existing: tuple[Webhook, ...], key: str) -> str | None:
    """Shows the webhooks that match the search; returns the name of the opened one."""
    search = st.text_input(
        "Search", key="search", type="search", placeholder="Name or scope", bind="query-params", width=320
    )
    wanted = (search or "").casefold().strip()
    shown = [one for one in existing if wanted in one.name.casefold() or wanted in one.scope.casefold()]
    if not shown:
        empty(":material/filter_alt_off:", "No webhook matches", "Clear the search above.")
        return None
    opened = openable(
        shown,
        lambda one: {
            "Name": one.name,
            "Status": one.status,
            "Actions": list(one.actions),
            "Scope": one.scope or "everything",
            "Region": one.location,
            "Provisioning state": one.provisioning_state,
        },
        f"webhooks of {key}",
        "Webhooks, one per row",
        columns={"Actions": st.column_config.ListColumn()},
        types={"Actions": TEXTS},
    )
    return opened.name if opened else None


def show_events(found: tuple[Event, ...]) -> None:
    """Shows the calls, the newest first, with a warning above them if the last one failed."""
    if not found:
        empty(":material/notifications_off:", "No calls yet", "Ping it, or push an image that its scope covers.")
        return
    newest = found[0]
    if not newest.taken:
        st.warning(
            f"Its last call, {ago(newest.at)} ({exact(newest.at)}), failed: "
            f"{plain(f'{newest.status} {newest.reason}'.strip()) or 'no response reported'}.",
            icon=":material/warning:",
        )
    show_rows(
        [
            {
                "Time": one.at,
                "Action": one.action,
                "Response": f"{one.status} {one.reason}".strip(),
                "Target": one.target,
                "Event": one.id,
            }
            for one in found
        ],
        "The webhook's last calls, the newest first",
        columns={"Time": ago_column(), "Target": st.column_config.TextColumn(width="medium")},
        types={"Time": UTC},
    )
