"""The daily cost as stacked columns."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape

import plotly.graph_objects as go

from services.cost_trend.days import Trend
from services.cost_trend.series import Series
from services.pricing.money import cents, money
from ui.elements.chart_theme import hatched, layout, palette

HEIGHT_PX = 380


def trend_figure(trend: Trend, series: Sequence[Series], currency: str, theme: str) -> go.Figure:
    """A column for each day, the dearest series at the bottom; days that Azure has not billed in full stand behind a
    line. A day of which nothing is known has no column."""
    colours = palette(theme)
    columns = []
    for number, one in enumerate(series):
        known = [(day, amount) for day in trend.days if (amount := one.amounts.get(day)) is not None]
        rest = one.name.startswith("Other (")
        columns.append(
            go.Bar(
                name=escape(one.name),
                x=[day for day, _ in known],
                y=[float(cents(amount)) for _, amount in known],
                customdata=[money(amount, currency) for _, amount in known],
                hovertemplate=f"{escape(one.name)}: %{{customdata}}<extra></extra>",
                marker={**hatched(colours, number, colours.series[-1 if rest else number]), "line": {"width": 0}},
            )
        )
    figure = go.Figure(
        columns,
        layout(
            colours,
            HEIGHT_PX,
            barmode="stack",
            bargap=0.1,
            hovermode="x unified",
            yaxis={"rangemode": "tozero"},
            xaxis={
                "showgrid": False,
                "tickformat": "%d %b",
                "range": [trend.first - timedelta(hours=12), trend.last + timedelta(hours=12)],
            },
            legend={"traceorder": "normal"},
        ),
    )
    return figure.add_vline(
        x=trend.settled + timedelta(hours=12), line={"dash": "dot", "width": 1, "color": colours.text}
    )
