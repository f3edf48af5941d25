"""Bills by day, cached as bills are: they cost queries of their own, of which Azure allows few."""

from datetime import UTC, date, datetime

import streamlit as st

from services.connection.parallel import Partial
from services.costs.daily import SubscriptionDays, read_days
from ui.loaders.bills import recent_bills
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


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
