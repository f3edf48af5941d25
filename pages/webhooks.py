"""A registry's webhooks: a table of them, and one with its last calls."""

import streamlit as st

from services.child_resources.webhook_events import ping
from services.child_resources.webhooks import Webhook
from services.commands import child_resources as az_child_resources
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of
from services.wording import counted
from ui.child_resources import webhooks
from ui.child_resources.webhook_tables import show_events, show_webhooks
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.notices import say_done, show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.table import show_facts
from ui.elements.text import plain
from ui.elements.writing import may_write, show_read_only
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.runtime import connection
from ui.runtime.changes import run

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}


def show_all(registry: Registry, existing: Partial[Webhook]) -> None:
    sku = sku_of(registry.sku)
    limit = f" of at most {LIMITS[sku].webhooks} in {sku}" if sku else ""
    number = f"{'At least ' if existing.refused else ''}{counted(len(existing.values), 'webhook')}"
    st.markdown(f"{number}{limit}. Azure calls their service URIs; this console never does.")
    if actions.button("Add webhook", icon=":material/add:", type="primary", disabled=not may_write()):
        webhooks.add(who, registry, existing)
    show_partial(Part(existing, "webhook"))
    if not existing.values:
        if existing.refused:
            return
        empty(":material/webhook:", "No webhooks", "A webhook notifies another system of each push and deletion.")
        return
    if opened := show_webhooks(existing.values, registry.id):
        open_page(pages.WEBHOOKS, **here, webhook=opened)


def show_one(registry: Registry, webhook: Webhook) -> None:
    show_facts(
        {
            "Status": plain(webhook.status),
            "Actions": ", ".join(plain(action) for action in webhook.actions),
            "Scope": plain(webhook.scope) or "everything",
            "Region": plain(webhook.location),
        }
    )
    act(registry, webhook)
    st.subheader("Last calls", anchor=False)
    with panel():
        events = webhooks.events(who, registry, webhook.name)
        show_partial(Part(events, "event"))
        if events.values or not events.refused:
            show_events(events.values)


def act(registry: Registry, webhook: Webhook) -> None:
    """The actions of one webhook."""
    uri, delete = "Show service URI", "Delete webhook"
    status = f"{'Disable' if webhook.enabled else 'Enable'} webhook"
    with actions:
        if st.button("Ping webhook", icon=":material/notifications_active:", type="primary", disabled=not may_write()):
            send_ping(registry, webhook)
        # A service URI may contain a key, which not everyone who reaches the console may see.
        choices = [uri, status, delete] if may_write(access=True) else [status, delete]
        chosen = st.menu_button("More", choices, icon=":material/more_horiz:", disabled=not may_write())
    if chosen == uri:
        webhooks.show_service_uri(who, registry, webhook.name)
    elif chosen == status:
        webhooks.change_status(who, registry, webhook)
    elif chosen == delete:
        webhooks.delete(who, registry, webhook)


def send_ping(registry: Registry, webhook: Webhook) -> None:
    label, said = "Ping webhook", f"Azure was asked to call {plain(webhook.name)} once: see Last calls for the result."
    command = az_child_resources.ping_webhook(registry.name, webhook.name)
    with panel():
        session = connection.session(who)
        run(
            label,
            Change(label, f"{registry.name}, webhook {webhook.name}", (command,)),
            lambda _report: ping(session, registry, webhook.name),
            lambda: webhooks.events.clear(who, registry, webhook.name),
            lambda _event: Answer(said),
        )
        say_done(said)
        st.rerun()


listed = selection.registry_of_url(who, pages.WEBHOOKS)
name = st.query_params.get("webhook", "")
below = (step(pages.WEBHOOKS, **here), last_step(name)) if name else (last_step(pages.WEBHOOKS.title),)
existing: Partial[Webhook] | None = None
at, failure, registry = None, None, listed
try:
    registry = registry_loaders.registry(who, listed.id).value
    loaded = webhooks.listed(who, registry)
    existing, at = loaded.value, loaded.at
except ServiceError as error:
    failure = error
actions = header(
    plain(name) if name else "Webhooks",
    f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
    at,
    lambda: webhooks.forget(who, registry, name),
    (*registry_steps(listed.name, **here), *below),
)
show_done()
show_read_only(access=True)
if failure:
    show_error(failure)
elif existing is not None and not name:
    show_all(registry, existing)
    az_lines(az_child_resources.list_webhooks(registry.name))
elif existing is not None:
    webhook = next((one for one in existing.values if one.name.casefold() == name.casefold()), None)
    if webhook:
        show_one(registry, webhook)
        az_lines(
            az_child_resources.ping_webhook(registry.name, webhook.name),
            az_child_resources.list_webhook_events(registry.name, webhook.name),
        )
    else:
        show_partial(Part(existing, "webhook"))
        empty(":material/webhook:", "No such webhook", "It may have been deleted. Refresh the list.")
