"""What repositories and their images take, as tables: the same numbers as the map's."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from services.images.storage import ImageStorage, RepositoryStorage
from ui.elements.page import empty
from ui.elements.table import page_of, table_height, table_of
from ui.elements.text import plain, short, size

MIB = 1024 * 1024


def show_repositories(repositories: tuple[RepositoryStorage, ...], key: str, choose: Callable[[str], None]) -> None:
    """One a row. `choose` is called with the name of one whose row was selected."""
    st.subheader(f"Repositories ({len(repositories):,})", anchor=False)
    shown, page = page_of(repositories, key)
    table = f"{key}:table {page}"

    def selected() -> None:
        if rows := st.session_state[table].selection.rows:
            choose(shown[rows[0]].name)

    st.dataframe(
        table_of(
            [
                {
                    "Repository": one.name,
                    "Total": one.total / MIB,
                    "Its own": one.unique / MIB,
                    "Shared": one.shared / MIB,
                    "Untagged": one.untagged / MIB,
                    "Images": len(one.images),
                    "Read": "whole" if one.complete else "in part",
                }
                for one in shown
            ]
        ),
        key=table,
        height=table_height(len(shown)),
        hide_index=True,
        on_select=selected,
        selection_mode="single-row",
        alt="What each repository takes, those with most of their own first",
        column_config={
            "Repository": st.column_config.TextColumn(pinned=True),
            "Total": _in_mib("All that it points to, each once."),
            "Its own": _in_mib("In no other repository. Untagged and what its images share are parts of it."),
            "Shared": _in_mib("Other repositories have it too."),
            "Untagged": _in_mib("What no tag leads to."),
        },
    )
    st.caption("Select a row to see its images.")


def show_images(repository: RepositoryStorage, key: str) -> ImageStorage | None:
    """One a row; returns the one whose row was selected."""
    st.subheader(f"Images of {plain(repository.name)} ({len(repository.images):,})", anchor=False)
    if not repository.images:
        empty(":material/sell:", "No tags", "All that this repository has is untagged.")
        return None
    shown, page = page_of(repository.images, key)
    selected = st.dataframe(
        table_of(
            [
                {
                    "Tags": list(image.tags),
                    "Total": image.total / MIB,
                    "Its own": image.unique / MIB,
                    "Shared": image.shared / MIB,
                    "Digest": short(image.digest),
                }
                for image in shown
            ]
        ),
        key=f"{key}:table {page}",
        height=table_height(len(shown)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt="What each image takes, those with most of their own first",
        column_config={
            "Tags": st.column_config.ListColumn(pinned=True),
            "Total": _in_mib("With its platforms, attestations and what refers to it."),
            "Its own": _in_mib("In no other image. Untagged manifests may still hold some of it."),
            "Shared": _in_mib("Other images or repositories have it too."),
        },
    )
    st.caption(
        f"Shared between its images: {size(repository.between_images)}. Untagged: {size(repository.untagged)}. "
        "Select a row to open an image."
    )
    return shown[selected.selection.rows[0]] if selected.selection.rows else None


def _in_mib(meaning: str) -> Any:
    return st.column_config.NumberColumn(format="%.1f MiB", help=meaning)
