"""What was billed: a row a registry, day and meter, as seeds put them there. Nothing is billed while a sandbox runs."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.storage.store import Store


@dataclass(frozen=True)
class CostRow:
    """`resource` is a resource id. Quantity and cost are exact."""

    resource: str
    day: date
    meter: str
    quantity: Decimal
    cost: Decimal
    currency: str

    @property
    def group(self) -> str:
        return self.resource.split("/")[4]

    @property
    def kind(self) -> str:
        """The resource's type, in lower case."""
        return "/".join(self.resource.split("/")[6:8]).lower()


def days(first: date, last: date) -> Iterator[date]:
    """Each day from first to last, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(number)


def days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def add_costs(store: Store, rows: Iterable[CostRow]) -> None:
    store.put_costs(
        (row.resource, row.day.isoformat(), row.meter, str(row.quantity), str(row.cost), row.currency) for row in rows
    )


def costs(store: Store, scope: str, first: date, last: date) -> list[CostRow]:
    """Those of all resources at or below a scope, by day."""
    return [
        CostRow(resource, date.fromisoformat(day), meter, Decimal(quantity), Decimal(cost), currency)
        for resource, day, meter, quantity, cost, currency in store.list_costs(
            scope, first.isoformat(), last.isoformat()
        )
    ]
