"""What repositories and their images take, as tables: the same numbers as the map's."""

from collections.abc import Callable

import streamlit as st

from services.images.storage import ImageStorage, RepositoryStorage
from ui.elements.columns import Sizes
from ui.elements.page import empty
from ui.elements.selectable_table import selectable
from ui.elements.text import plain, short, size


def show_repositories(repositories: tuple[RepositoryStorage, ...], key: str, choose: Callable[[str], None]) -> None:
    """One a row. `choose` is called with the name of one whose row was selected."""
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
        "What each repository takes, those with most of their own first",
        columns={
            "Repository": st.column_config.TextColumn(pinned=True),
            "Total": Sizes("All that it points to, each once"),
            "Unique": Sizes("In no other repository. Untagged and what its images share are parts of it"),
            "Shared": Sizes("Other repositories have it too"),
            "Untagged": Sizes("What no tag leads to"),
        },
        on_select=lambda one: choose(one.name),
    )
    st.caption("Select a row to see its images.")


def show_images(repository: RepositoryStorage, key: str) -> ImageStorage | None:
    """One a row; returns the one whose row was selected."""
    st.subheader(f"Images of {plain(repository.name)} ({len(repository.images):,})", anchor=False)
    if not repository.images:
        empty(":material/sell:", "No tags", "All manifests of this repository are untagged.")
        return None
    chosen = selectable(
        repository.images,
        lambda image: {
            "Tags": list(image.tags),
            "Total": image.total,
            "Unique": image.unique,
            "Shared": image.shared,
            "Digest": short(image.digest),
        },
        key,
        "What each image takes, those with most of their own first",
        columns={
            "Tags": st.column_config.ListColumn(pinned=True),
            "Total": Sizes("With its platforms, attestations and what refers to it"),
            "Unique": Sizes("In no other image. Untagged manifests may still hold some of it"),
            "Shared": Sizes("Other images or repositories have it too"),
        },
        identity=lambda image: image.digest,
    )
    st.caption(
        f"Shared between its images: {size(repository.between_images)}. Untagged: {size(repository.untagged)}. "
        "Select a row to open an image."
    )
    return chosen
