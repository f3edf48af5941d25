"""Bills by month and by day, cached: Cost Management allows few calls a minute, and its data is hours old."""

from datetime import UTC, date, datetime

import streamlit as st

from services.connection.parallel import Partial
from services.cost_trend.days import Trend
from services.cost_trend.quarter import QuarterCost, quarter_costs
from services.costs.daily import SubscriptionDays, read_days
from services.costs.recent_bills import Bills, bills_in_parts
from services.costs.review import days_in, recent_months
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


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
        for part in bills_in_parts(
            session, first, last, datetime.now(UTC).date(), progress=reading.report, stop=reading.stop
        ):
            reading.value = part
        reading.lacks = (*reading.value.costs.refused, *reading.value.budgets.refused)

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


def _days_of(trend: Trend) -> int:
    """A number that another trend does not have: far faster than Streamlit's own of so many amounts."""
    registries = (
        (one.registry_id, one.currency, tuple(one.costs.items()), tuple(one.skus.items())) for one in trend.registries
    )
    return hash((trend.first, trend.last, trend.settled, trend.unbilled, tuple(registries)))


@st.cache_resource(ttl="4h", show_spinner=False, max_entries=20, validate=fresh, hash_funcs={Trend: _days_of})
def quarter(who: str, trend: Trend) -> Reading[tuple[QuarterCost, ...]]:  # noqa: ARG001 Whose trend it is.
    """The next quarter of the trend's registries, calculated once: it takes a moment for each of them."""

    def work(reading: Reading[tuple[QuarterCost, ...]]) -> None:
        reading.value = quarter_costs(trend, progress=reading.report, stop=reading.stop)

    return start((), work, verb="Calculating")
