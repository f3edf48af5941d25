"""The repositories of a registry on its page: those that matter, with the way to all of them."""

import streamlit as st

from services.images.repositories import Repository
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty
from ui.elements.text import ago
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to, open_page
from ui.navigation.repository_table import choose_repository_row
from ui.runtime.background import show_progress

MOST = 20


def show_repositories(who: str, registry: Registry, here: dict[str, str]) -> None:
    """Shows the largest repositories where the registry was measured, else those that changed last."""
    with st.container(horizontal=True):
        link_to(pages.REPOSITORIES, "All repositories", **here)
        link_to(pages.PUSH, **here)
        link_to(pages.STORAGE, **here)
        link_to(pages.CLEAN_UP, **here)
    if not registry.login_server:
        empty(":material/folder_off:", "No login server yet", "Images can be read once the registry is created.")
        return
    reading = registry_loaders.catalogue(who, registry.login_server)
    show_progress(reading, f"catalogue {registry.id}")
    if reading.error:
        show_error(reading.error)
        return
    catalogue = reading.value
    show_partial(Part(catalogue.repositories, "repository", "repositories"))
    if not catalogue.names:
        if not reading.running:
            empty(":material/folder_off:", "No repositories", "The first push creates one.")
            link_to(pages.DELETED, **here)
        return
    known = {one.name: one for one in catalogue.repositories.values}
    count = contents.last_count(who, registry.login_server)
    sizes = {one.name: one.total for one in count.storage.repositories} if count else {}

    def rank(name: str) -> tuple[float, float]:
        return -sizes.get(name, 0), -_updated(known.get(name))

    names = sorted(catalogue.names, key=rank)[:MOST]
    more = f", of {len(catalogue.names):,}" if len(catalogue.names) > MOST else ""
    order = "the largest first" if count else "the last updated first"
    st.subheader(f"{counted(len(names), 'repository', 'repositories')}{more}, {order}", anchor=False)
    chosen = choose_repository_row(
        names,
        known.values(),
        f"repositories on the page of {registry.id}",
        "Repositories of the registry",
        {"Size": sizes.get} if count else {},
    )
    if count:
        st.caption(f"Sizes measured {ago(count.at)}. Sizes of repositories that share layers add up to more.")
    else:
        st.caption("Sizes are not measured yet: Storage reads them.")
    if chosen:
        open_page(pages.REPOSITORY, **here, repository=chosen)


def _updated(repository: Repository | None) -> float:
    return repository.updated.timestamp() if repository and repository.updated else 0
