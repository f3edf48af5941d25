"""The charts of the comparison of SKUs, on their numbers."""

from decimal import Decimal
from typing import Any

import pytest

from services.pricing.break_even import cost_at, crossings
from services.pricing.estimates import Part
from services.pricing.money import cents
from services.pricing.price_snapshot import snapshot
from services.pricing.sku_choice import Needs, choose_sku
from services.registries.skus import Sku
from ui.elements.chart_theme import palette
from ui.pricing.sku_charts import Point, bends, parts_chart, regions_figure, sizes_figure

LIST = snapshot("eastus")
HOSTILE = '<a href="//contoso.example">x</a>'
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


def drawn(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_a_month_by_sku_is_the_estimate_in_parts() -> None:
    choice = choose_sku(Needs(Decimal(600), replicas=1, task_seconds=Decimal(16_000)), LIST, 30)
    chart = parts_chart(choice)
    found = {name: [bar.parts[number] or Decimal(0) for bar in chart.bars] for number, name in enumerate(chart.series)}
    assert set(found) == {part.value for part in Part if part is not Part.CONNECTED}
    assert [cents(amount) for amount in found["Fixed fee"]] == [5, 20, 50]
    assert found["Storage beyond the included"] == [59, 50, 10]
    assert [cents(amount) for amount in found["Replicas"]] == [0, 0, 110]
    assert found["Build minutes"] == [1, 1, 1]
    assert [bar.label for bar in chart.bars] == ["Basic, lacks a feature", "Standard, lacks a feature", "Premium"]
    assert [bar.text for bar in chart.bars] == ["65.00", "71.00", "171.00"]
    assert [bar.marked for bar in chart.bars] == [False, False, True]
    assert chart.title == "Premium is the cheapest with all that is required, USD a month"


@THEMES
def test_lines_bend_where_the_included_storage_ends_and_cross_where_they_should(theme: str) -> None:
    points = [
        Point(HOSTILE, Sku.BASIC, Decimal(600), Decimal("64.12")),
        Point("far", Sku.BASIC, Decimal(9999), Decimal(1)),
    ]
    found = drawn(sizes_figure(LIST, 30, points, theme))
    for sku in Sku:
        assert list(found[sku.value].x) == [float(at) for at in bends()]
        assert list(found[sku.value].y) == [float(round(cost_at(sku, at, LIST, 30), 2)) for at in bends()]
    assert list(found["Crossing"].x) == [float(one.gib) for one in crossings(LIST, 30)] == [400.0, 460.0]
    assert "Premium is cheaper than Basic from 460.00 GiB" in found["Crossing"].customdata
    assert list(found["Ours, Basic"].x) == [600.0]
    assert "Ours, Premium" not in found
    assert "<a" not in found["Ours, Basic"].customdata[0] and "64.12" in found["Ours, Basic"].customdata[0]


def test_lines_differ_by_dash_and_points_by_form_too() -> None:
    points = [Point(sku.value, sku, Decimal(1), Decimal(1)) for sku in Sku]
    found = drawn(sizes_figure(LIST, 30, points, "light"))
    assert len({found[sku.value].line.dash for sku in Sku}) == len(Sku)
    assert len({found[f"Ours, {sku}"].marker.symbol for sku in Sku}) == len(Sku)
    for theme in ("light", "dark"):
        assert len(set(palette(theme).series)) == len(palette(theme).series) == 6
        assert palette(theme).text != palette(theme).background


@THEMES
def test_each_region_is_a_bar(theme: str) -> None:
    (bars,) = regions_figure(Decimal(100), LIST, 30, theme).data
    assert list(bars.x) == [str(number) for number in range(1, 11)]
    assert list(bars.y)[:3] == [50.0, 110.0, 169.99]
