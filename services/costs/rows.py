"""What was billed, in one form for all APIs: a registry's meter in a month."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from services.connection.answers import refused_entries
from services.connection.errors import MALFORMED, fault_of
from services.connection.parallel import Refusal
from services.connection.resource_ids import parse_id
from services.registries.registry import REGISTRY_KIND

Row = TypeVar("Row")

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
        self._months: dict[str, date] = {}
        self._read = 0
        self._faults: list[str] = []

    def add_each(self, rows: Iterable[Row], add: Callable[[Row], None]) -> None:
        """Every row by `add`, which may raise anything of `MALFORMED`: then that row alone is left out, and counted."""
        for row in rows:
            self._read += 1
            try:
                add(row)
            except MALFORMED as exc:
                self._faults.append(fault_of(exc))

    def add(
        self, resource_id: str, day: str, meter: str, currency: str, quantity: Decimal | int, cost: Decimal | int
    ) -> None:
        """`day` begins with the year and the month, as in 2026-08. Raises one of `MALFORMED` for no such row."""
        month = day[:7]
        if month not in self._months:
            self._months[month] = date.fromisoformat(f"{month}-01")
        if not (meter.strip() and currency.strip()):
            raise ValueError("a row has no meter or currency")
        for number in (quantity, cost):
            if type(number) is not int and not (isinstance(number, Decimal) and number.is_finite()):
                raise ValueError("a row has no finite number")
        quantities, costs = self._sums[resource_id, month, meter, currency]
        quantities.append(quantity)
        costs.append(cost)

    def refused(self, what: str) -> tuple[Refusal, ...]:
        """A Refusal for the rows that `add_each` could not add; none where there are none."""
        return refused_entries(what, self._read, self._faults)

    def rows(self) -> tuple[CostRow, ...]:
        """In the order of registry, month, meter."""
        found: dict[tuple[str, str, str, str], tuple[Decimal, Decimal]] = {}
        for (resource_id, month, meter, currency), (quantities, costs) in self._sums.items():
            if registry_id := registry_of(resource_id):
                key = (registry_id, month, meter, currency)
                units, cost = found.get(key, (Decimal(0), Decimal(0)))
                found[key] = _sum(quantities, units), _sum(costs, cost)
        return tuple(
            CostRow(registry, self._months[month], meter, units, cost, currency)
            for (registry, month, meter, currency), (units, cost) in sorted(found.items())
        )


def _sum(numbers: Iterable[Decimal | int], start: Decimal) -> Decimal:
    return start + sum(numbers)


def total(rows: Iterable[CostRow]) -> Decimal:
    """The sum of their costs. The caller makes sure that they are in one currency."""
    return sum((row.cost for row in rows), Decimal(0))
