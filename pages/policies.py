"""Retention policies: their list, and one of them with its rules, its simulation, its run and its versions."""

import streamlit as st

from services.connection.errors import ServiceError
from services.policies.store import PolicyVersion, list_policies, list_versions
from ui.elements.errors import show_error
from ui.elements.notices import show_done
from ui.elements.page import empty, header
from ui.elements.text import plain
from ui.elements.writing import may_write, show_read_only
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import last_step, open_page, step
from ui.navigation.selection import find
from ui.navigation.url_choice import check_url
from ui.policies.comparison import show_comparison
from ui.policies.draft import NEW, Draft, discard_draft, open_draft, show_text
from ui.policies.past import show_past
from ui.policies.purge import show_purge
from ui.policies.rule_form import show_form
from ui.policies.saved import ask_deletion, save, show_history, show_list
from ui.policies.simulation import show_simulation
from ui.policies.starting import starting_text
from ui.runtime import connection
from ui.runtime.database import database
from ui.schedules.schedule import schedule_labels, show_schedule

TABS = RULES, SIMULATION, PAST, SCHEDULE, COMPARISON, PURGE, VERSIONS = (
    "Rules",
    "Simulation",
    "Last months",
    "Schedule",
    "Comparison",
    "acr purge",
    "Versions",
)
DISCARD, DELETE = "Discard changes", "Delete policy"

who = connection.who()
chosen = st.query_params.get("policy", "")


def read() -> tuple[tuple[PolicyVersion, ...], tuple[PolicyVersion, ...]]:
    """All policies, and the versions of the one that the URL names."""
    saved = list_policies(database())
    return saved, list_versions(database(), chosen) if chosen and chosen != NEW else ()


def saved_as(draft: Draft) -> tuple[str, int] | None:
    """The id and the version that it was opened as; None for one that was never saved."""
    return (draft.base.id, draft.base.version) if draft.base else None


def refresh() -> None:
    """Forgets what a simulation has read."""
    if registry := find(registry_loaders.inventory(who).value.registries.values, st.query_params.get("registry", "")):
        registry_loaders.forget_registry(who, registry)
        contents.forget(who, registry.login_server)


def show_one(draft: Draft, saved: tuple[PolicyVersion, ...], versions: tuple[PolicyVersion, ...]) -> None:
    show_read_only()
    if draft.base and draft.changed and draft.base != versions[0]:
        st.warning("Another version was saved. Discard your changes to see it.", icon=":material/sync_problem:")
    check_url("show", "tab", TABS)
    tabs = dict(zip(TABS, st.tabs(list(TABS), on_change="rerun", key="show", bind="query-params"), strict=True))
    if tabs[RULES].open:
        with tabs[RULES]:
            form, text = st.columns([3, 2], gap="large")
            with form:
                show_form(draft)
            with text:
                show_text(draft)
    if tabs[SIMULATION].open:
        with tabs[SIMULATION]:
            if draft.sound:
                show_simulation(who, draft.sound, saved_as(draft), edited=draft.changed)
            else:
                st.error("The text has errors: see Rules.", icon=":material/error:")
    if tabs[PAST].open:
        with tabs[PAST]:
            if draft.sound:
                show_past(who, draft.sound)
            else:
                st.error("The text has errors: see Rules.", icon=":material/error:")
    if tabs[SCHEDULE].open:
        with tabs[SCHEDULE]:
            show_schedule(who, versions[0] if versions else None, changed=draft.changed)
    if tabs[COMPARISON].open:
        with tabs[COMPARISON]:
            if draft.sound:
                own = [("the saved version", versions[0])] if draft.changed and versions else []
                show_comparison(who, draft.sound, [*own, *((one.name, one) for one in saved if one.id != draft.id)])
            else:
                st.error("The text has errors: see Rules.", icon=":material/error:")
    if tabs[PURGE].open:
        with tabs[PURGE]:
            if draft.sound:
                show_purge(who, draft.sound, saved=not draft.changed)
            else:
                st.error("The text has errors: see Rules.", icon=":material/error:")
    if tabs[VERSIONS].open:
        with tabs[VERSIONS]:
            show_history(draft, versions)


failure: ServiceError | None = None
saved: tuple[PolicyVersion, ...] = ()
versions: tuple[PolicyVersion, ...] = ()
try:
    saved, versions = read()
except ServiceError as error:
    failure = error
title = pages.POLICIES.title
draft = None
if chosen == NEW or versions:
    draft = open_draft(chosen, versions[0] if versions else None, starting_text())
if draft:
    name = draft.policy.name if draft.policy else "Policy"
    actions = header(plain(name), "", None, refresh, (step(pages.POLICIES), last_step(name)))
    sound = draft.sound is not None
    with actions:
        label = "Save policy" if draft.changed or chosen == NEW else "Saved"
        disabled = not (sound and draft.changed and may_write())
        if st.button(label, icon=":material/save:", type="primary", disabled=disabled, key="save policy"):
            save(who, draft)
        more = [*([DISCARD] if draft.changed and draft.base else []), *([DELETE] if draft.base else [])]
        picked = st.menu_button("More", more, icon=":material/more_horiz:") if more else None
    if picked == DISCARD:
        discard_draft(chosen)
        st.rerun()
    if picked == DELETE and versions:
        ask_deletion(who, versions[0])
    show_done()
    show_one(draft, saved, versions)
else:
    actions = header(title, "", None, lambda: None)
    with actions:
        if st.button("Create policy", icon=":material/add:", type="primary", disabled=not may_write()):
            open_page(pages.POLICIES, policy=NEW)
    show_done()
    show_read_only()
    if failure:
        show_error(failure)
    elif chosen:
        empty(":material/policy:", "No such policy", "It may have been deleted.")
    else:
        show_list(saved, schedule_labels())
