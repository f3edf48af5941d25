"""Why a bill and an estimate differ, part by part, as far as both show it."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from services.costs.rows import CostRow, total
from services.pricing.estimates import Estimate, Part
from services.pricing.money import money

# Less than this is rounding, or a day's growth.
_SMALLEST_REPORTED = Decimal("0.05")

# https://learn.microsoft.com/rest/api/cost-management/retail-prices: the meters of the service Container Registry.
_PARTS = {
    "Data Stored": Part.STORAGE,
    "Premium Registry Replication Unit": Part.REPLICAS,
    "Premium GB Registry Replication Data Stored": Part.REPLICAS,
    "Task vCPU Duration": Part.BUILDS,
    "Premium Connected registry": Part.CONNECTED,
}


def part_of(meter: str) -> Part | None:
    """The part of a registry's cost that a meter bills; None if unknown."""
    return Part.FEE if meter.endswith(" Registry Unit") else _PARTS.get(meter)


def differences(rows: Sequence[CostRow], estimate: Estimate, to_the_end: Decimal) -> Iterator[str]:
    """A sentence for each part whose bill differs. `to_the_end`: the whole month's cost divided by that of `rows`."""
    currencies = {row.currency for row in rows}
    if not rows:
        return
    if currencies != {estimate.currency}:
        yield f"Billed in {', '.join(sorted(currencies))} and estimated in {estimate.currency}: not compared."
        return
    yield from unpriced_words(estimate)
    for part in (*Part, None):
        billed = total(row for row in rows if part_of(row.meter) is part) * to_the_end
        expected = estimate.of(part) if part else Decimal(0)
        if abs(billed - expected) >= _SMALLEST_REPORTED:
            much = money(abs(billed - expected), estimate.currency)
            more = f"{much} {'more' if billed > expected else 'less'} than estimated"
            name = part.value if part else "Other meters"
            yield f"{name}: {more}{_reason(part, rows, estimate, to_the_end, billed > expected)}."


def unpriced_words(estimate: Estimate) -> Iterator[str]:
    """A sentence for each part of an estimate that has no price."""
    yield from (f"{name} has no price in this list: the estimate is too low." for name in estimate.unpriced)


def _reason(
    part: Part | None, rows: Iterable[CostRow], estimate: Estimate, to_the_end: Decimal, more_billed: bool
) -> str:
    if part is None:
        return ": meters that are not in the estimate"
    estimated = estimate.of(part)
    match part:
        case Part.FEE:
            paid = sum((row.days for row in rows), Decimal(0)) * to_the_end
            of = sum((line.quantity for line in estimate.lines if line.part is Part.FEE), Decimal(0))
            if len({row.meter for row in rows if row.days}) > 1:
                return ", since the SKU changed within the month"
            if abs(paid - of) >= 1:
                return f", for {round(paid)} of {round(of)} days"
            return ", so its price is not the list price"
        case Part.STORAGE:
            return ", since it stored more before" if more_billed else ", since it stored less on average than now"
        case Part.REPLICAS if estimated:
            return ", since replicas were created, deleted or filled within the month"
        case Part.REPLICAS:
            return ", for replicas that no longer exist"
        case Part.BUILDS if not estimated:
            return ": the estimate does not include builds"
        case Part.CONNECTED if not estimated:
            return ": the estimate does not include connected registries"
    return ""
