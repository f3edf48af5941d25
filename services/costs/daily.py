"""What was billed day by day, in the last three months.

Consumption's usage details have days: those that a bill was read from are enough. Cost Management answers a query of
days for at most 31 of them, so its subscriptions are asked once more for each such span.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Event

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.query import MOST_DAYS, query_days
from services.costs.rows import DayCost

# Three spans, so that a subscription is asked four times at most with its months: it refuses more than that a minute.
SPANS = 3


@dataclass(frozen=True)
class SubscriptionDays:
    """A subscription's rows by day. `read`: the first and last day of each span that was read; on any other day nothing
    is known. `reason` says why there is none at all; `unread`: the spans and rows that are missing."""

    subscription: Subscription
    source: CostSource
    rows: tuple[DayCost, ...]
    read: tuple[tuple[date, date], ...]
    reason: str = ""
    unread: tuple[Refusal, ...] = ()

    def covers(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.read)


def days_from(today: date) -> date:
    """The first of the days that are read: 92 days ago."""
    return today - timedelta(SPANS * MOST_DAYS - 1)


def read_days(
    session: AzureSession,
    bills: Iterable[SubscriptionCosts],
    today: date,
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[SubscriptionDays]:
    """Each of the bills by day, from `days_from(today)` to `today`. A span that could not be read is in `unread`."""
    bills = list(bills)
    return parallel_map(
        lambda bill: _days_of(session, bill, today, stop or Event()),
        bills,
        name=lambda bill: bill.subscription.name,
        done=counter(progress, "daily bills", len(bills)),
        stop=stop,
    )


def _days_of(session: AzureSession, bill: SubscriptionCosts, today: date, stop: Event) -> SubscriptionDays:
    subscription, whole = bill.subscription, ((days_from(today), today),)
    if bill.source is CostSource.ESTIMATE:
        return SubscriptionDays(subscription, bill.source, (), (), bill.reason)
    if bill.source is CostSource.USAGE:
        if bill.rows and not bill.days and any(row.month >= days_from(today) for row in bill.rows):
            return SubscriptionDays(subscription, bill.source, (), (), "Its usage details name no days.")
        return SubscriptionDays(subscription, bill.source, bill.days, whole, unread=bill.unread)
    rows: list[DayCost] = []
    read: list[tuple[date, date]] = []
    unread: list[Refusal] = []
    for first, last in _spans(today):
        if stop.is_set():
            break
        try:
            found = query_days(session, subscription.id, first, last)
        except ServiceError as refused:
            unread.append(Refusal(f"{subscription.name}, {first:%d %B} to {last:%d %B}", refused))
            continue
        rows += found.values
        unread += found.refused
        read.append((first, last))
    return SubscriptionDays(subscription, bill.source, tuple(rows), tuple(read), unread=tuple(unread))


def _spans(today: date) -> Iterator[tuple[date, date]]:
    """The newest first: where the older are refused, the newer are there."""
    for number in range(SPANS):
        last = today - timedelta(number * MOST_DAYS)
        yield last - timedelta(MOST_DAYS - 1), last
