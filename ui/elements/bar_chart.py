"""A `BarChart` on a page: horizontal bars, their amounts beside them."""

from collections.abc import Mapping
from html import escape

import plotly.graph_objects as go

from services.pricing.bar_chart import Bar, BarChart
from ui.elements.chart_theme import hatched, layout, palette, pick_in_chart, show_chart, show_chart_title, theme_now

_ROW_PX, _MARGIN_PX, _LEGEND_PX, _LONGEST_LABEL, _CHARACTER_PX = 27, 12, 34, 34, 7.5


def bars_figure(chart: BarChart, theme: str, fills: Mapping[str, str] | None = None) -> go.Figure:
    """The bars, the first at the top, each with its amount: no axis, and so no line through a label. The title is not
    among it, as plotly cuts what does not fit. `fills`: the colours of series that mean something."""
    colours = palette(theme)
    labels = [f"<b>{_shortened(bar.label)}</b>" if bar.marked else _shortened(bar.label) for bar in chart.bars]
    amounts = [bar.text.removeprefix(f"{chart.unit} ") for bar in chart.bars]
    legend = len(chart.series) > 1
    # Two names that are shortened alike are two bars all the same.
    rows = list(range(len(chart.bars)))
    traces = [
        go.Bar(
            name=escape(name),
            orientation="h",
            y=rows,
            x=[float(bar.parts[number] or 0) for bar in chart.bars],
            customdata=[[escape(bar.label), bar.text] for bar in chart.bars],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<br>"
            f"{escape(name)}: %{{x:,.2f}} {escape(chart.unit)}<extra></extra>",
            marker=hatched(colours, number, (fills or {}).get(name) or colours.series[chart.colour_of(number)]),
        )
        for number, name in enumerate(chart.series)
    ]
    return go.Figure(
        traces,
        layout(
            colours,
            _MARGIN_PX + _ROW_PX * len(rows) + (_LEGEND_PX if legend else 0),
            barmode="stack",
            bargap=0.3,
            showlegend=legend,
            legend={"y": 0, "traceorder": "normal"},
            margin={
                "t": 0,
                "r": round(_CHARACTER_PX * max((len(amount) for amount in amounts), default=0)) + 8,
                "b": _MARGIN_PX,
            },
            # Plotly would make room within it for the amounts, which have the margin.
            xaxis={"range": [0, float(max((bar.total for bar in chart.bars), default=0)) or 1], "visible": False},
            yaxis={"autorange": "reversed", "showgrid": False, "zeroline": False, "tickvals": rows, "ticktext": labels},
            annotations=[
                {"x": float(bar.total), "y": row, "text": f" {escape(amount)}", "showarrow": False, "xanchor": "left"}
                for row, (bar, amount) in enumerate(zip(chart.bars, amounts, strict=True))
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
    """Draws the bars below their title. `alt` says what they show and where the numbers are."""
    show_chart_title(chart.title)
    show_chart(bars_figure(chart, theme_now()), alt)


def pick_bar(chart: BarChart, alt: str, key: str, fills: Mapping[str, str] | None = None) -> Bar | None:
    """As `show_bars`; returns the bar that was clicked."""
    show_chart_title(chart.title)
    picked = pick_in_chart(bars_figure(chart, theme_now(), fills), alt, key)
    return chart.bars[picked[0]] if picked and picked[0] < len(chart.bars) else None
