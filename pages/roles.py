"""Which role is needed for a task, and what each role allows on a registry in both permission modes."""

import streamlit as st

from services.access.role_definitions import RoleDefinition
from services.registries.registry import Mode
from services.roles.table import told_by_azure
from ui.elements.errors import panel, show_error
from ui.elements.page import header
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.loaders import roles
from ui.navigation import pages, selection
from ui.roles.question import ask_role
from ui.roles.sections import show_guide, show_roles
from ui.runtime import connection
from ui.runtime.background import show_progress

DELAY = "A new role assignment takes up to ten minutes to take effect"

who = connection.who()
top = st.container()
inventory = registry_loaders.inventory(who)


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    for subscription in {(one.subscription_id, one.subscription) for one in inventory.value.registries.values}:
        roles.definitions.clear(who, *subscription)


with top:
    header(
        pages.ROLES.title,
        "",
        None if inventory.running else inventory.at,
        refresh,
    )
show_progress(inventory, "inventory")
if inventory.error:
    show_error(inventory.error)
registries = [registry for registry in inventory.value.registries.values if registry.login_server]
if inventory.running and not registries:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
with st.container(horizontal=True, vertical_alignment="bottom"):
    registry = selection.registry_box(registries, placeholder="Any")
    if registry:
        mode = registry.access.mode
        st.markdown(f":blue-badge[:material/shield_person: {mode} permissions]")
    else:
        options = [one.value for one in Mode]
        mode = Mode(
            st.segmented_control(
                "Permission mode", options, default=options[0], required=True, key="mode", bind="query-params"
            )
        )
if not inventory.running:
    selection.show_unknown(registries)

definitions: dict[str, RoleDefinition] = {}
asked = registry or next(iter(registries), None)
if asked:
    with panel():
        definitions = roles.definitions(who, asked.subscription_id, asked.subscription).value
question, table, guide = st.tabs(
    ["Which role do I need?", "What each role may do", "The guide's tables"], key="show", bind="query-params"
)
with question:
    ask_role(mode, registry, definitions, selection.key_of(registry, registries) if registry else "")
with table:
    show_roles(mode, definitions)
with guide:
    show_guide(definitions)
if asked and definitions:
    st.caption(
        f"{told_by_azure(definitions)} roles are as Azure defines them for {plain(asked.subscription)}, the others "
        "from this console's own table. Custom roles are not shown.",
        help=DELAY,
    )
else:
    st.caption("The roles are from this console's own table. Custom roles are not shown.", help=DELAY)
