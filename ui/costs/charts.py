"""Months of a bill by meter, side by side."""

from html import escape

import plotly.graph_objects as go

from services.pricing.bar_chart import Bar, BarChart
from services.pricing.money import cents, money
from ui.elements.chart_theme import hatched, layout, palette

HEIGHT_PX = 360


def months_figure(chart: BarChart, theme: str) -> go.Figure:
    """A column for each month, by meter, the highest at the bottom, with its total; `chart` as `months_chart` returns
    it. Its title is not among it."""
    colours = palette(theme)
    columns = []
    for number, name in enumerate(chart.series):
        amounts = [None if amount is None else cents(amount) for amount in (bar.parts[number] for bar in chart.bars)]
        columns.append(
            go.Bar(
                name=escape(name),
                x=[_lines(bar) for bar in chart.bars],
                y=[float(amount or 0) for amount in amounts],
                customdata=[money(amount, chart.unit) if amount is not None else "" for amount in amounts],
                hovertemplate="%{x}: %{customdata}",
                marker=hatched(colours, number, colours.series[chart.colour_of(number)]),
            )
        )
    return go.Figure(
        columns,
        layout(
            colours,
            HEIGHT_PX,
            barmode="stack",
            bargap=0.35,
            margin={"t": 8},
            yaxis={"rangemode": "tozero", "visible": False},
            xaxis={"type": "category", "showgrid": False, "tickangle": 0},
            legend={"y": -0.22, "traceorder": "normal"},
            annotations=[
                {
                    "x": _lines(bar),
                    "y": float(bar.total),
                    # Without cents: seven of them stand side by side on a phone.
                    "text": f"{bar.total:,.0f}" if bar.total >= 1 else f"{cents(bar.total)}",
                    "showarrow": False,
                    "yanchor": "bottom",
                }
                for bar in chart.bars
                if bar.total
            ],
        ),
    )


def _lines(bar: Bar) -> str:
    """'Nov<br>2026<br>so far'."""
    return bar.label.replace(" ", "<br>", 2)
