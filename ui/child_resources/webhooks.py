"""Webhooks of a registry: read, and the dialogs that add, remove, enable and disable one."""

from datetime import UTC, datetime

import streamlit as st

from services.child_resources.webhook_rules import ACTIONS, NewWebhook, regions_of
from services.child_resources.webhooks import (
    Event,
    Webhook,
    apply_removal,
    apply_status,
    apply_webhook,
    list_events,
    list_webhooks,
    plan_webhook,
    read_callback,
)
from services.commands import child_resources as az_child_resources
from services.connection.changes import Outcome
from services.registries.registry import Registry
from ui.elements.errors import panel
from ui.elements.notices import say_done
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import may_write, show_objections, show_read_only, with_status
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID, Loaded
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime import connection

MOST_HEADERS = 5


@st.cache_resource(ttl="2m", show_spinner="Reading webhooks", max_entries=200, hash_funcs=BY_ID)
def listed(who: str, registry: Registry) -> Loaded[tuple[Webhook, ...]]:
    return Loaded(list_webhooks(connection.session(who), registry), datetime.now(UTC))


@st.cache_resource(ttl="30s", show_spinner="Reading events", max_entries=200, hash_funcs=BY_ID)
def events(who: str, registry: Registry, name: str) -> tuple[Event, ...]:
    """The last calls of one webhook."""
    return list_events(connection.session(who), registry, name)


def forget(who: str, registry: Registry, name: str) -> None:
    """Reads the webhooks, the events of the one of that name and the registry's usage anew."""
    listed.clear(who, registry)
    events.clear(who, registry, name)
    registry_loaders.registry.clear(who, registry.id)


@st.dialog("Add a webhook", width="large")
def add(who: str, registry: Registry, there: tuple[Webhook, ...]) -> None:
    """Asks for the webhook, shows what is in its way, and adds it."""
    with panel():
        wanted = _ask(registry)
        plan = plan_webhook(registry, there, wanted)
        if wanted.name and wanted.service_uri:  # Before, all that is missing would be said to be wrong.
            show_objections(plan.blockers, plan.warnings)
        line = az_child_resources.add_webhook(
            registry.name,
            wanted.name or "NAME",
            wanted.service_uri or "https://…",
            wanted.actions,
            wanted.location,
            scope=wanted.scope,
            enabled=wanted.enabled,
            header_names=wanted.header_names,
        )
        st.code(line, language="bash", wrap_lines=True)
        show_read_only()
        if st.button("Add the webhook", type="primary", disabled=bool(plan.blockers) or not may_write()):
            try:
                session = connection.session(who)
                done = with_status("Adding the webhook", lambda report: apply_webhook(session, plan, report))
            finally:  # Also what failed may have been done.
                forget(who, registry, wanted.name)
            _say(wanted.name, done)
            st.rerun()


def _ask(registry: Registry) -> NewWebhook:
    left, right = st.columns(2)
    name = left.text_input("Name", placeholder="deployhook", help="5 to 50 letters or digits.")
    location = right.selectbox(
        "Region",
        regions_of(registry),
        help="Of a registry with replicas, a webhook hears what happens in its own region.",
    )
    uri = st.text_input(
        "Address that Azure calls", placeholder="https://hooks.contoso.example/acr", help="The console never calls it."
    )
    actions = st.pills("Call it when", list(ACTIONS), selection_mode="multi", default=["push"])
    st.caption(" · ".join(f"**{action}**: {plain(ACTIONS[action])}" for action in actions) or "Choose at least one.")
    scope = st.text_input(
        "Scope",
        placeholder="everything",
        help="Empty: everything in the registry. team/app:* is all tags of a repository, team/app:v1 one of them.",
    )
    headers = []
    with st.expander("Custom headers"):
        st.caption("Sent along with each call, to prove that it comes from here. A value is never shown again.")
        for number in range(1, MOST_HEADERS + 1):
            left, right = st.columns(2)
            header = left.text_input(f"Header {number}", placeholder="Authorization").strip()
            value = right.text_input(f"Value {number}", type="password", autocomplete="off")
            if not header:
                break
            headers.append((header, value))
    enabled = st.toggle("Enabled", value=True)
    return NewWebhook(
        name.strip(), uri.strip(), tuple(actions), location, scope.strip(), enabled=enabled, headers=tuple(headers)
    )


def _say(name: str, outcome: Outcome) -> None:
    say_done(f"Webhook {plain(name)}: {WORDS[outcome]}.")


@st.dialog("Where it calls")
def show_address(who: str, registry: Registry, name: str) -> None:
    """Asked of Azure each time, and kept nowhere: an address may hold a key."""
    with panel():
        callback = read_callback(connection.session(who), registry, name)
        st.code(callback.service_uri, language=None, wrap_lines=True)
        names = ", ".join(plain(header) for header in callback.header_names)
        st.markdown(f"Headers: {names or 'none'}. Their values are secrets, and are not shown.")
        st.code(az_child_resources.show_webhook_config(registry.name, name), language="bash", wrap_lines=True)


@st.dialog("Enable or disable")
def change_status(who: str, registry: Registry, webhook: Webhook) -> None:
    """The other of its two states."""
    with panel():
        target = "disabled" if webhook.enabled else "enabled"
        effect = "Azure stops calling its address." if webhook.enabled else "Azure calls its address from then on."
        st.markdown(f"**{plain(webhook.name)}** will be {target}. {effect}")
        st.code(
            az_child_resources.set_webhook_status(registry.name, webhook.name, target), language="bash", wrap_lines=True
        )
        show_read_only()
        label = "Disable" if webhook.enabled else "Enable"
        if st.button(f"{label} the webhook", type="primary", disabled=not may_write()):
            try:
                done = apply_status(connection.session(who), registry, webhook, enabled=not webhook.enabled)
            finally:  # Also what failed may have been done.
                forget(who, registry, webhook.name)
            _say(webhook.name, done)
            st.rerun()


@st.dialog("Remove a webhook")
def remove(who: str, registry: Registry, webhook: Webhook) -> None:
    """What is lost, and the deed."""
    with panel():
        st.markdown(f"**{plain(webhook.name)}** will be removed from {plain(registry.name)}.")
        show_objections(
            (), ("Its address, its headers and its events go with it. Whoever waits for its calls is called no more.",)
        )
        st.code(az_child_resources.remove_webhook(registry.name, webhook.name), language="bash", wrap_lines=True)
        show_read_only()
        if st.button("Remove the webhook", type="primary", disabled=not may_write()):
            try:
                done = apply_removal(connection.session(who), registry, webhook)
            finally:  # Also what failed may have been done.
                forget(who, registry, webhook.name)
            _say(webhook.name, done)
            open_page(pages.WEBHOOKS, registry=st.query_params["registry"])
