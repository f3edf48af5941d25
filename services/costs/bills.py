"""What was billed, over all subscriptions: by Cost Management where it answers, by Consumption where it does not.

Offers differ: https://learn.microsoft.com/azure/cost-management-billing/automate/migrate-consumption-usage-details-api.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from threading import Event

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Progress, counter, parallel_map
from services.connection.session import AzureSession
from services.costs.query import query_costs
from services.costs.rows import CostRow
from services.costs.usage_details import read_usage


class CostSource(StrEnum):
    """Where a figure is from. `ESTIMATE`: nobody said what was billed."""

    QUERY = "Cost Management"
    USAGE = "Consumption"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class SubscriptionCosts:
    """A subscription's bill. `reason` says why it is not from Cost Management, or why there is nothing in it;
    `error` is what Azure said."""

    subscription: Subscription
    source: CostSource
    rows: tuple[CostRow, ...]
    reason: str = ""
    error: ServiceError | None = None


# By these an offer, or an identity, lacks this API; any other failure may be temporary.
_NOT_FOR_THIS = (400, 403, 404, 422)


def read_costs(
    session: AzureSession,
    subscriptions: Iterable[Subscription],
    first: date,
    last: date,
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[SubscriptionCosts]:
    """Each subscription's bill from `first` to `last`. Refused: those that may answer later (throttled, down)."""
    subscriptions = list(subscriptions)
    return parallel_map(
        lambda subscription: _costs_of(session, subscription, first, last),
        subscriptions,
        name=lambda subscription: subscription.name,
        done=counter(progress, "bills", len(subscriptions)),
        stop=stop,
    )


def _costs_of(session: AzureSession, subscription: Subscription, first: date, last: date) -> SubscriptionCosts:
    try:
        rows = query_costs(session, subscription.id, first, last)
    except ServiceError as refused:
        if refused.status not in _NOT_FOR_THIS:
            raise
        no_query = refused
    else:
        return SubscriptionCosts(subscription, CostSource.QUERY, rows, "" if rows else _NOTHING)
    try:
        rows = read_usage(session, subscription.id, first, last)
    except ServiceError as refused:
        if refused.status not in _NOT_FOR_THIS:
            raise
        return SubscriptionCosts(subscription, CostSource.ESTIMATE, (), _why(refused), refused)
    if not rows:
        return SubscriptionCosts(subscription, CostSource.ESTIMATE, (), _NOTHING, no_query)
    return SubscriptionCosts(subscription, CostSource.USAGE, rows, "Its offer has no query.", no_query)


_NOTHING = (
    "Nothing was billed for registries: so it is with a free trial, with sponsored credit, and in a subscription's "
    "first day or two."
)


def _why(error: ServiceError) -> str:
    if error.status == 403:
        return "This identity may not see costs: Cost Management Reader on the subscription lets it."
    if "offer" in error.cause.casefold():
        return (
            "Its offer has no cost data for customers: so it is with subscriptions bought from a partner (CSP), with "
            "sponsored and with free ones. The partner's bill has it."
        )
    return f"Azure has no cost data for it: {error.cause}"
