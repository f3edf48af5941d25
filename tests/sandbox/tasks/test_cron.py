"""Schedules of timers in the sandbox."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.tasks.cron import InvalidSchedule, parse

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("expression", "first", "second"),
    [
        ("0 1 * * *", "2026-11-29T01:00", "2026-11-30T01:00"),
        ("30 12 * * *", "2026-11-29T12:30", "2026-11-30T12:30"),
        ("*/20 * * * *", "2026-11-28T12:40", "2026-11-28T13:00"),
        ("0 3 * * 1-5", "2026-11-30T03:00", "2026-12-01T03:00"),
        ("0 3 * * mon,thu", "2026-11-30T03:00", "2026-12-03T03:00"),
        ("0 0 29 feb *", "2028-02-29T00:00", "2032-02-29T00:00"),
    ],
)
def test_when_it_is_due(expression: str, first: str, second: str) -> None:
    found = [f"{at:%Y-%m-%dT%H:%M}" for at in islice(parse(expression).after(NOW), 2)]
    assert found == [first, second]


@pytest.mark.parametrize(
    "expression", ["", "0 1 * *", "60 1 * * *", "0 1 * * 7", "a 1 * * *", "0 5-1 * * *", "*/0 1 * * *"]
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse(expression)


def test_a_day_that_never_comes_has_no_time() -> None:
    assert next(parse("0 0 30 2 *").after(NOW), None) is None


@given(st.integers(0, 59), st.integers(0, 23), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_a_daily_schedule_is_due_within_a_day(minute: int, hour: int, after: datetime) -> None:
    after = after.replace(tzinfo=UTC)
    at = next(parse(f"{minute} {hour} * * *").after(after))
    assert timedelta() < at - after <= timedelta(days=1)
    assert (at.hour, at.minute, at.second) == (hour, minute, 0)
