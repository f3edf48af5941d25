"""One registry: its findings with their fixes, and what it holds, who reaches it, what it costs and how it is set."""

from dataclasses import replace

import streamlit as st

from services.commands import registries as az_registries
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, header
from ui.elements.text import plain
from ui.jobs.notices import show_open_of
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, step
from ui.registry.facts import show_registry_facts
from ui.registry.tabs import show_tabs
from ui.runtime import connection

ACTIONS = {
    "Sign in": pages.SIGN_IN,
    "Assign role": pages.ASSIGN_ROLE,
    "Create token": pages.TOKENS,
    "Change settings": pages.SETTINGS,
    "Change SKU": pages.SKU_COMPARISON,
    "Clean up images": pages.CLEAN_UP,
    "Restore deleted images": pages.DELETED,
    "Check a cluster": pages.INTEGRATION_CHECKER,
    "Delete registry": pages.SETTINGS,
}

who = connection.who()
listed = selection.registry_of_url(who, pages.REGISTRY)
here = {"registry": st.query_params["registry"]}
registry, at, failure = listed, None, None
try:
    loaded = registry_loaders.registry(who, listed.id)
    registry, at = replace(loaded.value, subscription=listed.subscription), loaded.at
except ServiceError as error:
    failure = error
with header(
    plain(registry.name),
    f"{plain(registry.resource_group)} in {plain(listed.subscription)}, {plain(registry.location)}",
    at,
    lambda: registry_loaders.forget_registry(who, listed),
    (step(pages.INVENTORY, "Registries"), last_step(registry.name)),
):
    if st.button("Push image", icon=":material/upload:", type="primary"):
        open_page(pages.PUSH, **here)
    if action := st.menu_button("More", list(ACTIONS), icon=":material/more_horiz:"):
        open_page(ACTIONS[action], **here)
if failure:
    show_error(failure)
    st.markdown("What follows is of the inventory, without usage and replicas.")
show_partial(Part(Partial((), registry.unread), "list", "lists"))
if registry.login_server:
    show_open_of(who, registry.login_server)
show_registry_facts(registry)
show_tabs(who, registry, here)
az_lines(
    az_registries.show_login_server(registry.name),
    az_registries.show_resource_id(registry.name),
    az_registries.show_usage(registry.name),
)
