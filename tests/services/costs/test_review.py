"""A month's review, by hand and at random: forecasts, totals, differences, and the bill shared out."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.by_meter import months_by_meter
from services.costs.by_repository import by_prefix, split_bill
from services.costs.review import (
    days_in,
    estimate_month,
    groups_of,
    latest_currencies,
    month_before,
    recent_months,
    review_month,
    total_by,
)
from services.costs.rows import CostRow
from services.costs.tables import group_table, meter_table, registry_table
from services.images.storage import RegistryStorage, RepositoryStorage
from services.pricing.estimates import Use, estimate
from services.pricing.money import CENT, cents
from services.pricing.price_snapshot import snapshot
from services.registries.registry import Registry
from services.registries.skus import Sku
from tests.support.shell_lines import registry as a_registry

SUB = Subscription("s1", "contoso", "t1", "Enabled")
NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
TODAY = date(2026, 11, 21)
UNIT, REPLICA = "Premium Registry Unit", "Premium Registry Replication Unit"
LIST = snapshot("eastus")
REFUSED = ServiceError("Could not list", "no", "Ask for a role.")


def registry(name: str = "contosoacr", **changes: Any) -> Registry:
    found = a_registry()
    given_registry = {"id": found.id.replace("contosoacr", name), "tags": (("team", "payments"),), **changes}
    return replace(found, name=name, **given_registry)


def row(meter: str, cost: str, quantity: str = "0", month: date = NOVEMBER, **changes: Any) -> CostRow:
    given_row = {"registry_id": registry().id.lower(), "currency": "USD", **changes}
    return CostRow(month=month, meter=meter, quantity=Decimal(quantity), cost=Decimal(cost), **given_row)


def reviewed(*rows: CostRow, month: date = NOVEMBER, today: date = TODAY, **more: Any):  # type: ignore[no-untyped-def]
    source = more.get("source", CostSource.QUERY)
    bills = [] if source is None else [SubscriptionCosts(SUB, source, rows)]
    listed = Partial(tuple(more.get("registries", [registry()])), more.get("refused", ()), more.get("untried", 0))
    return review_month(month, today, bills, listed, more.get("estimates", {}))


def line(*rows: CostRow, **more: Any):  # type: ignore[no-untyped-def]
    (found,) = reviewed(*rows, **more).lines
    return found


def test_a_month_so_far_goes_on_at_the_rate_of_the_days_that_were_billed() -> None:
    found = line(row(UNIT, "30", "20"), row("Data Stored", "10", "3"), row(UNIT, "50", "31", month=OCTOBER))
    assert (found.cost, found.before, found.forecast) == (40, 50, 60)
    assert (found.source, found.currency, found.gone) == (CostSource.QUERY, "USD", False)


def test_replicas_days_are_no_days_of_the_registry() -> None:
    assert line(row(UNIT, "10", "10"), row(REPLICA, "20", "20")).forecast == 90


def test_a_registry_made_within_the_month_is_billed_from_then_on() -> None:
    young = registry(created=datetime(2026, 11, 16, 9, tzinfo=UTC))
    found = line(row(UNIT, "5", "5"), registries=[young])
    assert found.forecast == 15
    assert "Created on 16 November." in found.why


def test_a_registry_that_is_gone_ends_with_what_it_has_cost() -> None:
    found = line(row(UNIT, "9", "9"), registries=[])
    assert (found.forecast, found.gone, found.name) == (9, True, "contosoacr")
    assert found.why == ("Deleted, or hidden from this identity: billed for 9 days of the month.",)
    earlier = line(row(UNIT, "31", "31", month=OCTOBER), row(UNIT, "9", "9"), registries=[], month=OCTOBER)
    assert earlier.why == ("Deleted since, or hidden from this identity.",)


@pytest.mark.parametrize("unlisted", [{"refused": (Refusal("contoso", REFUSED),)}, {"untried": 1}])
def test_a_registry_whose_list_was_refused_is_not_called_deleted(unlisted: dict[str, Any]) -> None:
    found = line(row(UNIT, "20", "20"), registries=[], **unlisted)
    # Neither: a forecast would be more than it costs where it was deleted.
    assert (found.gone, found.forecast, found.figure) == (False, None, 20)
    assert found.why == (
        "Unknown whether it still exists (its list could not be read): no forecast, but its cost so far.",
    )


def test_without_a_count_of_days_yesterday_is_the_last_one_billed() -> None:
    assert line(row("Data Stored", "20", "1")).forecast == 30


def test_on_the_first_of_a_month_nothing_is_foretold() -> None:
    found = line(row("Data Stored", "1", "1"), today=NOVEMBER)
    assert (found.cost, found.forecast, found.figure) == (1, None, 1)


def test_a_month_that_is_over_has_no_forecast() -> None:
    found = line(row(UNIT, "31", "31", month=OCTOBER), month=OCTOBER)
    assert (found.cost, found.forecast, found.before, found.figure) == (31, None, 0, 31)
    assert not reviewed(month=OCTOBER).under_way


def test_a_change_of_currency_makes_two_lines_and_only_the_new_one_goes_on() -> None:
    rows = (
        row(UNIT, "50", "31", month=OCTOBER),
        row(UNIT, "14", "14"),
        row(UNIT, "6", "6", currency="EUR"),
    )
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0)), replace(LIST, currency="EUR"), 30)}
    found = {one.currency: one for one in reviewed(*rows, estimates=estimates).lines}
    assert (found["USD"].forecast, found["EUR"].forecast) == (14, 16)
    assert found["USD"].estimate is None
    assert found["EUR"].estimate is not None
    assert all("The currency changed within the month" in one.why[0] for one in found.values())
    assert reviewed(*rows).currencies == ("USD", "EUR")
    by_currency = {one.currency: one.cost for one in total_by(found.values(), {registry().id.lower(): "all"})}
    assert by_currency == {"USD": 14, "EUR": 6}


def test_without_a_bill_the_figure_is_the_estimate_and_says_so() -> None:
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0)), LIST, 30)}
    for source, words in ((CostSource.ESTIMATE, "No bill could be read"), (CostSource.QUERY, "Not on the bill")):
        found = line(source=source, estimates=estimates)
        assert (found.cost, found.forecast, found.before) == (None, None, None)
        assert (found.source, found.figure, found.currency) == (CostSource.ESTIMATE, Decimal("49.998"), "USD")
        assert words in found.why[0]
    assert line(source=None, estimates=estimates).figure == Decimal("49.998")


def test_a_registry_of_which_nothing_is_known_has_a_line_and_is_counted_beside_the_totals() -> None:
    found = line()
    assert (found.figure, found.difference) == (None, None)
    (alone,) = total_by([found], {found.registry_id: "all"})
    assert (alone.currency, alone.registries, alone.cost, alone.figure, alone.unknown) == ("", 0, None, None, 1)
    billed = replace(reviewed(row(UNIT, "30", "20")).lines[0], registry_id="/other")
    names = {found.registry_id: "team", "/other": "team"}
    (both,) = total_by([found, billed], names)
    assert (both.currency, both.registries, both.figure, both.unknown) == ("USD", 1, billed.figure, 1)
    apart = total_by([found, billed], names | {"/other": "platform"})
    assert [(one.name, one.figure, one.unknown) for one in apart] == [("platform", billed.figure, 0), ("team", None, 1)]
    assert group_table(apart, "Tag", reviewed()).rows[1] == ("team", 0, None, None, None, 1)


def test_a_registry_that_was_not_there_yet_is_not_in_the_month() -> None:
    young = registry(created=datetime(2026, 11, 16, tzinfo=UTC))
    assert reviewed(registries=[young], month=OCTOBER).lines == ()
    assert len(reviewed(registries=[young]).lines) == 1


def why(*rows: CostRow, use: Use | None = None, month: date = OCTOBER) -> tuple[str, ...]:
    estimates = {registry().id: estimate(Sku.PREMIUM, use or Use(Decimal(600), 1), LIST, days_in(month))}
    return line(*rows, estimates=estimates, month=month).why  # type: ignore[no-any-return]


FEE, STORED = row(UNIT, "51.6646", "31", month=OCTOBER), row("Data Stored", "10", "100", month=OCTOBER)
REPLICAS = row(REPLICA, "51.6646", "31", month=OCTOBER)
COPIES = row("Premium GB Registry Replication Data Stored", "60", "600", month=OCTOBER)


def test_a_bill_that_is_as_estimated_needs_no_words() -> None:
    assert why(FEE, STORED, REPLICAS, COPIES) == ()


def test_differences_are_explained_by_part() -> None:
    assert why(FEE, STORED) == (
        "Replicas: USD 111.66 less than estimated, since replicas were created, deleted or filled within the month.",
    )
    assert why(FEE, REPLICAS, use=Use(Decimal(0))) == (
        "Replicas: USD 51.66 more than estimated, for replicas that no longer exist.",
    )
    assert why(FEE, use=Use(Decimal(600))) == (
        "Storage beyond the included: USD 10.00 less than estimated, since it stored less on average than now.",
    )
    builds = row("Task vCPU Duration", "3", "36000", month=OCTOBER)
    assert why(FEE, builds, use=Use(Decimal(0))) == (
        "Build minutes: USD 3.00 more than estimated: the estimate does not include builds.",
    )
    half = row(UNIT, "25", "15", month=OCTOBER)
    assert why(half, use=Use(Decimal(0))) == ("Fixed fee: USD 26.66 less than estimated, for 15 of 31 days.",)
    agreed = row(UNIT, "31", "31", month=OCTOBER)
    assert why(agreed, use=Use(Decimal(0))) == (
        "Fixed fee: USD 20.66 less than estimated, so its price is not the list price.",
    )
    other = row("Something new", "1", "1", month=OCTOBER)
    assert why(FEE, other, use=Use(Decimal(0))) == (
        "Other meters: USD 1.00 more than estimated: meters that are not in the estimate.",
    )
    edge = row("Premium Connected registry", "7", "7", month=OCTOBER)
    assert why(FEE, edge, use=Use(Decimal(0))) == (
        "Connected registries: USD 7.00 more than estimated: the estimate does not include connected registries.",
    )


def test_another_sku_within_the_month_is_said() -> None:
    before = row("Basic Registry Unit", "2", "12", month=OCTOBER)
    after = row(UNIT, "31.6654", "19", month=OCTOBER)
    found = why(before, after, use=Use(Decimal(0)))
    assert found[0] == "The SKU changed within the month: Basic Registry Unit, Premium Registry Unit."
    assert found[1].endswith("since the SKU changed within the month.")


def test_a_month_under_way_is_compared_as_a_whole() -> None:
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0)), LIST, 30)}
    found = line(row(UNIT, "33.332", "20"), estimates=estimates)
    assert (found.forecast, found.difference, found.why) == (Decimal("49.998"), 0, ())


def test_two_currencies_are_not_compared() -> None:
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0)), replace(LIST, currency="EUR"), 31)}
    found = line(FEE, estimates=estimates, month=OCTOBER)
    assert found.difference is None
    assert found.why == ("Billed in USD and estimated in EUR: not compared.",)


def test_an_estimate_that_lacks_a_price_says_so() -> None:
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0), connected=1), LIST, 31)}
    assert line(FEE, estimates=estimates, month=OCTOBER).why[0].startswith("Connected registries has no price")


months = st.sampled_from([OCTOBER, NOVEMBER, date(2026, 9, 1)])
rows_at_random = st.lists(
    st.builds(
        row,
        st.sampled_from([UNIT, "Data Stored", REPLICA]),
        st.decimals(0, 1000, places=6).map(str),
        st.decimals(0, 31, places=3).map(str),
        month=months,
        currency=st.sampled_from(["USD", "EUR"]),
        registry_id=st.sampled_from([registry(name).id.lower() for name in ("aaaaa", "bbbbb", "ccccc")]),
    ),
    max_size=30,
)


@given(rows_at_random, months)
def test_totals_by_any_group_add_up_to_what_was_billed(rows: list[CostRow], month: date) -> None:
    found = reviewed(*rows, month=month, registries=[registry("aaaaa"), registry("ddddd")])
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    before: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in rows:
        billed[one.currency] += one.cost if one.month == month else 0
        before[one.currency] += one.cost if one.month == month_before(month) else 0
    for names in (
        {one.registry_id: one.name for one in found.lines},
        {one.registry_id: "all" for one in found.lines},
        {one.registry_id: one.tags.get("team", "") for one in found.lines},
    ):
        totals = total_by(found.lines, names)
        for currency in ("USD", "EUR"):
            mine = [one for one in totals if one.currency == currency]
            assert sum(one.cost or 0 for one in mine) == billed[currency]
            assert sum(one.before or 0 for one in mine) == before[currency]
    for currency in latest_currencies(rows):
        amounts = months_by_meter(found.rows)[currency]
        billed_in = [amount for row in amounts.to_numpy() for amount in row if amount is not None]
        assert sum(billed_in) == sum(one.cost for one in rows if one.currency == currency)
        table = meter_table(amounts, found.months, currency)
        assert len(table.columns) == 1 + len(found.months)
    assert len(registry_table(found).rows) == len(found.lines)
    assert all(one.forecast is None or one.forecast >= (one.cost or 0) for one in found.lines)


def test_a_group_without_a_bill_has_no_amount_and_not_zero() -> None:
    line = reviewed(row(UNIT, "30", "20")).lines[0]
    estimated = replace(line, cost=None, before=None)
    (total,) = total_by([estimated], {line.registry_id: "all"})
    assert (total.cost, total.before, total.unbilled) == (None, None, 1)
    (both,) = total_by([line, replace(estimated, registry_id="/other")], {line.registry_id: "all", "/other": "all"})
    assert (both.cost, both.unbilled) == (line.cost, 1)


def test_tables_have_the_lines_own_figures() -> None:
    found = reviewed(row(UNIT, "30", "20"))
    table = registry_table(found)
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert (cells["Registry"], cells["So far, USD"], cells["Forecast, USD"]) == ("contosoacr", 30, 45)
    assert "Currency" not in cells
    groups = group_table(total_by(found.lines, {registry().id.lower(): "rg"}), "Resource group", found)
    # Neither a number that is 1 in all rows nor a currency that is the same in all.
    assert groups.columns == ("Resource group", "So far, USD", "Forecast, USD", "October, USD")
    assert groups.rows == (("rg", 30, 45, 0),)


def test_a_table_of_several_currencies_has_a_column_for_them() -> None:
    line = reviewed(row(UNIT, "30", "20")).lines[0]
    both = replace(reviewed(row(UNIT, "30", "20")), lines=(line, replace(line, currency="EUR")))
    table = registry_table(both)
    assert table.columns[:4] == ("Registry", "Currency", "So far", "Forecast")
    assert [row[1] for row in table.rows] == ["USD", "EUR"]


def test_an_estimate_is_the_forecast_and_its_row_says_why() -> None:
    estimates = {registry().id: estimate(Sku.PREMIUM, Use(Decimal(0)), LIST, 30)}
    found = reviewed(estimates=estimates)
    table = registry_table(found)
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert (cells["So far, USD"], cells["Forecast, USD"]) == (None, Decimal("49.998"))
    assert cells["Note"] == "Not on the bill: estimate at list prices."


@pytest.mark.parametrize(
    ("month", "before", "days"),
    [
        (date(2026, 1, 1), date(2025, 12, 1), 31),
        (date(2028, 2, 1), date(2028, 1, 1), 29),
        (OCTOBER, date(2026, 9, 1), 31),
    ],
)
def test_months(month: date, before: date, days: int) -> None:
    assert (month_before(month), days_in(month)) == (before, days)


def storage(*repositories: tuple[str, int, int], shared: int = 0) -> RegistryStorage:
    """Name, unique, and what of the shared it points to."""
    found = tuple(RepositoryStorage(name, own + part, own, 0, 0, ()) for name, own, part in repositories)
    return RegistryStorage(sum(own for _, own, _ in repositories) + shared, shared, found)


def test_a_bill_is_shared_by_own_bytes_and_a_part_of_the_shared() -> None:
    found = split_bill(Decimal(100), storage(("team/api", 50, 20), ("team/web", 20, 20), ("base", 10, 0), shared=20))
    assert {one.name: (one.unique, one.part, one.amount) for one in found} == {
        "team/api": (50, 10, 60),
        "team/web": (20, 10, 30),
        "base": (10, 0, 10),
    }
    assert [(one.name, one.amount) for one in by_prefix(found)] == [("team/", 90), ("base", 10)]


def test_cents_go_to_those_who_are_owed_most_of_one() -> None:
    found = split_bill(Decimal("0.05"), storage(("a", 1, 0), ("b", 1, 0), ("c", 1, 0)))
    assert [(one.name, str(one.amount)) for one in found] == [("a", "0.02"), ("b", "0.02"), ("c", "0.01")]


def test_an_empty_registry_has_nobody_to_share_with() -> None:
    assert split_bill(Decimal(5), storage()) == ()
    assert split_bill(Decimal(5), storage(("a", 0, 0))) == ()


def test_what_no_repository_lists_is_a_part_of_its_own() -> None:
    found = split_bill(Decimal(100), storage(("api/a", 30, 0), ("api/b", 10, 0)), 100)
    assert [(one.name, one.amount, one.counted) for one in found] == [
        ("Uncounted", 60, False),
        ("api/a", 30, True),
        ("api/b", 10, True),
    ]
    assert [(one.name, one.amount) for one in by_prefix(found)] == [("Uncounted", 60), ("api/", 40)]


@pytest.mark.parametrize("stored", [None, 0, 39, 40])
def test_usage_that_is_unknown_or_late_makes_nothing_uncounted(stored: int | None) -> None:
    assert all(one.counted for one in split_bill(Decimal(100), storage(("a", 40, 0)), stored))


repositories = st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=20)


@given(
    st.decimals(0, 10**6, places=8),
    repositories,
    st.integers(0, 10**12),
    st.one_of(st.none(), st.integers(0, 10**13)),
)
def test_the_parts_are_the_bill_to_the_cent(
    bill: Decimal, held: list[tuple[int, int]], shared: int, stored: int | None
) -> None:
    named = [(f"{'team/' if number % 2 else ''}app{number}", *sizes) for number, sizes in enumerate(held)]
    found = split_bill(bill, storage(*named, shared=shared), stored)
    if not found:
        return
    assert sum(one.amount for one in found) == cents(bill)
    assert sum(one.amount for one in by_prefix(found)) == cents(bill)
    whole = sum(one.unique + one.part for one in found)
    for one in found:
        exact = cents(bill) * (one.unique + one.part) / whole
        assert abs(one.amount - exact) < CENT and one.amount >= 0


def test_recent_months_begin_with_this_one_and_cross_the_year() -> None:
    assert recent_months(date(2026, 2, 28), 4) == (
        date(2026, 2, 1),
        date(2026, 1, 1),
        date(2025, 12, 1),
        date(2025, 11, 1),
    )


def test_only_what_has_a_price_has_an_estimate() -> None:
    mine, elsewhere, classic = (
        registry("mine"),
        replace(registry("elsewhere"), location="nowhere"),
        replace(registry("old"), sku="Classic"),
    )
    found = estimate_month([mine, elsewhere, classic], {mine.location: LIST}, NOVEMBER)
    assert set(found) == {mine.id}


def test_lines_group_by_every_tag_and_a_line_without_it_says_so() -> None:
    tagged = replace(registry("tagged"), id="/tagged", tags=(("team", "web"),))
    lines = (
        replace(line(row("Basic Registry Unit", "1")), registry_id="/tagged", tags={"team": "web"}),
        replace(line(row("Basic Registry Unit", "1")), registry_id="/bare", tags={}),
    )
    groups = groups_of(lines, [tagged])
    assert list(groups) == ["Registry", "Resource group", "Subscription", "Tag team"]
    assert groups["Tag team"] == {"/tagged": "web", "/bare": "no such tag"}
