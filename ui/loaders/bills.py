"""Bills by month and by day, cached: Cost Management allows few calls a minute, and its data is hours old."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pandas as pd
import streamlit as st

from services.arm.subscriptions import list_subscriptions
from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts, read_costs
from services.costs.budgets import Budget, read_budgets
from services.costs.by_meter import months_by_meter
from services.costs.daily import SubscriptionDays, days_from, read_days
from services.costs.review import days_in, latest_currencies, recent_months
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


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


def recent_bills(who: str) -> Reading[Bills]:
    """The bills of this month and of the six before it."""
    today = datetime.now(UTC).date()
    return bills(who, recent_months(today)[-1], today.replace(day=days_in(today)))


def forget_recent_bills(who: str) -> None:
    """Makes the next call of `recent_bills` read them again."""
    today = datetime.now(UTC).date()
    bills.clear(who, recent_months(today)[-1], today.replace(day=days_in(today)))


@st.cache_resource(ttl="4h", show_spinner=False, max_entries=20, validate=fresh)
def bills(who: str, first: date, last: date) -> Reading[Bills]:
    """From `first` to `last`: the ends of months, so that all reviews of a month share one read."""
    session = connection.session(who)

    def work(reading: Reading[Bills]) -> None:
        listed = list_subscriptions(session)
        subscriptions = listed.values
        read = read_costs(
            session,
            subscriptions,
            first,
            last,
            days_from=days_from(min(last, datetime.now(UTC).date())),
            progress=reading.report,
            stop=reading.stop,
        )
        costs = replace(read, refused=listed.refused + read.refused)
        by_meter = months_by_meter(row for bill in costs.values for row in bill.rows)
        reading.value = Bills(costs, by_meter, Partial(()))
        if not reading.stop.is_set():
            reading.report(0, 0, "budgets")
            reading.value = Bills(costs, by_meter, read_budgets(session, subscriptions))
        reading.lacks = (*costs.refused, *reading.value.budgets.refused)

    return start(Bills(Partial(()), {}, Partial(())), work)


def today() -> date:
    """The day up to which bills are read, in UTC as Azure bills."""
    return datetime.now(UTC).date()


def recent_days(who: str) -> Reading[Partial[SubscriptionDays]]:
    """The last three months of `recent_bills`, day by day. They are read again when those are."""
    return days(who, today(), recent_bills(who).at)


@st.cache_resource(ttl="4h", show_spinner=False, max_entries=20, validate=fresh)
def days(
    who: str,
    until: date,
    bills_at: datetime,  # noqa: ARG001 A part of the key.
) -> Reading[Partial[SubscriptionDays]]:
    """Up to `until`, of the bills that were read at `bills_at`: they say which source each subscription has, and some
    have their days already."""
    session = connection.session(who)
    bills = recent_bills(who).value.costs

    def work(reading: Reading[Partial[SubscriptionDays]]) -> None:
        read = read_days(session, bills.values, until, progress=reading.report, stop=reading.stop)
        reading.value = Partial(read.values, bills.refused + read.refused, bills.untried + read.untried)
        reading.lacks = (*reading.value.refused, *(one for bill in read.values for one in bill.unread))

    return start(Partial(()), work)
