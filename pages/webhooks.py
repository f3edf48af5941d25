"""A registry's webhooks: a table of them, and one with its last calls."""

import pyarrow as pa
import streamlit as st

from services import az_commands
from services.errors import ServiceError
from services.registries import Registry
from services.skus import LIMITS, sku_of
from services.webhooks import Webhook, ping
from ui import connection, loaders, selection, webhooks
from ui.done import say_done, show_done
from ui.errors import panel, show_error
from ui.page import az_lines, crumb, empty, header
from ui.table import UTC, show_facts, table_height, table_of
from ui.text import ago, count, exact, plain
from ui.writing import may_write, show_read_only

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}


def show_all(registry: Registry, there: tuple[Webhook, ...]) -> None:
    sku = sku_of(registry.sku)
    most = f" of at most {LIMITS[sku].webhooks} that {sku} has" if sku else ""
    st.markdown(f"{count(len(there), 'webhook')}{most}. Azure calls their addresses; this console never does.")
    if st.button("Add a webhook", icon=":material/add:", type="primary", disabled=not may_write()):
        webhooks.add(who, registry, there)
    if not there:
        empty(":material/webhook:", "No webhooks", "A webhook tells another system of each push and deletion.")
        return
    search = st.text_input("Search", key="search", type="search", placeholder="Name or scope", bind="query-params")
    wanted = (search or "").casefold().strip()
    shown = [one for one in there if wanted in one.name.casefold() or wanted in one.scope.casefold()]
    if not shown:
        empty(":material/filter_alt_off:", "No webhook matches", "Clear the search above.")
        return
    rows = [
        {
            "Name": one.name,
            "Status": one.status,
            "Called on": list(one.actions),
            "Scope": one.scope or "everything",
            "Region": one.location,
            "State": one.provisioning_state,
        }
        for one in shown
    ]
    selected = st.dataframe(
        table_of(rows, {"Called on": pa.list_(pa.string())}),
        key=f"webhooks of {registry.id}",
        height=table_height(len(rows)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt="Webhooks, one a row",
        column_config={"Name": st.column_config.TextColumn(pinned=True), "Called on": st.column_config.ListColumn()},
    )
    st.caption("Select a row to see a webhook's last calls, or name it here.")
    names = [one.name for one in shown]
    named = st.selectbox("Open a webhook", names, index=None, placeholder="Name", width=320)
    if opened := names[selected.selection.rows[0]] if selected.selection.rows else named:
        st.switch_page("webhooks.py", query_params={**here, "webhook": opened})


def show_one(registry: Registry, webhook: Webhook) -> None:
    show_facts(
        {
            "Status": webhook.status,
            "Called on": ", ".join(plain(action) for action in webhook.actions),
            "Scope": plain(webhook.scope) or "everything",
            "Region": plain(webhook.location),
        }
    )
    with st.container(horizontal=True):
        if st.button("Ping", icon=":material/notifications_active:", disabled=not may_write()):
            send_ping(registry, webhook)
        if st.button("Where it calls", icon=":material/key:", help="Asks Azure for its address."):
            webhooks.show_address(who, registry, webhook.name)
        label = "Disable" if webhook.enabled else "Enable"
        if st.button(label, icon=":material/power_settings_new:", disabled=not may_write()):
            webhooks.change_status(who, registry, webhook)
        if st.button("Remove", icon=":material/delete:", disabled=not may_write()):
            webhooks.remove(who, registry, webhook)
    st.subheader("Last calls", anchor=False)
    with panel():
        show_events(registry, webhook)


def send_ping(registry: Registry, webhook: Webhook) -> None:
    with panel():
        ping(connection.session(who), registry, webhook.name)
        webhooks.events.clear()
        say_done(f"Azure was asked to call {plain(webhook.name)} once: what came of it is among its last calls.")
        st.rerun()


def show_events(registry: Registry, webhook: Webhook) -> None:
    found = webhooks.events(who, registry.id, registry, webhook.name)
    if not found:
        empty(":material/notifications_off:", "No calls yet", "Ping it, or push an image that its scope covers.")
        return
    newest = found[0]
    if not newest.taken:
        st.warning(
            f"Its last call, {ago(newest.at)} ({exact(newest.at)}), was not taken: "
            f"{plain(f'{newest.status} {newest.reason}'.strip()) or 'no answer is known'}.",
            icon=":material/warning:",
        )
    rows = [
        {
            "At": one.at,
            "Action": one.action,
            "Answer": f"{one.status} {one.reason}".strip(),
            "Target": one.target,
            "Event": one.id,
        }
        for one in found
    ]
    st.dataframe(
        table_of(rows, {"At": UTC}),
        height=table_height(len(rows)),
        hide_index=True,
        placeholder="–",
        alt="The webhook's last calls, the newest first",
        column_config={
            "At": st.column_config.DatetimeColumn(format="distance"),
            "Target": st.column_config.TextColumn(width="medium"),
        },
    )


listed = selection.registry_of_url(who)
name = st.query_params.get("webhook", "")
if name:
    crumb("webhooks.py", "Webhooks", **here)
else:
    crumb("registry.py", listed.name, **here)
there: tuple[Webhook, ...] | None = None
at, failure, registry = None, None, listed
try:
    registry = loaders.registry(who, listed.id).value
    loaded = webhooks.listed(who, registry.id, registry)
    there, at = loaded.value, loaded.at
except ServiceError as error:
    failure = error
header(
    plain(name) if name else "Webhooks",
    f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
    at,
    lambda: webhooks.forget(who, registry),
)
show_done()
show_read_only()
if failure:
    show_error(failure)
elif there is not None and not name:
    show_all(registry, there)
    az_lines(az_commands.list_webhooks(registry.name))
elif there is not None:
    webhook = next((one for one in there if one.name.casefold() == name.casefold()), None)
    if webhook:
        show_one(registry, webhook)
        az_lines(
            az_commands.ping_webhook(registry.name, webhook.name),
            az_commands.list_webhook_events(registry.name, webhook.name),
        )
    else:
        empty(":material/webhook:", "No such webhook", "It may be removed meanwhile: refresh the list.")
