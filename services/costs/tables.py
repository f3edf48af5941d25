"""The tables of a cost review, the same on the page and in its files."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import pandas as pd

from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts
from services.costs.budgets import Budget
from services.costs.by_meter import in_months
from services.costs.by_repository import RepositoryCost
from services.costs.charts import months_chart, repository_chart, spending_chart
from services.costs.review import GroupTotal, Review
from services.pricing.estimates import NOT_INCLUDED, gib
from services.pricing.report import Figure, Report, Table


def month_name(month: date) -> str:
    """'November 2026'."""
    return f"{month:%B %Y}"


def group_table(totals: Sequence[GroupTotal], by: str, review: Review, marked: str = "") -> Table:
    """The cost of each group in each currency, with its bars; `marked`: the group to find among them."""
    return Table(
        f"By {by.lower()}",
        (by, "Registries", "Currency", _billed(review), "Month before", _month(review), "Estimated", "Cost unknown"),
        tuple(
            (
                one.name,
                one.registries,
                one.currency,
                one.cost,
                one.before,
                one.figure,
                one.unbilled,
                one.unknown,
            )
            for one in totals
        ),
        note=f"{_month(review)}: {_OF_MONTH[review.under_way]} Estimated: registries at the estimate, as no bill could "
        "be read. Cost unknown: registries in none of the amounts.",
        chart=spending_chart(totals, review, marked),
    )


_OF_MONTH = {
    True: "the bill so far, projected to the month's end, or the estimate where there is no bill.",
    False: "the bill, or the estimate where there is none.",
}


def _billed(review: Review) -> str:
    return "So far" if review.under_way else "Billed"


def _month(review: Review) -> str:
    return "Forecast" if review.under_way else "Billed or estimated"


def registry_table(review: Review) -> Table:
    """A row for each registry and currency."""
    forecast = ("Forecast",) if review.under_way else ()
    return Table(
        "Registries",
        (
            *("Registry", "Source", "Currency", _billed(review)),
            *forecast,
            *("Month before", "Estimate", "Estimated in", "Difference", "Resource group", "Subscription"),
        ),
        tuple(
            (
                line.name,
                line.source.value,
                line.currency,
                line.cost,
                *((line.forecast,) if review.under_way else ()),
                line.before,
                line.estimate.total if line.estimate else None,
                line.estimate.currency if line.estimate else None,
                line.difference,
                line.resource_group,
                line.subscription,
            )
            for line in review.lines
        ),
        note="Estimate: a whole month at list prices of what the registry stores now. Difference: the month's cost "
        "less the estimate, where both are known in one currency.",
    )


def reason_table(review: Review) -> Table:
    """Why the bills differ from the estimates, and the registries' tags: a row where there is something to say."""
    return Table(
        "Notes on registries",
        ("Registry", "Currency", "Note", "Tags"),
        tuple(
            (line.name, line.currency, " ".join(line.why), tags)
            for line in review.lines
            if (tags := ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items()))) or line.why
        ),
    )


def meter_table(amounts: pd.DataFrame, months: Sequence[date], currency: str) -> Table:
    """Meters by months: `amounts` of one currency, as `months_by_meter` has them, in these months."""
    return Table(
        f"Months by meter, {currency}",
        ("Meter", *(f"{month:%b %Y}" for month in months)),
        tuple((meter, *row) for meter, row in in_months(amounts, months)),
        chart=months_chart(amounts, months, currency),
    )


def budget_table(budgets: Iterable[Budget]) -> Table:
    """Budgets, with what is spent of them in the present period, those most used first."""
    return Table(
        "Budgets",
        ("Budget", "State", "Used, %", "Currency", "Spent", "Amount", "Forecast", "Renewed", "Subscription", "Covers"),
        tuple(
            (
                one.name,
                budget_state(one),
                None if one.used is None else 100 * one.used,
                one.currency,
                one.spent,
                one.amount,
                one.forecast,
                one.grain,
                one.subscription,
                f"{one.covers} in {one.scope}",
            )
            for one in sorted(budgets, key=lambda one: (-(one.used or 0), one.name))
        ),
    )


def budget_state(budget: Budget) -> str:
    """Whether the amount is spent, or will be by the forecast."""
    if budget.spent is None or not budget.amount:
        return "Unknown"
    if budget.spent > budget.amount:
        return "Over budget"
    if budget.forecast is not None and budget.forecast > budget.amount:
        return "Forecast over budget"
    return "Within budget"


def repository_table(name: str, costs: Sequence[RepositoryCost], currency: str, note: str) -> Table:
    """A registry's bill by repository, with its bars."""
    return Table(
        f"{name} by repository",
        ("Repository", "Unique, GiB", "Shared, GiB", "Currency", "Cost"),
        tuple((one.name, gib(one.unique), gib(one.part), currency, one.amount) for one in costs),
        note=note,
        chart=repository_chart(name, costs, currency),
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
