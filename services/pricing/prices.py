"""Prices of Azure Container Registry's meters, in one region and one currency. Always Decimal, never float.

Meters and units as in the Retail Prices API (https://learn.microsoft.com/rest/api/cost-management/retail-prices).
A "GB" of a storage meter is treated as a GiB, the unit in which registries report their usage and what a SKU includes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.registries.skus import Sku


class PriceSource(StrEnum):
    """The source of prices. SHEET: list prices overridden by the team's own."""

    API = "Retail Prices API"
    SNAPSHOT = "snapshot in the console"
    SHEET = "price sheet"


@dataclass(frozen=True)
class Tier:
    """Each unit beyond `above` units a month costs `price`, up to where the next tier begins."""

    above: Decimal
    price: Decimal


@dataclass(frozen=True)
class Prices:
    """One region's prices in `currency`. None: no such meter in this list.

    `registry_day`: the fixed fee of a registry for one day. `stored_gib`: a GiB for a month, beyond what the SKU
    includes. `replica_day`, `replica_gib`: the same for each replica region besides the home region, where every GiB
    counts. `task_second`: a vCPU-second of ACR Tasks, in tiers that restart each month. `connected_day`: a connected
    registry for one day. `at` is when the source had these prices.
    """

    region: str
    currency: str
    registry_day: Mapping[Sku, Decimal]
    stored_gib: Mapping[Sku, Decimal]
    replica_day: Decimal | None
    replica_gib: Decimal | None
    task_second: tuple[Tier, ...]
    connected_day: Decimal | None
    source: PriceSource
    at: datetime


def tiered(tiers: tuple[Tier, ...], quantity: Decimal) -> Decimal:
    """What `quantity` units cost in a month. Units below the first tier are free."""
    steps = sorted(tiers, key=lambda tier: tier.above)
    ends = [tier.above for tier in steps[1:]] + [max(quantity, *(tier.above for tier in steps))] if steps else []
    return sum(
        (max(min(quantity, end) - tier.above, Decimal(0)) * tier.price for tier, end in zip(steps, ends, strict=True)),
        Decimal(0),
    )


def discounted(prices: Prices, percent: Decimal) -> Prices:
    """The prices less `percent`: 0 is the list price, 100 is free. Raises ValueError outside 0 to 100."""
    if not 0 <= percent <= 100:
        raise ValueError(f"A discount is between 0 and 100 percent, not {percent}")
    left = 1 - percent / 100

    def off(price: Decimal | None) -> Decimal | None:
        return None if price is None else price * left

    return replace(
        prices,
        registry_day={sku: price * left for sku, price in prices.registry_day.items()},
        stored_gib={sku: price * left for sku, price in prices.stored_gib.items()},
        replica_day=off(prices.replica_day),
        replica_gib=off(prices.replica_gib),
        task_second=tuple(Tier(tier.above, tier.price * left) for tier in prices.task_second),
        connected_day=off(prices.connected_day),
    )
