"""Activity: the list of what was done through this console with its filters and export, and the log."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import streamlit as st

from services.jobs.export import csv_of
from services.jobs.jobs import LISTED, JobSummary, named_target
from ui.deletion import deletions
from ui.deletion.activity_log import name_of, show_log, show_sign_ins
from ui.elements.columns import ago_column
from ui.elements.errors import Part, show_partial
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.jobs.follow import rerun_on_change
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.navigation.selection import keys_of
from ui.navigation.url_choice import check_url
from ui.pulls.registry_events import show_registry_events
from ui.runtime import connection
from ui.runtime.background import show_progress

TABS = ("Changes", "Registry events", "Sign-ins and refusals", "Log")
_PERIODS = {"24 hours": timedelta(days=1), "7 days": timedelta(days=7), "30 days": timedelta(days=30)}


def show_all(who: str, *, everyone: bool) -> None:
    """Shows what `who` did, or with `everyone` what everyone did, and the log of it.

    Raises ServiceError where the database can't be read.
    """
    read = deletions.all_recorded(who, everyone=everyone)
    show_partial(Part(read, "record"))
    check_url("show", "tab", TABS)
    changes, events, sign_ins, log = st.tabs(TABS, on_change="rerun", key="show", bind="query-params")
    if changes.open:
        with changes:
            _show_changes(who, read.values, everyone=everyone, complete=read.complete)
    if events.open:
        with events:
            show_registry_events(who)
    if sign_ins.open:
        with sign_ins:
            show_sign_ins(None if everyone else who)
    if log.open:
        with log:
            show_log(None if everyone else who)


def _show_changes(who: str, found: tuple[JobSummary, ...], *, everyone: bool, complete: bool) -> None:
    if not found and complete:
        show_no_activity()
        link_to(pages.CLEAN_UP, "Clean up a registry")
    if not found:
        return
    if any(job.runs or job.state == "Interrupted" for job in found):
        rerun_on_change(
            lambda: _progress_of(deletions.all_recorded(who, everyone=everyone).values), _progress_of(found)
        )
    names = _names(who)
    shown = _filtered(found, names)
    if not shown:
        empty(":material/filter_alt_off:", "Nothing matches", "Change the filters above.")
    else:
        _show_list(shown, names, others=_has_others(found))
    if len(found) == LISTED:
        st.caption(f"The newest {LISTED:,}. The log has all of them.")


def show_no_activity() -> None:
    """What stands in the place of the list where nothing has been done yet."""
    empty(":material/history:", "No activity", "Each change that you make in this console is listed with its result.")


def _progress_of(found: tuple[JobSummary, ...]) -> list[tuple[str, int, str]]:
    return [(job.id, job.recorded, job.state) for job in found]


def _has_others(found: tuple[JobSummary, ...]) -> bool:
    """Whether somebody else did one of them."""
    return any(job.who != connection.who() for job in found)


def _name(job: JobSummary) -> str:
    return name_of(job.who, job.login)


def _names(who: str) -> Mapping[str, str]:
    """The name of each registry that the inventory has so far, by login server in lower case."""
    inventory = registry_loaders.inventory(who)
    show_progress(inventory, "inventory of names")
    registries = inventory.value.registries.values
    names = keys_of(registries)
    return {one.login_server.casefold(): names[one.id] for one in registries if one.login_server}


def _chosen(key: str) -> set[str]:
    """What the URL or the widget of that key has."""
    return {one for one in (*st.query_params.get_all(key)[-1:], st.session_state.get(key)) if one}


def _options(key: str, found: Iterable[str]) -> list[str]:
    """The values of a filter: those that are there, and the chosen one even where nothing has it: Streamlit drops what
    it does not know, and would show everything."""
    return sorted({*found, *_chosen(key)})


def _filtered(found: tuple[JobSummary, ...], names: Mapping[str, str]) -> tuple[JobSummary, ...]:
    check_url("started", "period", tuple(_PERIODS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Target", key="target", bind="query-params", placeholder="Registry or repository", width=190
        )
        action = st.selectbox(
            "Action", _options("action", (one.action for one in found)), index=None, key="action", bind="query-params",
            placeholder="Every action", width=190,
        )  # fmt: skip
        state = st.selectbox(
            "State", _options("state", (one.state for one in found)), index=None, key="state", bind="query-params",
            placeholder="Every state", width=150,
        )  # fmt: skip
        since = st.selectbox(
            "Started", list(_PERIODS), index=None, key="started", bind="query-params",
            placeholder="Any time", width=150,
        )  # fmt: skip
        person = None
        if _has_others(found) or _chosen("who"):
            person = st.selectbox(
                "Who", _options("who", (_name(one) for one in found)), index=None, key="who", bind="query-params",
                placeholder="Everyone", width=150,
            )  # fmt: skip
    wanted = (text or "").strip().casefold()
    earliest = datetime.now(UTC) - _PERIODS[since] if since else None
    return tuple(
        one
        for one in found
        if (wanted in one.target.casefold() or wanted in named_target(one.target, names).casefold())
        and action in (None, one.action)
        and state in (None, one.state)
        and person in (None, _name(one))
        and (earliest is None or one.begun >= earliest)
    )


def _row(job: JobSummary, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "Target": named_target(job.target, names),
        "Action": job.action[:1].upper() + job.action[1:],
        "Started": job.begun,
        "Items": job.items,
        "Recorded": job.recorded,
        "State": job.state,
    }


def _row_with_name(job: JobSummary, names: Mapping[str, str]) -> dict[str, object]:
    target, *rest = _row(job, names).items()
    return dict((target, ("Who", _name(job)), *rest))


def _show_list(shown: tuple[JobSummary, ...], names: Mapping[str, str], *, others: bool) -> None:
    opened = openable(
        shown,
        lambda job: _row_with_name(job, names) if others else _row(job, names),
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
    st.download_button(
        "Download list",
        lambda: csv_of(shown, names),
        "activity.csv",
        "text/csv",
        icon=":material/download:",
    )
