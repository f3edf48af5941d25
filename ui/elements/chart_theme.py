"""The colours and the frame that all charts share, as the theme has them: told apart by all eyes."""

from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """`series` are the colours of what is drawn; `ink` writes, `page` is behind, `around` frames, `line` rules."""

    series: tuple[str, ...]
    ink: str
    page: str
    around: str
    line: str


# Beside the colour: what is drawn first is plain, the others are hatched or dashed.
HATCHES = ("", "/", ".", "x", "-", "+", "\\", "|")
DASHES = ("solid", "dash", "dot")


def theme_now() -> str:
    """'light' or 'dark': as whoever looks has it."""
    return st.context.theme.type or "light"


def palette(theme: str) -> Palette:
    """Of 'light' or 'dark', as .streamlit/config.toml has it."""
    ink, page, around, line = (
        st.get_option(f"theme.{theme}.{name}")
        for name in ("textColor", "backgroundColor", "secondaryBackgroundColor", "borderColor")
    )
    return Palette(tuple(st.get_option(f"theme.{theme}.chartCategoricalColors")), ink, page, around, line)


def layout(colours: Palette, height: int, **more: Any) -> dict[str, Any]:
    """The `layout` of a chart with axes: nothing but what is drawn, the legend below."""
    axis = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zerolinecolor": colours.line,
        "automargin": True,
        "fixedrange": True,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    given: dict[str, Any] = {
        "template": "none",
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": st.get_option("theme.font"), "color": colours.ink, "size": 13},
        "hoverlabel": {"bgcolor": colours.around, "font": {"color": colours.ink}, "bordercolor": colours.line},
        "margin": {"t": 16, "l": 8, "r": 16, "b": 8},
        "height": height,
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0, "xanchor": "left"},
        "xaxis": axis,
        "yaxis": axis,
    }
    for name, value in more.items():
        given[name] = _over(given[name], value) if isinstance(given.get(name), dict) else value
    return given


def _over(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return base | {
        name: _over(base[name], value) if isinstance(value, dict) and isinstance(base.get(name), dict) else value
        for name, value in more.items()
    }


_PLAIN: dict[str, Any] = {"theme": None, "config": {"displayModeBar": False}}


def show_chart(figure: Any, alt: str) -> None:
    """Draws a figure whose colours are all its own."""
    # Streamlit's theme would only send its styles for fifty other kinds of chart.
    st.plotly_chart(figure, alt=alt, **_PLAIN)


def pick_in_chart(figure: Any, alt: str, key: str) -> list[int]:
    """As `show_chart`; the indices of the points that are clicked on."""
    event = st.plotly_chart(figure, alt=alt, key=key, on_select="rerun", selection_mode="points", **_PLAIN)
    return list(event["selection"]["point_indices"])
