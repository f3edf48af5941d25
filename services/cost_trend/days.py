"""The daily cost of each registry, by the parts of its bill. Pure functions.

A day on which nothing is known is None, never 0. Amounts of two currencies are never added.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from services.connection.parallel import Partial
from services.connection.resource_ids import parse_id
from services.costs.daily import SubscriptionDays, days_from
from services.costs.differences import part_of
from services.costs.rows import DayCost
from services.pricing.money import ZERO
from services.registries.registry import Registry
from services.wording import counted

OTHER_METERS = "Other meters"
# https://learn.microsoft.com/azure/cost-management-billing/costs/understand-cost-mgt-data: usage is there after 8 to 24
# hours, so today and yesterday are not complete.
LATE_DAYS = 2
_UNLISTED = "They are not listed: listing was stopped."
_STOPPED = "Its days were not read: reading was stopped."


@dataclass(frozen=True)
class RegistryDays:
    """One registry in one currency, day by day from the first to the last that was asked for.

    `costs`: what each day cost, None where unknown, 0 where the registry was not there or was billed in another
    currency. `parts`: by part of the bill ('Build minutes'), the days on which it cost something. `skus`: the SKUs
    whose fee was billed on a day, by name; two on the day of a change.
    """

    registry_id: str
    name: str
    subscription: str
    currency: str
    costs: Mapping[date, Decimal | None]
    parts: Mapping[str, Mapping[date, Decimal]]
    skus: Mapping[date, tuple[str, ...]] = field(default_factory=dict)

    def unknown(self, until: date) -> tuple[date, ...]:
        """The days up to `until` of which nothing is known."""
        return tuple(day for day, cost in self.costs.items() if cost is None and day <= until)


@dataclass(frozen=True)
class Unbilled:
    """A registry that is listed and that no bill by day names, and why. `registry_id` "" stands for those of a
    subscription that could not be listed either."""

    registry_id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Trend:
    """`first` to `last`: the days that were asked for; `settled`: the last that Azure has billed in full.
    `without`: by subscription the reason why none of its days is known; `unbilled`: registries without any day."""

    first: date
    last: date
    settled: date
    registries: tuple[RegistryDays, ...]
    without: Mapping[str, str]
    unbilled: tuple[Unbilled, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        return each_day(self.first, self.last)

    @property
    def currencies(self) -> tuple[str, ...]:
        """The latest billed first, then by the amount."""
        amounts: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        for one in self.registries:
            amounts[one.currency] += [(day, cost) for day, cost in one.costs.items() if cost]

        def weight(currency: str) -> tuple[date, Decimal, str]:
            latest = max((day for day, _ in amounts[currency]), default=date.min)
            return latest, sum((cost for _, cost in amounts[currency]), ZERO), currency

        return tuple(sorted(amounts, key=weight, reverse=True))

    def of(self, currency: str) -> tuple[RegistryDays, ...]:
        """The registries billed in a currency, the dearest first."""
        return tuple(one for one in self.registries if one.currency == currency)


def each_day(first: date, last: date) -> tuple[date, ...]:
    """From first to last, both included."""
    return tuple(first + timedelta(number) for number in range((last - first).days + 1))


def trend_of(read: Partial[SubscriptionDays], listed: Partial[Registry], today: date) -> Trend:
    """The trend of what was read. A registry without a row of a day was not there before it was created, and after its
    last day where it is deleted; otherwise that day is unknown."""
    known = {registry.id.casefold(): registry for registry in listed.values}
    unlisted = {refusal.what for refusal in listed.refused}
    days, settled = each_day(days_from(today), today), today - timedelta(LATE_DAYS)
    found: list[RegistryDays] = []
    for one in read.values:
        rows: defaultdict[str, list[DayCost]] = defaultdict(list)
        for row in one.rows:
            rows[row.registry_id].append(row)
        for registry_id, mine in rows.items():
            registry = known.get(registry_id)
            gone = registry is None and not listed.untried and one.subscription.name not in unlisted
            found += _days_of(one, registry_id, registry, mine, days, settled, gone=gone)
    found.sort(key=lambda one: (-sum((cost or ZERO for cost in one.costs.values()), ZERO), one.name, one.currency))
    without = {one.subscription.name: one.reason for one in read.values if one.reason}
    without |= {refusal.what: refusal.error.cause for refusal in read.refused}
    for one in read.values:
        if not (one.reason or one.read or one.rows):
            without[one.subscription.name] = one.unread[0].error.cause if one.unread else _STOPPED
    if read.untried:
        without[f"{counted(read.untried, 'subscription')} not asked"] = _STOPPED
    billed = {one.registry_id for one in found}
    unbilled = _unbilled(read, (one for one in listed.values if one.id.casefold() not in billed), without, days[0])
    unbilled += [
        Unbilled("", f"Registries of {name}", f"They are not listed, and no day of their bill is known. {reason}")
        for name, reason in without.items()
        if name in unlisted
    ]
    if listed.untried:
        unbilled.append(Unbilled("", f"Registries of {counted(listed.untried, 'subscription')} not asked", _UNLISTED))
    return Trend(days[0], days[-1], settled, tuple(found), without, tuple(unbilled))


def _unbilled(
    read: Partial[SubscriptionDays], registries: Iterable[Registry], without: Mapping[str, str], first: date
) -> list[Unbilled]:
    """The registries without a day, each with the reason."""
    by_id = {one.subscription.id.casefold(): one for one in read.values}
    found = []
    for registry in sorted(registries, key=lambda one: (one.name, one.id)):
        bill = by_id.get(registry.subscription_id.casefold())
        if reason := without.get(bill.subscription.name if bill else registry.subscription):
            why = f"No day of its subscription's bill is known. {reason}"
        elif bill is None:
            why = "The bill of its subscription was not read."
        elif bill.unread:
            why = f"The bill by day does not name it, as far as it was read since {first:%Y-%m-%d}."
        else:
            why = f"The bill by day does not name it since {first:%Y-%m-%d}."
        found.append(Unbilled(registry.id.casefold(), registry.name, why))
    return found


def _days_of(
    read: SubscriptionDays,
    registry_id: str,
    registry: Registry | None,
    rows: Sequence[DayCost],
    days: Sequence[date],
    settled: date,
    *,
    gone: bool,
) -> Iterable[RegistryDays]:
    billed = {row.day for row in rows}
    created = registry.created.date() if registry and registry.created else None
    # Where the last days were not read, they may have been billed.
    ended = max(billed) if gone and read.covers(settled) else None

    def absent(day: date) -> bool:
        return (created is not None and day < created) or (
            ended is not None and ended < day <= settled and read.covers(day)
        )

    for currency in sorted({row.currency for row in rows}):
        mine = [row for row in rows if row.currency == currency]
        skus: defaultdict[date, set[str]] = defaultdict(set)
        sums: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
        parts: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        for row in mine:
            sums[row.day] += row.cost
            if row.sku:
                skus[row.day].add(row.sku)
            part = part_of(row.meter)
            parts[part.value if part else OTHER_METERS][row.day] += row.cost
        yield RegistryDays(
            registry_id=registry_id,
            name=registry.name if registry else parse_id(registry_id).name,
            subscription=read.subscription.name,
            currency=currency,
            costs={day: sums[day] if day in billed else ZERO if absent(day) else None for day in days},
            parts={name: dict(amounts) for name, amounts in sorted(parts.items())},
            skus={day: tuple(sorted(skus[day])) for day in sorted(skus)},
        )
