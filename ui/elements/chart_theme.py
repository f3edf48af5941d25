"""The colours and the layout that all charts share, from the theme, and what marks a series beside its colour."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import streamlit as st

from ui.elements.text import plain


@dataclass(frozen=True)
class Palette:
    """`series`: the colours of what is drawn, in order, the last one for "other"; `text`; `background`, of the page;
    `panel`, of what is around the data; `line`, of axes and grids."""

    series: tuple[str, ...]
    text: str
    background: str
    panel: str
    line: str


class Meaning(Enum):
    """What a colour says, the same in all charts and both themes. Each has a sign beside it where it is used."""

    GOOD = "green"
    ATTENTION = "amber"
    BAD = "red"
    UNKNOWN = "grey"


# Of each meaning the fill, and the text on it.
MEANINGS = {
    "light": {
        Meaning.GOOD: ("#1d7a4c", "#ffffff"),
        Meaning.ATTENTION: ("#f0b429", "#12262b"),
        Meaning.BAD: ("#b3261e", "#ffffff"),
        Meaning.UNKNOWN: ("#c5d1d5", "#12262b"),
    },
    "dark": {
        Meaning.GOOD: ("#4cc38a", "#0c1518"),
        Meaning.ATTENTION: ("#f2b84b", "#0c1518"),
        Meaning.BAD: ("#f2796f", "#0c1518"),
        Meaning.UNKNOWN: ("#43545a", "#ffffff"),
    },
}

# What is "other", or of no kind of its own.
OTHER = {"light": "#6b7b80", "dark": "#8fa3a9"}
_INKS = ("#ffffff", "#04090b")

# For readers who cannot tell the colours apart: the first series is plain, the others are hatched or dashed.
HATCHES = ("", "/", ".", "x", "-", "+", "\\", "|")
DASHES = ("solid", "dash", "dot")


def theme_now() -> str:
    """The theme of the viewer: 'light' or 'dark'."""
    return st.context.theme.type or "light"


def palette(theme: str) -> Palette:
    """The colours of the theme 'light' or 'dark', from .streamlit/config.toml."""
    text, background, panel, line = (
        st.get_option(f"theme.{theme}.{name}")
        for name in ("textColor", "backgroundColor", "secondaryBackgroundColor", "borderColor")
    )
    series = tuple(st.get_option(f"theme.{theme}.chartCategoricalColors"))
    return Palette((*series, OTHER[theme]), text, background, panel, line)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 defines it, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(fill: str) -> str:
    """The colour of text on `fill`, whichever is read more easily."""
    return max(_INKS, key=lambda ink: contrast(ink, fill))


def hatched(colours: Palette, number: int, fill: str) -> dict[str, Any]:
    """The plotly `marker` of the series of that number: its colour, and the hatching that tells it apart without."""
    return {
        "color": fill,
        "pattern": {"shape": HATCHES[number % len(HATCHES)], "fgcolor": colours.background, "fillmode": "overlay"},
        "line": {"width": 1, "color": colours.background},
    }


def layout(colours: Palette, height: int, **more: Any) -> dict[str, Any]:
    """The plotly `layout` of a chart with axes, the legend below it. `more` is merged over it, key by key."""
    axis = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zerolinecolor": colours.line,
        "automargin": True,
        "fixedrange": True,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    merged: dict[str, Any] = {
        "template": "none",
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": st.get_option("theme.font"), "color": colours.text, "size": 13},
        "hoverlabel": {"bgcolor": colours.panel, "font": {"color": colours.text}, "bordercolor": colours.line},
        "margin": {"t": 16, "l": 8, "r": 16, "b": 8},
        "height": height,
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0, "xanchor": "left"},
        "xaxis": axis,
        "yaxis": axis,
    }
    for name, value in more.items():
        merged[name] = _merge(merged[name], value) if isinstance(merged.get(name), dict) else value
    return merged


def _merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return base | {
        name: _merge(base[name], value) if isinstance(value, dict) and isinstance(base.get(name), dict) else value
        for name, value in more.items()
    }


_PLAIN: dict[str, Any] = {"theme": None, "config": {"displayModeBar": False}}


def show_chart_title(title: str) -> None:
    """What the chart below answers, as text that wraps: plotly would cut it. Text from others is not rendered."""
    st.markdown(f"**{plain(title)}**")


def show_chart(figure: Any, alt: str) -> None:
    """Draws a figure that sets all of its colours. `alt` says what it shows."""
    # Streamlit's own theme would send the styles of fifty kinds of chart that the figure does not use.
    st.plotly_chart(figure, alt=alt, **_PLAIN)


def pick_in_chart(figure: Any, alt: str, key: str) -> list[int]:
    """As `show_chart`; returns the indices of the clicked points."""
    event = st.plotly_chart(figure, alt=alt, key=key, on_select="rerun", selection_mode="points", **_PLAIN)
    return list(event["selection"]["point_indices"])
