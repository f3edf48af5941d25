"""The daily cost of registries, by hand and at random: unknown is not 0, and currencies are not mixed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.cost_trend.days import Trend, each_day, trend_of
from services.cost_trend.quarter import quarter_costs
from services.cost_trend.series import by_part, by_registry, by_repository, totals, trend_title, unknown_on
from services.cost_trend.tables import day_table, lacking_words, report_tables, week_table, without_words
from services.costs.bills import CostSource
from services.costs.by_repository import RepositoryCost
from services.costs.daily import SubscriptionDays, days_from
from services.costs.rows import DayCost
from services.registries.registry import Registry
from tests.support.shell_lines import registry as a_registry

TODAY = date(2026, 11, 29)
FIRST = days_from(TODAY)
SETTLED = date(2026, 11, 27)
WHOLE = ((FIRST, TODAY),)
SUB = Subscription("s1", "contoso", "t1", "Enabled")
FEE, BUILDS, STORED = "Premium Registry Unit", "Task vCPU Duration", "Data Stored"


def registry(name: str = "contosoci", created: date | None = date(2024, 1, 1)) -> Registry:
    found = a_registry()
    at = datetime.combine(created, datetime.min.time(), UTC) if created else None
    return replace(found, name=name, id=found.id.replace(found.name, name), created=at)


def row(day: date, cost: str, meter: str = FEE, name: str = "contosoci", currency: str = "EUR") -> DayCost:
    return DayCost(registry(name).id.casefold(), day, meter, Decimal(1), Decimal(cost), currency)


def every_day(cost: str = "1.5", but: tuple[date, ...] = (), **more: Any) -> list[DayCost]:
    return [row(day, cost, **more) for day in each_day(FIRST, TODAY - timedelta(1)) if day not in but]


def trend(rows: list[DayCost], *registries: Registry, **changes: Any) -> Trend:
    read = SubscriptionDays(SUB, CostSource.QUERY, tuple(rows), changes.get("read", WHOLE), changes.get("reason", ""))
    return trend_of(Partial((read,)), Partial(registries), TODAY)


def costs(found: Trend, name: str = "contosoci") -> Mapping[date, Decimal | None]:
    (one,) = [one for one in found.registries if one.name == name]
    return one.costs


def test_a_day_without_a_row_is_unknown_not_0() -> None:
    missing = date(2026, 10, 4)
    found = trend(every_day(but=(missing,)), registry())
    assert costs(found)[missing] is None
    assert costs(found)[date(2026, 10, 5)] == Decimal("1.5")
    assert found.registries[0].unknown(found.settled) == (missing,)
    assert lacking_words(found, found.registries) == "Unknown, not 0: contosoci on 04 October."


def test_before_it_was_created_a_registry_cost_nothing() -> None:
    born = date(2026, 11, 10)
    found = trend([one for one in every_day() if one.day >= born], registry(created=born))
    assert costs(found)[born - timedelta(1)] == 0
    assert found.registries[0].unknown(found.settled) == ()
    unsure = trend([one for one in every_day() if one.day >= born], registry(created=None))
    assert costs(unsure)[born - timedelta(1)] is None


def test_after_its_last_day_a_deleted_registry_costs_nothing_and_one_that_may_exist_is_unknown() -> None:
    last = date(2026, 11, 9)
    rows = [one for one in every_day() if one.day <= last]
    assert costs(trend(rows))[last + timedelta(1)] == 0
    read = SubscriptionDays(SUB, CostSource.QUERY, tuple(rows), WHOLE)
    refused = Partial[Registry]((), (Refusal("contoso", ServiceError("No", "no", "x")),))
    assert costs(trend_of(Partial((read,)), refused, TODAY))[last + timedelta(1)] is None


def test_days_of_a_span_that_was_not_read_are_unknown() -> None:
    since = date(2026, 10, 30)
    found = trend([one for one in every_day() if one.day >= since], registry(), read=((since, TODAY),))
    assert costs(found)[since - timedelta(1)] is None
    assert "62 days (29 August to 29 October)" in lacking_words(found, found.registries)


def test_currencies_are_never_mixed() -> None:
    changed = date(2026, 10, 15)
    rows = [replace(one, currency="USD" if one.day < changed else "EUR") for one in every_day()]
    found = trend(rows, registry())
    assert found.currencies == ("EUR", "USD")
    (euro,), (dollar,) = found.of("EUR"), found.of("USD")
    assert (euro.costs[changed], dollar.costs[changed]) == (Decimal("1.5"), 0)
    assert (euro.costs[changed - timedelta(1)], dollar.costs[changed - timedelta(1)]) == (0, Decimal("1.5"))


def test_today_and_yesterday_are_not_complete() -> None:
    found = trend(every_day(), registry())
    assert found.settled == SETTLED
    rows = day_table("Days", found, found.registries, by_registry(found.registries), "EUR").rows
    assert rows[0] == (TODAY, None, None, "Not complete yet: Azure bills late.")
    assert rows[2] == (SETTLED, Decimal("1.5"), Decimal("1.5"), "")


def test_parts_of_the_bill_add_up_and_unknown_days_stay_unknown() -> None:
    missing = date(2026, 10, 4)
    rows = [*every_day(but=(missing,)), *every_day("0.5", meter=BUILDS, but=(missing,)), *every_day("2", name="b")]
    found = trend(rows, registry(), registry("b"))
    mine = [one for one in found.registries if one.name == "contosoci"]
    series = {one.name: one.amounts for one in by_part(mine, found.days)}
    assert list(series) == ["Fixed fee", "Build minutes"]
    assert (series["Build minutes"][SETTLED], series["Build minutes"][missing]) == (Decimal("0.5"), None)
    assert unknown_on(found.registries, missing) == ("contosoci",)
    assert totals(found.registries, found.days)[missing] is None
    assert totals(found.registries, found.days)[SETTLED] == Decimal("4.0")


def test_a_day_is_split_by_what_repositories_store() -> None:
    found = trend(every_day("3"), registry())
    split = [RepositoryCost("api", 300, Decimal(0), Decimal(3)), RepositoryCost("web", 50, Decimal(50), Decimal(1))]
    series = {one.name: one.amounts for one in by_repository(found.registries[0], split)}
    assert (series["api"][SETTLED], series["web"][SETTLED]) == (Decimal("2.25"), Decimal("0.75"))
    assert series["api"][TODAY] is None
    assert by_repository(found.registries[0], []) == ()


def test_many_registries_are_six_series_whose_sum_is_all() -> None:
    names = [f"contoso{number}" for number in range(9)]
    found = trend([one for n, name in enumerate(names) for one in every_day(str(n + 1), name=name)])
    series = by_registry(found.registries)
    assert [one.name for one in series] == [*reversed(names[4:]), "Other (4)"]
    assert sum(one.amounts[SETTLED] or 0 for one in series) == 45


def test_the_title_says_whether_it_costs_more() -> None:
    rows = [row(day, "2" if day > SETTLED - timedelta(28) else "1.6") for day in each_day(FIRST, SETTLED)]
    found = trend(rows, registry())
    assert trend_title(found, found.registries, "EUR") == (
        "EUR 2.00 a day in the last 28 days, 25 % more than in the 28 before"
    )
    few = trend(rows[-10:], registry())
    assert trend_title(few, few.registries, "EUR") == "Daily cost, EUR"


def test_weeks_are_whole_and_say_what_they_lack() -> None:
    missing = date(2026, 11, 4)
    found = trend(every_day("1", but=(missing,)), registry())
    table = week_table(found, "EUR")
    by_week = {cells[0]: cells[1:] for cells in table.rows if isinstance(cells[0], date)}
    assert by_week[date(2026, 11, 9)] == (Decimal(7), Decimal(7), "")
    assert by_week[date(2026, 11, 2)] == (Decimal(6), Decimal(6), "At least. Unknown for contosoci.")
    assert max(by_week) == date(2026, 11, 16)  # That of the 23rd is not over.
    assert table.chart
    assert [bar.text for bar in table.chart.bars][-3:] == ["≥ EUR 6.00", "EUR 7.00", "EUR 7.00"]


def test_a_subscription_without_days_is_named() -> None:
    found = trend([], reason="No bill.")
    assert (found.without, found.currencies) == ({"contoso": "No bill."}, ())


ROWS = st.lists(
    st.builds(
        row,
        st.dates(FIRST, TODAY),
        st.decimals(0, 100, places=4).map(str),
        st.sampled_from([FEE, BUILDS, STORED, "Something new"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["EUR", "USD"]),
    )
)


@given(ROWS)
def test_nothing_is_lost_or_made_up(rows: list[DayCost]) -> None:
    found = trend(rows, registry("a"))
    for currency in ("EUR", "USD"):
        billed = sum((one.cost for one in rows if one.currency == currency), Decimal(0))
        mine = found.of(currency)
        assert sum((cost or 0 for one in mine for cost in one.costs.values()), Decimal(0)) == billed
        for series in (by_registry(mine), by_part(mine, found.days)):
            assert sum((one.total(found.days) for one in series), Decimal(0)) == billed
    days = {(one.registry_id, one.day) for one in rows}
    for one in found.registries:
        for day, cost in one.costs.items():
            known = (one.registry_id, day) in days or (one.name == "b" and cost == 0)
            assert (cost is not None) == known


def test_a_subscription_whose_days_were_all_refused_or_not_asked_is_not_free_of_cost() -> None:
    throttled = Refusal("contoso, 01 October to 31 October", ServiceError("No days", "Too many requests.", "Wait."))
    read = SubscriptionDays(SUB, CostSource.QUERY, (), (), unread=(throttled,))
    stopped = SubscriptionDays(replace(SUB, id="s2", name="prod"), CostSource.QUERY, (), ())
    found = trend_of(Partial((read, stopped), untried=2), Partial(()), TODAY)
    assert list(found.without) == ["contoso", "prod", "2 subscriptions not asked"]
    assert found.without["contoso"] == "Too many requests." and "stopped" in found.without["prod"]
    assert without_words(found) == "Without contoso, prod and 2 subscriptions not asked: no day is known."
    assert report_tables(found, ())[-1].rows == tuple(found.without.items())
    quarter = quarter_costs(replace(trend(every_day(), registry()), without=found.without))
    assert any(one.note.endswith(without_words(found)) for one in report_tables(found, quarter) if one.note)


def test_a_subscription_that_was_read_and_has_no_bill_is_in_the_trend() -> None:
    found = trend([])
    assert not found.without and without_words(found) == ""
    assert "Not in the trend" not in [one.heading for one in report_tables(found, ())]


def test_of_a_deleted_registry_days_that_were_not_read_are_unknown() -> None:
    gap = date(2026, 10, 10)
    rows = [one for one in every_day() if one.day < date(2026, 10, 1)]
    found = costs(trend(rows, read=((FIRST, gap - timedelta(1)), (gap + timedelta(1), TODAY))))
    assert found[gap] is None and found[gap - timedelta(1)] == found[gap + timedelta(1)] == 0
