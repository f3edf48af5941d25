"""Which registry, repository and image the URL names."""

from collections.abc import Iterable

import streamlit as st

from services.registries import Registry, not_found
from ui import loaders
from ui.errors import show_error
from ui.page import empty
from ui.reading import show_progress


def key_of(registry: Registry, registries: Iterable[Registry]) -> str:
    """What the URL calls a registry: its name, or its login server where two share a name (DNL registries may)."""
    alike = [other for other in registries if other.name.casefold() == registry.name.casefold()]
    return registry.name if len(alike) == 1 else registry.login_server


def find(registries: Iterable[Registry], key: str) -> Registry | None:
    """The registry that `key` names: by name, login server or resource id, whatever its case."""
    wanted = key.casefold()
    return next(
        (
            registry
            for registry in registries
            if wanted in (registry.name.casefold(), registry.login_server.casefold(), registry.id.casefold())
        ),
        None,
    )


def choose_registry(who: str) -> tuple[str, Registry] | None:
    """A box of all registries, on the one that `?registry=` names: what the URL calls it, and itself. None without."""
    inventory = loaders.inventory(who)
    if not inventory.value.registries.values:
        show_progress(inventory, "inventory")
    registries = [registry for registry in inventory.value.registries.values if registry.login_server]
    if not registries:
        return None
    keys = [key_of(registry, registries) for registry in registries]
    named = find(registries, st.query_params.get("registry", ""))
    index = registries.index(named) if named else None
    key = st.selectbox("Registry", keys, index, key="picked", placeholder="Choose one", on_change=_remember)
    registry = find(registries, key) if key else None
    return (key, registry) if key and registry else None


def _remember() -> None:
    # Not bound to the URL: a bound parameter can't be handed on to the next page.
    st.query_params.from_dict({"registry": st.session_state["picked"]} if st.session_state["picked"] else {})


def show_none_chosen(who: str) -> None:
    """Why there is nothing to show: no registry is chosen, or none could be read."""
    inventory = loaders.inventory(who)
    if inventory.error:
        show_error(inventory.error)
    else:
        empty(":material/inventory_2:", "No registry chosen", "Choose one above, or select a row of the inventory.")


def registry_of_url(who: str) -> Registry:
    """The registry that `?registry=` names. Stops the page, with the reason shown, where there is none."""
    key = st.query_params.get("registry", "")
    if not key:
        empty(":material/inventory_2:", "No registry chosen", "Choose one in the inventory.")
        st.page_link("inventory.py", label="Inventory", icon=":material/inventory_2:")
        st.stop()
    reading = loaders.inventory(who)
    found = find(reading.value.registries.values, key)
    if found is None:
        show_progress(reading, "inventory")
        found = find(reading.value.registries.values, key)
    if found is None:
        if reading.error:
            show_error(reading.error)
        elif not reading.running:
            show_error(not_found(key))
        st.stop()
    return found


def repository_of_url() -> str:
    """The repository that `?repository=` names. Stops the page where there is none."""
    name = st.query_params.get("repository", "")
    if not name:
        empty(":material/folder:", "No repository chosen", "Choose one in Repositories and tags.")
        st.stop()
    return name
