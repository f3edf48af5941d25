"""Which months have a report that is due: those that have ended and settled, each once, none skipped."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.cost_reports.months import MOST_MONTHS, due_months, first_read, last_settled
from services.costs.review import days_in, month_before, recent_months


@pytest.mark.parametrize(
    ("now", "last"),
    [
        # Charges of October may change until 72 hours after its end.
        (datetime(2026, 11, 1, 0, 0, tzinfo=UTC), date(2026, 9, 1)),
        (datetime(2026, 11, 3, 23, 59, 59, tzinfo=UTC), date(2026, 9, 1)),
        (datetime(2026, 11, 4, 0, 0, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2027, 1, 3, 23, 59, tzinfo=UTC), date(2026, 11, 1)),
        (datetime(2027, 1, 4, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2028, 3, 4, tzinfo=UTC), date(2028, 2, 1)),
    ],
)
def test_a_month_is_due_once_its_charges_are_settled(now: datetime, last: date) -> None:
    assert last_settled(now) == last
    assert due_months(now, None) == (last,)
    assert due_months(now, last) == ()


def test_what_was_missed_is_made_up_for_in_order_as_far_as_bills_go_back() -> None:
    now = datetime(2027, 1, 10, tzinfo=UTC)
    assert due_months(now, date(2026, 9, 1)) == (date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1))
    assert due_months(now, date(2020, 1, 1)) == tuple(date(2026, month, 1) for month in range(7, 13))
    # Of a clock that was ahead.
    assert due_months(now, date(2030, 1, 1)) == ()


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(0, 40))
def test_from_one_look_to_the_next_no_month_is_skipped_or_made_twice(at: datetime, days: int) -> None:
    now = at.replace(tzinfo=UTC)
    latest = last_settled(now)
    found = due_months(now + timedelta(days=days), latest)
    month = latest
    for one in found:
        assert one == month.replace(day=days_in(month)) + timedelta(days=1)
        month = one
    assert month == last_settled(now + timedelta(days=days)) and len(found) <= MOST_MONTHS


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
@example(datetime(2026, 11, 1))
@example(datetime(2026, 11, 3, 23, 59))
@example(datetime(2026, 11, 4))
def test_what_the_oldest_report_compares_is_read_on_each_day_of_a_month(at: datetime) -> None:
    for month in due_months(at.replace(tzinfo=UTC), date(2000, 1, 1)):
        first = first_read(month, at.date())
        assert first <= month_before(month) and first <= recent_months(at.date())[-1]
