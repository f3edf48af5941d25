"""What is called a rise: since which day and by what; and what is not: noise, new registries, gaps, another SKU."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cost_trend.anomalies import anomaly_words, find_anomalies, find_sku_changes, sku_words
from services.cost_trend.days import each_day
from services.costs.rows import DayCost
from tests.services.cost_trend.test_days import BUILDS, FEE, FIRST, SETTLED, STORED, every_day, registry, row, trend

SINCE = date(2026, 11, 12)


def builds(since: date, cost: str = "1.6") -> list[DayCost]:
    return [row(day, cost, BUILDS) for day in each_day(since, SETTLED)]


def test_a_registry_that_doubled_is_named_with_the_day_and_the_part() -> None:
    found = trend([*every_day(), *every_day(name="steady"), *builds(SINCE)], registry(), registry("steady"))
    (one,) = find_anomalies(found)
    assert (one.name, one.since, one.part) == ("contosoci", SINCE, "Build minutes")
    assert (one.before, one.after, one.part_rise) == (Decimal("1.5"), Decimal("3.1"), Decimal("1.6"))
    assert anomaly_words(one) == (
        "contosoci doubled since 12 November: build minutes (EUR 1.50 a day before, EUR 3.10 now)"
    )


@pytest.mark.parametrize(
    ("more", "words"), [("0.9", "costs 60 % more"), ("3.0", "tripled"), ("6", "costs 5.0 times as much")]
)
def test_how_much_is_said(more: str, words: str) -> None:
    (one,) = find_anomalies(trend([*every_day(), *builds(SINCE, more)], registry()))
    assert words in anomaly_words(one)


def test_less_than_half_more_is_no_rise() -> None:
    assert find_anomalies(trend([*every_day(), *builds(SINCE, "0.74")], registry())) == ()


def test_a_single_expensive_day_is_none_and_one_that_ended_is_none() -> None:
    assert find_anomalies(trend([*every_day(), row(date(2026, 11, 20), "30", BUILDS)], registry())) == ()
    ended = [row(day, "2", BUILDS) for day in each_day(date(2026, 10, 12), date(2026, 10, 25))]
    assert find_anomalies(trend([*every_day(), *ended], registry())) == ()


def test_a_new_registry_is_none() -> None:
    born = date(2026, 11, 8)
    rows = [one for one in [*every_day(), *builds(SINCE)] if one.day >= born]
    assert find_anomalies(trend(rows, registry(created=born))) == ()


def test_the_days_before_that_are_unknown_are_said() -> None:
    gap = each_day(date(2026, 11, 9), date(2026, 11, 11))
    (one,) = find_anomalies(trend([*every_day(but=gap), *builds(SINCE)], registry()))
    assert (one.since, one.unsure_from) == (SINCE, gap[0])
    assert "since 12 November (or up to 3 days before, which are unknown)" in anomaly_words(one)


def test_another_sku_is_said_as_such_and_is_no_anomaly() -> None:
    def billed(day: date) -> DayCost:
        return row(day, "1.5", FEE) if day >= SINCE else row(day, "0.6", "Standard Registry Unit")

    rows = [billed(day) for day in each_day(FIRST, SETTLED)]
    rows.append(row(SINCE, "0.3", "Standard Registry Unit"))  # Both are billed on the day of the change.
    found = trend(rows, registry())
    assert find_anomalies(found) == ()
    (change,) = find_sku_changes(found)
    assert sku_words(change) == "contosoci: SKU changed to Premium on 12 November"


def test_another_currency_is_no_anomaly() -> None:
    rows = [replace(one, currency="USD" if one.day < SINCE else "EUR") for one in every_day()]
    assert find_anomalies(trend(rows, registry())) == ()


@given(
    st.lists(st.decimals("0.8", "1.15", places=3), min_size=91, max_size=91),
    st.sets(st.integers(0, 90), max_size=40),
)
def test_noise_and_missing_days_are_none(noise: list[Decimal], missing: set[int]) -> None:
    days = each_day(FIRST, SETTLED)
    rows = [row(days[at], f"{2 * noise[at]}") for at in range(91) if at not in missing]
    assert find_anomalies(trend(rows, registry())) == ()


@given(
    st.integers(14, 86),
    st.lists(st.decimals("0.9", "1.1", places=3), min_size=91, max_size=91),
    st.decimals("2", "20", places=1),
)
def test_a_step_is_found_on_its_day_in_noise(at: int, noise: list[Decimal], times: Decimal) -> None:
    days = each_day(FIRST, SETTLED)
    rows = []
    for number, day in enumerate(days):
        rows.append(row(day, f"{noise[number]}"))
        if number >= at:
            rows.append(row(day, f"{noise[number] * (times - 1)}", STORED))
    (one,) = find_anomalies(trend(rows, registry()))
    assert (one.since, one.part) == (days[at], "Storage beyond the included")
    assert abs(one.ratio / times - 1) < Decimal("0.25")


@given(st.integers(0, 91), st.decimals("0", "30", places=1))
def test_a_rise_is_never_claimed_of_less_than_half_more(at: int, more: Decimal) -> None:
    since = FIRST + timedelta(at)
    for one in find_anomalies(trend([*every_day("10"), *builds(since, f"{more}")], registry())):
        assert more >= 5
        assert one.since == since
