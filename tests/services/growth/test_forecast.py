"""The forecast: exact on a straight line, never negative, and honest about its error."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.growth.forecast import FEWEST_DAYS, Forecast, forecast

START = date(2026, 1, 1)
GIB = 2**30


def by_day(values: list[int]) -> dict[date, int]:
    return {START + timedelta(days=number): value for number, value in enumerate(values)}


@given(st.integers(0, 2**50), st.integers(-(2**40), 2**40), st.integers(FEWEST_DAYS, 400), st.data())
def test_a_straight_line_is_continued_exactly_though_days_are_missing(
    first: int, step: int, days: int, data: st.DataObject
) -> None:
    line = {START + timedelta(days=number): first + step * number for number in range(days)}
    known = {day: value for day, value in line.items() if value >= 0}
    inner = sorted(known)[1:-1]
    left_out = data.draw(st.sets(st.sampled_from(inner), max_size=max(0, len(known) - FEWEST_DAYS))) if inner else set()
    known = {day: value for day, value in known.items() if day not in left_out}
    found = forecast(known, 90)
    if len(known) < FEWEST_DAYS:
        assert found is None
        return
    assert found
    last = max(known)
    for number, point in enumerate(found.points, 1):
        assert point.day == last + timedelta(days=number)
        wanted = max(0, known[last] + step * number)
        assert abs(point.bytes - wanted) <= max(2, wanted * 1e-9)
    assert found.error < 1e-6


@given(st.lists(st.integers(0, 2**45), min_size=FEWEST_DAYS, max_size=60))
def test_it_is_never_negative_and_its_band_is_around_it(values: list[int]) -> None:
    found = forecast(by_day(values), 120)
    assert found and len(found.points) == 120
    for point in found.points:
        assert 0 <= point.least <= point.bytes <= point.most
    assert all(after.day - before.day == timedelta(days=1) for before, after in pairwise(found.points))
    assert 1 <= found.held_back <= len(values) // 4 and found.error >= 0


def test_with_few_days_there_is_none() -> None:
    assert forecast({}) is None
    assert forecast(by_day([1] * (FEWEST_DAYS - 1))) is None


def test_when_a_limit_is_reached_has_an_earliest_and_a_latest_day() -> None:
    growing = [GIB * (10 + number) + (number % 5) * GIB // 4 for number in range(60)]
    found = forecast(by_day(growing))
    assert found
    expected, earliest, latest = found.reaches(100 * GIB)
    assert earliest and expected and latest and earliest <= expected <= latest
    assert abs((expected - (START + timedelta(days=90))).days) <= 3
    assert found.reaches(10**18) == (None, None, None)


@pytest.mark.parametrize("held", [40, 60])
def test_its_error_is_that_of_the_days_held_back(held: int) -> None:
    """A registry that doubles at once where the forecast could not know it."""
    steady = forecast(by_day([GIB * 10] * held))
    jumped = forecast(by_day([GIB * 10] * (held - held // 4) + [GIB * 20] * (held // 4)))
    assert isinstance(steady, Forecast) and steady.error == 0
    assert isinstance(jumped, Forecast) and jumped.error == pytest.approx(50, abs=1)
