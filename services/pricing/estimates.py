"""What a registry costs in a month, from what it uses and the prices. Amounts are Decimal."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.pricing.money import ZERO, cents, money
from services.pricing.prices import Prices, tiered
from services.registries.registry import Registry
from services.registries.skus import LIMITS, Sku, sku_of

GIB = 2**30

# Billed by other services, as resources of their own: no meter of the registry has it.
NOT_INCLUDED = (
    "Not included, as other services bill it: private endpoints (each by the hour, and their traffic), "
    "traffic to other regions and the internet, logs, keys and Defender."
)


class Part(StrEnum):
    """The parts of a registry's cost."""

    FEE = "Fixed fee"
    STORAGE = "Storage beyond the included"
    REPLICAS = "Replicas"
    BUILDS = "Build minutes"
    CONNECTED = "Connected registries"


@dataclass(frozen=True)
class Use:
    """What a registry uses in a month: GiB stored in the home region, replica regions besides it, vCPU-seconds of ACR
    Tasks, connected registries. Raises ValueError if any is negative."""

    stored_gib: Decimal
    replicas: int = 0
    task_seconds: Decimal = ZERO
    connected: int = 0

    def __post_init__(self) -> None:
        if min(self.stored_gib, Decimal(self.replicas), self.task_seconds, Decimal(self.connected)) < 0:
            raise ValueError("What a registry uses can't be negative")


@dataclass(frozen=True)
class Line:
    """`quantity` of `unit` costs `amount`."""

    part: Part
    what: str
    quantity: Decimal
    unit: str
    amount: Decimal


@dataclass(frozen=True)
class Estimate:
    """A month's cost by line. `unpriced`: what is used and has no price, so that the total is too low."""

    sku: Sku
    currency: str
    lines: tuple[Line, ...]
    unpriced: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """The sum of what has a price: the least that it costs, where something is `unpriced`."""
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def words(self) -> str:
        """'USD 5.00', or 'at least USD 5.00 (no price for Replica regions)'."""
        amount = money(self.total, self.currency)
        return f"at least {amount} (no price for {', '.join(self.unpriced)})" if self.unpriced else amount

    def of(self, part: Part) -> Decimal:
        return sum((line.amount for line in self.lines if line.part is part), ZERO)


def difference_words(before: Estimate, after: Estimate) -> str:
    """'USD 15.00 less', 'the same', or that it is unknown where only one of the two has a price for something."""
    if lacking := sorted(set(before.unpriced) ^ set(after.unpriced)):
        return f"the difference is unknown, as there is no price for {', '.join(lacking)}"
    more = cents(after.total) - cents(before.total)
    return f"{money(abs(more), after.currency)} {'more' if more > 0 else 'less'}" if more else "the same"


def gib(size: int | Decimal) -> Decimal:
    """Bytes as GiB."""
    return Decimal(size) / GIB


def use_of(registry: Registry) -> Use | None:
    """What a registry uses, as Azure reports it now; None if its usage or its replicas could not be read."""
    if registry.stored_bytes is None or registry.replicas is None:
        return None
    return Use(gib(registry.stored_bytes), len(registry.replicas))


def estimate_of(registry: Registry, prices: Prices, days: int) -> Estimate | None:
    """What a registry costs in a month as it is now; None if unknown, or if its SKU is retired."""
    sku, use = sku_of(registry.sku), use_of(registry)
    return estimate(sku, use, prices, days) if sku and use else None


def estimate(sku: Sku, use: Use, prices: Prices, days: int = 30) -> Estimate:
    """What `use` costs at `sku` in a month of `days`.

    The fee counts by the day, storage by the month. Each replica region is billed for as much again as is stored at
    home, from the first GiB (https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication,
    "Pricing considerations"). What the SKU does not have (replicas, connected registries on Basic and Standard) costs
    nothing there: `services.pricing.sku_choice` reports that it is lacking. Raises ValueError for a wrong `days`.
    """
    if not 28 <= days <= 31:
        raise ValueError(f"A month has 28 to 31 days, not {days}")
    lines: list[Line] = []
    unpriced: list[str] = []

    def add(part: Part, what: str, quantity: Decimal, unit: str, price: Decimal | None) -> None:
        if not quantity:
            return
        if price is None:
            unpriced.append(what)
        else:
            lines.append(Line(part, what, quantity, unit, quantity * price))

    over = max(use.stored_gib - LIMITS[sku].included_gib, ZERO)
    add(Part.FEE, f"{sku} registry", Decimal(days), "days", prices.registry_day.get(sku))
    add(Part.STORAGE, "Storage beyond the included", over, "GiB", prices.stored_gib.get(sku))
    if sku is Sku.PREMIUM:
        replica_days = Decimal(use.replicas * days)
        add(Part.REPLICAS, "Replica regions", replica_days, "days", prices.replica_day)
        add(Part.REPLICAS, "Storage in replicas", use.replicas * use.stored_gib, "GiB", prices.replica_gib)
        add(Part.CONNECTED, "Connected registries", Decimal(use.connected * days), "days", prices.connected_day)
    if use.task_seconds and prices.task_second:
        amount = tiered(prices.task_second, use.task_seconds)
        lines.append(Line(Part.BUILDS, "ACR Tasks", use.task_seconds, "vCPU-seconds", amount))
    elif use.task_seconds:
        unpriced.append("ACR Tasks")
    return Estimate(sku, prices.currency, tuple(lines), tuple(unpriced))
