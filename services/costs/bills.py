"""What was billed in each subscription: by Cost Management, or where that does not answer by Consumption.

Offers differ: https://learn.microsoft.com/azure/cost-management-billing/automate/migrate-consumption-usage-details-api.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from threading import Event

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.session import AzureSession
from services.costs.query import query_costs
from services.costs.rows import CostRow, DayCost
from services.costs.usage_details import ROWS, sum_usage


class CostSource(StrEnum):
    """The source of a figure. ESTIMATE: no bill could be read."""

    QUERY = "Cost Management"
    USAGE = "Consumption"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class SubscriptionCosts:
    """A subscription's bill. `reason` says why it is not from Cost Management, or why it is empty; `error` is
    Azure's answer; `unread`: its rows that could not be understood, which `rows` lacks. `days`: the same by day, where
    its source has days in one read."""

    subscription: Subscription
    source: CostSource
    rows: tuple[CostRow, ...]
    reason: str = ""
    error: ServiceError | None = None
    unread: tuple[Refusal, ...] = ()
    days: tuple[DayCost, ...] = ()


# Statuses of an offer or an identity without this API; any other failure may be temporary.
_NOT_FOR_THIS = (400, 403, 404, 422)


def read_costs(
    session: AzureSession,
    subscriptions: Iterable[Subscription],
    first: date,
    last: date,
    *,
    days_from: date | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[SubscriptionCosts]:
    """Each subscription's bill from `first` to `last`; `days_from`: with its days from there on. Refused: those with a
    temporary failure (throttled, down)."""
    subscriptions = list(subscriptions)
    return parallel_map(
        lambda subscription: _costs_of(session, subscription, first, last, days_from),
        subscriptions,
        name=lambda subscription: subscription.name,
        done=counter(progress, "bills", len(subscriptions)),
        stop=stop,
    )


def _costs_of(
    session: AzureSession, subscription: Subscription, first: date, last: date, days_from: date | None
) -> SubscriptionCosts:
    try:
        read = query_costs(session, subscription.id, first, last)
    except ServiceError as refused:
        if refused.status not in _NOT_FOR_THIS:
            raise
        no_query = refused
    else:
        rows = read.values or read.all_values()  # Where nothing could be understood, that is not nothing billed.
        reason = "" if rows else _NOTHING
        return SubscriptionCosts(subscription, CostSource.QUERY, rows, reason, unread=read.refused)
    try:
        sums = sum_usage(session, subscription.id, first, last, days_from)
    except ServiceError as refused:
        if refused.status not in _NOT_FOR_THIS:
            raise
        return SubscriptionCosts(subscription, CostSource.ESTIMATE, (), _why(refused), refused)
    read = Partial(sums.rows(), sums.refused(ROWS))
    rows = read.values or read.all_values()
    denied = no_query.status == 403
    if not rows:
        reason = f"{_NO_QUERY_RIGHT} Consumption has nothing for registries." if denied else _NOTHING
        return SubscriptionCosts(subscription, CostSource.ESTIMATE, (), reason, no_query)
    reason = _NO_QUERY_RIGHT if denied else "Its offer has no cost query."
    return SubscriptionCosts(subscription, CostSource.USAGE, rows, reason, no_query, read.refused, sums.days())


_NOTHING = (
    "Nothing was billed for registries. That is normal for a free trial, for sponsored credit, and in the first two "
    "days of a subscription."
)


_NO_QUERY_RIGHT = "Cost Management could not be read: this identity needs Cost Management Reader on the subscription."


def _why(error: ServiceError) -> str:
    if error.status == 403:
        return "This identity may not read costs: it needs Cost Management Reader on the subscription."
    if "offer" in error.cause.casefold():
        return (
            "Its offer has no cost data for customers, as for subscriptions bought from a partner (CSP), sponsored and "
            "free ones. The partner's bill has it."
        )
    return f"Azure has no cost data for it: {error.cause}"
