"""The registry and the repository that the URL names, and the box that chooses a registry."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import streamlit as st

from services.connection.parallel import Partial
from services.registries.reading import not_found
from services.registries.registry import Registry
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty, end_outline, header
from ui.elements.skeleton import Shape
from ui.elements.styled_table import stored_column
from ui.elements.text import plain, size
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.choice_links import Choice, show_choices
from ui.navigation.headings import heading_of
from ui.navigation.links import link_to
from ui.navigation.pages import PageLink
from ui.navigation.url_choice import choice_box, offer_nearest
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


def registry_of_url(who: str, page: PageLink) -> Registry:
    """The registry that `?registry=` names. Where it names none, stops the page with its header and a list of those
    that it can be opened on; where there is no such registry, with the reason."""
    key = st.query_params.get("registry", "")
    reading = registry_loaders.inventory(who)
    if key and (found := find(reading.value.registries.values, key)):
        return found
    top = st.container()
    end_outline()
    show_progress(reading, "inventory", shape=None if reading.value.registries.values else Shape.TABLE)
    listed = reading.value.registries
    if key and (found := find(listed.values, key)):
        return found
    title, path = heading_of(page)
    with top:
        header(title, "", None if reading.running else reading.at, lambda: registry_loaders.inventory.clear(who), path)
    if not reading.running:
        show_partial(Part(listed, "subscription"))
    if reading.error:
        show_error(reading.error)
    elif not key:
        show_registries(listed, page, running=reading.running)
    elif not reading.running:
        show_unknown(listed)
    return st.stop()


def ready_registry_of_url(who: str, page: PageLink) -> Registry:
    """As `registry_of_url`, for a page that reads images: one that is being created has no login server yet."""
    registry = registry_of_url(who, page)
    if not registry.login_server:
        title, path = heading_of(page)
        header(title, "", None, lambda: registry_loaders.inventory.clear(who), path)
        show_unknown(registry_loaders.inventory(who).value.registries)
        st.stop()
    return registry


def show_registries(listed: Partial[Registry], page: PageLink, *, running: bool = False) -> None:
    """The registries as links that open `page` on each; of a page within a registry, the page above it. `running`: more
    may be read."""
    registries = with_login_server(listed)
    if not registries:
        if not running:
            show_no_registries(listed)
        return
    keys = keys_of(registries)
    target = page if page.of_registry or not page.parent else page.parent
    # By size once all sizes are known: rows that move while they are read can't be clicked.
    ordered = sorted(
        registries, key=lambda one: (0 if running else -(one.stored_bytes or 0), one.name.casefold(), one.id)
    )
    sized = running or any(one.stored_bytes is not None for one in registries)
    choices = [
        Choice(f"**{plain(one.name)}** · {_facts(one)}", _row(one, sized=sized), {"registry": keys[one.id]})
        for one in ordered
    ]
    columns = {"Stored": stored_column()} if sized else {}
    types = {"Stored": pa.int64()}
    show_choices(target, "Choose a registry", choices, kept=target is page, columns=columns, types=types)


def _row(registry: Registry, *, sized: bool) -> dict[str, object]:
    return {
        "Registry": registry.name,
        **({"Stored": registry.stored_bytes} if sized else {}),
        "SKU": registry.sku,
        "Location": registry.location,
        "Subscription": registry.subscription,
        "Resource group": registry.resource_group,
    }


def _facts(registry: Registry) -> str:
    """'1.5 GiB, Premium, westeurope' (markdown); without a size where it is not known."""
    stored = () if registry.stored_bytes is None else (size(registry.stored_bytes),)
    return plain(", ".join((*stored, registry.sku, registry.location)))


def registry_box(
    listed: Partial[Registry],
    label: str = "Registry",
    *,
    nothing: str,
    on_choice: Callable[[Registry | None], None] = lambda _: None,
) -> Registry | None:
    """A box of the registries that have a login server, for a page that can do without one: it shows the one that
    `?registry=` names, else `nothing`, and its choice is written there. `on_choice` is called with a new choice, before
    the page runs for it."""
    registries = with_login_server(listed)
    named = registry_named(listed)

    # Not bound to the URL by Streamlit: a bound parameter can't be passed to the next page.
    def remember(key: str) -> None:
        if key:
            st.query_params["registry"] = key
        else:
            st.query_params.pop("registry", None)
        on_choice(find(registries, key) if key else None)

    choice_box(
        label,
        list(keys_of(registries).values()),
        key_of(named, registries) if named else "",
        remember,
        name=BOX,
        nothing=nothing,
        placeholder=nothing,
        tip=not_offered(listed) or None,
    )
    return named


def registry_named(listed: Partial[Registry]) -> Registry | None:
    """The registry with a login server that `?registry=` names; None where it names none of these."""
    return find(with_login_server(listed), st.query_params.get("registry", ""))


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


def repository_of_url() -> str:
    """The repository that `?repository=` names. Stops the page where there is none."""
    name = st.query_params.get("repository", "")
    if not name:
        end_outline()
        empty(":material/folder:", "No repository chosen", "Choose one of the registry.")
        link_to(pages.REPOSITORIES, registry=st.query_params["registry"])
        st.stop()
    return name


def reference_of_url(repository: str) -> str:
    """The tag or digest that `?reference=` names. Stops the page where there is none: no image is guessed."""
    reference = st.query_params.get("reference", "")
    if not reference:
        end_outline()
        empty(":material/deployed_code:", "No image chosen", f"Choose a tag of {plain(repository)}.")
        link_to(pages.REPOSITORY, registry=st.query_params["registry"], repository=repository)
        st.stop()
    return reference
