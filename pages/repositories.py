"""A registry's repositories, in a table that opens each."""

import pyarrow as pa
import streamlit as st

from services.commands import images as az_images
from services.commands import sign_in as az_sign_in
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import show_error, show_refused
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import openable
from ui.elements.table import UTC
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import open_by_button, open_page
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
top = st.container()
left, right = st.container(), st.container()
registry = selection.choose_registry(who, pages.REPOSITORIES.title, top, left)
reading = registry_loaders.catalogue(who, registry.login_server)
with top:
    actions = header(
        pages.REPOSITORIES.title,
        "",
        None if reading.running else reading.at,
        lambda: registry_loaders.catalogue.clear(who, registry.login_server),
    )
with actions:
    open_by_button(pages.PUSH, registry=st.query_params["registry"])
with right:
    typed = st.selectbox(
        "Repository",
        reading.value.names,
        index=None,
        key=f"repository of {registry.id}",
        placeholder="Choose one, or type a name",
        accept_new_options=True,
        help="In ABAC mode the list requires Container Registry Repository Catalog Lister. Without it, type the name",
    )


def open_repository(name: str) -> None:
    open_page(pages.REPOSITORY, registry=st.query_params["registry"], repository=name)


if typed:
    open_repository(typed.strip())
show_progress(reading, f"catalogue {registry.id}")
if reading.error:
    show_error(reading.error)
    st.markdown("You can still type a repository's name above.")
    st.stop()
catalogue = reading.value
show_refused(catalogue.repositories, "repository", "repositories")
if not catalogue.names:
    if not reading.running:
        empty(":material/folder_off:", "No repositories", "The first push creates one.")
        az_lines(az_sign_in.sign_in(registry.name), label="Sign in for a push")
    st.stop()

search = st.text_input("Search", key="search", type="search", placeholder="Part of a name", bind="query-params")
names = [name for name in catalogue.names if (search or "").casefold().strip() in name.casefold()]
if not names:
    empty(":material/filter_alt_off:", "No repository matches", "Clear the search above.")
    st.stop()
known = {repository.name: repository for repository in catalogue.repositories.values}


def row(name: str) -> dict[str, object]:
    found = known.get(name)
    return {
        "Repository": name,
        "Tags": found.tag_count if found else None,
        "Manifests": found.manifest_count if found else None,
        "Last update": found.updated if found else None,
        "Created": found.created if found else None,
        "Locked": found.locks.label if found else None,
    }


chosen = openable(
    names,
    row,
    f"repositories of {registry.id}",
    "Repositories, one per row",
    columns={
        "Last update": ago_column(),
        "Created": ago_column(),
    },
    types={
        "Tags": pa.int64(),
        "Manifests": pa.int64(),
        "Last update": UTC,
        "Created": UTC,
        "Locked": pa.string(),
    },
)
st.caption(f"{counted(len(names), 'repository', 'repositories')} shown.")
if chosen:
    open_repository(chosen)
az_lines(az_images.list_repositories(registry.name))
