"""The sections of the SKU comparison: each a chart and a table of the same numbers."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from services.pricing.break_even import cheapest, cost_at, cost_by_regions, crossings
from services.pricing.estimates import NOT_INCLUDED, Part
from services.pricing.money import cents, money
from services.pricing.prices import Prices
from services.pricing.report import Table
from services.pricing.sku_choice import Choice
from services.registries.skus import FEATURES, Sku
from ui.elements.bar_chart import show_bars
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.table import show_rows
from ui.elements.text import plain
from ui.pricing.report_table import show_folded
from ui.pricing.sku_charts import Point, bends, parts_chart, regions_figure, sizes_figure

# Common sizes, besides those where a line bends or two cross.
_SIZES = (Decimal(25), Decimal(250), Decimal(1024))


def show_choice(choice: Choice, days: int) -> None:
    """The recommendation, why, and what the cheaper ones lack."""
    if choice.best:
        amount = choice.best.estimate.words
        st.success(f"**{choice.best.sku}**, {amount} a month of {days} days.", icon=":material/recommend:")
    st.markdown(plain(choice.reason))
    for option in choice.cheaper:
        less = option.estimate.words
        st.markdown(f"- {option.sku} would cost {less}, but: {plain(' '.join(option.lacks))}")
    for unpriced in dict.fromkeys(name for option in choice.options for name in option.estimate.unpriced):
        st.warning(f"{unpriced}: price unknown, so the total is too low.", icon=":material/warning:")
    st.caption(NOT_INCLUDED)


def show_month(choice: Choice, currency: str) -> None:
    """The cost of a month with each SKU, by part."""
    show_bars(parts_chart(choice), "What a month costs with each SKU, by part. The numbers are folded under it.")
    rows = tuple(
        (
            option.sku.value,
            *(option.estimate.of(part) for part in Part),
            option.estimate.total,
            " ".join(option.lacks),
        )
        for option in choice.options
    )
    columns = ("SKU", *(f"{part}, {currency}" for part in Part), f"A month, {currency}", "Lacks")
    show_folded(Table("A month by SKU", columns, rows), "by SKU")


def show_sizes(prices: Prices, days: int, ours: Sequence[Point]) -> None:
    """Cost against size, with the crossings and our registries, and which SKU costs least for storage."""
    try:
        found = crossings(prices, days)
    except ValueError as exc:
        st.warning(f"Unknown from which size another SKU costs less: {plain(str(exc))}.", icon=":material/warning:")
        return
    st.markdown(f"**{_cheapest_words(prices, days)}**")
    show_chart(
        sizes_figure(prices, days, ours, theme_now()),
        "Monthly cost by GiB stored: a line for each SKU, where they cross, and our registries. The numbers are folded "
        "under it.",
    )
    for one in found:
        st.markdown(
            f"- From **{cents(one.gib).normalize():f} GiB**, {one.above} costs less than {one.below}: "
            f"{money(one.amount, prices.currency)} there."
        )
    st.caption(
        f"In {plain(prices.region)}, for a month of {days} days, without replicas and builds. Our registries include "
        "their replicas, which lifts them above the lines."
    )
    sizes = sorted({*bends(), *_SIZES, *(one.gib for one in found)})
    rows = tuple((at, *(cost_at(sku, at, prices, days) for sku in Sku)) for at in sizes)
    columns = ("GiB stored", *(f"{sku}, {prices.currency}" for sku in Sku))
    show_folded(Table("What a month costs by GiB stored", columns, rows), "by size")


def _cheapest_words(prices: Prices, days: int) -> str:
    """Which SKU costs least for storage, from which size on, and which never does."""
    ranges = cheapest(prices, days)
    first = f"For storage alone, {ranges[0][1]} costs least"
    later = "".join(f", {sku} from {cents(start).normalize():f} GiB" for start, sku in ranges[1:])
    never = [sku for sku in Sku if sku not in {least for _, least in ranges}]
    others = f" {' and '.join(never)} never: choose {'them' if never[1:] else 'it'} for features." if never else ""
    return f"{first}{later}.{others}"


def show_regions(stored_gib: Decimal, prices: Prices, days: int) -> None:
    """The cost of geo-replication by the number of regions."""
    if prices.replica_day is None or prices.replica_gib is None:
        st.warning(f"Unknown: replicas have no price in {plain(prices.region)}.", icon=":material/warning:")
        return
    amounts = cost_by_regions(stored_gib, prices, days)
    more = money(amounts[1] - amounts[0], prices.currency)
    st.markdown(f"**Each further region adds {more} a month to Premium, for {cents(stored_gib).normalize():f} GiB**")
    show_chart(
        regions_figure(stored_gib, prices, days, theme_now()),
        "What Premium costs a month by number of regions. The numbers are folded under it.",
    )
    st.caption(
        "Each replica region costs a fee and its own storage, from the first GiB. Traffic between regions is billed as "
        "bandwidth and not included."
    )
    rows = tuple(enumerate(amounts, 1))
    show_folded(Table("A month by number of regions", ("Regions", f"{prices.currency} a month"), rows), "by regions")


def show_features() -> None:
    """What each SKU has, with its source, and where the guide is out of date."""
    show_rows(
        [
            {
                "Feature": feature.name,
                **{sku.value: feature.of(sku) for sku in Sku},
                "Guide": feature.guide,
                "Source": feature.source.url,
                "As of": feature.source.read,
            }
            for feature in FEATURES
        ],
        "Features and limits of Basic, Standard and Premium",
        key="features",
        columns={
            "Guide": st.column_config.TextColumn("Where the guide is out of date", width="large"),
            "Source": st.column_config.LinkColumn(display_text=r"container-registry/(.*)"),
        },
    )
