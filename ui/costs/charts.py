"""Months of a bill by meter, side by side."""

from html import escape

import plotly.graph_objects as go

from services.pricing.bar_chart import BarChart
from services.pricing.money import cents, money
from ui.elements.chart_theme import hatched, layout, palette

HEIGHT_PX = 360


def months_figure(chart: BarChart, theme: str) -> go.Figure:
    """A column for each month, by meter, the dearest at the bottom; `chart` as `months_chart` returns it."""
    colours = palette(theme)
    columns = []
    for number, name in enumerate(chart.series):
        amounts = [None if amount is None else cents(amount) for amount in (bar.parts[number] for bar in chart.bars)]
        columns.append(
            go.Bar(
                name=escape(name),
                x=[bar.label.replace(" ", "<br>") for bar in chart.bars],
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
            title={
                "text": f"<b>{escape(chart.title)}</b>",
                "font": {"size": 14},
                "x": 0,
                "xanchor": "left",
                "y": 0.99,
                "yanchor": "top",
            },
            barmode="stack",
            bargap=0.35,
            margin={"t": 44},
            yaxis={"title": {"text": chart.unit}, "rangemode": "tozero"},
            xaxis={"type": "category", "showgrid": False, "tickangle": 0},
            legend={"y": -0.2, "traceorder": "normal"},
            annotations=[
                {
                    "x": bar.label.replace(" ", "<br>"),
                    "y": float(bar.total),
                    "text": f"{cents(bar.total):,}",
                    "showarrow": False,
                    "yanchor": "bottom",
                }
                for bar in chart.bars
                if bar.total
            ],
        ),
    )
