"""One line about storage on the pages of a repository and of an image, with a link to the page Storage."""

import streamlit as st

from services.images.storage import ImageStorage, RepositoryStorage
from ui.elements.text import ago, size
from ui.loaders import contents
from ui.navigation import pages
from ui.navigation.links import link_to


def show_repository_storage(who: str, login_server: str, registry_key: str, name: str) -> None:
    """Shows the storage of a repository, where its registry's contents have been read."""
    count = contents.last_count(who, login_server)
    found = next((one for one in count.storage.repositories if one.name == name), None) if count else None
    _show(count, found, {"registry": registry_key, "repository": name}, "other repositories")


def show_image_storage(who: str, login_server: str, registry_key: str, repository: str, digest: str) -> None:
    """Shows the storage of an image, where its registry's contents have been read."""
    count = contents.last_count(who, login_server)
    images = (
        image for one in (count.storage.repositories if count else ()) if one.name == repository for image in one.images
    )
    found = next((image for image in images if image.digest == digest), None)
    _show(count, found, {"registry": registry_key, "repository": repository}, "other images")


def _show(
    count: contents.StorageCount | None,
    found: RepositoryStorage | ImageStorage | None,
    url: dict[str, str],
    others: str,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if count and found:
            at_least = "" if count.storage.complete else ", as far as the registry could be read"
            st.markdown(
                f"**{size(found.total)}** stored: **{size(found.unique)}** unique, **{size(found.shared)}** shared "
                f"with {others}{at_least}. Counted {ago(count.at)}.",
                width="content",
            )
        link_to(pages.STORAGE, "Storage" if found else "Show storage", **url)
