"""Amounts as they are written: to the cent, and in large type without cents where they are large."""

from decimal import Decimal

import pytest

from services.pricing.money import headline, money


@pytest.mark.parametrize(
    ("amount", "exact", "large"),
    [
        ("0.005", "EUR 0.01", "EUR 0.01"),
        ("999.994", "EUR 999.99", "EUR 999.99"),
        ("999.995", "EUR 1,000.00", "EUR 1,000"),
        ("12345.5", "EUR 12,345.50", "EUR 12,346"),
        ("-1500.2", "EUR -1,500.20", "EUR -1,500"),
    ],
)
def test_a_large_figure_has_no_cents(amount: str, exact: str, large: str) -> None:
    assert money(Decimal(amount), "EUR") == exact
    assert headline(Decimal(amount), "EUR") == large
