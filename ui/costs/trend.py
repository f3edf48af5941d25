"""The trend of a cost review: what each day cost, by registry, by part of the bill or by repository."""

from collections.abc import Mapping, Sequence

import streamlit as st

from services.connection.parallel import Partial
from services.cost_trend.anomalies import anomaly_words, find_anomalies, find_sku_changes, sku_words
from services.cost_trend.days import RegistryDays, Trend, trend_of
from services.cost_trend.quarter import (
    next_quarter,
    quarter_table,
    quarter_totals,
    quarter_words,
)
from services.cost_trend.series import Series, by_part, by_registry, by_repository, trend_title
from services.cost_trend.tables import day_table, lacking_words, nothing_rose, report_tables, without_words
from services.growth.forecast import LIKELY
from services.pricing.report import Table
from services.registries.registry import Registry
from ui.costs.by_repository import RepositoryBill
from ui.costs.trend_chart import trend_figure
from ui.elements.chart_theme import show_chart, show_chart_title, theme_now
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.text import plain
from ui.loaders import bills
from ui.navigation.url_choice import check_url
from ui.pricing.report_table import show_folded
from ui.runtime.background import show_progress

ALL = "All registries"
BY = REGISTRY, PART, REPOSITORY = "Registry", "Part of the bill", "Repository"
_MOST_LINES = 3
_ASKED = "trend of costs asked for"


def read_trend(who: str, listed: Partial[Registry], *, wanted: bool) -> Trend | None:
    """The trend, where its tab `wanted` it in this session; None before it is read. It costs Azure queries of its own,
    of which it allows few."""
    if wanted:
        st.session_state[_ASKED] = True
    if not st.session_state.get(_ASKED):
        return None
    reading = bills.recent_days(who)
    if wanted:
        show_progress(reading, "daily bills")
        if reading.error:
            show_error(reading.error)
        show_partial(
            Part(reading.value, "daily bill"),
            Part(Partial((), tuple(one for bill in reading.value.values for one in bill.unread)), "daily bill"),
        )
    return None if reading.running or reading.error else trend_of(reading.value, listed, bills.today())


def show_trend(trend: Trend, repositories: Mapping[str, RepositoryBill], place: Registry | None) -> None:
    """A chart for the chosen currency, registry and grouping, its days folded under it. `place`: the registry that the
    address names."""
    currencies = trend.currencies
    if not currencies:
        st.markdown("Unknown: no bill by day could be read." if trend.without else "Nothing was billed in these days.")
        _show_without(trend)
        return
    show_changes(trend)
    check_url("trend", "grouping", BY)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox("Trend by", BY, key="trend", bind="query-params", width=180)
        currency = currencies[0]
        if len(currencies) > 1:
            currency = st.selectbox("Currency", currencies, key="trend_currency", width=120)
        registries = trend.of(currency)
        if by != REGISTRY:
            names = [*((ALL,) if by == PART else ()), *(one.name for one in registries)]
            at = names.index(place.name) if place and place.name in names else 0
            chosen = st.selectbox("Registry", names, at, key=f"trend of {by} {currency} {names[at]}", width=220)
            registries = tuple(one for one in registries if chosen in (ALL, one.name))
    note = ""
    if by == REPOSITORY:
        bill = repositories.get(registries[0].registry_id) if registries else None
        if bill is None:
            st.info(
                f"Unknown by repository: read the repositories of {plain(registries[0].name)} in the tab Repositories.",
                icon=":material/info:",
            )
            return
        series = by_repository(registries[0], bill.costs)
        note = f"Each day is split by what is stored now. {bill.note}"
    else:
        series = by_registry(registries) if by == REGISTRY else by_part(registries, trend.days)
    _show(trend, registries, series, currency, by, note)


def show_changes(trend: Trend) -> None:
    """A line for each registry whose cost rose, and for each whose SKU changed."""
    found = find_anomalies(trend)
    for one in found[:_MOST_LINES]:
        st.warning(plain(anomaly_words(one)), icon=":material/trending_up:")
    if len(found) > _MOST_LINES:
        st.caption(f"And {len(found) - _MOST_LINES} more in the saved report.")
    if not found:
        st.caption(nothing_rose(trend))
    for change in find_sku_changes(trend)[:_MOST_LINES]:
        st.caption(plain(f"{sku_words(change)}: days of two SKUs are not compared."))


def show_quarter(who: str, trend: Trend) -> None:
    """A line for each currency with the next quarter's cost, its registries folded under it, once it is calculated."""
    reading, quarter = bills.quarter(who, trend), next_quarter(trend.last)
    if not (trend.registries or trend.unbilled):
        return
    st.subheader("Next quarter", anchor=False)
    show_progress(reading, "next quarter")
    if reading.error:
        show_error(reading.error)
    if reading.running or reading.error:
        return
    totals = quarter_totals(reading.value)
    for total in totals:
        st.markdown(plain(quarter_words(total, quarter)))
    if not totals:
        st.markdown("Unknown: no registry has enough days with a bill. The table has the reasons.")
    st.caption(
        f"Likely: {LIKELY:.0%}".replace("%", " %") + ", each day's band added up. If it goes on as in these days."
    )
    if without := without_words(trend):
        st.caption(plain(without))
    show_folded(quarter_table(reading.value, quarter), "next quarter")


def trend_tables(who: str, trend: Trend) -> list[Table]:
    """What a file has of the trend; of the next quarter that it is not calculated yet, where that is so."""
    reading = bills.quarter(who, trend)
    pending = ""
    if reading.running:
        pending = "Not calculated yet: save the report again in a moment."
    elif reading.error:
        pending = f"Unknown: {reading.error.cause}"
    return report_tables(trend, reading.value, pending=pending)


def _show(
    trend: Trend, registries: Sequence[RegistryDays], series: Sequence[Series], currency: str, by: str, note: str
) -> None:
    show_chart_title(trend_title(trend, registries, currency))
    show_chart(
        trend_figure(trend, series, currency, theme_now()),
        f"Daily cost in {currency}: a column for each day, by {by.lower()}. The numbers are folded under it.",
    )
    late = f"After {trend.settled:%d %B}: not complete yet, as Azure bills late."
    others = [one for one in trend.currencies if one != currency]
    without = f"Billed in {' and '.join(others)} too: amounts of two currencies are never added." if others else ""
    st.caption(plain(" ".join(part for part in (note, lacking_words(trend, registries), late, without) if part)))
    _show_without(trend)
    show_folded(day_table(f"Days by {by.lower()}, {currency}", trend, registries, series, currency), f"days by {by}")


def _show_without(trend: Trend) -> None:
    for subscription, reason in trend.without.items():
        st.caption(f"Not in the trend: {plain(subscription)}. {plain(reason)}")
