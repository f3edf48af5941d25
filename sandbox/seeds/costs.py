"""Six months of the estate's bills and the month so far, from its registries as they are now; and two budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from sandbox.billing.budgets import BUDGET_TYPE
from sandbox.billing.retail_prices import price
from sandbox.billing.rows import CostRow, add_costs, days, days_in_month
from sandbox.documents.registry_rules import GIB, REGISTRY_TYPE, SKUS
from sandbox.seeds.places import APPS, CI, DATA, IMAGES, PAYMENTS, PLATFORM, REGISTRIES, Registry
from sandbox.storage.store import Store

MONTHS = 6
# Deleted in Resource Manager, but on the bill.
LEGACY = Registry(PAYMENTS, "contosolegacy", "Standard", "westeurope", 1300)
LEGACY_LAST_DAY = 9
# Half of what a month's days come to is free.
BUILD_SECONDS_A_DAY, FREE_SECONDS = 400, 6000
_SIXTH_PLACE = Decimal("0.000001")


def bill(store: Store, now: datetime) -> None:
    """Rows until yesterday. The applications' subscription is billed in USD until the 14th of a month, then in EUR."""
    today = now.date()
    first = _months_before(today, MONTHS)
    yesterday = today - timedelta(1)
    changed = _months_before(today, 3).replace(day=15)

    def currency(entry: Registry, day: date) -> str:
        return "USD" if entry.group.subscription == APPS and day < changed else "EUR"

    for entry in REGISTRIES:
        if entry.sku in ("Basic", "Standard", "Premium"):
            born = (now - timedelta(days=entry.age)).date()
            stored = Decimal(store.blobs.stored_bytes(entry.name) + entry.extra_bytes) / GIB
            add_costs(store, _rows(entry, max(born, first), yesterday, stored, first, currency))
    gone = today.replace(day=LEGACY_LAST_DAY) if today.day > LEGACY_LAST_DAY else today.replace(day=1) - timedelta(1)
    add_costs(store, _rows(LEGACY, first, gone, Decimal(140), first, currency))
    add_costs(store, _machine(first, yesterday))
    for budget in _budgets(today):
        store.put_resource(budget)


def _months_before(day: date, months: int) -> date:
    """The first of a month."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def _rows(
    entry: Registry,
    first: date,
    last: date,
    stored: Decimal,
    start: date,
    currency: Callable[[Registry, date], str],
) -> Iterator[CostRow]:
    """A day's rows: the unit, storage over the included, replicas and what they store, builds."""
    included = Decimal(SKUS[entry.sku].included) / GIB
    whole = max((last - start).days, 1)
    for day in days(first, last):
        money = currency(entry, day)
        # It grew by the seventh part of what it is now.
        grown = stored * (6 + Decimal((day - start).days) / whole) / 7
        part = Decimal(1) / days_in_month(day)
        replicas = Decimal(len(entry.replicas))
        quantities = {
            f"{entry.sku} Registry Unit": Decimal(1),
            "Data Stored": max(grown - included, Decimal(0)) * part,
            "Premium Registry Replication Unit": replicas,
            "Premium GB Registry Replication Data Stored": replicas * grown * part,
        }
        for meter, quantity in quantities.items():
            if quantity := quantity.quantize(_SIXTH_PLACE):
                amount = quantity * price(meter, money, entry.location)
                yield CostRow(entry.id, day, meter, quantity, amount, money)
        if entry is CI:
            seconds = Decimal(BUILD_SECONDS_A_DAY)
            paid = min(max(seconds * day.day - FREE_SECONDS, Decimal(0)), seconds)
            amount = paid * price("Task vCPU Duration", money, entry.location)
            yield CostRow(entry.id, day, "Task vCPU Duration", seconds, amount, money)


def _machine(first: date, last: date) -> Iterator[CostRow]:
    """Another service's rows, between the registries'."""
    machine = f"{DATA.id}/providers/Microsoft.Compute/virtualMachines/buildhost"
    for day in days(first, last):
        yield CostRow(machine, day, "D4s v5", Decimal(24), Decimal("4.608"), "EUR")


def _budgets(today: date) -> Iterator[dict[str, object]]:
    only_registries = {"dimensions": {"name": "ResourceType", "operator": "In", "values": [REGISTRY_TYPE.lower()]}}
    for scope, name, amount, given in (
        (IMAGES.id, "platform-registries", 250.0, {}),
        (f"/subscriptions/{APPS}", "apps-registries", 400.0, only_registries),
        (f"/subscriptions/{PLATFORM}", "platform-all", 5000.0, {}),
    ):
        yield {
            "id": f"{scope}/providers/{BUDGET_TYPE}/{name}",
            "name": name,
            "type": BUDGET_TYPE,
            "eTag": '"sandbox"',
            "properties": {
                "category": "Cost",
                "amount": amount,
                "timeGrain": "Monthly",
                "timePeriod": {
                    "startDate": f"{today.year}-01-01T00:00:00Z",
                    "endDate": f"{today.year + 1}-12-31T00:00:00Z",
                },
                "filter": given,
                "notifications": {},
            },
        }
