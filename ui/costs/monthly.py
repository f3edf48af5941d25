"""The report of each month that the console delivers by itself: which went where, and why one did not."""

from datetime import timedelta

import streamlit as st

from services.connection.errors import ServiceError
from services.cost_reports.deliveries import Delivery, Target, deliveries
from services.cost_reports.months import SETTLES_WITHIN
from services.cost_reports.webhook import host_of
from services.costs.tables import month_name
from ui.elements.text import ago, exact, plain
from ui.runtime import connection
from ui.runtime.database import database
from ui.runtime.settings import Settings, read_settings

_DAYS = SETTLES_WITHIN // timedelta(days=1) + 1


def targets_of(settings: Settings) -> tuple[Target, ...]:
    """Where the reports go, by the settings; nowhere by default."""
    return (
        *((Target.FOLDER,) if settings.report_folder else ()),
        *((Target.WEBHOOK,) if settings.report_webhook else ()),
    )


def show_deliveries() -> None:
    """A line for each target of the monthly reports; nothing where the settings name none."""
    settings = read_settings()
    targets = targets_of(settings)
    if not targets:
        return
    if not connection.has_own_identity():
        st.caption(
            "No monthly report is made: this console has no identity of its own (ACR\\_CONSOLE\\_OWN\\_IDENTITY)."
        )
        return
    names = {Target.FOLDER: "the folder", Target.WEBHOOK: _webhook(settings)}
    try:
        found = deliveries(database(), targets)
    except ServiceError as error:
        st.caption(f"Monthly report: unknown whether it was delivered. {plain(error.cause)}")
        return
    for target in targets:
        mine = [one for one in found if one.target is target]
        if not mine:
            st.caption(
                f"Monthly report to {plain(names[target])}: none yet. It is made from day {_DAYS} of a month on."
            )
        for one in mine:
            _show(one, names[target])


def _webhook(settings: Settings) -> str:
    """The webhook by what may be shown of it."""
    return f"the webhook of {host_of(settings.report_webhook)}"


def _show(one: Delivery, to: str) -> None:
    month = month_name(one.month)
    if one.done:
        place = f" as {one.place}" if one.target is Target.FOLDER else ""
        lacks = f" {one.lacks}." if one.lacks else ""
        when = f"{ago(one.done)} ({exact(one.done)})"
        st.caption(plain(f"Monthly report of {month}: delivered to {to}{place} {when}.{lacks}"))
    elif one.error:
        st.warning(
            plain(
                f"Monthly report of {month}: not delivered to {to} ({ago(one.tried)}). {one.error} "
                "It is tried again by itself."
            ),
            icon=":material/outgoing_mail:",
        )
    elif one.running:
        st.caption(plain(f"Monthly report of {month}: being made for {to}."))
    else:
        st.caption(plain(f"Monthly report of {month}: not made yet for {to}."))
