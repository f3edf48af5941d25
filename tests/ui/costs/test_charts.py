"""The months of a bill as columns."""

from decimal import Decimal

import pytest

from services.pricing.bar_chart import Bar, BarChart
from ui.costs.charts import months_figure
from ui.elements.chart_theme import HATCHES

HOSTILE = '<a href="//contoso.example">x</a>'


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_column_for_each_month_by_meter(theme: str) -> None:
    bars = (Bar("Oct 2026", (Decimal(5), Decimal("1.005")), ""), Bar("Nov 2026", (Decimal(6), None), ""))
    figure = months_figure(BarChart("October", "EUR", (HOSTILE, "Data Stored"), bars), theme)
    first, second = figure.data
    assert "<a" not in first.name
    assert (list(first.y), list(second.y)) == ([5.0, 6.0], [1.01, 0.0])
    assert list(second.customdata) == ["EUR 1.01", ""]
    assert list(first.x) == ["Oct<br>2026", "Nov<br>2026"]
    assert (first.marker.pattern.shape, second.marker.pattern.shape) == HATCHES[:2]
    assert first.marker.color != second.marker.color
