"""All that a monthly report is made of, read by one identity without a page."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from threading import Event

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.connection.session import AzureSession
from services.cost_reports.months import first_read
from services.cost_trend.days import Trend, trend_of
from services.cost_trend.quarter import QuarterCost, quarter_costs
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.daily import read_days
from services.costs.recent_bills import Bills, bills_in_parts
from services.costs.review import days_in
from services.pricing.price_cache import PriceList
from services.pricing.report import Table
from services.pricing.retail_prices import CURRENCIES
from services.registries.reading import list_registries
from services.registries.registry import Registry
from services.wording import counted

# Statuses of a failure that may be over when it is asked again, besides those of the server.
_PASSING = (408, 429)


@dataclass(frozen=True)
class Unread:
    """A part that could not be read: what kind of part ('Bill'), of what, and why."""

    kind: str
    of: str
    error: ServiceError

    @property
    def may_pass(self) -> bool:
        """Whether it may be there when it is asked for again: it was throttled, or the server down."""
        status = self.error.status
        return status is None or status in _PASSING or status >= 500


@dataclass(frozen=True)
class MonthRead:
    """What was read: registries, bills with the budgets, list prices in their currency, the days of the last three
    months and the next quarter by them; and what could not be."""

    listed: Partial[Registry]
    bills: Bills
    prices: PriceList
    trend: Trend
    quarter: tuple[QuarterCost, ...]
    unread: tuple[Unread, ...]


def read_month(
    session: AzureSession,
    month: date,
    today: date,
    list_prices: Callable[[str, Collection[str]], PriceList],
    *,
    stop: Event | None = None,
) -> MonthRead:
    """The registries and their bills, of this month and the six before it, and of what the report of `month` compares
    with. `list_prices`: those of regions, in a
    currency. What could not be read is in `unread`. Raises ServiceError where nothing can be listed, and (Stopped)
    where `stop` was set before all was read."""
    stopped = ServiceError("The report was not made", "It was stopped before all was read.", "", "Stopped")
    listed = list_registries(session, stop=stop)
    bills = Bills(Partial(()), {}, Partial(()))
    for part in bills_in_parts(session, first_read(month, today), today.replace(day=days_in(today)), today, stop=stop):
        bills = part
    regions = tuple(sorted({registry.location for registry in listed.values}))
    prices = list_prices(bills.currency or CURRENCIES[0], regions)
    days = read_days(session, bills.costs.values, today, stop=stop)
    if stop and stop.is_set():
        raise stopped
    trend = trend_of(
        Partial(days.values, bills.costs.refused + days.refused, bills.costs.untried + days.untried), listed, today
    )
    unread = (
        *_unread("Registries", listed.refused),
        *_unread("Usage", (one for registry in listed.values for one in registry.unread)),
        *_unread("Bill", bills.costs.refused),
        *_unread("Bill", (one for bill in bills.costs.values for one in _lacks(bill))),
        *_unread("Bill by day", days.refused),
        # What a bill lacks by month it lacks by day, too.
        *_unread(
            "Bill by day", (one for bill in days.values if bill.source is CostSource.QUERY for one in bill.unread)
        ),
        *_unread("Budgets", bills.budgets.refused),
        *((Unread("List prices", prices.currency, prices.error),) if prices.error else ()),
    )
    quarter = quarter_costs(trend, stop=stop)
    if stop and stop.is_set():
        raise stopped
    return MonthRead(listed, bills, prices, trend, quarter, unread)


def _lacks(bill: SubscriptionCosts) -> tuple[Refusal, ...]:
    """Of one that is empty, why it could not be read; else the rows that it lacks."""
    if bill.source is CostSource.ESTIMATE and bill.error:
        return (Refusal(bill.subscription.name, bill.error),)
    return bill.unread


def _unread(kind: str, refused: Iterable[Refusal]) -> tuple[Unread, ...]:
    return tuple(Unread(kind, one.what, one.error) for one in refused)


def unread_table(read: MonthRead) -> Table:
    """What is missing in a report, with the reasons: of subscriptions, of registries, and the list prices."""
    rows = tuple((one.kind, one.of, f"{one.error.cause} {one.error.remedy}".strip()) for one in read.unread)
    return Table("Could not be read", ("What", "Of", "Reason"), rows)


def unread_words(read: MonthRead) -> str:
    """'Not all could be read: 2 bills, 1 subscription's budgets', without names; "" where all was."""
    kinds = Counter(one.kind for one in read.unread)
    parts = ", ".join(counted(number, *_COUNTED[kind]) for kind, number in kinds.items())
    return f"Not all could be read: {parts}" if parts else ""


_COUNTED = {
    "Registries": ("list of registries", "lists of registries"),
    "Usage": ("registry's usage", "registries' usage"),
    "Bill": ("bill",),
    "Bill by day": ("daily bill",),
    "Budgets": ("subscription's budgets", "subscriptions' budgets"),
    "List prices": ("price list",),
}
