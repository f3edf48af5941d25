"""What a registry stores over time, by repository, with where it goes if it grows on as before."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from types import MappingProxyType

import plotly.graph_objects as go

from services.growth.forecast import Forecast
from services.growth.history import WHOLE, Snapshot
from services.pricing.estimates import GIB
from ui.elements.chart_theme import HATCHES, layout, palette

HEIGHT_PX = 360
# Repositories with an area of their own; the rest are one.
MOST = 4
_LEAST_AHEAD = 91
OTHER = "Other repositories"
BETWEEN = "Shared by several"
MEASURED = "As Azure measured"
CLEANED = "Forecast after the policy"


def series_of(history: Sequence[Snapshot], rest: str = OTHER) -> tuple[tuple[date, ...], list[tuple[str, list[int]]]]:
    """The days, and by name the unique bytes of the largest repositories on each, of the others, and what several
    share: together the registry's bytes. The largest now come first."""
    days = tuple(sorted({one.day for one in history}))
    by_day = {(one.day, one.repository): one for one in history}
    last = {one.repository: one.unique for one in history if one.day == days[-1] and one.repository != WHOLE}
    names = {one.repository for one in history} - {WHOLE}
    ordered = sorted(names, key=lambda name: (-last.get(name, 0), name))
    shown, others = ordered[:MOST], ordered[MOST:]

    def unique(day: date, name: str) -> int:
        found = by_day.get((day, name))
        return found.unique if found else 0

    found = [(name, [unique(day, name) for day in days]) for name in shown]
    if others:
        found.append((rest, [sum(unique(day, name) for name in others) for day in days]))
    between = [by_day[day, WHOLE].shared if (day, WHOLE) in by_day else 0 for day in days]
    if any(between):
        found.append((BETWEEN, between))
    return days, found


def growth_figure(
    history: Sequence[Snapshot],
    ahead: Forecast | None,
    included: int | None,
    theme: str,
    *,
    measured: Mapping[date, int] = MappingProxyType({}),
    cleaned: Forecast | None = None,
    others: str = OTHER,
) -> go.Figure:
    """Areas of what was stored, in GiB, the forecast with its band, a line at what is `included` in the SKU, a line of
    what Azure `measured` by itself, and the forecast after a policy has `cleaned` up."""
    colours = palette(theme)
    days, series = series_of(history, others) if history else ((), [])
    figure = go.Figure()
    top = max((sum(values[at] for _, values in series) for at in range(len(days))), default=0)
    top = max((top, *measured.values()))
    for number, (name, values) in enumerate(series):
        colour = colours.series[-1 if name == others else number]
        figure.add_scatter(
            name=escape(name),
            x=days,
            y=[value / GIB for value in values],
            stackgroup="stored",
            mode="lines" if len(days) > 1 else "markers",
            line={"width": 1, "color": colour},
            fillpattern={"shape": HATCHES[number % len(HATCHES)], "fgcolor": colours.background, "fillmode": "overlay"},
            hovertemplate=f"{escape(name)}: %{{y:,.2f}} GiB<extra></extra>",
        )
    if measured:
        figure.add_scatter(
            name=MEASURED,
            x=list(measured),
            y=[value / GIB for value in measured.values()],
            mode="lines",
            line={"width": 2, "dash": "dot", "color": colours.text},
            hovertemplate=f"{MEASURED}: %{{y:,.2f}} GiB<extra></extra>",
        )
    if ahead:
        # Far ahead, what is known would be a corner of the chart.
        first = min((*days[:1], *measured), default=ahead.points[0].day)
        points = ahead.points[: max(_LEAST_AHEAD, 2 * (ahead.points[0].day - first).days)]
        later = [point.day for point in points]
        for values, fill in (([point.least for point in points], None), ([point.most for point in points], "tonexty")):
            figure.add_scatter(
                x=later,
                y=[value / GIB for value in values],
                mode="lines",
                line={"width": 0},
                fill=fill,
                fillcolor="rgba(127, 127, 127, 0.25)",
                showlegend=False,
                hoverinfo="skip",
            )
        figure.add_scatter(
            name="Forecast",
            x=later,
            y=[point.bytes / GIB for point in points],
            mode="lines",
            line={"dash": "dash", "width": 2, "color": colours.text},
            hovertemplate="Forecast: %{y:,.2f} GiB<extra></extra>",
        )
        top = max(top, *(point.most for point in points))
        if cleaned:
            figure.add_scatter(
                name=CLEANED,
                x=later,
                y=[point.bytes / GIB for point in cleaned.points[: len(points)]],
                mode="lines",
                line={"dash": "longdashdot", "width": 2, "color": colours.series[0]},
                hovertemplate=f"{CLEANED}: %{{y:,.2f}} GiB<extra></extra>",
            )
    if included and included < 2 * top:
        figure.add_hline(
            y=included / GIB,
            line={"dash": "dot", "width": 1, "color": colours.text},
            annotation={"text": "Included in the SKU", "font": {"size": 12}},
            annotation_position="top left",
        )
    return figure.update_layout(
        layout(
            colours,
            HEIGHT_PX,
            hovermode="x unified",
            yaxis={"rangemode": "tozero", "ticksuffix": " GiB"},
            legend={"traceorder": "normal"},
        )
    )
