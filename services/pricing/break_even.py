"""The sizes from which another SKU costs less, solved exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, pairwise

from services.pricing.estimates import Use, estimate
from services.pricing.prices import Prices
from services.registries.skus import LIMITS, Sku


@dataclass(frozen=True)
class Crossing:
    """At `gib` stored, two SKUs both cost `amount` a month: below that `below` costs less, above it `above`."""

    gib: Decimal
    amount: Decimal
    below: Sku
    above: Sku


def cost_at(sku: Sku, stored_gib: Decimal, prices: Prices, days: int) -> Decimal:
    """A month's fee and storage only."""
    return estimate(sku, Use(stored_gib), prices, days).total


def crossings(prices: Prices, days: int, most: Decimal = Decimal(2048)) -> tuple[Crossing, ...]:
    """The crossings of each two SKUs from 0 to `most` GiB, the smallest first. Fees are daily, so `days` matters.

    Raises ValueError where a fee or the storage of a SKU has no price: then no size is known.
    """
    for what, priced in (("fee", prices.registry_day), ("storage", prices.stored_gib)):
        if missing := [sku for sku in Sku if sku not in priced]:
            raise ValueError(f"There is no price for the {what} of {', '.join(missing)} in {prices.region}")
    found = [one for pair in combinations(Sku, 2) for one in _between(*pair, prices, days, most)]
    return tuple(sorted(found, key=lambda one: (one.gib, one.below)))


def cheapest(prices: Prices, days: int, most: Decimal = Decimal(2048)) -> tuple[tuple[Decimal, Sku], ...]:
    """Which SKU costs least for storage alone, each with the GiB from which it does; of two that cost the same, the
    smaller. Raises ValueError as `crossings`.
    """
    # Lines that are one until the included storage of a SKU ends part there, without a crossing.
    bends = (Decimal(limits.included_gib) for limits in LIMITS.values())
    starts = sorted({Decimal(0), *bends, *(one.gib for one in crossings(prices, days, most))})
    found: list[tuple[Decimal, Sku]] = []
    for start, end in pairwise([*starts, most]):
        least = min(Sku, key=lambda sku: cost_at(sku, (start + end) / 2, prices, days))
        if not found or found[-1][1] is not least:
            found.append((start, least))
    return tuple(found)


def _between(one: Sku, other: Sku, prices: Prices, days: int, most: Decimal) -> Iterator[Crossing]:
    """Costs are lines that bend where the included storage ends, and are straight between two bends."""

    def gap(at: Decimal) -> Decimal:
        return cost_at(one, at, prices, days) - cost_at(other, at, prices, days)

    bends = sorted({Decimal(0), *(Decimal(LIMITS[sku].included_gib) for sku in (one, other)), most})
    for left, right in pairwise(bends):
        before, after = gap(left), gap(right)
        if before and after and (before < 0) != (after < 0):
            at = left + (right - left) * before / (before - after)
            below, above = (one, other) if before < 0 else (other, one)
            yield Crossing(at, cost_at(below, at, prices, days), below, above)
        elif before and not after:
            # They meet at a bend: it is a crossing if the other one costs less after it.
            further = gap(right + 1) if right < most else Decimal(0)
            if further and (before < 0) != (further < 0):
                below, above = (one, other) if before < 0 else (other, one)
                yield Crossing(right, cost_at(below, right, prices, days), below, above)


def cost_by_regions(stored_gib: Decimal, prices: Prices, days: int, most: int = 10) -> tuple[Decimal, ...]:
    """What Premium costs a month in 1, 2, … `most` regions, each with all content."""
    return tuple(estimate(Sku.PREMIUM, Use(stored_gib, replicas), prices, days).total for replicas in range(most))
