"""The report of a cost review: its tables in their order, the same from the page and by itself each month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.costs.review import Review
from services.costs.tables import review_report
from services.pricing.report import Figure, Report, Table
from ui.elements.metrics import Metric, figure_texts


@dataclass(frozen=True)
class ReviewTables:
    """What a review says, by table. `spending`: who spends it, with its bars; `by_registry`: each registry is a group
    of it. Those without a row may be left out."""

    spending: Table
    registries: Table
    at_list_prices: Table
    months: Sequence[Table]
    budgets: Table
    sources: Table
    repositories: Sequence[Table] = ()
    trend: Sequence[Table] = ()
    by_registry: bool = True

    def in_order(self) -> list[Table]:
        """As a file has them: what is of registries once, with the bars."""
        registries = replace(self.registries, chart=self.spending.chart) if self.by_registry else self.registries
        return [
            *(() if self.by_registry else (self.spending,)),
            registries,
            *((self.at_list_prices,) if self.at_list_prices.rows else ()),
            *self.repositories,
            *self.trend,
            *self.months,
            *((self.budgets,) if self.budgets.rows else ()),
            self.sources,
        ]


def cost_report(
    review: Review,
    at: datetime,
    by: str,
    prices: str,
    figures: Iterable[Metric],
    tables: ReviewTables,
    unread: Table | None = None,
) -> Report:
    """The review as a file. `prices`: a sentence on the prices of the estimates; `unread`: what could not be read."""
    lacking = unread if unread and unread.rows else None
    shown = [Figure(one.label, *figure_texts(one)) for one in figures]
    found = review_report(review, at, by, prices, shown, [*((lacking,) if lacking else ()), *tables.in_order()])
    if lacking is None:
        return found
    return replace(found, notes=(f"Partial: not all could be read. {lacking.heading} has what, and why.", *found.notes))
