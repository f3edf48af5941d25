"""The repositories of a registry to choose one to clean up: those that store most first."""

import pyarrow as pa
import streamlit as st

from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty, header
from ui.elements.selectable_table import openable
from ui.elements.skeleton import Shape
from ui.elements.table import UTC
from ui.elements.text import ago
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.headings import heading_of
from ui.navigation.links import link_to, open_page
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

    def row(name: str) -> dict[str, object]:
        found = known.get(name)
        return {
            "Repository": name,
            **({"Size": sizes.get(name)} if count else {}),
            **({"Untagged": untagged.get(name, 0) if name in sizes else None} if untagged is not None else {}),
            "Tags": found.tag_count if found else None,
            "Manifests": found.manifest_count if found else None,
            "Last update": found.updated if found else None,
        }

    measured = {"Size": Sizes("What it stores, shared layers included")} if count else {}
    measured |= {"Untagged": Sizes("What no tag leads to")} if untagged is not None else {}
    by = "the largest first" if count else "the most manifests first"
    st.subheader(f"{counted(len(catalogue.names), 'repository', 'repositories')}, {by}", anchor=False)
    chosen = openable(
        sorted(catalogue.names, key=order),
        row,
        f"repositories to clean up of {registry.id}",
        "Repositories to clean up",
        columns={**measured, "Last update": ago_column()},
        types={"Tags": pa.int64(), "Manifests": pa.int64(), "Last update": UTC},
    )
    if count:
        st.caption(f"Sizes measured {ago(count.at)}. Sizes of repositories that share layers add up to more.")
    else:
        link_to(pages.STORAGE, "Measure sizes", registry=st.query_params["registry"])
    if chosen:
        open_page(pages.CLEAN_UP, registry=st.query_params["registry"], repository=chosen)
