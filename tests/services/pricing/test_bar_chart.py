"""Bars as static SVG: as long as their amounts, told apart without colour, and all text as text."""

from decimal import Decimal
from pathlib import Path
from tomllib import loads
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.bar_chart import (
    DARK,
    LIGHT,
    MOST_SERIES,
    SVG_PATTERNS,
    Bar,
    BarChart,
    join_smallest,
    svg_of,
)

ROOT = Path(__file__).parents[3]
amounts = st.one_of(st.none(), st.decimals(0, 10**6, places=2))


def drawn(chart: BarChart) -> ElementTree.Element:
    """The bars; not the keys of the legend."""
    (svg,) = ElementTree.fromstring(f"<div>{svg_of(chart)}</div>").findall("figure/svg")
    return svg


def widths(chart: BarChart) -> list[float]:
    return [float(rect.attrib["width"]) for rect in drawn(chart).iter("rect") if "class" in rect.attrib]


def test_bars_are_as_long_as_their_amounts_and_stacked() -> None:
    bars = (Bar("hub", (Decimal(150), Decimal(50)), "USD 200"), Bar("dev", (Decimal(50), None), "USD 50"))
    chart = BarChart("Who spends it", "USD", ("So far", "Forecast"), bars)
    so_far, forecast, small = widths(chart)
    assert so_far == pytest.approx(3 * forecast, abs=0.4)
    assert small == pytest.approx(forecast, abs=0.4)
    places = [float(rect.attrib["x"]) for rect in drawn(chart).iter("rect") if "class" in rect.attrib]
    assert places[1] == pytest.approx(places[0] + so_far, abs=0.4)


def test_series_are_told_apart_in_black_and_white() -> None:
    chart = BarChart("", "USD", ("a", "b", "c"), (Bar("hub", (Decimal(1), Decimal(1), Decimal(1)), ""),))
    hatchings = [rect.attrib["fill"] for rect in drawn(chart).iter("rect") if "fill" in rect.attrib]
    assert len(set(hatchings)) == len(hatchings) == 2
    assert all(f'id="{one[5:-1]}"' in SVG_PATTERNS for one in hatchings)


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=60), amounts, amounts), max_size=4))
def test_all_text_is_text(title: str, rows: list[tuple[str, Decimal | None, Decimal | None]]) -> None:
    printable = "".join(one for one in title if one.isprintable())
    bars = tuple(
        Bar("".join(one for one in name if one.isprintable()), parts, f"<b>{name.isascii()}</b>")
        for name, *parts in ((name, first, second) for name, first, second in rows)
        for parts in [tuple(parts)]
    )
    chart = BarChart(printable, "USD", ("<script>", "&amp;"), bars)
    text = svg_of(chart)
    if not bars:
        assert text == ""
        return
    tree = ElementTree.fromstring(f"<div>{text}</div>")
    assert {one.tag for one in tree.iter()} <= {
        "div",
        "figure",
        "figcaption",
        "ul",
        "li",
        "svg",
        "text",
        "title",
        "rect",
    }
    assert tree.findtext("figure/figcaption") == printable
    assert [one.text for one in tree.iter("title")] == [bar.label or None for bar in bars]


@given(st.lists(st.lists(amounts, min_size=9, max_size=9), max_size=5), st.integers(0, 9))
def test_joined_series_add_up_to_what_they_were(rows: list[list[Decimal | None]], number: int) -> None:
    rows = [row[:number] for row in rows]
    names, bars = join_smallest([f"meter {one}" for one in range(number)], rows)
    assert len(names) <= MOST_SERIES
    assert all(len(bar.parts) == len(names) for bar in bars)
    assert [bar.total for bar in bars] == [sum(amount or 0 for amount in row) for row in rows]
    if number > MOST_SERIES:
        assert names[-1] == f"Other ({number - MOST_SERIES + 1})"


def test_the_colours_are_those_of_the_console() -> None:
    theme = loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert list(LIGHT[:-1]) == theme["light"]["chartCategoricalColors"]
    assert list(DARK[:-1]) == theme["dark"]["chartCategoricalColors"]
    assert len(LIGHT) == len(DARK) == MOST_SERIES
