"""Webhooks of a registry: reads them; dialogs add, delete, enable and disable one."""

from datetime import UTC, datetime

import streamlit as st

from services.child_resources.webhook_events import Event, list_events, read_callback
from services.child_resources.webhook_rules import ACTIONS, NewWebhook, regions_of
from services.child_resources.webhooks import (
    Webhook,
    apply_webhook,
    apply_webhook_removal,
    apply_webhook_status,
    list_webhooks,
    plan_webhook,
    plan_webhook_removal,
    plan_webhook_status,
)
from services.commands import child_resources as az_child_resources
from services.connection.changes import Outcome
from services.connection.parallel import Partial
from services.jobs.audit import record_view
from services.registries.registry import Registry
from ui.elements.errors import panel
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import as_option, plain
from ui.elements.writing import PlainPlan, close_button, dialog_panel, may_write
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID, Loaded
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run
from ui.runtime.database import database

MOST_HEADERS = 5


@st.cache_resource(ttl="2m", show_spinner="Reading webhooks", max_entries=200, hash_funcs=BY_ID)
def listed(who: str, registry: Registry) -> Loaded[Partial[Webhook]]:
    return Loaded(list_webhooks(connection.session(who), registry), datetime.now(UTC))


@st.cache_resource(ttl="30s", show_spinner="Reading events", max_entries=200, hash_funcs=BY_ID)
def events(who: str, registry: Registry, name: str) -> Partial[Event]:
    """The last calls of one webhook."""
    return list_events(connection.session(who), registry, name)


def forget(who: str, registry: Registry, name: str) -> None:
    """Drops the webhooks that were read, the events of one, and the registry with its usage."""
    listed.clear(who, registry)
    events.clear(who, registry, name)
    registry_loaders.registry.clear(who, registry.id)


@dialog("Add webhook", width="large")
def add(who: str, registry: Registry, existing: Partial[Webhook]) -> None:
    """Asks for a webhook, shows the plan, and adds it."""
    with dialog_panel():
        wanted = _ask(registry)
        plan = plan_webhook(registry, existing.all_values(), wanted)
        filled = bool(wanted.name and wanted.service_uri)  # Until then, every empty field would be an error.
        confirm_and_run(
            plan if filled else PlainPlan(commands=plan.commands),
            "Add webhook",
            f"{registry.name}, webhook {wanted.name}",
            lambda report: apply_webhook(connection.session(who), plan, report),
            lambda: forget(who, registry, wanted.name),
            lambda result: _done(wanted.name, result),
            ready=filled,
        )


def _ask(registry: Registry) -> NewWebhook:
    left, right = st.columns(2)
    name = left.text_input("Name", placeholder="deployhook", help="5 to 50 letters or digits.")
    location = right.selectbox(
        "Region",
        regions_of(registry),
        help="In a registry with replicas, a webhook is called for events in its own region.",
    )
    uri = st.text_input(
        "Service URI",
        placeholder="https://hooks.contoso.example/acr",
        help="The address that Azure calls. This console never calls it.",
    )
    actions = st.pills("Actions", list(ACTIONS), selection_mode="multi", default=["push"], format_func=as_option)
    st.caption(" · ".join(f"**{action}**: {plain(ACTIONS[action])}" for action in actions) or "Choose at least one.")
    scope = st.text_input(
        "Scope",
        placeholder="everything",
        help="Empty: everything in the registry. team/app:* is all tags of a repository, team/app:v1 one of them.",
    )
    headers: tuple[tuple[str, str], ...] = ()
    if may_write(access=True):
        headers = _ask_headers()
    else:
        st.caption("Custom headers can't be given here: everyone acts as the console's own identity.")
    enabled = st.toggle("Enabled", value=True)
    return NewWebhook(
        name.strip(), uri.strip(), tuple(actions), location, scope.strip(), enabled=enabled, headers=headers
    )


def _ask_headers() -> tuple[tuple[str, str], ...]:
    headers = []
    with st.expander("Custom headers"):
        st.caption("Sent with each call, so that the receiver can check its origin. Values are not shown again.")
        for number in range(1, MOST_HEADERS + 1):
            left, right = st.columns(2)
            header = left.text_input(f"Header {number}", placeholder="Authorization").strip()
            value = right.text_input(f"Value {number}", type="password", autocomplete="off")
            if not header:
                break
            headers.append((header, value))
    return tuple(headers)


def _done(name: str, outcome: Outcome) -> str:
    return f"Webhook {plain(name)}: {WORDS[outcome]}."


@dialog("Service URI")
def show_service_uri(who: str, registry: Registry, name: str) -> None:
    """Reads the service URI from Azure each time and keeps it nowhere: it may contain a key. That it is shown is logged
    first."""
    with panel():
        callback = read_callback(connection.session(who), registry, name)
        record_view(database(), who, "Service URI", f"{registry.name}, webhook {name}")
        st.code(callback.service_uri, language=None, wrap_lines=True)
        names = ", ".join(plain(header) for header in callback.header_names)
        st.markdown(f"Headers: {names or 'none'}. Their values are secrets, and are not shown.")
        st.code(az_child_resources.show_webhook_config(registry.name, name), language=None, wrap_lines=True)
    close_button("Close")


@dialog("Change status")
def change_status(who: str, registry: Registry, webhook: Webhook) -> None:
    """Disables an enabled webhook, or enables a disabled one."""
    with dialog_panel():
        plan = plan_webhook_status(registry, webhook, enabled=not webhook.enabled)
        effect = "Azure will call its service URI." if plan.enabled else "Azure will stop calling its service URI."
        st.markdown(f"**{plain(webhook.name)}** will be {plan.status}. {effect}")
        confirm_and_run(
            plan,
            f"{'Enable' if plan.enabled else 'Disable'} webhook",
            f"{registry.name}, webhook {webhook.name}",
            lambda report: apply_webhook_status(connection.session(who), plan, report),
            lambda: forget(who, registry, webhook.name),
            lambda result: _done(webhook.name, result),
        )


@dialog("Delete webhook")
def delete(who: str, registry: Registry, webhook: Webhook) -> None:
    """Shows what will be deleted, and deletes it."""
    with dialog_panel():
        st.markdown(f"**{plain(webhook.name)}** will be deleted from {plain(registry.name)}.")
        plan = plan_webhook_removal(registry, webhook)
        confirm_and_run(
            plan,
            "Delete webhook",
            f"{registry.name}, webhook {webhook.name}",
            lambda report: apply_webhook_removal(connection.session(who), plan, report),
            lambda: forget(who, registry, webhook.name),
            lambda result: _done(webhook.name, result),
            then=lambda: open_page(pages.WEBHOOKS, registry=st.query_params["registry"]),
        )
