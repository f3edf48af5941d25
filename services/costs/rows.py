"""What was billed, in one form for all APIs: a registry's meter in a month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.connection.resource_ids import parse_id
from services.registries.registry import REGISTRY_KIND

_FEE_METER = " Registry Unit"


@dataclass(frozen=True)
class CostRow:
    """`registry_id` in lower case, as costs are compared; `month` its first day; `quantity` in the meter's unit."""

    registry_id: str
    month: date
    meter: str
    quantity: Decimal
    cost: Decimal
    currency: str

    @property
    def days(self) -> Decimal:
        """How many registry-days it pays for; 0 for other meters. Each SKU has one such meter, unit 1/Day."""
        return self.quantity if self.meter.endswith(_FEE_METER) and "eplication" not in self.meter else Decimal(0)


def registry_of(resource_id: str) -> str:
    """The registry that a resource is or belongs to, in lower case; '' if none."""
    lowered = resource_id.casefold()
    if REGISTRY_KIND not in lowered:  # Nearly all rows are for other resources: parsing their ids would be slow.
        return ""
    at = parse_id(f"/{lowered.strip('/')}")
    if at.kind != REGISTRY_KIND or not at.group:
        return ""
    return f"/subscriptions/{at.subscription}/resourcegroups/{at.group}/providers/{REGISTRY_KIND}/{at.name}"


class CostSums:
    """Adds up rows by registry, month, meter and currency. Rows of other resources are left out."""

    def __init__(self) -> None:
        # By the id as Azure wrote it: a meter has a row for each day, and its id is parsed only once.
        self._sums: defaultdict[tuple[str, str, str, str], tuple[list[Decimal | int], list[Decimal | int]]]
        self._sums = defaultdict(lambda: ([], []))

    def add(
        self, resource_id: str, day: str, meter: str, currency: str, quantity: Decimal | int, cost: Decimal | int
    ) -> None:
        """`day` begins with the year and the month, as in 2026-08."""
        quantities, costs = self._sums[resource_id, day[:7], meter, currency]
        quantities.append(quantity)
        costs.append(cost)

    def rows(self) -> tuple[CostRow, ...]:
        """In the order of registry, month, meter. Raises ValueError or TypeError for an invalid number or day."""
        found: dict[tuple[str, str, str, str], tuple[Decimal, Decimal]] = {}
        for (resource_id, month, meter, currency), (quantities, costs) in self._sums.items():
            if registry_id := registry_of(resource_id):
                key = (registry_id, month, meter, currency)
                units, cost = found.get(key, (Decimal(0), Decimal(0)))
                found[key] = _sum(quantities, units), _sum(costs, cost)
        if not all(number.is_finite() for numbers in found.values() for number in numbers):
            raise ValueError("not a finite number")
        return tuple(
            CostRow(registry, date.fromisoformat(f"{month}-01"), meter, units, cost, currency)
            for (registry, month, meter, currency), (units, cost) in sorted(found.items())
        )


def _sum(numbers: Iterable[Decimal | int], start: Decimal) -> Decimal:
    return start + sum(numbers)


def total(rows: Iterable[CostRow]) -> Decimal:
    """The sum of their costs. The caller makes sure that they are in one currency."""
    return sum((row.cost for row in rows), Decimal(0))
