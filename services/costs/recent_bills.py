"""All that a review of costs is made of: the bills of all subscriptions, by meter and month, and the budgets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from threading import Event

import pandas as pd

from services.arm.subscriptions import list_subscriptions
from services.connection.parallel import Partial, Progress
from services.connection.session import AzureSession
from services.costs.bills import SubscriptionCosts, read_costs
from services.costs.budgets import Budget, read_budgets
from services.costs.by_meter import months_by_meter
from services.costs.daily import days_from
from services.costs.review import latest_currencies


@dataclass(frozen=True)
class Bills:
    """Each subscription's bill, all of them by meter and month (by currency), and the budgets."""

    costs: Partial[SubscriptionCosts]
    by_meter: Mapping[str, pd.DataFrame]
    budgets: Partial[Budget]

    @property
    def currency(self) -> str:
        """The currency that was billed last; "" where nothing was, or no bill could be read."""
        return next(iter(latest_currencies(row for bill in self.costs.values for row in bill.rows)), "")

    @property
    def currencies(self) -> Mapping[str, str]:
        """By subscription id, the currency that it was billed in last; nothing where that is unknown."""
        found = {bill.subscription.id: latest_currencies(bill.rows) for bill in self.costs.values}
        return {one: next(iter(currencies)) for one, currencies in found.items() if currencies}


def bills_in_parts(
    session: AzureSession,
    first: date,
    last: date,
    today: date,
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Iterator[Bills]:
    """The bills from `first` to `last`, first without and then with the budgets; with days up to `today` where their
    source has them in the same read. After `stop` the rest is left out. Raises ServiceError where nothing can be
    listed."""
    listed = list_subscriptions(session)
    days = days_from(min(last, today))
    read = read_costs(session, listed.values, first, last, days_from=days, progress=progress, stop=stop)
    costs = replace(read, refused=listed.refused + read.refused)
    by_meter = months_by_meter(row for bill in costs.values for row in bill.rows)
    yield Bills(costs, by_meter, Partial(()))
    if not (stop and stop.is_set()):
        if progress:
            progress(0, 0, "budgets")
        yield Bills(costs, by_meter, read_budgets(session, listed.values))
