"""The storage of repositories and of their images as tables, with the numbers of the treemap."""

from collections.abc import Callable

import streamlit as st

from services.images.repository_contents import RepositoryContents
from services.images.storage import ImageStorage, RegistryStorage, RepositoryStorage
from services.running.seen import SeenRunning
from services.wording import counted
from ui.elements.page import empty
from ui.elements.selectable_table import openable, selectable
from ui.elements.styled_table import Worded
from ui.elements.table import TEXTS
from ui.elements.text import plain, short, size
from ui.running.seen import ask_unseen, seen_words


def show_repositories(storage: RegistryStorage, key: str, choose: Callable[[str], None]) -> None:
    """Shows one repository per row, in the order of the bars. `choose` is called with the name of the selected one."""
    repositories = sorted(storage.repositories, key=lambda one: (-one.total, one.name))
    of = f" of {len(repositories) + storage.missing:,}, the others could not be read" if storage.missing else ""
    st.subheader(f"Repositories ({len(repositories):,}{of})", anchor=False)
    if not repositories:
        return
    complete = all(one.complete for one in repositories)
    selectable(
        repositories,
        lambda one: {
            "Repository": one.name,
            "Total": one.total if one.complete or one.total else None,
            "Untagged": one.untagged if one.complete else None,
            "Unique": one.unique if one.complete else None,
            "Shared": one.shared if one.complete else None,
            "Images": len(one.images),
            **({} if complete else {"Read": "Complete" if one.complete else f"Total is at least: {_not_read(one)}"}),
        },
        key,
        "Storage of each repository, the largest first",
        columns={
            "Total": Worded(size, "Everything it points to, counted once"),
            "Unique": Worded(size, "In no other repository. Includes Untagged and what its images share"),
            "Shared": Worded(size, "Also in other repositories"),
            "Untagged": Worded(size, "Not reachable from any tag"),
        },
        on_select=lambda one: choose(one.name),
    )


def show_images(
    repository: RepositoryStorage, key: str, contents: RepositoryContents | None, seen: SeenRunning | None
) -> ImageStorage | None:
    """Shows one image per row, with where it was `seen` running, by itself or by one of its platforms; returns the
    selected one."""
    st.subheader(f"Images of {plain(repository.name)} ({len(repository.images):,})", anchor=False)
    if not repository.images:
        empty(":material/sell:", "No tags", "All manifests of this repository are untagged.")
        return None
    places = {image.digest: _places(image, contents, seen) for image in repository.images} if seen else {}
    images = repository.images
    if seen and ask_unseen(seen):
        images = tuple(image for image in images if not places[image.digest])
        if not images:
            st.markdown("Each image was seen running.")
            return None
    chosen = openable(
        images,
        lambda image: {
            "Tags": ", ".join(image.tags),
            "Total": image.total if repository.complete else None,
            "Unique": image.unique if repository.complete else None,
            "Shared": image.shared if repository.complete else None,
            **({"Runs in": list(places[image.digest])} if seen else {}),
            "Digest": short(image.digest),
        },
        key,
        "Storage of each image, the most unique bytes first",
        columns={
            "Total": Worded(size, "With its platforms, attestations and referrers"),
            "Unique": Worded(size, "In no other image. Untagged manifests may have some of it"),
            "Shared": Worded(size, "Also in other images or repositories"),
            "Runs in": st.column_config.ListColumn(width="medium", help=seen_words(seen) if seen else None),
        },
        types={"Runs in": TEXTS},
        identity=lambda image: image.digest,
    )
    st.caption(
        f"Shared between its images: {size(repository.between_images)}. Untagged: {size(repository.untagged)}."
        if repository.complete
        else f"Sizes are unknown: {_not_read(repository)}."
    )
    return chosen


def _places(image: ImageStorage, contents: RepositoryContents | None, seen: SeenRunning) -> tuple[str, ...]:
    """Where an image runs: whichever of its tags or of its platforms' digests is named."""
    index = contents.manifests.get(image.digest) if contents else None
    platforms = (place for child in (index.children if index else ()) for place in seen.places(child.digest))
    return tuple(dict.fromkeys((*seen.places(image.digest, *image.tags), *platforms)))


def _not_read(repository: RepositoryStorage) -> str:
    missing = repository.unread + repository.hidden
    return f"{counted(missing, 'manifest')} not read"
