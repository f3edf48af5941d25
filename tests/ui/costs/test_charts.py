"""The charts of a month's review, on their numbers."""

from datetime import date
from decimal import Decimal

import pytest

from services.costs.bills import CostSource
from services.costs.by_meter import months_by_meter
from services.costs.by_repository import RepositoryCost
from services.costs.review import Review, ReviewLine
from services.costs.rows import CostRow
from ui.costs.charts import LARGEST, bill_map, months_figure
from ui.elements.chart_theme import HATCHES

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
HOSTILE = '<a href="//contoso.example">x</a>'


def row(month: date, meter: str, cost: str, currency: str = "EUR") -> CostRow:
    return CostRow("/x", month, meter, Decimal(1), Decimal(cost), currency)


def line(name: str, cost: str | None, currency: str = "EUR") -> ReviewLine:
    amount = None if cost is None else Decimal(cost)
    return ReviewLine(f"/{name}", name, "rg", "contoso", {}, CostSource.QUERY, currency, amount, None, None, None, ())


def review(*rows: CostRow) -> Review:
    return Review(NOVEMBER, under_way=True, lines=(), rows=rows)


@THEMES
def test_months_are_bars_in_parts_by_meter_of_one_currency(theme: str) -> None:
    rows = (
        row(OCTOBER, "Data Stored", "1.005"),
        row(OCTOBER, HOSTILE, "5"),
        row(NOVEMBER, HOSTILE, "6"),
        row(NOVEMBER, "Data Stored", "9", "USD"),
    )
    figure = months_figure(months_by_meter(rows)["EUR"], review(*rows).months, "EUR", theme)
    # The dearest first, at the bottom.
    first, second = figure.data
    assert "<a" not in first.name
    assert (list(first.y), list(second.y)) == ([5.0, 6.0], [1.01, 0.0])
    assert (second.name, list(second.customdata)) == ("Data Stored", ["EUR 1.01", "EUR 0.00"])
    assert list(first.x) == ["Oct<br>2026", "Nov<br>2026"]
    assert (first.marker.pattern.shape, second.marker.pattern.shape) == HATCHES[:2]


@THEMES
def test_areas_are_a_registry_s_month_and_its_repositories_parts(theme: str) -> None:
    parts = [RepositoryCost(f"app{number}", 1, Decimal(0), Decimal(1)) for number in range(LARGEST + 5)]
    lines = [line("hub", str(LARGEST + 5)), line(HOSTILE, "7"), line("dollars", "3", "USD"), line("unknown", None)]
    (areas,) = bill_map(lines, "EUR", {"/hub": parts}, theme).data
    values = dict(zip(areas.ids, areas.values, strict=True))
    within = dict(zip(areas.ids, areas.parents, strict=True))
    assert values["/hub"] == sum(values[key] for key, parent in within.items() if parent == "/hub") == LARGEST + 5
    assert values["/hub …"] == 5
    assert "5 smaller" in areas.labels
    assert not any("<" in label for label in areas.labels)
    assert not any("dollars" in key or "unknown" in key for key in areas.ids)
