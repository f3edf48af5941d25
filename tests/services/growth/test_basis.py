"""What a forecast is made of: snapshots where they are enough, else Azure's measurements, and never both."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.growth.basis import stored_days
from services.growth.forecast import FEWEST_DAYS
from services.growth.history import WHOLE, Snapshot

LAST = date(2026, 11, 29)


def day(age: int) -> date:
    return LAST - timedelta(days=age)


def recorded(days: int) -> list[Snapshot]:
    return [Snapshot(day(age), WHOLE, 1_000 - age, 0, 0, 1, 1) for age in range(days)]


@given(st.integers(0, 40), st.dictionaries(st.integers(0, 90), st.integers(0, 2**50), max_size=40))
def test_the_days_are_of_one_source_and_enough_snapshots_come_first(snapshots: int, sizes: dict[int, int]) -> None:
    measured = {day(age): size for age, size in sizes.items()}
    found = stored_days(recorded(snapshots), measured)
    mine = {one.day: one.total for one in recorded(snapshots)}
    assert dict(found.by_day) == (measured if found.measured else mine)
    assert list(found.by_day) == sorted(found.by_day)
    assert found.measured == (snapshots < FEWEST_DAYS and len(measured) > snapshots)


@given(st.dictionaries(st.integers(0, 90), st.integers(0, 2**50), min_size=1), st.integers(1, 60))
def test_what_grew_is_over_as_many_days_as_said(sizes: dict[int, int], days: int) -> None:
    found = stored_days((), {day(age): size for age, size in sizes.items()})
    more, span = found.grown(days)
    youngest = min(sizes)
    assert more == sizes[youngest] - sizes[youngest + span]
    assert span >= days or span == max(sizes) - youngest
    assert not any(days <= age - youngest < span for age in sizes)
