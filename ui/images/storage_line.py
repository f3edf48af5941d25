"""One line about storage on the pages of a repository and of an image: what is known already, or where to read it."""

import streamlit as st

from services.images.storage import ImageStorage, RepositoryStorage
from ui.elements.text import ago, size
from ui.loaders import contents
from ui.navigation import pages
from ui.navigation.links import link_to


def show_repository_storage(who: str, login_server: str, registry_key: str, name: str) -> None:
    """What a repository takes, where its registry's contents have been read."""
    counted = contents.counted(who, login_server)
    found = next((one for one in counted.storage.repositories if one.name == name), None) if counted else None
    _show(counted, found, {"registry": registry_key, "repository": name}, "other repositories")


def show_image_storage(who: str, login_server: str, registry_key: str, repository: str, digest: str) -> None:
    """What an image takes, where its registry's contents have been read."""
    counted = contents.counted(who, login_server)
    images = (
        image
        for one in (counted.storage.repositories if counted else ())
        if one.name == repository
        for image in one.images
    )
    found = next((image for image in images if image.digest == digest), None)
    _show(counted, found, {"registry": registry_key, "repository": repository}, "other images")


def _show(
    counted: contents.Counted | None,
    found: RepositoryStorage | ImageStorage | None,
    url: dict[str, str],
    others: str,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if counted and found:
            at_least = "" if counted.storage.complete else ", as far as the registry could be read"
            st.markdown(
                f"**{size(found.total)}** stored: **{size(found.unique)}** its own, **{size(found.shared)}** shared "
                f"with {others}{at_least}. Counted {ago(counted.at)}.",
                width="content",
            )
        label = "Storage" if found else "What it takes, and what of it is shared"
        link_to(pages.STORAGE, label, **url)
