"""What was billed, in one form for all APIs: a registry's meter in a month, and on a day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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
_ISO_DAY = len("2026-08-01")


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


@dataclass(frozen=True)
class DayCost:
    """What a registry's meter cost on one day; the rest as in CostRow."""

    registry_id: str
    day: date
    meter: str
    quantity: Decimal
    cost: Decimal
    currency: str

    @property
    def sku(self) -> str:
        """The SKU whose fee it is, "" for other meters."""
        fee = self.meter.endswith(_FEE_METER) and "eplication" not in self.meter
        return self.meter.removesuffix(_FEE_METER) if fee else ""


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
    """Adds up rows by registry, month, meter and currency. Rows of other resources are left out.

    `days_from`: from that day on also by day, of the rows that have one.
    """

    def __init__(self, days_from: date | None = None) -> None:
        # By the id as Azure wrote it: a meter has a row for each day, and its id is parsed only once.
        self._sums: defaultdict[tuple[str, str, str, str], tuple[list[Decimal | int], list[Decimal | int]]]
        self._sums = defaultdict(lambda: ([], []))
        self._months: dict[str, date] = {}
        self._days_from = days_from.isoformat() if days_from else ""
        self._days: defaultdict[tuple[str, str, str, str], tuple[list[Decimal | int], list[Decimal | int]]]
        self._days = defaultdict(lambda: ([], []))
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
        if self._days_from and len(day) >= _ISO_DAY and day[:_ISO_DAY] >= self._days_from:
            date.fromisoformat(day[:_ISO_DAY])
            on_day = self._days[resource_id, day[:_ISO_DAY], meter, currency]
            on_day[0].append(quantity)
            on_day[1].append(cost)
        quantities, costs = self._sums[resource_id, month, meter, currency]
        quantities.append(quantity)
        costs.append(cost)

    def refused(self, what: str) -> tuple[Refusal, ...]:
        """A Refusal for the rows that `add_each` could not add; none where there are none."""
        return refused_entries(what, self._read, self._faults)

    def rows(self) -> tuple[CostRow, ...]:
        """In the order of registry, month, meter."""
        return tuple(
            CostRow(registry, self._months[month], meter, units, cost, currency)
            for (registry, month, meter, currency), (units, cost) in _by_registry(self._sums)
        )

    def days(self) -> tuple[DayCost, ...]:
        """In the order of registry, day, meter: what was added from `days_from` on."""
        return tuple(
            DayCost(registry, date.fromisoformat(day), meter, units, cost, currency)
            for (registry, day, meter, currency), (units, cost) in _by_registry(self._days)
        )


def _by_registry(
    sums: Mapping[tuple[str, str, str, str], tuple[list[Decimal | int], list[Decimal | int]]],
) -> list[tuple[tuple[str, str, str, str], tuple[Decimal, Decimal]]]:
    """The sums of registries, sorted: of one registry, however Azure wrote its id."""
    found: dict[tuple[str, str, str, str], tuple[Decimal, Decimal]] = {}
    for (resource_id, *rest), (quantities, costs) in sums.items():
        if registry_id := registry_of(resource_id):
            when, meter, currency = rest
            units, cost = found.get((registry_id, when, meter, currency), (Decimal(0), Decimal(0)))
            found[registry_id, when, meter, currency] = _sum(quantities, units), _sum(costs, cost)
    return sorted(found.items())


def _sum(numbers: Iterable[Decimal | int], start: Decimal) -> Decimal:
    return start + sum(numbers)


def total(rows: Iterable[CostRow]) -> Decimal:
    """The sum of their costs. The caller makes sure that they are in one currency."""
    return sum((row.cost for row in rows), Decimal(0))
