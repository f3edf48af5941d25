"""The charts of a review, on their numbers: sorted, joined where they are many, and the same sums as the tables."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.costs.by_meter import months_by_meter
from services.costs.by_repository import UNCOUNTED, RepositoryCost
from services.costs.charts import MOST_BARS, months_chart, repository_chart, spending_chart
from services.costs.review import GroupTotal, Review
from services.costs.rows import CostRow
from services.pricing.bar_chart import MOST_SERIES

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def row(month: date, meter: str, cost: str, currency: str = "EUR") -> CostRow:
    return CostRow("/x", month, meter, Decimal(1), Decimal(cost), currency)


def total(name: str, cost: str | None, figure: str | None, currency: str = "EUR") -> GroupTotal:
    amounts = (None if amount is None else Decimal(amount) for amount in (cost, figure))
    billed, forecast = amounts
    return GroupTotal(name, currency, 1, billed, None, forecast, int(cost is None), 0)


def review(*rows: CostRow, under_way: bool = True) -> Review:
    return Review(NOVEMBER, under_way, (), rows)


def test_a_group_s_bar_is_its_bill_and_the_rest_of_its_forecast() -> None:
    totals = [total("hub", "6", "8"), total("estimated", None, "2"), total("dollars", "9", "9", "USD")]
    chart = spending_chart(totals, review(row(NOVEMBER, "Data Stored", "6")), marked="hub")
    assert chart
    assert chart.title == "hub is 80 % of the forecast, EUR (without USD)"
    assert [(bar.label, bar.parts, bar.marked) for bar in chart.bars] == [
        ("hub", (6, 2), True),
        ("estimated", (0, 2), False),
    ]
    assert chart.bars[0].text == "EUR 8.00"
    assert spending_chart([total("unknown", None, None)], review()) is None


@given(st.integers(1, 40))
def test_many_groups_are_joined_and_add_up(number: int) -> None:
    totals = [total(f"acr{one}", "1", str(number + 1 - one)) for one in range(number)]
    chart = spending_chart(totals, review(row(NOVEMBER, "Data Stored", "1")))
    assert chart
    assert len(chart.bars) == min(number, MOST_BARS)
    assert sum(bar.total for bar in chart.bars) == sum(one.figure or 0 for one in totals)
    if number > MOST_BARS:
        assert chart.bars[-1].label == f"Other ({number - MOST_BARS + 1})"


def test_what_no_repository_lists_is_marked_however_small() -> None:
    costs = [RepositoryCost(f"app{number}", 1, Decimal(0), Decimal(30 - number)) for number in range(20)]
    costs.append(RepositoryCost(UNCOUNTED, 1, Decimal(0), Decimal("0.5"), counted=False))
    chart = repository_chart("hub", costs, "EUR")
    assert chart
    assert [bar.label for bar in chart.bars][-2:] == [UNCOUNTED, "Other (6)"]
    assert chart.bars[-2].parts == (None, Decimal("0.5"))
    assert chart.colour_of(1) == MOST_SERIES - 1
    assert sum(bar.total for bar in chart.bars) == sum(one.amount for one in costs)
    most = RepositoryCost(UNCOUNTED, 9, Decimal(0), Decimal(9), counted=False)
    chart = repository_chart("hub", [most, costs[-2]], "EUR")
    assert chart
    assert "of hub is storage that no repository lists" in chart.title


def test_months_are_bars_in_parts_by_meter_of_one_currency() -> None:
    rows = (
        row(OCTOBER, "Data Stored", "1.005"),
        row(OCTOBER, "Premium Registry Unit", "5"),
        row(NOVEMBER, "Premium Registry Unit", "6"),
        row(NOVEMBER, "Data Stored", "9", "USD"),
    )
    chart = months_chart(months_by_meter(rows)["EUR"], (OCTOBER, NOVEMBER), "EUR")
    assert chart.series == ("Premium Registry Unit", "Data Stored")
    assert [(bar.label, bar.parts) for bar in chart.bars] == [
        ("Oct 2026", (Decimal(5), Decimal("1.005"))),
        ("Nov 2026", (Decimal(6), None)),
    ]
    assert chart.title == "Oct 2026 cost most of 2 months, EUR"


def test_more_meters_than_colours_are_joined() -> None:
    rows = [row(NOVEMBER, f"Meter {number}", str(20 - number)) for number in range(9)]
    chart = months_chart(months_by_meter(rows)["EUR"], (NOVEMBER,), "EUR")
    assert chart.series[-1] == "Other (4)"
    assert len({chart.colour_of(number) for number in range(len(chart.series))}) == len(chart.series) == MOST_SERIES
    assert chart.bars[0].total == sum(one.cost for one in rows)
