"""A registry's storage as a treemap: registry → repository → image, by the bytes unique to each."""

from dataclasses import dataclass
from enum import StrEnum
from html import escape

import plotly.graph_objects as go
import streamlit as st

from services.images.storage import ImageStorage, RegistryStorage, RepositoryStorage
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.chart_theme import palette, show_chart, theme_now
from ui.elements.text import size
from ui.loaders.contents import StorageCount
from ui.loaders.registries import BY_ID

# More areas than these can't be told apart, and make the browser slow: smaller ones are drawn as one.
LARGEST = 500
HEIGHT_PX = 480


class Part(StrEnum):
    """What an area of the treemap shows."""

    REGISTRY = "registry"
    REPOSITORY = "repository"
    IMAGE = "image"
    UNTAGGED = "untagged"
    BETWEEN_IMAGES = "shared between images"
    BETWEEN_REPOSITORIES = "shared between repositories"


@dataclass(frozen=True)
class Area:
    """`within` is the number of the area around it, None for the registry. `size` in bytes."""

    number: int
    within: int | None
    part: Part
    label: str
    size: int


def areas_of(name: str, storage: RegistryStorage, largest: int = LARGEST) -> list[Area]:
    """The areas, none of them empty; those within one add up to it. Labels are text from others."""
    areas: list[Area] = []

    def add(within: int | None, part: Part, label: str, size: int) -> int:
        if size:
            areas.append(Area(len(areas), within, part, label, size))
        return len(areas) - 1

    registry = add(None, Part.REGISTRY, name, storage.total)
    shown = storage.repositories[:largest]
    images = sorted((image.unique for one in shown for image in one.images), reverse=True)
    smallest = images[largest - 1] if len(images) >= largest else 0
    left = largest
    for repository in shown:
        if not repository.unique:
            continue
        within = add(registry, Part.REPOSITORY, repository.name, repository.unique)
        drawn = [image for image in repository.images if image.unique >= smallest][: max(left, 0)]
        left -= len(drawn)
        for image in drawn:
            add(within, Part.IMAGE, tags_of(image), image.unique)
        rest = repository.images[len(drawn) :]
        add(within, Part.IMAGE, counted(len(rest), "smaller image"), sum(image.unique for image in rest))
        add(within, Part.UNTAGGED, "untagged", repository.untagged)
        add(within, Part.BETWEEN_IMAGES, "shared by its images", repository.between_images)
    small: tuple[RepositoryStorage, ...] = storage.repositories[largest:]
    label = counted(len(small), "smaller repository", "smaller repositories")
    add(registry, Part.REPOSITORY, label, sum(repository.unique for repository in small))
    add(registry, Part.BETWEEN_REPOSITORIES, "shared by repositories", storage.shared)
    return areas


def tags_of(image: ImageStorage) -> str:
    """'latest +2': one of its tags, and how many more it has."""
    more = f" +{len(image.tags) - 1}" if len(image.tags) > 1 else ""
    return image.tags[0] + more


def show_map(who: str, registry: Registry, count: StorageCount) -> None:
    """Draws the treemap. Labels say what the colours say."""
    show_chart(
        _figure(who, registry, count, theme_now()),
        "The registry's storage as areas: each repository with its images, by the bytes unique to them. "
        "The tables below have the same numbers.",
    )
    st.caption(
        "An image is named by one of its tags. Hover over an area too small for its name, or click its repository."
    )


# Plotly takes longer to check a figure than the rest of the page to run.
@st.cache_resource(show_spinner=False, max_entries=50, hash_funcs={**BY_ID, StorageCount: lambda count: count.at})
def _figure(
    who: str,  # noqa: ARG001 A part of the key.
    registry: Registry,
    count: StorageCount,
    theme: str,
) -> go.Figure:
    """The treemap. Identity, registry and time of the count identify what was counted."""
    areas = areas_of(registry.name, count.storage)
    fill, text = _colours(theme)
    treemap = go.Treemap(
        ids=[str(area.number) for area in areas],
        parents=["" if area.within is None else str(area.within) for area in areas],
        # Plotly reads labels as HTML.
        labels=[escape(area.label) for area in areas],
        values=[area.size for area in areas],
        text=[size(area.size) for area in areas],
        branchvalues="total",
        marker={
            "colors": [fill[area.part] for area in areas],
            "line": {"width": 0},
            "pad": {"t": 22, "l": 3, "r": 3, "b": 3},
        },
        textfont={"color": [text[area.part] for area in areas]},
        tiling={"pad": 2},
        texttemplate="%{label}<br>%{text}",
        hovertemplate="%{label}<br>%{text}, %{percentRoot} of the registry<extra></extra>",
        pathbar={"visible": True},
    )
    # Text that would be too small to read is left out: it shows on hover, and where its area is opened.
    uniform = {"minsize": 8, "mode": "hide"}
    layout = {
        "template": "none",
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": st.get_option("theme.font")},
        "margin": {"t": 28, "l": 0, "r": 0, "b": 0},
        "height": HEIGHT_PX,
        "uniformtext": uniform,
    }
    return go.Figure(treemap, layout)


def _colours(theme: str) -> tuple[dict[Part, str], dict[Part, str]]:
    """The colours of the areas and of their labels."""
    colours = palette(theme)
    image, untagged, between_images, _, between_repositories = colours.series
    fill = {
        Part.REGISTRY: colours.panel,
        Part.REPOSITORY: colours.panel,
        Part.IMAGE: image,
        Part.UNTAGGED: untagged,
        Part.BETWEEN_IMAGES: between_images,
        Part.BETWEEN_REPOSITORIES: between_repositories,
    }
    text = {part: colours.text if colour == colours.panel else colours.background for part, colour in fill.items()}
    return fill, text
