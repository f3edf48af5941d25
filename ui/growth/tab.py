"""Growth of a registry: what it stored day by day, what grew, and where it goes."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

import streamlit as st

from services.connection.errors import ServiceError
from services.growth.basis import StoredDays, stored_days
from services.growth.daily import LIST, read_state
from services.growth.forecast import FEWEST_DAYS, LIKELY, Forecast, forecast
from services.growth.history import WHOLE, Growth, Snapshot, by_prefix, grown, readable_of, whole_of
from services.growth.limits import lowered
from services.growth.store import key_of, read_history
from services.pricing.estimates import GIB
from services.registries.registry import Mode, Registry
from services.registries.skus import LIMITS, sku_of
from services.wording import counted
from ui.elements.chart_theme import show_chart, show_chart_title, theme_now
from ui.elements.columns import Sizes
from ui.elements.errors import show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import show_rows
from ui.elements.text import plain, size
from ui.growth.chart import growth_figure
from ui.growth.daily import show_daily
from ui.growth.effect import newest_effect, show_effect
from ui.growth.limits import show_limits
from ui.growth.spans import choose_span, chosen_span
from ui.loaders.contents import StorageCount
from ui.loaders.growth import measured_storage
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime.background import Reading, show_progress
from ui.runtime.database import database

MONTHS = {3: 91, 6: 182, 12: 365}
_WEEK, _MONTH = 7, 30
_NOT_OF_IT = " The forecast is made of the snapshots."
_NEEDS_TWO = "Each day on which all of the registry was read is recorded; two are needed."
REPOSITORY, PREFIX = "Repository", "Prefix"
_SPAN = "span of growth"


def show_growth(who: str, registry: Registry, count: StorageCount) -> None:
    """Shows what is recorded of a registry, and what Azure measured before: by repository only of those that `who` has
    read, in `count`."""
    try:
        recorded = read_history(database(), registry, chosen_span(_SPAN))
        state, listing = read_state(database(), key_of(registry)), read_state(database(), LIST)
    except ServiceError as error:
        show_error(error)
        return
    show_daily(state, listing)
    history = _readable(recorded, registry, count)
    measured = measured_storage(who, registry)
    show_progress(measured, f"measured storage of {registry.id}", stop="")
    totals = whole_of(history)
    stored = stored_days(totals, measured.value)
    if len(stored.by_day) < 2:
        since = f"The first is of {totals[0].day:%Y-%m-%d}. " if totals else ""
        empty(":material/trending_up:", "No growth known yet", f"{since}{_NEEDS_TWO}")
        st.caption(_measured_words(measured))
        return
    ahead = forecast(stored.by_day, max(MONTHS.values()))
    sku = sku_of(registry.sku)
    included = int(LIMITS[sku].included_gib * GIB) if sku else None
    show_metrics(
        [
            _grown_metric(stored, _WEEK),
            _grown_metric(stored, _MONTH),
            _forecast_metric(ahead, stored),
            _reaches_metric(ahead, stored, included),
        ]
    )
    if stored.measured:
        st.caption(f"From what Azure measured, as {_few_snapshots(totals)}.")
    effect = newest_effect(registry, count.at)
    cleaned = lowered(ahead, effect.freed) if ahead and effect else None
    if len(totals) < 2:
        show_chart_title("What the registry stored")
        figure = growth_figure((), ahead, included, theme_now(), measured=measured.value, cleaned=cleaned)
        show_chart(figure, "A line of the bytes that Azure Monitor measured, and the forecast.")
        st.caption(f"{_sources(stored, ahead)} {_measured_words(measured)}")
        st.markdown(f"Unknown by repository: {_few_snapshots(totals)}. {_NEEDS_TWO}")
        show_limits(who, registry, stored.now, ahead)
        show_effect(effect, ahead, cleaned, included)
        return
    with st.container(horizontal=True):
        by = st.radio("Grow by", (REPOSITORY, PREFIX), horizontal=True, key="growth by", label_visibility="collapsed")
        choose_span(_SPAN)
    shown = by_prefix(history) if by == PREFIX else history
    show_chart_title("What the registry stored")
    show_chart(
        growth_figure(shown, ahead, included, theme_now(), measured=measured.value, cleaned=cleaned),
        "Areas of the bytes by repository over the days that were recorded, what Azure measured as a line of its own, "
        "and the forecast. The tables have what grew and when limits are reached.",
    )
    st.caption(f"{_sources(stored, ahead)} {_measured_words(measured)}{'' if stored.measured else _NOT_OF_IT}")
    if left_out := len(_names(recorded) - _names(history)):
        st.caption(
            f"Left out: {counted(left_out, 'repository', 'repositories')} that you can't read, or that was deleted. "
            "The figures of the whole registry have them."
        )
    show_limits(who, registry, stored.now, ahead)
    show_effect(effect, ahead, cleaned, included)
    there = {one.repository for one in shown if one.day == totals[-1].day}
    _show_grown(registry, by, grown(shown, _MONTH), {one.repository: one.bytes for one in grown(shown, _WEEK)}, there)


def _readable(recorded: tuple[Snapshot, ...], registry: Registry, count: StorageCount) -> tuple[Snapshot, ...]:
    """What may be shown: the snapshots of the console's own identity name repositories that the person may not read.
    Whether a deleted one could be read is known only where the whole registry is read or nothing of it."""
    read = {one.name for one in count.contents.values if one.manifests or not one.unread}
    every = count.contents.complete and len(read) == len(count.contents.values)
    return readable_of(recorded, read, gone=every and registry.access.mode is Mode.LEGACY)


def _names(history: tuple[Snapshot, ...]) -> set[str]:
    return {one.repository for one in history} - {WHOLE}


def _measured_words(measured: Reading[Mapping[date, int]]) -> str:
    """What the line of Azure is, or why there is none."""
    if measured.error:
        return f"What Azure measured is unknown: {plain(measured.error.cause)}"
    if measured.running:
        return "What Azure measured is being read."
    if not measured.value:
        return "What Azure measured is unknown: Azure Monitor has no measurement of this registry."
    return (
        f"As Azure measured: StorageUsed of Azure Monitor since {min(measured.value):%Y-%m-%d}, in the home region, "
        "soft deleted content included."
    )


def _few_snapshots(totals: tuple[Snapshot, ...]) -> str:
    """Why the snapshots are not what the forecast is made of."""
    if not totals:
        return "there is no snapshot yet"
    return f"snapshots are of {counted(len(totals), 'day')} only"


def _grown_metric(stored: StoredDays, days: int) -> Metric:
    """How much the registry grew in the last so many days, or since the first known one where that is younger."""
    more, span = stored.grown(days)
    known = "measurement" if stored.measured else "record"
    beside = "" if span == days else f"in {counted(span, 'day')}: no {known} is closer"
    return Metric(
        f"Grown in {days} days", f"{'+' if more > 0 else '−' if more < 0 else ''}{size(abs(more))}", beside=beside
    )


def _forecast_metric(ahead: Forecast | None, stored: StoredDays) -> Metric:
    label = "In 3 months"
    if ahead is None:
        there = f"{len(stored.by_day)} are {'measured' if stored.measured else 'recorded'}"
        return Metric(label, None, unknown=f"a forecast needs {FEWEST_DAYS} days, and {there}")
    point = ahead.at(MONTHS[3])
    later = "; ".join(f"{months} months: {size(ahead.at(days).bytes)}" for months, days in MONTHS.items() if months > 3)
    return Metric(
        label,
        size(point.bytes),
        help=f"If it grows on as before. {later}.",
        beside=f"{size(point.least)} to {size(point.most)}",
    )


def _reaches_metric(ahead: Forecast | None, stored: StoredDays, included: int | None) -> Metric:
    label = "Included storage full"
    if included is None:
        return Metric(label, None, unknown="its SKU has no known limit")
    over = stored.now - included
    if over >= 0:
        return Metric(label, "Reached", beside=f"{size(over)} beyond {size(included)}")
    if ahead is None:
        return Metric(label, None, unknown=f"no forecast yet; {size(-over)} left of {size(included)}")
    expected, earliest, latest = ahead.reaches(included)
    if expected is None and earliest is None:
        return Metric(label, "Over a year", beside=f"{size(-over)} left of {size(included)}")
    span = f"{_day(earliest)} to {_day(latest) if latest else 'later than a year'}"
    return Metric(label, _day(expected) if expected else "Perhaps", help="When it is reached", beside=span)


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def _sources(stored: StoredDays, ahead: Forecast | None) -> str:
    """What the forecast is of, and how good it is."""
    known = "measured" if stored.measured else "recorded"
    found = f"{counted(len(stored.by_day), 'day')} {known} since {min(stored.by_day):%Y-%m-%d}"
    found += "." if stored.measured else "; days between are drawn straight."
    if ahead is None:
        return found
    return (
        f"{found} It stays within the band with a likelihood of {LIKELY:.0%}. {counted(ahead.held_back, 'day')} ago, "
        f"a forecast would have been off by {ahead.error:.1f} % on average."
    )


def _show_grown(
    registry: Registry, by: str, monthly: tuple[Growth, ...], weekly: Mapping[str, int], there: Collection[str]
) -> None:
    """What grew and shrank in a month, and in a week: nothing what was deleted before. `there`: the names that are
    there now, also without a byte of their own."""
    changed = [one for one in monthly if one.bytes or weekly.get(one.repository) or one.before is None]
    if not changed:
        st.markdown(f"No {by.lower()} grew or shrank.")
        return
    today = datetime.now(UTC).date()
    now = "Own bytes: what several repositories share is in none of them"
    now = now if by == PREFIX else "What the repository's images take, shared content included"
    columns = {
        "Now": Sizes(now),
        "In 7 days": Sizes("Below zero: it shrank"),
        "In 30 days": Sizes("Below zero: it shrank"),
    }

    def cells(one: Growth) -> dict[str, str | int]:
        return {
            by: one.repository,
            "Now": one.after,
            "In 7 days": weekly.get(one.repository, 0),
            "In 30 days": one.bytes,
            "Note": "New" if one.before is None else "" if one.repository in there else "Deleted",
        }

    if by == PREFIX:
        show_rows([cells(one) for one in changed], "Prefixes by growth, the most first", columns=columns)
        return
    picked = openable(
        changed,
        cells,
        f"growth of {registry.id} {today}",
        "Repositories by growth, the most first",
        columns=columns,
        identity=lambda one: one.repository,
    )
    if picked:
        open_page(pages.REPOSITORY, registry=registry.name, repository=picked.repository)
