"""A row of figures at the top of a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ui.elements.text import plain

# Metrics in a row; more start another row.
MOST = 4
# An odd number of tiles stands below each other on a phone, where two in a row would leave a hole.
_NARROWEST_PX, _NARROWEST_ODD_PX = 170, 190


@dataclass(frozen=True)
class Metric:
    """A figure with its name. `value` None: unknown, and `unknown` says why. `beside`: a few words below the figure.

    `lacks`: what was not read for it, as "6 of 12 usages unread"; the figure is a lower bound then.
    """

    label: str
    value: int | str | None
    help: str = ""
    beside: str = ""
    unknown: str = ""
    lacks: str = ""


def show_metrics(metrics: Sequence[Metric], *, most: int = MOST) -> None:
    """Shows them in one height, at most `most` in a row. The words below a figure wrap: `st.metric` would cut them."""
    width = _NARROWEST_ODD_PX if len(metrics) % 2 else _NARROWEST_PX
    with st.grid(min(len(metrics), most), min_column_width=width):
        for one in metrics:
            why = f"Unknown: {one.unknown}" if one.value is None else f"At least: {one.lacks}" if one.lacks else ""
            with st.container(border=True, height="stretch", gap="xxsmall"):
                st.metric(one.label, _text(one), help="  \n".join(text for text in (why, one.help) if text) or None)
                for note in notes_of(one):
                    st.caption(plain(note))


def notes_of(metric: Metric) -> list[str]:
    """The lines below the figure: what it is beside, and what it lacks."""
    return [note for note in (metric.beside, metric.lacks) if note]


def show_line(metrics: Sequence[Metric]) -> None:
    """Shows them in one line of text, "**12** registries in 3 subscriptions · **≥ 37** repositories", with what they
    lack in its help."""
    parts, notes = [], []
    for one in metrics:
        beside = f" {one.beside}" if one.beside and not one.lacks else ""
        parts.append(f"**{_text(one)}** {one.label}{beside}")
        why = f"unknown, {one.unknown}" if one.value is None else f"at least, {one.lacks}." if one.lacks else ""
        notes += [f"{one.label.capitalize()}: {text}" for text in (why, one.help) if text]
    st.markdown(" · ".join(parts), help="  \n".join(notes) or None)


def figure_texts(metric: Metric) -> tuple[str, str]:
    """A metric for a report: '≥ EUR 271.03', and a few words on it: 'at least: 7 of 12 registries have no bill'."""
    least = f"at least: {metric.lacks}" if metric.lacks and metric.value is not None else metric.lacks
    below = "; ".join(note for note in (metric.beside, least) if note)
    return _text(metric), below or (f"unknown: {metric.unknown}" if metric.value is None and metric.unknown else "")


def _text(metric: Metric) -> str:
    if metric.value is None:
        return "–"
    figure = f"{metric.value:,}" if isinstance(metric.value, int) else metric.value
    return f"≥ {figure}" if metric.lacks else figure
