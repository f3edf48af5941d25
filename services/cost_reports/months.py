"""Which months have a report that is due. Pure functions."""

from datetime import date, datetime, timedelta

from services.costs.review import month_before, recent_months

# Charges of a month may change for 72 hours after its end:
# https://learn.microsoft.com/azure/cost-management-billing/costs/understand-cost-mgt-data.
SETTLES_WITHIN = timedelta(days=3)
# What was missed for longer is not made up for.
MOST_MONTHS = 6


def last_settled(now: datetime) -> date:
    """The first of the last month that has ended and whose charges do not change any more."""
    return month_before((now - SETTLES_WITHIN).date())


def due_months(now: datetime, latest: date | None) -> tuple[date, ...]:
    """The months, in order, that have ended since `latest`, the last one of which there is a report: at most
    `MOST_MONTHS`. Where there is none yet, the last month alone."""
    last = last_settled(now)
    if latest is None:
        return (last,)
    found: list[date] = []
    month = last
    while month > latest and len(found) < MOST_MONTHS:
        found.insert(0, month)
        month = month_before(month)
    return tuple(found)


def first_read(month: date, today: date) -> date:
    """The first of the earliest month whose bills the report of `month` needs: of the trend, and of the one before it,
    with which it compares. In a month's first days the oldest that is due is further back than the trend."""
    return min(recent_months(today)[-1], month_before(month))
