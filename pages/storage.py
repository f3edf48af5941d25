"""A registry's storage by repository and by image, every layer and manifest counted once."""

import streamlit as st

from services.commands import registries as az_registries
from services.commands import sign_in as az_sign_in
from ui.elements.bar_chart import pick_bar
from ui.elements.chart_theme import theme_now
from ui.elements.errors import panel, show_error, show_partial
from ui.elements.notices import run_again
from ui.elements.page import az_lines, empty, header
from ui.elements.text import plain
from ui.growth.tab import show_growth
from ui.images.registry_contents import registry_contents
from ui.images.storage_chart import storage_chart, storage_colours
from ui.images.storage_figures import show_difference, show_figures, show_gap, show_missing, show_untagged
from ui.images.storage_map import show_map
from ui.images.storage_tables import show_images, show_repositories
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.loaders import running as running_loader
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_page, registry_steps
from ui.navigation.url_choice import check_url, offer_nearest
from ui.runtime import connection
from ui.runtime.background import show_progress

TABS = REPOSITORIES, IMAGES, TREEMAP, GROWTH = ("Repositories", "Images", "Treemap", "Growth")

who = connection.who()
registry = selection.ready_registry_of_url(who, pages.STORAGE)
server = registry.login_server


def refresh() -> None:
    registry_loaders.forget_registry(who, registry)
    contents.forget(who, server)


catalogue = registry_loaders.catalogue(who, server)
before = contents.last_count(who, server)
steps = registry_steps(registry.name, st.query_params["registry"])
header(
    f"Storage of {plain(registry.name)}",
    "",
    before.at if before else None,
    refresh,
    (*steps, last_step(pages.STORAGE.title)),
)
show_progress(catalogue, f"catalogue {registry.id}")
if catalogue.error:
    show_error(catalogue.error)
if catalogue.error or catalogue.running:
    st.stop()
names = catalogue.value.names
if not names:
    empty(":material/folder_off:", "Nothing stored", "The first push creates a repository.")
    link_to(pages.DELETED, registry=st.query_params["registry"])
    az_lines(az_sign_in.sign_in(registry.name), label="Sign in for a push")
    st.stop()

measured = registry_contents(who, registry, catalogue.value)
if measured is not before:
    run_again()  # The header says how old it is.
storage = measured.storage
show_missing(measured.contents)
used = None
with panel():
    used = registry_loaders.registry(who, registry.id).value.stored_bytes
soft_delete = registry_loaders.soft_delete(who, registry)
far_more = show_gap(used, measured, soft_delete)
show_figures(storage, used)
if not far_more:
    show_difference(used, measured, soft_delete)
url = {"registry": st.query_params["registry"]}
show_untagged(storage, **url)

box = f"repository of the storage of {registry.id}"
visits = f"repositories opened in {box}"
by_name = {one.name: one for one in storage.repositories}


def remember() -> None:
    st.query_params["repository"] = st.session_state[box]


def choose(repository: str) -> None:
    """Opens the images of a repository; a row or bar can then be clicked again."""
    st.session_state[box] = repository
    st.session_state["show"] = IMAGES
    st.session_state[visits] = st.session_state.get(visits, 0) + 1
    remember()


times = st.session_state.get(visits, 0)
chart = storage_chart(storage)
if chart:
    bar = pick_bar(
        chart,
        f"{chart.title}: a bar for each repository, the largest first. The tab Repositories has the numbers.",
        f"bars of {box} {times}",
        storage_colours(theme_now()),
    )
    if bar and bar.label in by_name:
        choose(bar.label)
        st.rerun()
    st.caption("Content that several repositories share is in the bar of each, and stored once.")

named = st.query_params.get("repository", "")
if named and named not in by_name:
    st.warning(f"The repository {plain(named)} is not among those that were read.", icon=":material/link_off:")
    offer_nearest("repository", named, by_name)
check_url("show", "tab", TABS)
if named in by_name and "show" not in st.query_params and "show" not in st.session_state:
    st.session_state["show"] = IMAGES
tabs = dict(zip(TABS, st.tabs(list(TABS), on_change="rerun", key="show", bind="query-params"), strict=True))
if tabs[REPOSITORIES].open:
    with tabs[REPOSITORIES]:
        show_repositories(storage, f"{box} {times}", choose)
if tabs[IMAGES].open:
    with tabs[IMAGES]:
        options = list(by_name)
        first = options.index(named) if named in by_name else 0
        name = st.selectbox("Repository", options, first, key=box, on_change=remember, width=420)
        read = next((one for one in measured.contents.values if one.name == name), None)
        seen = running_loader.seen_of(who, registry, name) if name else None
        show_partial(*running_loader.unseen_parts(who))
        if name and (image := show_images(by_name[name], f"{box} {name}", read, seen)):
            open_page(pages.IMAGE, **url, repository=name, reference=image.tags[0])
if tabs[TREEMAP].open:
    with tabs[TREEMAP]:
        show_map(who, registry, measured)
if tabs[GROWTH].open:
    with tabs[GROWTH]:
        show_growth(who, registry, measured)
az_lines(az_registries.show_usage(registry.name))
