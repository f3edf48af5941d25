"""A registry's storage as a treemap: registry → repository → image, by the bytes unique to each."""

from dataclasses import dataclass
from enum import StrEnum
from html import escape

import plotly.graph_objects as go
import streamlit as st

from services.images.storage import ImageStorage, RegistryStorage
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.chart_theme import ink_on, palette, show_chart, theme_now
from ui.elements.text import size
from ui.images.storage_chart import SHARED, TAGGED, UNTAGGED, storage_colours
from ui.loaders.contents import StorageCount
from ui.loaders.registries import BY_ID

# A smaller part of the registry has no room for its name: it is drawn as one with others.
SMALLEST = 0.012
HEIGHT_PX = 520


class Part(StrEnum):
    """What an area of the treemap shows."""

    REGISTRY = "registry"
    REPOSITORY = "repository"
    IMAGE = "Unique to an image"
    BETWEEN_IMAGES = "Shared by images of a repository"
    BETWEEN_REPOSITORIES = "Shared by repositories"
    UNTAGGED = "Untagged"
    SMALLER = "Several smaller parts"


@dataclass(frozen=True)
class Area:
    """`within` is the number of the area around it, None for the registry. `size` in bytes."""

    number: int
    within: int | None
    part: Part
    label: str
    size: int


Piece = tuple[Part, str, int]


def areas_of(name: str, storage: RegistryStorage, smallest: float = SMALLEST) -> list[Area]:
    """The areas, none of them empty; those within one add up to it. Labels are text from others.

    What takes less than `smallest` of the registry is joined with its like.
    """
    areas: list[Area] = []
    least = storage.total * smallest

    def add(within: int | None, piece: Piece) -> int:
        areas.append(Area(len(areas), within, *piece))
        return len(areas) - 1

    if not storage.total:
        return []
    registry = add(None, (Part.REGISTRY, name, storage.total))
    joined: list[Piece] = []
    for repository in (one for one in storage.repositories if one.unique):
        whole = (Part.SMALLER, repository.name, repository.unique)
        pieces: list[Piece] = [(Part.IMAGE, tags_of(image), image.unique) for image in repository.images]
        pieces.append((Part.UNTAGGED, "untagged", repository.untagged))
        pieces.append((Part.BETWEEN_IMAGES, "shared by its images", repository.between_images))
        large = [piece for piece in pieces if piece[2] >= least and piece[2]]
        if repository.unique < least or not repository.unique:
            joined.append(whole)
        elif not large:
            add(registry, whole)
        else:
            within = add(registry, (Part.REPOSITORY, repository.name, repository.unique))
            small = [piece for piece in pieces if 0 < piece[2] < least]
            for piece in (*large, *_join(small, "smaller part")):
                add(within, piece)
    shared = (Part.BETWEEN_REPOSITORIES, "shared by repositories", storage.shared)
    if 0 < storage.shared < least:
        joined.append(shared)
    for piece in _join(joined, "smaller repository", "smaller repositories"):
        add(registry, piece)
    if storage.shared and storage.shared >= least:
        add(registry, shared)
    return areas


def _join(pieces: list[Piece], one: str, many: str = "") -> list[Piece]:
    """Several as one; one as it is."""
    if len(pieces) < 2:
        return pieces
    return [(Part.SMALLER, counted(len(pieces), one, many), sum(piece[2] for piece in pieces))]


def tags_of(image: ImageStorage) -> str:
    """'latest +2': one of its tags, and how many more it has."""
    more = f" +{len(image.tags) - 1}" if len(image.tags) > 1 else ""
    return image.tags[0] + more


def show_map(who: str, registry: Registry, count: StorageCount) -> None:
    """Draws the treemap with its legend."""
    show_chart(
        _figure(who, registry, count, theme_now()),
        "The registry's storage as areas: each repository with its images, by the bytes unique to them. "
        "The tab Repositories has the numbers.",
    )
    st.caption(
        "An image is named by one of its tags. What takes less than "
        f"{100 * SMALLEST:.1f} % of the registry is drawn as one."
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
    return map_figure(areas_of(registry.name, count.storage), theme)


def map_figure(areas: list[Area], theme: str) -> go.Figure:
    """The areas, and a key of those colours that are among them."""
    colours, fill = palette(theme), colours_of(theme)
    shown = [part for part in fill if fill[part] != colours.panel and any(area.part is part for area in areas)]
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
            "pad": {"t": 24, "l": 3, "r": 3, "b": 3},
        },
        textfont={"color": [ink_on(fill[area.part]) for area in areas], "size": 12},
        tiling={"pad": 2},
        texttemplate="%{label}<br>%{text}",
        hovertemplate="%{label}<br>%{text}, %{percentRoot} of the registry<extra></extra>",
        pathbar={"visible": False},
    )
    key = [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=part.value,
            marker={"symbol": "square", "size": 12, "color": fill[part]},
        )
        for part in shown
    ]
    hidden = {"visible": False, "fixedrange": True}
    return go.Figure(
        [treemap, *key],
        {
            "template": "none",
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "font": {"family": st.get_option("theme.font"), "color": colours.text, "size": 13},
            "margin": {"t": 34, "l": 0, "r": 0, "b": 0},
            # A label that would be drawn smaller than this is not drawn: the area says it when pointed at.
            "uniformtext": {"minsize": 10, "mode": "hide"},
            "height": HEIGHT_PX,
            "xaxis": hidden,
            "yaxis": hidden,
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemclick": False},
        },
    )


def colours_of(theme: str) -> dict[Part, str]:
    """The colour of each kind of area, as on the bars where they show the same."""
    colours, bars = palette(theme), storage_colours(theme)
    return {
        Part.REGISTRY: colours.panel,
        Part.REPOSITORY: colours.panel,
        Part.IMAGE: bars[TAGGED],
        Part.BETWEEN_IMAGES: colours.series[3],
        Part.BETWEEN_REPOSITORIES: bars[SHARED],
        Part.UNTAGGED: bars[UNTAGGED],
        Part.SMALLER: colours.series[-1],
    }
