"""The tables of a cost review, the same on the page and in its files."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import pandas as pd

from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts
from services.costs.budgets import Budget
from services.costs.by_meter import in_months
from services.costs.by_repository import RepositoryCost
from services.costs.review import GroupTotal, Review
from services.pricing.estimates import NOT_INCLUDED, gib
from services.pricing.report import Report, Table


def month_name(month: date) -> str:
    """'November 2026'."""
    return f"{month:%B %Y}"


def group_table(totals: Sequence[GroupTotal], by: str, review: Review) -> Table:
    """The cost of each group in each currency."""
    billed = "So far" if review.under_way else "Billed"
    return Table(
        f"By {by.lower()}",
        (by, "Registries", "Currency", billed, "Month before", "Whole month", "Of these, estimated", "Cost unknown"),
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
        note="Whole month: the bill, projected to the month's end at the rate so far; if no bill could be read, the "
        f"estimate. {billed} and Month before leave those out. Cost unknown: registries that no amount here includes.",
        bar="Whole month",
    )


def registry_table(review: Review) -> Table:
    """A row for each registry and currency."""
    billed = "So far" if review.under_way else "Billed"
    forecast = ("Forecast",) if review.under_way else ()
    return Table(
        "Registries",
        (
            *("Registry", "Source", "Currency", billed),
            *forecast,
            *(
                "Month before",
                "Estimate",
                "Estimated in",
                "Difference",
                "Why",
                "Resource group",
                "Subscription",
                "Tags",
            ),
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
                " ".join(line.why),
                line.resource_group,
                line.subscription,
                ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items())),
            )
            for line in review.lines
        ),
        note="Estimate: a whole month at list prices of what the registry stores now. Difference: the month's cost "
        "less the estimate, where both are known in one currency.",
    )


def meter_table(amounts: pd.DataFrame, months: Sequence[date], currency: str) -> Table:
    """Meters by months: `amounts` of one currency, as `months_by_meter` has them, in these months."""
    return Table(
        f"Months by meter, {currency}",
        ("Meter", *(f"{month:%b %Y}" for month in months)),
        tuple((meter, *row) for meter, row in in_months(amounts, months)),
    )


def budget_table(budgets: Iterable[Budget]) -> Table:
    """Budgets, with what is spent of them in the present period."""
    return Table(
        "Budgets",
        ("Budget", "Subscription", "Covers", "Renewed", "Currency", "Amount", "Spent", "Forecast", "Used, %"),
        tuple(
            (
                one.name,
                one.subscription,
                f"{one.covers} in {one.scope}",
                one.grain,
                one.currency,
                one.amount,
                one.spent,
                one.forecast,
                None if one.used is None else 100 * one.used,
            )
            for one in sorted(budgets, key=lambda one: (-(one.used or 0), one.name))
        ),
    )


def repository_table(name: str, costs: Sequence[RepositoryCost], currency: str, note: str) -> Table:
    """A registry's bill by repository."""
    return Table(
        f"{name} by repository",
        ("Repository", "Own, GiB", "Shared, GiB", "Currency", "Cost"),
        tuple((one.name, gib(one.unique), gib(one.part), currency, one.amount) for one in costs),
        note=note,
        bar="Cost",
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
    review: Review, at: datetime, by: str, prices: str, figures: Mapping[str, str], tables: Sequence[Table]
) -> Report:
    """The review of a month as a Report. `prices`: a sentence on the prices of the estimates."""
    return Report(
        title=f"Registry cost review, {month_name(review.month)}",
        at=at,
        by=by,
        figures=figures,
        notes=(
            prices,
            f"Of the registries alone. {NOT_INCLUDED}",
            "Amounts are rounded to cents; totals are of the exact amounts. Amounts of two currencies are never added.",
        ),
        tables=tuple(tables),
    )
