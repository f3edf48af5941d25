"""The repositories of a registry to choose one to clean up: those that store most first."""

from collections.abc import Callable

import streamlit as st

from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty, header
from ui.elements.skeleton import Shape
from ui.elements.text import ago
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.headings import heading_of
from ui.navigation.links import link_to, open_page
from ui.navigation.repository_table import choose_repository_row
from ui.runtime.background import show_progress


def choose_repository(who: str, registry: Registry) -> str:
    """The repository that `?repository=` names. Where it names none, stops the page with its header, a box for a name
    and the list of the registry's repositories."""
    name = st.query_params.get("repository", "")
    if not name:
        _ask_repository(who, registry)
        st.stop()
    return name


def _ask_repository(who: str, registry: Registry) -> None:
    reading = registry_loaders.catalogue(who, registry.login_server)
    title, path = heading_of(pages.CLEAN_UP)
    header(
        title,
        "",
        None if reading.running else reading.at,
        lambda: registry_loaders.catalogue.clear(who, registry.login_server),
        path,
    )
    show_progress(reading, f"catalogue {registry.id}", shape=None if reading.value.names else Shape.TABLE)
    catalogue = reading.value
    show_partial(Part(catalogue.repositories, "repository", "repositories"))
    box = f"repository chosen in {registry.id}"

    def remember() -> None:
        if typed := str(st.session_state[box] or "").strip():
            st.query_params["repository"] = typed

    st.selectbox(
        "Repository",
        catalogue.names,
        None,
        key=box,
        placeholder="Choose one, or type a name",
        accept_new_options=True,
        on_change=remember,
    )
    if reading.error:
        show_error(reading.error)
    elif catalogue.names:
        _list_repositories(who, registry, catalogue)
    elif not reading.running:
        empty(":material/folder_off:", "No repositories", "The first push creates one.")


def _list_repositories(who: str, registry: Registry, catalogue: registry_loaders.Catalogue) -> None:
    known = {one.name: one for one in catalogue.repositories.values}
    count = contents.last_count(who, registry.login_server)
    sizes = {one.name: one.total for one in count.storage.repositories} if count else {}
    measurement = contents.measurements(who).get(registry.login_server)
    untagged = measurement.untagged if measurement and not measurement.unread else None

    def order(name: str) -> tuple[int, int, str]:
        found = known.get(name)
        return -sizes.get(name, 0), -(found.manifest_count if found else 0), name

    measured: dict[str, Callable[[str], int | None]] = {"Size": sizes.get} if count else {}
    if untagged is not None:
        measured["Untagged"] = lambda name: untagged.get(name, 0) if name in sizes else None
    by = "the largest first" if count else "the most manifests first"
    st.subheader(f"{counted(len(catalogue.names), 'repository', 'repositories')}, {by}", anchor=False)
    chosen = choose_repository_row(
        sorted(catalogue.names, key=order),
        known.values(),
        f"repositories to clean up of {registry.id}",
        "Repositories to clean up",
        measured,
    )
    if count:
        st.caption(f"Sizes measured {ago(count.at)}. Sizes of repositories that share layers add up to more.")
    else:
        link_to(pages.STORAGE, "Measure sizes", registry=st.query_params["registry"])
    if chosen:
        open_page(pages.CLEAN_UP, registry=st.query_params["registry"], repository=chosen)
