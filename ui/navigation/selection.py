"""Which registry, repository and image the URL names."""

from collections.abc import Iterable
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.registries.reading import not_found
from services.registries.registry import Registry
from ui.elements.errors import show_error
from ui.elements.page import empty, header
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime.background import show_progress


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


def registry_of_url(who: str) -> Registry:
    """The registry that `?registry=` names. Stops the page, with the reason shown, where there is none."""
    key = st.query_params.get("registry", "")
    if not key:
        empty(":material/inventory_2:", "No registry chosen", "Choose one in the inventory.")
        link_to(pages.INVENTORY)
        st.stop()
    reading = registry_loaders.inventory(who)
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


def choose_registry(who: str, title: str, caption: str, top: DeltaGenerator, within: DeltaGenerator) -> Registry:
    """The registry chosen in a box in `within`, which the URL remembers. Stops the page where there is none: then `top`
    has the page's header and what to do."""
    inventory = registry_loaders.inventory(who)

    def choose_nothing_yet() -> NoReturn:
        with top:
            header(title, caption, None, lambda: registry_loaders.inventory.clear(who))
        if inventory.error:
            show_error(inventory.error)
        else:
            empty(":material/inventory_2:", "No registry chosen", "Choose one above, or select a row of the inventory.")
        st.stop()

    if not inventory.value.registries.values:
        show_progress(inventory, "inventory")
    registries = [registry for registry in inventory.value.registries.values if registry.login_server]
    if not registries:
        choose_nothing_yet()
    keys = [key_of(registry, registries) for registry in registries]
    named = find(registries, st.query_params.get("registry", ""))
    box = f"registry of {title}"

    def remember() -> None:
        # Not bound to the URL: a bound parameter can't be handed on to the next page.
        st.query_params.from_dict({"registry": st.session_state[box]} if st.session_state[box] else {})

    with within:
        index = registries.index(named) if named else None
        key = st.selectbox("Registry", keys, index, key=box, placeholder="Choose one", on_change=remember)
    registry = find(registries, key) if key else None
    if registry is None:
        choose_nothing_yet()
    return registry


def repository_of_url() -> str:
    """The repository that `?repository=` names. Stops the page where there is none."""
    name = st.query_params.get("repository", "")
    if not name:
        empty(":material/folder:", "No repository chosen", "Choose one in Repositories and tags.")
        st.stop()
    return name
