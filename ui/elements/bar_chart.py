"""A `BarChart` on a page: horizontal bars, their amounts beside them."""

from collections.abc import Mapping
from html import escape

import plotly.graph_objects as go

from services.pricing.bar_chart import Bar, BarChart
from ui.elements.chart_theme import hatched, layout, palette, pick_in_chart, show_chart, theme_now

_ROW_PX, _AROUND_PX, _LONGEST_LABEL = 27, 92, 34


def bars_figure(chart: BarChart, theme: str, fills: Mapping[str, str] | None = None) -> go.Figure:
    """The bars, the first at the top. `fills`: the colours of series that mean something."""
    colours = palette(theme)
    labels = [f"<b>{_shortened(bar.label)}</b>" if bar.marked else _shortened(bar.label) for bar in chart.bars]
    # Two names that are shortened alike are two bars all the same.
    rows = list(range(len(chart.bars)))
    traces = [
        go.Bar(
            name=escape(name),
            orientation="h",
            y=rows,
            x=[float(bar.parts[number] or 0) for bar in chart.bars],
            customdata=[[escape(bar.label), bar.text] for bar in chart.bars],
            hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]}}<br>{escape(name)}: %{{x:,.2f}}<extra></extra>",
            marker=hatched(colours, number, (fills or {}).get(name) or colours.series[chart.colour_of(number)]),
        )
        for number, name in enumerate(chart.series)
    ]
    return go.Figure(
        traces,
        layout(
            colours,
            _AROUND_PX + _ROW_PX * len(rows),
            title={
                "text": f"<b>{escape(chart.title)}</b>",
                "font": {"size": 14},
                "x": 0,
                "xanchor": "left",
                "y": 0.99,
                "yanchor": "top",
            },
            barmode="stack",
            bargap=0.3,
            showlegend=len(chart.series) > 1,
            legend={"y": 1, "yanchor": "bottom", "traceorder": "normal"},
            margin={"t": 58, "r": 96, "b": 28},
            xaxis={"rangemode": "tozero", "nticks": 5, "tickangle": 0, "ticksuffix": f" {escape(chart.unit)}"},
            yaxis={"autorange": "reversed", "showgrid": False, "tickvals": rows, "ticktext": labels},
            annotations=[
                {"x": float(bar.total), "y": row, "text": f" {escape(bar.text)}", "showarrow": False, "xanchor": "left"}
                for row, bar in enumerate(chart.bars)
            ],
        ),
    )


def _shortened(label: str) -> str:
    """The end of a long name says more than its middle. Plotly reads names as HTML."""
    if len(label) <= _LONGEST_LABEL:
        return escape(label)
    half = _LONGEST_LABEL // 2
    return f"{escape(label[: half - 1])}…{escape(label[-half:])}"


def show_bars(chart: BarChart, alt: str) -> None:
    """Draws the bars. `alt` says what they show and where the numbers are."""
    show_chart(bars_figure(chart, theme_now()), alt)


def pick_bar(chart: BarChart, alt: str, key: str, fills: Mapping[str, str] | None = None) -> Bar | None:
    """As `show_bars`; returns the bar that was clicked."""
    picked = pick_in_chart(bars_figure(chart, theme_now(), fills), alt, key)
    return chart.bars[picked[0]] if picked and picked[0] < len(chart.bars) else None
