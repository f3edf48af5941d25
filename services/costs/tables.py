"""The tables of a cost review, the same on the page and in its files."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

import pandas as pd

from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts
from services.costs.budgets import Budget, covered
from services.costs.by_meter import in_months
from services.costs.by_repository import RepositoryCost
from services.costs.charts import months_chart, repository_chart, spending_chart
from services.costs.review import GroupTotal, Review, ReviewLine, month_before
from services.pricing.bar_chart import BarChart
from services.pricing.estimates import NOT_INCLUDED
from services.pricing.report import Bytes, Cell, Figure, Report, Table

Row = TypeVar("Row")


def month_name(month: date) -> str:
    """'November 2026'."""
    return f"{month:%B %Y}"


def group_table(
    totals: Sequence[GroupTotal], by: str, review: Review, marked: str = "", *, partial: bool = False
) -> Table:
    """The cost of each group in each currency, with its bars; `marked`: the group to find among them. A column that
    would be the same in all rows is left out. `partial`: not all could be read."""
    currency = _only(one.currency for one in totals)
    estimated, unknown = any(one.unbilled for one in totals), any(one.unknown for one in totals)
    columns: list[_Column[GroupTotal]] = [
        _Column(by, lambda one: one.name),
        _Column("Registries", lambda one: one.registries, any(one.registries != 1 for one in totals)),
        _Column("Currency", lambda one: one.currency, not currency),
        _Column(_amount(_billed(review), currency), lambda one: one.cost),
        _Column(_amount(_month(review), currency), lambda one: one.figure, review.under_way or estimated),
        _Column(_amount(_before(review), currency), lambda one: one.before),
        _Column("Estimated", lambda one: one.unbilled, estimated),
        _Column("Cost unknown", lambda one: one.unknown, unknown),
    ]
    notes = (
        f"{_month(review)}: {_OF_MONTH[review.under_way]}" if review.under_way or estimated else "",
        "Estimated: registries without a bill." if estimated else "",
        "Cost unknown: registries in none of the amounts." if unknown else "",
    )
    note = " ".join(part for part in notes if part)
    return _table(f"By {by.lower()}", columns, totals, note, spending_chart(totals, review, marked, partial=partial))


_OF_MONTH = {
    True: "the bill so far, projected to the month's end, or the estimate where there is no bill.",
    False: "the bill, or the estimate where there is none.",
}


@dataclass(frozen=True)
class _Column(Generic[Row]):
    """`cell` of a row. Not `shown`: the table has no such column, as it would say nothing."""

    name: str
    cell: Callable[[Row], Cell]
    shown: bool = True


def _table(
    heading: str,
    columns: Iterable[_Column[Row]],
    rows: Iterable[Row],
    note: str = "",
    chart: BarChart | None = None,
) -> Table:
    shown = [column for column in columns if column.shown]
    cells = tuple(tuple(column.cell(row) for column in shown) for row in rows)
    return Table(heading, tuple(column.name for column in shown), cells, note=note, chart=chart)


def _only(currencies: Iterable[str]) -> str:
    """The currency of all amounts, for the names of columns; "" where there are several, which need a column."""
    found = {currency for currency in currencies if currency}
    return found.pop() if len(found) == 1 else ""


def _amount(name: str, currency: str) -> str:
    return f"{name}, {currency}" if currency else name


def _billed(review: Review) -> str:
    return "So far" if review.under_way else "Billed"


def _month(review: Review) -> str:
    return "Forecast" if review.under_way else "Billed or estimated"


def _before(review: Review) -> str:
    return f"{month_before(review.month):%B}"


def registry_table(review: Review) -> Table:
    """A row for each registry and currency: what it costs, and what is to be known of it."""
    currency = _only(line.currency for line in review.lines)
    estimated = any(line.cost is None and line.figure is not None for line in review.lines)
    tagged = any(line.tags for line in review.lines)
    columns: list[_Column[ReviewLine]] = [
        _Column("Registry", lambda line: line.name),
        _Column("Currency", lambda line: line.currency, not currency),
        _Column(_amount(_billed(review), currency), lambda line: line.cost),
        _Column(_amount(_month(review), currency), lambda line: line.figure, review.under_way or estimated),
        _Column(_amount(_before(review), currency), lambda line: line.before),
        _Column("Resource group", lambda line: line.resource_group),
        _Column("Subscription", lambda line: line.subscription),
        _Column("Note", lambda line: " ".join(line.notes), any(line.notes for line in review.lines)),
        _Column("Tags", lambda line: ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items())), tagged),
    ]
    return _table("Registries", columns, review.lines)


def list_price_table(review: Review) -> Table:
    """What each registry would cost at list prices beside what it costs, and why the two differ."""
    lines = [line for line in review.lines if line.estimate]
    currency = _only(line.currency for line in lines)
    listed = _only(line.estimate.currency for line in lines if line.estimate)
    columns: list[_Column[ReviewLine]] = [
        _Column("Registry", lambda line: line.name),
        _Column("Currency", lambda line: line.currency, not currency),
        _Column(_amount(_month(review), currency), lambda line: line.figure if line.cost is not None else None),
        _Column(_amount("At list prices", listed), lambda line: line.estimate.total if line.estimate else None),
        _Column(_amount("Difference", currency), lambda line: line.difference),
        _Column("Why", lambda line: " ".join(one for one in line.why if one not in line.notes)),
    ]
    note = "At list prices: a whole month of what the registry stores now."
    return _table("Beside list prices", columns, lines, note)


def meter_table(
    amounts: pd.DataFrame,
    months: Sequence[date],
    currency: str,
    under_way: date | None = None,
    *,
    partial: bool = False,
) -> Table:
    """Meters by months: `amounts` of one currency, as `months_by_meter` has them, in these months. `under_way`: the
    month that is not over; `partial`: not every bill could be read."""
    return Table(
        f"Months by meter, {currency}",
        ("Meter", *(f"{month:%b %Y}" for month in months)),
        tuple((meter, *row) for meter, row in in_months(amounts, months)),
        chart=months_chart(amounts, months, currency, under_way, partial=partial),
    )


def budget_table(budgets: Iterable[Budget]) -> Table:
    """Budgets, with what is spent of them in the present period, those most used first."""
    rows = sorted(budgets, key=lambda one: (-(one.used or 0), one.name))
    currency = _only(one.currency for one in rows)
    columns: list[_Column[Budget]] = [
        _Column("Budget", lambda one: one.name),
        _Column("State", budget_state),
        _Column("Used, %", lambda one: None if one.used is None else round(100 * one.used)),
        _Column("Currency", lambda one: one.currency, not currency),
        _Column(_amount("Spent", currency), lambda one: one.spent),
        _Column(_amount("Amount", currency), lambda one: one.amount),
        _Column(_amount("Forecast", currency), lambda one: one.forecast),
        _Column("Renewed", lambda one: one.grain),
        _Column("Covers", covered),
    ]
    return _table("Budgets", columns, rows)


def budget_state(budget: Budget) -> str:
    """Whether the amount is spent, or will be by the forecast."""
    if budget.spent is None or not budget.amount:
        return "Unknown"
    if budget.spent > budget.amount:
        return "Over budget"
    if budget.forecast is not None and budget.forecast > budget.amount:
        return "Forecast over budget"
    return "Within budget"


def repository_table(
    name: str, costs: Sequence[RepositoryCost], currency: str, note: str, *, partial: bool = False
) -> Table:
    """A registry's bill by repository, with its bars. `partial`: not all of it could be read."""
    return Table(
        f"{name} by repository",
        ("Repository", f"Cost, {currency}", "Unique", "Part of shared"),
        tuple((one.name, one.amount, Bytes(one.unique), Bytes(round(one.part))) for one in costs),
        note=note,
        chart=repository_chart(name, costs, currency, partial=partial),
    )


def source_table(bills: Partial[SubscriptionCosts]) -> Table:
    """The source of each subscription's figures, with its reason."""
    rows = [(bill.subscription.name, bill.source.value, bill.reason) for bill in bills.values]
    rows += [
        (refusal.what, "estimate", f"Could not be read: {refusal.error.cause} {refusal.error.remedy}")
        for refusal in bills.refused
    ]
    return Table("Sources of the figures", ("Subscription", "Source", "Reason"), tuple(rows))


def review_report(
    review: Review, at: datetime, by: str, prices: str, figures: Sequence[Figure], tables: Sequence[Table]
) -> Report:
    """The review of a month as a Report. `prices`: a sentence on the prices of the estimates."""
    return Report(
        title=f"Registry cost review, {month_name(review.month)}",
        at=at,
        by=by,
        figures=tuple(figures),
        notes=(
            prices,
            f"Of the registries alone. {NOT_INCLUDED}",
            "Amounts are rounded to cents; totals are of the exact amounts. Amounts of two currencies are never added.",
        ),
        tables=tuple(tables),
    )
