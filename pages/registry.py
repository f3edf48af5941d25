"""One registry: its findings with their fixes, and what it holds, who reaches it, what it costs and how it is set."""

from dataclasses import replace

import streamlit as st

from services.commands import registries as az_registries
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, header
from ui.elements.text import plain
from ui.jobs.notices import show_open_of
from ui.loaders import registries as registry_loaders
from ui.loaders.pulls import month_counts
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, step
from ui.registry.facts import show_registry_facts
from ui.registry.tabs import show_tabs
from ui.runtime import connection
from ui.runtime.background import show_progress

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


def refresh() -> None:
    registry_loaders.forget_registry(who, listed)
    month_counts.clear(who, listed)


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
    refresh,
    (step(pages.INVENTORY, "Registries"), last_step(registry.name)),
):
    if st.button("Push image", icon=":material/upload:", type="primary"):
        open_page(pages.PUSH, **here)
    if action := st.menu_button("More", list(ACTIONS), icon=":material/more_horiz:"):
        open_page(ACTIONS[action], **here)
if failure:
    show_error(failure)
    st.markdown("What follows is of the inventory, without usage and replicas.")
month = month_counts(who, registry)
show_progress(month, f"metrics of {registry.id}", stop="")
uncounted = (Refusal(registry.name, month.error),) if month.error else ()
show_partial(Part(Partial((), registry.unread), "list", "lists"), Part(Partial((), uncounted), "metric"))
if registry.login_server:
    show_open_of(who, registry.login_server)
show_registry_facts(registry, month)
show_tabs(who, registry, here)
az_lines(
    az_registries.show_login_server(registry.name),
    az_registries.show_resource_id(registry.name),
    az_registries.show_usage(registry.name),
)
