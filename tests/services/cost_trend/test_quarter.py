"""The next quarter: by hand where the days are a straight line, refused where too little is known."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.cost_trend.days import each_day, trend_of
from services.cost_trend.quarter import (
    FEWEST_DAYS,
    next_quarter,
    quarter_costs,
    quarter_table,
    quarter_totals,
    quarter_words,
)
from services.cost_trend.tables import report_tables
from services.costs.bills import CostSource
from services.costs.daily import SubscriptionDays
from tests.services.cost_trend.test_days import FEE, FIRST, SETTLED, SUB, TODAY, WHOLE, every_day, registry, row, trend

QUARTER = next_quarter(TODAY)


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 29), date(2027, 1, 1), date(2027, 3, 31)),
        (date(2026, 1, 1), date(2026, 4, 1), date(2026, 6, 30)),
        (date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_the_quarter_is_the_next_of_the_calendar(today: date, first: date, last: date) -> None:
    assert (next_quarter(today).first, next_quarter(today).last) == (first, last)
    assert QUARTER.name == "Q1 2027"


def test_a_steady_registry_costs_its_days() -> None:
    (one,) = quarter_costs(trend(every_day("1.5"), registry()))
    assert (one.amount, one.least, one.most, one.error) == (135, 135, 135, 0.0)
    (total,) = quarter_totals([one])
    assert quarter_words(total, QUARTER) == (
        "Q1 2027: EUR 135.00 (likely 135.00 to 135.00); on the last days, held back, it was off by less than 1 %"
    )


def test_one_that_is_noisy_has_a_band_around_it_and_an_error() -> None:
    rows = [row(day, f"{2 + (number * 7 % 5) / 10}") for number, day in enumerate(each_day(FIRST, SETTLED))]
    (one,) = quarter_costs(trend(rows, registry()))
    assert one.amount and one.least is not None and one.most and one.error
    assert one.least < one.amount < one.most
    assert one.held_back > 0


def test_too_little_history_is_refused_with_the_reason() -> None:
    since = SETTLED - timedelta(FEWEST_DAYS - 2)
    (one,) = quarter_costs(trend([row(day, "1") for day in each_day(since, SETTLED)], registry(created=since)))
    assert (one.amount, one.reason) == (None, "55 days with a bill: 56 are needed.")
    assert quarter_totals([one]) == ()
    assert quarter_table([one], QUARTER).rows[0][2:] == (None, f"Unknown. {one.reason}", None, None, "")


def test_days_of_another_sku_are_no_history() -> None:
    changed = date(2026, 11, 1)
    rows = [row(day, "1", FEE if day >= changed else "Basic Registry Unit") for day in each_day(FIRST, SETTLED)]
    (one,) = quarter_costs(trend(rows, registry()))
    assert one.reason == "27 days with a bill, since its SKU changed: 56 are needed."


def test_a_deleted_registry_will_cost_nothing_and_one_that_is_unknown_is_not_0() -> None:
    until = date(2026, 11, 9)
    (gone,) = quarter_costs(trend([row(day, "1") for day in each_day(FIRST, until)]))
    assert gone.amount == 0
    (unknown,) = quarter_costs(trend([row(day, "1") for day in each_day(FIRST, until)], registry()))
    assert (unknown.amount, unknown.reason) == (None, "Nothing is known of its last 7 days.")


def test_currencies_are_not_added_and_what_is_lacking_is_said() -> None:
    found = trend(
        [
            *every_day("1"),
            *every_day("2", name="b", currency="USD"),
            *[row(day, "1", name="c") for day in each_day(date(2026, 11, 1), SETTLED)],
        ],
        registry(),
        registry("b"),
        registry("c"),
    )
    totals = quarter_totals(quarter_costs(found))
    assert [(one.currency, one.amount, one.lacks) for one in totals] == [("USD", 180, ()), ("EUR", 90, ("c",))]
    assert "≥" not in quarter_words(totals[0], QUARTER)
    assert quarter_words(totals[1], QUARTER).startswith("Q1 2027: ≥ EUR 90.00 (likely ")
    assert quarter_words(totals[1], QUARTER).endswith("; without c, of unknown cost")


def test_each_listed_registry_is_in_the_table_with_its_reason() -> None:
    found = trend(every_day("1"), registry(), replace(registry("quiet"), subscription_id=SUB.id))
    costs = quarter_costs(found)
    assert [(one.name, one.amount) for one in costs] == [("contosoci", 90), ("quiet", None)]
    (total,) = quarter_totals(costs)
    assert quarter_words(total, QUARTER).startswith("Q1 2027: ≥ EUR 90.00")
    said = "Unknown. The bill by day does not name it since 2026-08-29."
    assert quarter_table(costs, QUARTER).rows[1][:4] == ("quiet", "Unknown", None, said)
    (report,) = [one for one in report_tables(found, costs) if one.heading.startswith("Next quarter")]
    assert "≥ EUR 90.00" in report.note and report.note.endswith("; without quiet, of unknown cost.")
    (refused,) = quarter_costs(
        trend([], replace(registry(), subscription_id=SUB.id), read=(), reason="Offer not supported.")
    )
    assert refused.reason == "No day of its subscription's bill is known. Offer not supported."


def test_where_neither_registries_nor_bills_could_be_read_the_sum_says_at_least() -> None:
    refused = ServiceError("No", "You may not read it.", "")
    bills = Partial(
        (
            SubscriptionDays(SUB, CostSource.QUERY, tuple(every_day("1")), WHOLE),
            SubscriptionDays(Subscription("s2", "closed", "t1", "Enabled"), CostSource.ESTIMATE, (), (), "No role."),
        )
    )
    found = trend_of(bills, Partial((registry(),), (Refusal("closed", refused),)), TODAY)
    (total,) = quarter_totals(quarter_costs(found))
    assert total.lacks == ("Registries of closed",)


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_none_that_is_listed_is_left_out(listed: set[str], billed: set[str]) -> None:
    rows = [row(SETTLED, "1", name=name) for name in sorted(billed)]
    costs = quarter_costs(trend(rows, *(registry(name) for name in sorted(listed))))
    assert {one.name for one in costs} == listed | billed
    assert all(one.amount is not None or one.reason for one in costs)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.decimals("0.1", "50", places=2), min_size=91, max_size=91))
def test_the_band_holds_the_forecast_and_nothing_is_negative(costs: list[Decimal]) -> None:
    rows = [row(day, f"{costs[number]}") for number, day in enumerate(each_day(FIRST, SETTLED))]
    (one,) = quarter_costs(trend(rows, registry()))
    assert one.amount is not None and one.least is not None and one.most is not None
    assert 0 <= one.least <= one.amount <= one.most
