"""Which role is needed for a task, and what each role allows on a registry in both permission modes."""

import streamlit as st

from services.access.role_definitions import RoleDefinition
from services.registries.registry import Mode
from services.roles.table import defined_by_azure
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import header
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.loaders import roles
from ui.navigation import pages, selection
from ui.navigation.url_choice import check_url
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
listed = inventory.value.registries
registries = selection.with_login_server(listed)
if inventory.running and not registries:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
modes = [one.value for one in Mode]
check_url("mode", "permission mode", modes)
with st.container(horizontal=True, vertical_alignment="bottom"):
    registry = selection.registry_box(listed, nothing="Any")
    if registry:
        mode = registry.access.mode
        st.markdown(f":blue-badge[:material/shield_person: {mode} permissions]")
    else:
        mode = Mode(
            st.radio(
                "Permission mode",
                modes,
                horizontal=True,
                key="mode",
                bind="query-params",
            )
        )
if not inventory.running and st.query_params.get("registry") and (inventory.error or selection.show_unknown(listed)):
    st.stop()  # Its permission mode is unknown: not the roles of another mode in its place.

definitions: dict[str, RoleDefinition] = {}
asked = registry or next(iter(registries), None)
if asked:
    with panel():
        read = roles.definitions(who, asked.subscription_id, asked.subscription).value
        show_partial(Part(read, "role"))
        definitions = {role.id: role for role in read.values}
tabs = ["Which role do I need?", "What each role may do", "The guide's tables"]
check_url("show", "tab", tabs)
question, table, guide = st.tabs(tabs, on_change="rerun", key="show", bind="query-params")
if question.open:
    with question:
        ask_role(mode, registry, definitions, selection.key_of(registry, registries) if registry else "")
if table.open:
    with table:
        show_roles(mode, definitions)
if guide.open:
    with guide:
        show_guide(definitions)
if asked and definitions:
    st.caption(
        f"{defined_by_azure(definitions)} roles are as Azure defines them for {plain(asked.subscription)}, the others "
        "from this console's own table. Custom roles are not shown.",
        help=DELAY,
    )
else:
    st.caption("The roles are from this console's own table. Custom roles are not shown.", help=DELAY)
