"""What was billed, by meter and month."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.costs.by_meter import in_months, months_by_meter
from services.costs.rows import CostRow

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
ROWS = st.lists(
    st.builds(
        CostRow,
        st.sampled_from(["/a", "/b"]),
        st.sampled_from([OCTOBER, NOVEMBER]),
        st.sampled_from(["Data Stored", "Premium Registry Unit", "Task vCPU Duration"]),
        st.just(Decimal(1)),
        st.decimals(0, 1000, places=6),
        st.sampled_from(["EUR", "USD"]),
    )
)


def row(month: date, meter: str, cost: str, currency: str = "EUR") -> CostRow:
    return CostRow("/x", month, meter, Decimal(1), Decimal(cost), currency)


def test_the_dearest_meter_is_first_and_a_month_without_a_bill_is_none() -> None:
    found = months_by_meter(
        [
            row(NOVEMBER, "small", "1"),
            row(OCTOBER, "large", "2"),
            row(NOVEMBER, "large", "0.5"),
            row(OCTOBER, "x", "9", "USD"),
        ]
    )
    assert set(found) == {"EUR", "USD"}
    assert list(found["EUR"].index) == ["large", "small"]
    assert in_months(found["EUR"], [OCTOBER, NOVEMBER]) == [
        ("large", [Decimal(2), Decimal("0.5")]),
        ("small", [None, Decimal(1)]),
    ]
    # A month in which only another currency was billed.
    assert in_months(found["USD"], [OCTOBER, NOVEMBER]) == [("x", [Decimal(9), None])]


def test_nothing_billed_is_no_table() -> None:
    assert months_by_meter([]) == {}


@given(ROWS)
def test_every_cell_is_the_exact_sum_of_its_rows(rows: list[CostRow]) -> None:
    expected: defaultdict[tuple[str, str, date], Decimal] = defaultdict(Decimal)
    for one in rows:
        expected[one.currency, one.meter, one.month] += one.cost
    found = {
        (currency, meter, month): amount
        for currency, table in months_by_meter(rows).items()
        for meter, cells in table.to_dict("index").items()
        for month, amount in cells.items()
        if amount is not None
    }
    assert found == expected
    assert all(type(amount) is Decimal for amount in found.values())
