"""SKUs side by side, as charts: a month by part, cost against size, and geo-replication by regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import plotly.graph_objects as go

from services.pricing.bar_chart import Bar, BarChart
from services.pricing.break_even import cost_at, cost_by_regions, crossings
from services.pricing.estimates import Part
from services.pricing.money import cents, money
from services.pricing.prices import Prices
from services.pricing.sku_choice import Choice
from services.registries.skus import LIMITS, Sku
from ui.elements.chart_theme import DASHES, layout, palette

MOST_GIB = Decimal(2048)
MARKS = ("circle", "square", "diamond")


@dataclass(frozen=True)
class Point:
    """A registry on the chart of sizes: GiB stored, and what it costs a month."""

    name: str
    sku: Sku
    gib: Decimal
    amount: Decimal


def parts_chart(choice: Choice) -> BarChart:
    """A bar for each SKU, by part of its cost; the recommended one is marked, and what a SKU lacks is said."""
    estimates = [option.estimate for option in choice.options]
    parts = [part for part in Part if any(one.of(part) for one in estimates)]
    best = choice.best
    bars = tuple(
        Bar(
            f"{option.sku}{', lacks a feature' if option.lacks else ''}",
            tuple(option.estimate.of(part) for part in parts),
            f"{cents(option.estimate.total):,}",
            marked=option is best,
        )
        for option in choice.options
    )
    currency = estimates[0].currency
    least = f"{best.sku} is the cheapest with all that is required" if best else "No SKU has all that is required"
    return BarChart(f"{least}, {currency} a month", currency, tuple(part.value for part in parts), bars)


def bends() -> tuple[Decimal, ...]:
    """Where a line begins, bends or ends: between them it is straight, so nothing more need be drawn."""
    return (Decimal(0), *(Decimal(LIMITS[sku].included_gib) for sku in Sku), MOST_GIB)


def sizes_figure(prices: Prices, days: int, points: Sequence[Point], theme: str) -> go.Figure:
    """A line for each SKU by GiB stored, with crossings and registries as points."""
    colours = palette(theme)
    lines = [
        go.Scatter(
            name=sku.value,
            mode="lines",
            x=[float(at) for at in bends()],
            y=[float(cents(cost_at(sku, at, prices, days))) for at in bends()],
            line={"color": colours.series[number], "dash": DASHES[number], "width": 2.5},
            hovertemplate=f"{sku}: %{{y:,.2f}} at %{{x:,}} GiB<extra></extra>",
        )
        for number, sku in enumerate(Sku)
    ]
    marked = crossings(prices, days, MOST_GIB)
    lines.append(
        go.Scatter(
            name="Crossing",
            mode="markers",
            x=[float(one.gib) for one in marked],
            y=[float(cents(one.amount)) for one in marked],
            marker={"symbol": "x", "size": 10, "color": colours.text},
            customdata=[f"{one.above} is cheaper than {one.below} from {cents(one.gib):f} GiB" for one in marked],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    for number, sku in enumerate(Sku):
        mine = [point for point in points if point.sku is sku and point.gib <= MOST_GIB]
        if mine:
            lines.append(
                go.Scatter(
                    name=f"Ours, {sku}",
                    mode="markers",
                    x=[float(point.gib) for point in mine],
                    y=[float(cents(point.amount)) for point in mine],
                    marker={
                        "symbol": MARKS[number],
                        "size": 10,
                        "color": colours.series[number],
                        "line": {"width": 1.5, "color": colours.text},
                    },
                    cliponaxis=False,
                    customdata=[f"{escape(point.name)}: {money(point.amount, prices.currency)}" for point in mine],
                    hovertemplate="%{customdata}<extra></extra>",
                )
            )
    return go.Figure(
        lines,
        layout(
            colours,
            420,
            xaxis={"title": {"text": "GiB stored"}, "range": [-40, float(MOST_GIB) + 40], "zeroline": False},
            yaxis={"title": {"text": f"{prices.currency} a month"}, "rangemode": "tozero"},
            legend={"y": -0.26},
            annotations=[
                {
                    "x": float(one.gib),
                    "y": float(cents(one.amount)),
                    "text": f"{cents(one.gib).normalize():f} GiB",
                    "showarrow": True,
                    "bgcolor": colours.background,
                    "arrowcolor": colours.text,
                    "ax": 30 if number % 2 else -30,
                    "ay": 40 if number % 2 else -40,
                }
                for number, one in enumerate(marked)
            ],
        ),
    )


def regions_figure(stored_gib: Decimal, prices: Prices, days: int, theme: str) -> go.Figure:
    """A bar for each number of regions of a Premium registry."""
    colours = palette(theme)
    amounts = [cents(amount) for amount in cost_by_regions(stored_gib, prices, days)]
    bars = go.Bar(
        x=[str(number + 1) for number in range(len(amounts))],
        y=[float(amount) for amount in amounts],
        text=[f"{amount:,.0f}" for amount in amounts],
        textposition="outside",
        cliponaxis=False,
        marker={"color": colours.series[0]},
        hovertemplate="%{x} regions: %{y:,.2f}<extra></extra>",
    )
    return go.Figure(
        bars,
        layout(
            colours,
            300,
            showlegend=False,
            xaxis={"title": {"text": "Regions, the home region included"}, "type": "category", "showgrid": False},
            yaxis={"rangemode": "tozero", "visible": False},
        ),
    )
