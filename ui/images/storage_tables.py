"""The storage of repositories and of their images as tables, with the numbers of the treemap."""

from collections.abc import Callable

import streamlit as st

from services.images.storage import ImageStorage, RepositoryStorage
from ui.elements.columns import Sizes
from ui.elements.page import empty
from ui.elements.selectable_table import openable, selectable
from ui.elements.text import plain, short, size


def show_repositories(repositories: tuple[RepositoryStorage, ...], key: str, choose: Callable[[str], None]) -> None:
    """Shows one repository per row. `choose` is called with the name of the selected one."""
    st.subheader(f"Repositories ({len(repositories):,})", anchor=False)
    selectable(
        repositories,
        lambda one: {
            "Repository": one.name,
            "Total": one.total,
            "Unique": one.unique,
            "Shared": one.shared,
            "Untagged": one.untagged,
            "Images": len(one.images),
            "Read": "complete" if one.complete else "partial",
        },
        key,
        "Storage of each repository, the most unique bytes first",
        columns={
            "Total": Sizes("Everything it points to, counted once"),
            "Unique": Sizes("In no other repository. Includes Untagged and what its images share"),
            "Shared": Sizes("Also in other repositories"),
            "Untagged": Sizes("Not reachable from any tag"),
        },
        on_select=lambda one: choose(one.name),
    )


def show_images(repository: RepositoryStorage, key: str) -> ImageStorage | None:
    """Shows one image per row; returns the selected one."""
    st.subheader(f"Images of {plain(repository.name)} ({len(repository.images):,})", anchor=False)
    if not repository.images:
        empty(":material/sell:", "No tags", "All manifests of this repository are untagged.")
        return None
    chosen = openable(
        repository.images,
        lambda image: {
            "Tags": ", ".join(image.tags),
            "Total": image.total,
            "Unique": image.unique,
            "Shared": image.shared,
            "Digest": short(image.digest),
        },
        key,
        "Storage of each image, the most unique bytes first",
        columns={
            "Total": Sizes("With its platforms, attestations and referrers"),
            "Unique": Sizes("In no other image. Untagged manifests may have some of it"),
            "Shared": Sizes("Also in other images or repositories"),
        },
        identity=lambda image: image.digest,
    )
    st.caption(f"Shared between its images: {size(repository.between_images)}. Untagged: {size(repository.untagged)}.")
    return chosen
