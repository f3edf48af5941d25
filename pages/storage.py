"""A registry's storage by repository and by image, every layer and manifest counted once."""

import streamlit as st

from services.commands import registries as az_registries
from services.commands import sign_in as az_sign_in
from services.wording import counted
from ui.elements.errors import panel, show_error
from ui.elements.page import az_lines, empty, header
from ui.elements.text import plain
from ui.images.storage_figures import show_figures, show_missing
from ui.images.storage_map import show_map
from ui.images.storage_tables import show_images, show_repositories
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import open_page
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
top = st.container()
left, right = st.container(), st.container()
registry = selection.choose_registry(who, pages.STORAGE.title, top, left, forget=("repository",))
server = registry.login_server


def refresh() -> None:
    registry_loaders.forget_registry(who, registry)
    contents.forget(who, server)


catalogue = registry_loaders.catalogue(who, server)
before = contents.last_count(who, server)
with top:
    header(pages.STORAGE.title, "Every layer and manifest is counted once", before.at if before else None, refresh)
show_progress(catalogue, f"catalogue {registry.id}")
if catalogue.error:
    show_error(catalogue.error)
if catalogue.error or catalogue.running:
    st.stop()
names = catalogue.value.names
if not names:
    empty(":material/folder_off:", "Nothing stored", "The first push creates a repository.")
    az_lines(az_sign_in.sign_in(registry.name), label="Sign in for a push")
    st.stop()


def read_contents() -> contents.StorageCount:
    """The registry's contents, read with progress shown. Stops the page until they are read.

    A large registry is read only when asked for, and so is one whose last read was stopped.
    """
    asked = f"contents of {registry.id}"
    manifests = catalogue.value.manifests
    large = manifests is None or manifests > image_loaders.LARGE
    if large and not before and not st.session_state.get(asked):
        repositories = f"{counted(len(names), 'repository', 'repositories')} or more"
        amount = repositories if manifests is None else counted(manifests, "manifest")
        st.markdown(f"{amount}: reading them all takes a while, and can be stopped.")
        if not st.button("Read all manifests", icon=":material/database:"):
            st.stop()
        st.session_state[asked] = True
    reading = contents.registry(who, server)
    show_progress(reading, asked)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        st.stop()
    found = contents.last_count(who, server)
    if not found:  # The contents of other registries have evicted it from the cache.
        refresh()
        st.rerun()
    return found


measured = read_contents()
if measured is not before:
    st.rerun()  # The header says how old it is.
storage = measured.storage
show_missing(measured.contents)
used = None
with panel():
    used = registry_loaders.registry(who, registry.id).value.stored_bytes
show_figures(storage, used)
if notice := registry_loaders.soft_delete(who, registry).notice:
    st.info(f"{plain(notice)} Azure's usage includes it; it is not counted here.", icon=":material/auto_delete:")
show_map(who, registry, measured)

box = f"repository of the storage of {registry.id}"
by_name = {one.name: one for one in storage.repositories}


def remember() -> None:
    if st.session_state[box]:
        st.query_params["repository"] = st.session_state[box]
    else:
        st.query_params.pop("repository", None)


def choose(repository: str) -> None:
    st.session_state[box] = repository
    remember()


with right:
    options = list(by_name)
    named = st.query_params.get("repository", "")
    index = options.index(named) if named in by_name else None
    name = st.selectbox("Repository", options, index, key=box, placeholder="Choose one", on_change=remember)
show_repositories(storage, box, choose)
if name and (image := show_images(by_name[name], f"{box} {name}")):
    url = {"registry": st.query_params["registry"], "repository": name}
    open_page(pages.IMAGE, **url, reference=image.tags[0])
az_lines(az_registries.show_usage(registry.name))
