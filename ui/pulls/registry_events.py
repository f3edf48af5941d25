"""Activity of a registry itself, whoever did it and by whichever client: from its logs, with filters and as CSV."""

from datetime import timedelta

import streamlit as st

from services.connection.parallel import Partial, Refusal
from services.pulls.events import RegistryEvent
from services.pulls.export import csv_of
from services.pulls.pulls import RegistryPulls
from services.pulls.queries import MOST_EVENTS, OWN_AGENT
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty
from ui.elements.skeleton import Shape
from ui.elements.text import plain
from ui.loaders import pulls as pull_loaders
from ui.loaders import registries as registry_loaders
from ui.loaders.principals import PrincipalNames
from ui.navigation.place import remembered
from ui.navigation.selection import find, keys_of, with_login_server
from ui.navigation.url_choice import check_url
from ui.pulls.events import caller_name, names_of_callers, show_events
from ui.pulls.logging import offer_logging
from ui.runtime.background import Reading, show_progress

PERIODS = {
    "24 hours": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
    "90 days": timedelta(days=90),
}
CHANGES = "All but pulls"
_SHOWN = "registry and period of the events that are shown"


def forget_shown_events(who: str) -> None:
    """Drops the events that this session looks at, so that they are read again."""
    if shown := st.session_state.get(_SHOWN):
        registry, period = shown
        pull_loaders.forget_logs(who, registry, [period])


def show_registry_events(who: str) -> None:
    """The events of the registry that is chosen here."""
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    with bar:
        registry = _choose(who)
        if registry is None:
            return
        check_url("period", "period", tuple(PERIODS))
        period = st.selectbox("Period", list(PERIODS), 1, key="period", bind="query-params", width=130) or "7 days"
    pulls = _logged_of(who, registry)
    if pulls.value.logged is False:
        offer_logging(who, registry, pulls, "Events unknown. ")
        return
    st.session_state[_SHOWN] = registry, PERIODS[period]
    reading = pull_loaders.events(who, registry, PERIODS[period])
    show_progress(reading, f"events of {registry.id}", stop="", shape=Shape.TABLE)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        return
    found = reading.value
    if not found.values:
        unsure = " Whether they are logged is not known." if pulls.value.logged is None else ""
        text = f"The logs have none of {registry.name} in the last {period}. Events arrive some minutes late.{unsure}"
        empty(":material/history:", "No events", plain(text))
        return
    with bar:
        text = st.text_input(
            "Filter", key="events with", type="search", placeholder="Repository, tag, digest, who, client", width=250
        )
        operations = [CHANGES, *sorted({one.operation for one in found.values})]
        operation = st.selectbox(
            "Operation", operations, index=None, key="operation of events", placeholder="Every operation", width=170
        )
    names = names_of_callers(who, (one.identity for one in found.values), registry.id)
    others = [one for one in found.values if not _is_own(one)]
    shown = [one for one in others if _matches(one, text or "", operation, names)]
    unread = f" The newest {MOST_EVENTS:,} were read: choose a shorter period for others." if found.more else ""
    if shown:
        _show(registry, period, shown, names, unread=unread, own=len(found.values) - len(others))
    elif others:
        empty(":material/filter_alt_off:", "Nothing matches", f"Change the filters above.{unread}")
    elif unread:
        empty(":material/help:", "Events unknown", f"All that were read are pulls by this console.{unread}")
    else:
        only = f"The logs have only {counted(len(found.values), 'pull')} by this console in the last {period}."
        empty(":material/history:", "No events", only)


def _logged_of(who: str, registry: Registry) -> Reading[RegistryPulls]:
    """The pulls of a registry, which say whether anything is logged."""
    reading = pull_loaders.registry_pulls(who, registry)
    show_progress(reading, f"pulls of {registry.id}", stop="")
    return reading


def _choose(who: str) -> Registry | None:
    inventory = registry_loaders.inventory(who)
    show_progress(inventory, "inventory of events", shape=None if inventory.value.registries.values else Shape.LINE)
    listed = inventory.value.registries
    if inventory.error:
        show_error(inventory.error)
        return None
    keys = keys_of(listed.values)
    by_key = {keys[one.id]: one for one in with_login_server(listed)}
    if not by_key:
        if not inventory.running:
            show_partial(Part(listed, "subscription"))
            if listed.complete:
                empty(":material/inventory_2:", "No registries found", "You need Reader on a subscription or registry.")
        return None
    known = find(by_key.values(), st.query_params.get("registry", "") or remembered(who))
    first = list(by_key).index(keys[known.id]) if known else 0
    chosen = st.selectbox("Registry", list(by_key), first, key="registry of events", width=220)
    if st.query_params.get("registry", "") != chosen:
        st.query_params["registry"] = chosen
    return by_key[chosen]


def _is_own(event: RegistryEvent) -> bool:
    """Whether the console read a manifest: the registry logs that as a pull, one for each look at an image."""
    return event.operation == "Pull" and event.agent.startswith(OWN_AGENT)


def _matches(event: RegistryEvent, text: str, operation: str | None, names: PrincipalNames) -> bool:
    if operation == CHANGES and event.operation == "Pull":
        return False
    if operation not in (None, CHANGES, event.operation):
        return False
    wanted = text.strip().casefold()
    caller = caller_name(event.identity, names)
    return any(wanted in one.casefold() for one in (event.repository, event.tag, event.digest, event.agent, caller))


def _show(
    registry: Registry, period: str, shown: list[RegistryEvent], names: PrincipalNames, *, unread: str, own: int
) -> None:
    if names.unread:
        show_partial(Part(Partial((), (Refusal("the directory", names.unread),)), "name", "names"))
    left_out = f" :gray[Without {counted(own, 'pull')} by this console.]" if own else ""
    st.markdown(f"**{counted(len(shown), 'event')}** in the last {period}.{unread}{left_out}")
    show_events(shown, names, "Events of the registry, the newest first", key="events of a registry")
    st.download_button(
        "Download list",
        lambda: csv_of(shown, lambda identity: caller_name(identity, names)),
        f"{registry.name}-events.csv",
        "text/csv",
        icon=":material/download:",
    )
