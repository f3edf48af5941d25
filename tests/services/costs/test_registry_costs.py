"""One figure a registry: the bill where there is one, else the estimate."""

from datetime import date
from decimal import Decimal

from services.costs.bills import CostSource
from services.costs.registry_costs import RegistryCost, registry_costs
from services.costs.review import Review, ReviewLine
from services.costs.rows import CostRow
from services.pricing.estimates import Estimate, Line, Part
from services.registries.skus import Sku


def line(registry: str, currency: str, cost: str | None, before: str | None = None, estimate: str = "") -> ReviewLine:
    amounts = [Decimal(one) if one is not None else None for one in (cost, before)]
    listed = (
        Estimate(Sku.BASIC, currency, (Line(Part.FEE, "", Decimal(1), "", Decimal(estimate)),)) if estimate else None
    )
    return ReviewLine(
        registry, registry, "", "", {}, CostSource.QUERY, currency, amounts[0], None, amounts[1], listed, ()
    )


def review(*lines: ReviewLine, rows: tuple[CostRow, ...] = ()) -> Review:
    return Review(date(2026, 11, 1), True, lines, rows)


def test_a_bill_comes_before_an_estimate_and_unknown_is_left_out() -> None:
    found = registry_costs(
        review(line("/A", "EUR", "3", "5", "9"), line("/b", "USD", None, None, "7"), line("/c", "", None))
    )
    assert found == {
        "/a": RegistryCost(Decimal(3), "EUR", Decimal(5), estimated=False),
        "/b": RegistryCost(Decimal(7), "USD", None, estimated=True),
    }
    assert (found["/a"].change, found["/b"].change) == (Decimal(-2), None)
