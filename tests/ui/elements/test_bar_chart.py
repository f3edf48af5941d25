"""Bars as plotly draws them: sorted from the top, named as text, coloured by what they mean."""

from decimal import Decimal

import pytest

from services.pricing.bar_chart import Bar, BarChart
from ui.elements.bar_chart import bars_figure

HOSTILE = '<a href="//contoso.example">x</a>'
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


@THEMES
def test_bars_are_in_their_order_from_the_top_and_names_are_text(theme: str) -> None:
    long = "team/" + "a" * 60 + "/web"
    bars = (
        Bar(HOSTILE, (Decimal(5), None), "5"),
        Bar(long, (Decimal(2), Decimal(1)), "3"),
        Bar("b", (None, None), "0", marked=True),
    )
    figure = bars_figure(BarChart("a & b", "EUR", ("So far", "Rest"), bars, rest="Rest"), theme, {"So far": "#123456"})
    so_far, rest = figure.data
    assert (list(so_far.x), list(rest.x)) == ([5.0, 2.0, 0.0], [0.0, 1.0, 0.0])
    assert figure.layout.yaxis.autorange == "reversed"
    labels = figure.layout.yaxis.ticktext
    assert not any("<a" in str(text) for text in (*labels, *so_far.customdata[0]))
    assert labels[1].startswith("team/") and labels[1].endswith("/web") and len(labels[1]) < 40
    assert labels[2] == "<b>b</b>"
    assert so_far.marker.color == "#123456"
    assert rest.marker.color != so_far.marker.color
    # The title is text of the page, which wraps; no line of a grid goes through an amount.
    assert figure.layout.title.text is None
    assert figure.layout.xaxis.visible is False
