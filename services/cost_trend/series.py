"""The trend in series: by registry, by part of the bill, and by repository. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from services.cost_trend.days import RegistryDays, Trend
from services.costs.by_repository import RepositoryCost
from services.pricing.bar_chart import MOST_SERIES
from services.pricing.money import ZERO, money

_PERIOD = 28  # Four weeks: each weekday as often in one as in the other.


@dataclass(frozen=True)
class Series:
    """`amounts`: the cost of each day of the trend, None where nothing is known of it."""

    name: str
    amounts: Mapping[date, Decimal | None]

    def total(self, days: Iterable[date]) -> Decimal:
        return sum((self.amounts.get(day) or ZERO for day in days), ZERO)


def by_registry(registries: Sequence[RegistryDays]) -> tuple[Series, ...]:
    """One of each registry, the dearest first; the smallest are joined."""
    return _fewer([Series(one.name, one.costs) for one in registries])


def by_part(registries: Sequence[RegistryDays], days: Sequence[date]) -> tuple[Series, ...]:
    """One of each part of the bills, the dearest first: on each day the sum of the registries that are known on it."""
    known = {day for one in registries for day, cost in one.costs.items() if cost is not None}
    sums: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for one in registries:
        for part, amounts in one.parts.items():
            for day, amount in amounts.items():
                sums[part][day] += amount
    return _fewer([Series(part, {day: sums[part][day] if day in known else None for day in days}) for part in sums])


def by_repository(registry: RegistryDays, split: Sequence[RepositoryCost]) -> tuple[Series, ...]:
    """The registry's cost of each day by what its repositories store now, as `split_bill` counts it: the dearest first.
    Empty where they store nothing."""
    sizes = {one.name: Decimal(one.unique) + one.part for one in split}
    whole = sum(sizes.values(), ZERO)
    if not whole:
        return ()
    return _fewer(
        [
            Series(name, {day: None if cost is None else cost * size / whole for day, cost in registry.costs.items()})
            for name, size in sizes.items()
        ]
    )


def _fewer(series: list[Series]) -> tuple[Series, ...]:
    """The dearest first, at most `MOST_SERIES`: the last ones as 'Other (3)'."""
    series.sort(key=lambda one: (-one.total(one.amounts), one.name))
    if len(series) <= MOST_SERIES:
        return tuple(series)
    kept, rest = series[: MOST_SERIES - 1], series[MOST_SERIES - 1 :]
    joined = {day: _known_sum(one.amounts[day] for one in rest) for day in rest[0].amounts}
    return (*kept, Series(f"Other ({len(rest)})", joined))


def _known_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None


def totals(registries: Sequence[RegistryDays], days: Sequence[date]) -> Mapping[date, Decimal | None]:
    """The sum of each day on which all of the registries are known; None for other days."""
    found: dict[date, Decimal | None] = {}
    for day in days:
        amounts = [one.costs.get(day) for one in registries]
        known = [amount for amount in amounts if amount is not None]
        found[day] = sum(known, ZERO) if known and len(known) == len(amounts) else None
    return found


def unknown_on(registries: Iterable[RegistryDays], day: date) -> tuple[str, ...]:
    """The names of the registries of whose cost on this day nothing is known, in order."""
    return tuple(sorted({one.name for one in registries if one.costs.get(day) is None}))


def trend_title(trend: Trend, registries: Sequence[RegistryDays], currency: str) -> str:
    """'EUR 12.30 a day in the last 28 days, 4 % more than in the 28 before', of the days on which all is known."""
    known = totals(registries, trend.days)
    last = _mean(known, trend.settled, _PERIOD)
    before = _mean(known, trend.settled - timedelta(_PERIOD), _PERIOD)
    if last is None:
        return f"Daily cost, {currency}"
    said = f"{money(last, currency)} a day in the last {_PERIOD} days"
    if not before:
        return said
    change = round(100 * (last - before) / before)
    if not change:
        return f"{said}, as in the {_PERIOD} before"
    return f"{said}, {abs(change)} % {'more' if change > 0 else 'less'} than in the {_PERIOD} before"


def _mean(known: Mapping[date, Decimal | None], last: date, days: int) -> Decimal | None:
    """Of the days up to `last` that are known; None where fewer than half of them are."""
    found = [cost for number in range(days) if (cost := known.get(last - timedelta(number))) is not None]
    return sum(found, ZERO) / len(found) if 2 * len(found) >= days else None
