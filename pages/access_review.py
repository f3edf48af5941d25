"""Who may do what on a registry and why, what one principal may do everywhere, and what ABAC mode would change."""

import streamlit as st

from services.commands import access as az_access
from ui.access_review import one_principal, principals
from ui.access_review.abac_switch import show_switch
from ui.access_review.who_can import show_who
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, header
from ui.loaders import clusters
from ui.navigation import pages, selection
from ui.navigation.headings import heading_of
from ui.navigation.links import open_by_button
from ui.navigation.url_choice import check_url
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
reading = clusters.pulls(who)


def refresh() -> None:
    principals.forget(who, reading.value, st.query_params.get("principal", "").lower())
    clusters.pulls.clear(who)


title, path = heading_of(pages.ACCESS_REVIEW)
with header(
    title,
    "",
    None if reading.running else reading.at,
    refresh,
    path,
):
    open_by_button(pages.ASSIGN_ROLE)
show_progress(reading, "pulls")
if reading.error:
    show_error(reading.error)
if reading.running:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
pulls = reading.value
known = principals.show_known(who, pulls, st.query_params.get("principal", "").lower())
show_partial(
    *clusters.parts_by_subscription(pulls.registries, pulls.clusters, pulls.access),
    Part(known.partial, "directory", "directories"),
)

if not pulls.registries.values:
    if not reading.error:
        selection.show_no_registries(pulls.registries)
    st.stop()
registry = selection.registry_named(pulls.registries)
not_there = selection.show_unknown(pulls.registries)


def look_everywhere(principal_id: str) -> None:
    one_principal.choose(principal_id)
    st.session_state["show"] = ONE


WHO, ONE, SWITCH = "This registry", "One principal", "Switch to ABAC"
check_url("show", "tab", (WHO, ONE, SWITCH))
who_tab, one_tab, switch_tab = st.tabs([WHO, ONE, SWITCH], on_change="rerun", key="show", bind="query-params")
if who_tab.open:
    with who_tab:
        if registry is None:
            if not not_there:
                selection.show_registries(pulls.registries, pages.ACCESS_REVIEW)
            az_lines(*(az_access.list_role_assignments(f"/subscriptions/{one}") for one in pulls.by_subscription))
        else:
            show_who(who, pulls, known, registry, look_everywhere)
if one_tab.open:
    with one_tab:
        one_principal.show_principal(who, pulls, known)
if switch_tab.open:
    with switch_tab:
        if registry is None:
            if not not_there:
                selection.show_registries(pulls.registries, pages.ACCESS_REVIEW)
        else:
            show_switch(who, pulls, known, registry)
