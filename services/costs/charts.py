"""The charts of a cost review: who spends it, a registry's repositories, and past months by meter."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pandas as pd

from services.costs.by_meter import in_months
from services.costs.by_repository import RepositoryCost
from services.costs.review import GroupTotal, Review, latest_currencies
from services.pricing.bar_chart import Bar, BarChart, join_smallest
from services.pricing.money import ZERO, cents, money
from services.wording import counted

# In the title of a chart of less than all.
READABLE = " that could be read"
# More bars than these are no longer read: the rest is one.
MOST_BARS = 15


def spending_chart(
    totals: Sequence[GroupTotal], review: Review, marked: str = "", *, partial: bool = False
) -> BarChart | None:
    """A bar for each group, the dearest first, in the currency with the latest bills; None where nothing is known.

    Its parts are what was billed, what the forecast adds to it, and estimates. `marked`: a group to find in it.
    `partial`: not all could be read, and the title says so.
    """
    currency = next(iter(latest_currencies(review.rows)), "") or next((one.currency for one in totals), "")
    known = [one for one in totals if one.figure is not None and one.currency == currency and cents(one.figure) > 0]
    if not known:
        return None
    kept = known if len(known) <= MOST_BARS else known[: MOST_BARS - 1]
    bars = [_spent(one.name, *_parts(one), currency, marked=one.name == marked) for one in kept]
    if rest := known[len(kept) :]:
        parts = [_parts(one) for one in rest]
        billed, left = (sum(amounts, ZERO) for amounts in zip(*parts, strict=True))
        bars.append(_spent(f"Other ({len(rest)})", billed, left, currency))
    in_all = sum((one.figure or ZERO for one in known), ZERO)
    share = _percent(known[0].figure or ZERO, in_all)
    of = ("the forecast" if review.under_way else f"{review.month:%B}") + (READABLE if partial else "")
    least = f"{known[0].name} is {share} % of {of}" if len(known) > 1 else f"{known[0].name} is all of {of}"
    others = sorted({one.currency for one in totals if one.figure is not None} - {currency})
    without = f" (without {', '.join(others)})" if others else ""
    title = f"{least}, {currency}{without}"
    series = ("So far", "Forecast or estimate") if review.under_way else ("Billed", "Estimate")
    return BarChart(title, currency, series, tuple(bars))


def _percent(part: Decimal, whole: Decimal) -> int:
    """Of less than the whole at most 99."""
    return min(round(100 * part / whole), 100 if part == whole else 99)


def _parts(one: GroupTotal) -> tuple[Decimal, Decimal]:
    """What was billed, and the rest of the month's figure."""
    billed = one.cost or ZERO
    return billed, (one.figure or ZERO) - billed


def _spent(name: str, billed: Decimal, rest: Decimal, currency: str, *, marked: bool = False) -> Bar:
    return Bar(name, (billed, rest), money(billed + rest, currency), marked)


def repository_chart(
    name: str, costs: Sequence[RepositoryCost], currency: str, *, partial: bool = False
) -> BarChart | None:
    """A bar for each repository, the highest first; what no repository lists is marked. `partial`: not all of the
    registry could be read."""
    of = f"{name}{READABLE if partial else ''}"
    known = [one for one in costs if one.amount > 0]
    if not known:
        return None
    kept = known if len(known) <= MOST_BARS else known[: MOST_BARS - 1]
    # However small, what was not counted is never a part of the others.
    kept = [one for one in known if one in kept or not one.counted]
    rest = [one for one in known if one not in kept]
    bars = [_cost(one.name, one.amount, currency, counted=one.counted) for one in kept]
    if rest:
        bars.append(_cost(f"Other ({len(rest)})", sum((one.amount for one in rest), ZERO), currency))
    in_all = sum((one.amount for one in known), ZERO)
    first = known[0]
    share = _percent(first.amount, in_all)
    title = (
        f"{first.name} is {share} % of {of}"
        if first.counted
        else f"{share} % of {of} is storage that no repository lists"
    )
    if all(one.counted for one in known):
        return BarChart(f"{title}, {currency}", currency, ("Repositories",), tuple(bars))
    return BarChart(f"{title}, {currency}", currency, ("Repositories", "Uncounted"), tuple(bars), rest="Uncounted")


def _cost(name: str, amount: Decimal, currency: str, *, counted: bool = True) -> Bar:
    return Bar(name, (amount, None) if counted else (None, amount), money(amount, currency))


def months_chart(
    amounts: pd.DataFrame,
    months: Sequence[date],
    currency: str,
    under_way: date | None = None,
    *,
    partial: bool = False,
) -> BarChart:
    """A bar for each month, by meter, the highest meter first; `amounts` as `months_by_meter` returns them.

    Months before the first and after the last bill in this currency have none. `under_way`: the month that is not over;
    `partial`: not every bill could be read.
    """
    months = _billed_months(in_months(amounts, months), months)
    rows = in_months(amounts, months)
    names, bars = join_smallest([meter for meter, _ in rows], zip(*(row for _, row in rows), strict=True))
    named = tuple(
        Bar(
            f"{month:%b %Y}{' so far' if month == under_way else ''}",
            bar.parts,
            money(bar.total, currency) if any(bar.parts) else "–",
        )
        for month, bar in zip(months, bars, strict=True)
    )
    rest = names[-1] if len(rows) > len(names) else ""
    return BarChart(f"{_trend(named)}{READABLE if partial else ''}, {currency}", currency, names, named, rest)


def _billed_months(rows: Sequence[tuple[str, Sequence[Decimal | None]]], months: Sequence[date]) -> Sequence[date]:
    """From the first to the last month with an amount; all where none has."""
    billed = [number for number in range(len(months)) if any(amounts[number] for _, amounts in rows)]
    return months[billed[0] : billed[-1] + 1] if billed else months


def _trend(bars: Sequence[Bar]) -> str:
    """Which month cost most."""
    billed = [bar for bar in bars if bar.total]
    if not billed:
        return "Nothing was billed"
    highest = max(billed, key=lambda bar: bar.total)
    return f"{highest.label} cost most of {counted(len(billed), 'month')}" if billed[1:] else f"Only {highest.label}"
