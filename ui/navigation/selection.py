"""The registry and the repository that the URL names, and the box that chooses a registry."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.connection.parallel import Partial
from services.registries.reading import not_found
from services.registries.registry import Registry
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty, end_outline, header
from ui.elements.skeleton import Shape
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.url_choice import offer_nearest
from ui.runtime.background import show_progress

BOX = "registry"
NEED_READER = "You need Reader on a subscription or registry to see it here."


def key_of(registry: Registry, registries: Iterable[Registry]) -> str:
    """A registry's key in the URL: its name, or its login server where two share a name, as DNL registries may; its
    resource id where it has none yet."""
    return keys_of(registries).get(registry.id) or registry.login_server or registry.id


def keys_of(registries: Iterable[Registry]) -> dict[str, str]:
    """The key in the URL of each registry, by its resource id."""
    registries = tuple(registries)
    named = Counter(registry.name.casefold() for registry in registries)
    return {
        registry.id: registry.name if named[registry.name.casefold()] == 1 else registry.login_server or registry.id
        for registry in registries
    }


def find(registries: Iterable[Registry], key: str) -> Registry | None:
    """The registry that `key` names: by login server, resource id or name, whatever its case. None where there is none,
    and where two share the name: none of them is guessed."""
    registries, wanted = tuple(registries), key.casefold()
    for registry in registries:
        if wanted and wanted in (registry.login_server.casefold(), registry.id.casefold()):
            return registry
    alike = _named(registries, key)
    return alike[0] if len(alike) == 1 else None


def _named(registries: Iterable[Registry], name: str) -> list[Registry]:
    return [registry for registry in registries if registry.name.casefold() == name.casefold()]


def registry_of_url(who: str) -> Registry:
    """The registry that `?registry=` names. Stops the page, with the reason shown, where there is none."""
    key = st.query_params.get("registry", "")
    if not key:
        end_outline()
        empty(":material/inventory_2:", "No registry chosen", "Choose one in the inventory.")
        link_to(pages.INVENTORY)
        st.stop()
    reading = registry_loaders.inventory(who)
    found = find(reading.value.registries.values, key)
    if found is None:
        end_outline()
        show_progress(reading, "inventory", shape=Shape.PAGE)
        found = find(reading.value.registries.values, key)
    if found is None:
        if reading.error:
            show_error(reading.error)
        elif not reading.running:
            show_unknown(reading.value.registries)
            show_partial(Part(reading.value.registries, "subscription"))
        st.stop()
    return found


def registry_box(
    listed: Partial[Registry],
    label: str = "Registry",
    placeholder: str = "Choose one",
    *,
    always: bool = False,
    forget: Iterable[str] = (),
    on_choice: Callable[[Registry | None], None] = lambda _: None,
) -> Registry | None:
    """The registry that `?registry=` of the URL names. Where it names none, a box that offers those that have a login
    server, whose choice is written there. Once one is chosen, the sidebar shows it and changes it.

    `always`: the box is shown also where the URL names one, for pages whose registry is not that of the sidebar.
    `forget`: parameters of the URL that name something within the registry. `on_choice` is called with a new choice,
    before the page runs for it.
    """
    registries = with_login_server(listed)
    keys = list(keys_of(registries).values())
    named = find(registries, st.query_params.get("registry", ""))
    if named and not always:
        return named
    # Not bound to the URL by Streamlit: a bound parameter can't be passed to the next page.
    st.session_state[BOX] = key_of(named, registries) if named else None

    def remember() -> None:
        key = st.session_state[BOX]
        if key:
            st.query_params["registry"] = key
        else:
            st.query_params.pop("registry", None)
        for name in forget:
            st.query_params.pop(name, None)
        on_choice(find(registries, key) if key else None)

    st.selectbox(
        label, keys, None, key=BOX, placeholder=placeholder, on_change=remember, help=not_offered(listed) or None
    )
    return named


def with_login_server(listed: Partial[Registry]) -> list[Registry]:
    """Those that images can be read from: one that is being created has no login server yet."""
    return [registry for registry in listed.values if registry.login_server]


def not_offered(listed: Partial[Registry]) -> str:
    """What a box of registries lacks, as they could not be read; "" where it lacks none."""
    unread = not_read(listed)
    return f"Not listed, as they could not be read: the registries of {plain(', '.join(unread))}" if unread else ""


def show_unknown(registries: Partial[Registry]) -> bool:
    """Whether the URL names a registry that is not among these; says so then, and offers the nearest. For when all
    have been read."""
    key = st.query_params.get("registry", "")
    found = find(registries.values, key) if key else None
    if not key or (found and found.login_server):
        return False
    if found:
        title = f"The registry {plain(found.name)} has no login server"
        st.error(f"{title} yet (state: {plain(found.provisioning_state or 'not reported')}).", icon=":material/error:")
        return True
    alike = _named(registries.values, key)
    if len(alike) > 1:
        st.error(f"{len(alike)} registries are named {plain(key)}.", icon=":material/error:")
    else:
        show_error(not_found(key, not_read(registries)))
    offer_nearest("registry", key, list(keys_of(registries.values).values()))
    return True


def not_read(partial: Partial[Any]) -> tuple[str, ...]:
    """The parts that could not be read, by name; those that were not tried as one."""
    untried = (f"{partial.untried:,} not tried",) if partial.untried else ()
    return (*(refusal.what for refusal in partial.refused), *untried)


def show_no_registries(registries: Partial[Registry]) -> None:
    """What a page shows where no registry was found: that there is none, or that it is not known."""
    if registries.complete:
        empty(":material/inventory_2:", "No registries found", NEED_READER)
    else:
        empty(":material/inventory_2:", "Registries unknown", "Not every subscription could be read.")


def choose_registry(
    who: str, title: str, top: DeltaGenerator, within: DeltaGenerator, forget: Iterable[str] = ()
) -> Registry:
    """The registry chosen in a `registry_box` in `within`. Stops the page where there is none, with its header and
    what to do in `top`."""
    inventory = registry_loaders.inventory(who)
    if not inventory.value.registries.values:
        show_progress(inventory, "inventory", shape=Shape.TABLE)
    listed = inventory.value.registries
    registry = None
    if with_login_server(listed):
        with within:
            registry = registry_box(listed, forget=forget)
    if registry is None:
        with top:
            header(title, "", None, lambda: registry_loaders.inventory.clear(who))
        if inventory.error:
            show_error(inventory.error)
        elif inventory.running or not show_unknown(listed):
            if listed.values or inventory.running:
                empty(":material/inventory_2:", "No registry chosen", "Choose one above, or in the inventory.")
            else:
                show_no_registries(listed)
        if not inventory.running:
            show_partial(Part(listed, "subscription"))
        st.stop()
    return registry


def repository_of_url() -> str:
    """The repository that `?repository=` names. Stops the page where there is none."""
    name = st.query_params.get("repository", "")
    if not name:
        end_outline()
        empty(":material/folder:", "No repository chosen", "Choose one in Repositories and tags.")
        st.stop()
    return name


def choose_repository(who: str, registry: Registry, title: str) -> str:
    """The repository that `?repository=` names. Where it names none, stops the page with its header and a box of the
    registry's repositories, where a name that is not listed can be typed."""
    name = st.query_params.get("repository", "")
    if not name:
        _ask_repository(who, registry, title)
        st.stop()
    return name


def _ask_repository(who: str, registry: Registry, title: str) -> None:
    reading = registry_loaders.catalogue(who, registry.login_server)
    header(
        title,
        f"In {plain(registry.name)}",
        None if reading.running else reading.at,
        lambda: registry_loaders.catalogue.clear(who, registry.login_server),
    )
    show_progress(reading, f"catalogue {registry.id}")
    box = f"repository chosen in {registry.id}"

    def remember() -> None:
        if typed := str(st.session_state[box] or "").strip():
            st.query_params["repository"] = typed

    st.selectbox(
        "Repository",
        reading.value.names,
        None,
        key=box,
        placeholder="Choose one, or type a name",
        accept_new_options=True,
        on_change=remember,
    )
    if reading.error:
        show_error(reading.error)


def reference_of_url(repository: str) -> str:
    """The tag or digest that `?reference=` names. Stops the page where there is none: no image is guessed."""
    reference = st.query_params.get("reference", "")
    if not reference:
        end_outline()
        empty(":material/deployed_code:", "No image chosen", f"Choose a tag of {plain(repository)}.")
        st.stop()
    return reference
