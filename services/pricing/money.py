"""Amounts of money, rounded in one place, so that a page, a CSV and a report agree to the cent."""

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Rounded to two places, half up; never -0."""
    return amount.quantize(CENT, ROUND_HALF_UP) + 0


def money(amount: Decimal, currency: str) -> str:
    """'USD 1,234.50'."""
    return f"{currency} {cents(amount):,}"


def headline(amount: Decimal, currency: str) -> str:
    """As `money`, for a figure in large type: from 1,000 on without cents, 'USD 12,346'."""
    if abs(cents(amount)) < 1000:
        return money(amount, currency)
    return f"{currency} {amount.quantize(Decimal(1), ROUND_HALF_UP):,}"
