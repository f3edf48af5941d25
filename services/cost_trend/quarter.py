"""What the next quarter will cost: each registry's days continued to its end, with a band and the error of the method.

By the forecast of `services/growth/forecast.py` (exponential smoothing with a trend), over the days since the SKU last
changed. It is refused where they are too few. The band of a sum adds up the bands of its days, as if all of them erred
to one side: it is too wide rather than too narrow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from threading import Event

from services.connection.parallel import Progress
from services.cost_trend.anomalies import comparable_days
from services.cost_trend.days import RegistryDays, Trend
from services.growth.forecast import Forecast, forecast
from services.pricing.money import ZERO, money
from services.pricing.report import Cell, Table
from services.wording import counted, joined

# Eight weeks: with fewer days a quarter would be drawn from less than half of what is forecast.
FEWEST_DAYS = 56
# The forecast counts in whole numbers: millionths of a unit of the currency.
_MICRO = Decimal(1_000_000)
_SILENT_DAYS = 7
_MOST_NAMES = 6


@dataclass(frozen=True)
class Quarter:
    """A calendar quarter, from its first to its last day."""

    first: date
    last: date

    @property
    def name(self) -> str:
        return f"Q{(self.first.month + 2) // 3} {self.first.year}"


@dataclass(frozen=True)
class QuarterCost:
    """What a registry will cost in the quarter, and the least and most that are likely. None: refused, and `reason`
    says why. `error`: by how many per cent the same method would have missed the last `held_back` days."""

    registry_id: str
    name: str
    currency: str
    amount: Decimal | None
    least: Decimal | None = None
    most: Decimal | None = None
    error: float | None = None
    held_back: int = 0
    reason: str = ""


def next_quarter(today: date) -> Quarter:
    """The calendar quarter after the one of this day."""
    first = _quarter_after(today.replace(day=1, month=(today.month - 1) // 3 * 3 + 1))
    return Quarter(first, _quarter_after(first) - timedelta(1))


def _quarter_after(first: date) -> date:
    return date(first.year + first.month // 10, (first.month + 2) % 12 + 1, 1)


def foretell(registry: RegistryDays, settled: date, quarter: Quarter) -> QuarterCost:
    """The registry's cost in the quarter, from what its days up to `settled` cost."""

    def refused(reason: str) -> QuarterCost:
        return QuarterCost(registry.registry_id, registry.name, registry.currency, None, reason=reason)

    last = [cost for day, cost in registry.costs.items() if settled - timedelta(_SILENT_DAYS) < day <= settled]
    if last and all(cost == 0 for cost in last):
        return QuarterCost(registry.registry_id, registry.name, registry.currency, ZERO, ZERO, ZERO)
    known = comparable_days(registry, settled)
    if not known or max(known) <= settled - timedelta(_SILENT_DAYS):
        return refused(f"Nothing is known of its last {_SILENT_DAYS} days.")
    if len(known) < FEWEST_DAYS:
        why = ", since its SKU changed" if len(set(registry.skus.values())) > 1 else ""
        return refused(f"{counted(len(known), 'day')} with a bill{why}: {FEWEST_DAYS} are needed.")
    ahead = forecast({day: round(cost * _MICRO) for day, cost in known.items()}, (quarter.last - max(known)).days)
    if ahead is None:
        return refused("Too few days.")
    return _of_quarter(registry, ahead, quarter)


def _of_quarter(registry: RegistryDays, ahead: Forecast, quarter: Quarter) -> QuarterCost:
    points = [point for point in ahead.points if quarter.first <= point.day <= quarter.last]
    return QuarterCost(
        registry.registry_id,
        registry.name,
        registry.currency,
        sum(point.bytes for point in points) / _MICRO,
        sum(point.least for point in points) / _MICRO,
        sum(point.most for point in points) / _MICRO,
        ahead.error,
        ahead.held_back,
    )


def quarter_costs(
    trend: Trend, *, progress: Progress | None = None, stop: Event | None = None
) -> tuple[QuarterCost, ...]:
    """Of each registry of the trend in the currency that it is billed in now, the dearest first, refused ones last:
    those too that no bill by day names, without a currency. After `stop` the rest is refused."""
    quarter, registries = next_quarter(trend.last), _latest(trend.registries)
    found: list[QuarterCost] = []
    for number, one in enumerate(registries):
        if progress:
            progress(number, len(registries), "next quarter")
        if stop and stop.is_set():
            found.append(QuarterCost(one.registry_id, one.name, one.currency, None, reason="It was stopped."))
        else:
            found.append(foretell(one, trend.settled, quarter))
    found += [QuarterCost(one.registry_id, one.name, "", None, reason=one.reason) for one in trend.unbilled]
    return tuple(sorted(found, key=lambda one: (one.amount is None, -(one.amount or ZERO), one.name)))


def _latest(registries: Iterable[RegistryDays]) -> list[RegistryDays]:
    """Of a registry that was billed in several currencies, the one of its latest day."""
    found: dict[str, RegistryDays] = {}
    for one in registries:
        there = found.get(one.registry_id)
        if there is None or _last_day(one) > _last_day(there):
            found[one.registry_id] = one
    return list(found.values())


def _last_day(registry: RegistryDays) -> date:
    return max((day for day, cost in registry.costs.items() if cost), default=date.min)


@dataclass(frozen=True)
class QuarterTotal:
    """The sum in one currency, its band, the mean error weighted by amount, and the names of the registries that it
    lacks: those in this currency, and those that may be billed in any."""

    currency: str
    amount: Decimal
    least: Decimal
    most: Decimal
    error: float
    lacks: tuple[str, ...]


def _names(costs: Iterable[QuarterCost]) -> tuple[str, ...]:
    """In order: the registries, then what stands for those of a whole subscription."""
    return tuple(one.name for one in sorted(costs, key=lambda one: (not one.registry_id, one.name)))


def quarter_totals(costs: Iterable[QuarterCost]) -> tuple[QuarterTotal, ...]:
    """One for each currency with a forecast, the highest first."""
    by: dict[str, list[QuarterCost]] = {}
    for one in costs:
        by.setdefault(one.currency, []).append(one)
    anywhere = by.pop("", [])
    found = []
    for currency, mine in by.items():
        known = [one for one in mine if one.amount is not None]
        amount = sum((one.amount or ZERO for one in known), ZERO)
        if amount:
            found.append(
                QuarterTotal(
                    currency,
                    amount,
                    sum((one.least or ZERO for one in known), ZERO),
                    sum((one.most or ZERO for one in known), ZERO),
                    sum((one.error or 0.0) * float(one.amount or 0) for one in known) / float(amount),
                    _names(one for one in (*mine, *anywhere) if one.amount is None),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.amount, one.currency)))


def quarter_words(total: QuarterTotal, quarter: Quarter) -> str:
    """'Q1 2027: ≥ EUR 1,320.00 (likely 1,290.00 to 1,350.00), ...' with its error and what it lacks."""
    least, most = money(total.least, "").strip(), money(total.most, "").strip()
    amount = f"{'≥ ' if total.lacks else ''}{money(total.amount, total.currency)}"
    said = f"{quarter.name}: {amount} (likely {least} to {most})"
    error = f"{total.error:.0f} %" if total.error >= 1 else "less than 1 %"
    said += f"; on the last days, held back, it was off by {error}"
    return f"{said}; without {joined(total.lacks, _MOST_NAMES)}, of unknown cost" if total.lacks else said


def quarter_table(costs: Iterable[QuarterCost], quarter: Quarter) -> Table:
    """A row for each registry, with the reason where it has no forecast."""
    rows: list[tuple[Cell, ...]] = [
        (
            one.name,
            one.currency or "Unknown",
            one.amount,
            f"Unknown. {one.reason}" if one.amount is None else "",
            one.least,
            one.most,
            "" if one.error is None else f"{one.error:.1f} % over {one.held_back} days",
        )
        for one in costs
    ]
    columns = ("Registry", "Currency", quarter.name, "Note", "Likely least", "Likely most", "Off by, held back")
    return Table(f"Next quarter, {quarter.name}", columns, tuple(rows))
