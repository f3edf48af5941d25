"""The trend as tables: by day for the page, by week for a file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from services.cost_trend.anomalies import (
    LEAST_BEFORE,
    LEAST_SINCE,
    anomaly_words,
    find_anomalies,
    find_sku_changes,
    sku_words,
)
from services.cost_trend.days import RegistryDays, Trend
from services.cost_trend.quarter import QuarterCost, next_quarter, quarter_table, quarter_totals, quarter_words
from services.cost_trend.series import Series, by_registry, trend_title, unknown_on
from services.pricing.bar_chart import Bar, BarChart
from services.pricing.money import ZERO, money
from services.pricing.report import Cell, Table
from services.wording import counted, joined

_WEEK = 7
# More names than these are no longer read in a cell.
_MOST_NAMES = 3


def day_table(
    heading: str, trend: Trend, registries: Sequence[RegistryDays], series: Sequence[Series], currency: str
) -> Table:
    """A row for each day, the latest first, with what is to be known of it; a cell without an amount is unknown."""
    noted = {day: _note(trend, registries, [day]) for day in trend.days}
    columns = ("Day", *(one.name for one in series), f"All, {currency}", "Note")
    rows: list[tuple[Cell, ...]] = []
    for day in reversed(trend.days):
        amounts = [one.amounts.get(day) for one in series]
        known = [amount for amount in amounts if amount is not None]
        rows.append((day, *amounts, sum(known, ZERO) if known else None, noted[day]))
    return Table(heading, columns, tuple(rows))


def _note(trend: Trend, registries: Sequence[RegistryDays], days: Sequence[date]) -> str:
    """What the amounts of these days lack."""
    late = any(day > trend.settled for day in days)
    names = sorted({name for day in days if day <= trend.settled for name in unknown_on(registries, day)})
    parts = (
        "Not complete yet: Azure bills late." if late else "",
        f"Unknown for {joined(names)}." if names else "",
    )
    return " ".join(part for part in parts if part)


def lacking_words(trend: Trend, registries: Sequence[RegistryDays]) -> str:
    """A sentence on the settled days that are not known, by registry; "" where all are."""
    unknown = {one.name: one.unknown(trend.settled) for one in registries if one.unknown(trend.settled)}
    if not unknown:
        return ""
    parts = [f"{name} on {_days(days)}" for name, days in list(unknown.items())[:_MOST_NAMES]]
    more = f" and {len(unknown) - _MOST_NAMES} more" if len(unknown) > _MOST_NAMES else ""
    return f"Unknown, not 0: {', '.join(parts)}{more}."


def _days(days: Sequence[date]) -> str:
    if len(days) == 1:
        return f"{days[0]:%d %B}"
    return f"{counted(len(days), 'day')} ({days[0]:%d %B} to {days[-1]:%d %B})"


def change_table(trend: Trend) -> Table:
    """What rose and stayed so, and which SKUs changed, each with its day."""
    rows: list[tuple[Cell, ...]] = [
        (one.name, one.since, f"{anomaly_words(one)}.", one.before, one.after, one.currency)
        for one in find_anomalies(trend)
    ]
    rows += [(one.name, one.on, f"{sku_words(one)}.", None, None, "") for one in find_sku_changes(trend)]
    columns = ("Registry", "Since", "Change", "A day before", "A day now", "Currency")
    note = "" if rows else nothing_rose(trend)
    return Table("What changed", columns, tuple(rows), note=note)


def nothing_rose(trend: Trend) -> str:
    """Says that there is no anomaly, and what was looked for."""
    if not trend.registries:
        return "Unknown: no bill by day could be read."
    return (
        f"No registry's daily cost rose by half or more and stayed so for {LEAST_SINCE} days, "
        f"of those with {LEAST_BEFORE} days before."
    )


def report_tables(trend: Trend, quarter: Sequence[QuarterCost], *, pending: str = "") -> list[Table]:
    """What a file has of the trend: what changed, the weeks of each currency, the next quarter, and which subscriptions
    are in none of them. `pending`: why the quarter is not known yet."""
    tables = [change_table(trend), *(week_table(trend, currency) for currency in trend.currencies)]
    if quarter or pending:
        totals = [f"{quarter_words(one, next_quarter(trend.last))}." for one in quarter_totals(quarter)]
        note = " ".join(part for part in (pending, *totals, without_words(trend)) if part)
        tables.append(replace(quarter_table(quarter, next_quarter(trend.last)), note=note))
    if trend.without:
        tables.append(Table("Not in the trend", ("Subscription", "Reason"), tuple(trend.without.items())))
    return tables


def without_words(trend: Trend) -> str:
    """A sentence on the subscriptions of which no day is known; "" where there are none."""
    return f"Without {joined(tuple(trend.without))}: no day is known." if trend.without else ""


def week_table(trend: Trend, currency: str) -> Table:
    """A row for each whole week (from Monday) by registry, with its bars: for a file. Only days that Azure has billed
    in full."""
    registries = trend.of(currency)
    series = by_registry(registries)
    first = trend.first + timedelta(-trend.first.weekday() % _WEEK)
    weeks: list[list[date]] = []
    while first + timedelta(_WEEK - 1) <= trend.settled:
        weeks.append([first + timedelta(number) for number in range(_WEEK)])
        first += timedelta(_WEEK)
    rows: list[tuple[Cell, ...]] = []
    bars: list[Bar] = []
    for week in weeks:
        amounts = [_sum_of(one, week) for one in series]
        known = [amount for amount in amounts if amount is not None]
        total = sum(known, ZERO) if known else None
        note = _note(trend, registries, week)
        rows.append((week[0], *amounts, total, f"At least. {note}" if note and known else note))
        text = "Unknown" if total is None else f"{'≥ ' if note else ''}{money(total, currency)}"
        bars.append(Bar(f"{week[0]}", tuple(amounts), text))
    names = tuple(one.name for one in series)
    rest = names[-1] if names and names[-1].startswith("Other (") else ""
    chart = BarChart(trend_title(trend, registries, currency), currency, names, tuple(bars), rest) if names else None
    return Table(
        f"Trend by week, {currency}",
        ("Week from", *names, f"All, {currency}", "Note"),
        tuple(rows),
        note=lacking_words(trend, registries),
        chart=chart,
    )


def _sum_of(series: Series, days: Sequence[date]) -> Decimal | None:
    known = [amount for day in days if (amount := series.amounts.get(day)) is not None]
    return sum(known, ZERO) if known else None
