"""Charts of what was billed: months by meter, and registries with their repositories as areas."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape

import pandas as pd
import plotly.graph_objects as go

from services.costs.by_meter import in_months
from services.costs.by_repository import RepositoryCost
from services.costs.review import ReviewLine
from services.pricing.money import ZERO, cents, money
from ui.elements.chart_theme import HATCHES, layout, palette

HEIGHT_PX = 340
# More areas in a registry are too small to read: the rest is drawn as one.
LARGEST = 40


def months_figure(amounts: pd.DataFrame, months: Sequence[date], currency: str, theme: str) -> go.Figure:
    """A bar for each month, by meter, the first at the bottom; `amounts` as `months_by_meter` returns them."""
    colours = palette(theme)
    bars = []
    for number, (meter, row) in enumerate(in_months(amounts, months)):
        billed = [cents(amount or ZERO) for amount in row]
        bars.append(
            go.Bar(
                name=escape(meter),
                x=[f"{month:%b<br>%Y}" for month in months],
                y=[float(amount) for amount in billed],
                customdata=[money(amount, currency) for amount in billed],
                hovertemplate="%{x}: %{customdata}",
                marker={
                    "color": colours.series[number % len(colours.series)],
                    "pattern": {
                        "shape": HATCHES[number % len(HATCHES)],
                        "fgcolor": colours.background,
                        "fillmode": "overlay",
                    },
                    "line": {"width": 1, "color": colours.background},
                },
            )
        )
    return go.Figure(
        bars,
        layout(
            colours,
            HEIGHT_PX,
            barmode="stack",
            bargap=0.35,
            yaxis={"title": {"text": currency}, "rangemode": "tozero"},
            xaxis={"type": "category", "showgrid": False, "tickangle": 0},
            legend={"y": -0.24},
        ),
    )


def bill_map(
    lines: Iterable[ReviewLine], currency: str, shared_out: Mapping[str, Sequence[RepositoryCost]], theme: str
) -> go.Figure:
    """An area for each registry by its cost, split by repository where known. `shared_out`: by registry id."""
    colours = palette(theme)
    ids, within, labels, values, texts, fill = [], [], [], [], [], []

    def add(key: str, parent: str, label: str, amount: Decimal, colour: str) -> None:
        ids.append(key)
        within.append(parent)
        labels.append(escape(label))
        values.append(float(amount))
        texts.append(money(amount, currency))
        fill.append(colour)

    for line in lines:
        amount = cents(line.figure or Decimal(0))
        if line.currency != currency or amount <= 0:
            continue
        known = shared_out.get(line.registry_id, ())
        add(line.registry_id, "", line.name, amount, colours.panel if known else colours.series[0])
        for one in known[:LARGEST]:
            add(f"{line.registry_id} {one.name}", line.registry_id, one.name, one.amount, colours.series[1])
        if rest := known[LARGEST:]:
            total = sum((one.amount for one in rest), Decimal(0))
            add(f"{line.registry_id} …", line.registry_id, f"{len(rest)} smaller", total, colours.series[2])
    ink = [colours.text if colour == colours.panel else colours.background for colour in fill]
    return go.Figure(
        go.Treemap(
            ids=ids,
            parents=within,
            labels=labels,
            values=values,
            text=texts,
            branchvalues="total",
            marker={"colors": fill, "line": {"width": 0}, "pad": {"t": 22, "l": 3, "r": 3, "b": 3}},
            textfont={"color": ink},
            tiling={"pad": 2},
            texttemplate="%{label}<br>%{text}",
            hovertemplate="%{label}<br>%{text}<extra></extra>",
            pathbar={"visible": True},
        ),
        layout(
            colours, HEIGHT_PX, uniformtext={"minsize": 8, "mode": "hide"}, margin={"t": 28, "l": 0, "r": 0, "b": 0}
        ),
    )
