"""A registry's repositories: searched, opened, and several locked, cleaned up or deleted at once."""

import pyarrow as pa
import streamlit as st

from services.commands import images as az_images
from services.commands import sign_in as az_sign_in
from services.images.tag_list import matches
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import openable_many
from ui.elements.skeleton import Shape
from ui.elements.table import UTC
from ui.elements.text import plain
from ui.elements.writing import may_write
from ui.images.lock_actions import change_locks, change_many_locks, show_lock_changes
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_by_button, open_page, registry_steps
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
registry = selection.ready_registry_of_url(who, pages.REPOSITORIES)
url = {"registry": st.query_params["registry"]}
reading = registry_loaders.catalogue(who, registry.login_server)
actions = header(
    pages.REPOSITORIES.title,
    "",
    None if reading.running else reading.at,
    lambda: registry_loaders.catalogue.clear(who, registry.login_server),
    (*registry_steps(registry.name, url["registry"]), last_step(pages.REPOSITORIES.title)),
)
notice = st.container()
with actions:
    open_by_button(pages.PUSH, **url)
show_lock_changes()
search = (
    st.text_input(
        "Search",
        key="search",
        type="search",
        placeholder="A part of a name, a glob such as team/*, or a whole name to open",
        bind="query-params",
        help="In ABAC mode the list requires Container Registry Repository Catalog Lister. Without it, type the name",
    )
    or ""
).strip()


def open_repository(name: str) -> None:
    open_page(pages.REPOSITORY, **url, repository=name)


def offer_unlisted() -> None:
    """A button that opens the repository that was typed: the list may lack it."""
    is_name = bool(search) and not set("*?[") & set(search)
    if is_name and st.button(f"Open {plain(search)}", icon=":material/arrow_forward:"):
        open_repository(search)


nothing = reading.running and not reading.value.names
show_progress(reading, f"catalogue {registry.id}", shape=Shape.TABLE if nothing else None)
if reading.error:
    show_error(reading.error)
    st.markdown("Type a repository's whole name above to open it without the list.")
    offer_unlisted()
    st.stop()
catalogue = reading.value
with notice:
    show_partial(Part(catalogue.repositories, "repository", "repositories"))
if not catalogue.names:
    if not reading.running:
        empty(":material/folder_off:", "No repositories", "The first push creates one.")
        link_to(pages.DELETED, **url)
        offer_unlisted()
        az_lines(az_sign_in.sign_in(registry.name), label="Sign in for a push")
    st.stop()

names = [name for name in catalogue.names if matches(name, search)]
if not names:
    empty(":material/filter_alt_off:", "No repository matches", "Clear the search above.")
    offer_unlisted()
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


bar = st.container(horizontal=True, vertical_alignment="center")
opened, selected = openable_many(
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
if opened:
    open_repository(opened)
with bar:
    number = counted(len(catalogue.names), "repository", "repositories")
    shown = f"{len(names):,} of {number}" if search else number
    st.markdown(f"**{len(selected):,} selected**" if selected else shown, width="content")
    one = len(selected) == 1
    # For the keyboard: names are clicked.
    if st.button("Open repository", icon=":material/open_in_full:", disabled=not one):
        open_repository(selected[0])
    if st.button("Set locks", icon=":material/lock:", disabled=not selected or not may_write()):
        if one:
            change_locks(who, registry, selected[0])
        else:
            change_many_locks(
                who, registry, "", {name: known[name].locks if name in known else None for name in selected}
            )
    if st.button("Clean up", icon=":material/mop:", disabled=not selected, help="Deletes old images by a rule"):
        open_page(pages.CLEAN_UP, **url, repository=selected)
    delete = "Delete repositories" if len(selected) > 1 else "Delete repository"
    if st.button(delete, icon=":material/delete:", disabled=not selected, key="delete repositories"):
        open_page(pages.DELETE, **url, repository=selected)
az_lines(az_images.list_repositories(registry.name))
