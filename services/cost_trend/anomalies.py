"""Registries whose daily cost rose and stayed there: since which day, by how much, and by which part of the bill.

Azure's own detection (https://learn.microsoft.com/azure/cost-management-billing/understand/analyze-unexpected-charges)
looks at a subscription as a whole and publishes no rule. The rule here: the days are split in two where the two medians
lie closest to their days (least absolute deviations, so that single days count for little). It is a rise where the
median since is at least `RISE` times that of the 28 days before, four of five days since are above the middle between
the two, and nine of ten before are below it. Compared is only what is comparable: days with a cost, in one currency,
since the SKU last changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from services.cost_trend.days import RegistryDays, Trend
from services.pricing.money import ZERO, cents, money

RISE = Decimal("1.5")
# Fewer days since may be an outlier; fewer before are a new registry.
LEAST_SINCE, LEAST_BEFORE = 5, 14
_BEFORE = 28
_SINCE_ABOVE, _BEFORE_BELOW = Decimal("0.8"), Decimal("0.9")


@dataclass(frozen=True)
class Anomaly:
    """A registry that costs more a day since `since`: `after` for `before`, medians. `unsure_from`: the first of the
    days before `since` of which nothing is known, on any of which it may have begun. `part`: what of the bill rose
    most, by `part_rise` a day."""

    registry_id: str
    name: str
    currency: str
    since: date
    unsure_from: date | None
    before: Decimal
    after: Decimal
    part: str
    part_rise: Decimal

    @property
    def ratio(self) -> Decimal:
        return self.after / self.before


@dataclass(frozen=True)
class SkuChange:
    """A registry whose SKU changed: `on` is the first day that the new one was billed."""

    registry_id: str
    name: str
    sku: str
    before: str
    on: date


def find_anomalies(trend: Trend) -> tuple[Anomaly, ...]:
    """The rises that last until the last settled day, the highest a day first. Registries that were not there long
    enough, or changed their SKU since, have none."""
    found = [one for registry in trend.registries if (one := _anomaly(registry, trend.settled))]
    return tuple(sorted(found, key=lambda one: (one.before - one.after, one.name)))


def find_sku_changes(trend: Trend) -> tuple[SkuChange, ...]:
    """Each change of a SKU in the trend's days, the latest first."""
    found: list[SkuChange] = []
    for registry in trend.registries:
        before = ""
        for day in sorted(registry.skus):
            sku = next((one for one in registry.skus[day] if one != before), before)
            if before and sku != before:
                found.append(SkuChange(registry.registry_id, registry.name, sku, before, day))
            before = sku
    return tuple(sorted(found, key=lambda one: (-one.on.toordinal(), one.name)))


def comparable_days(registry: RegistryDays, settled: date) -> Mapping[date, Decimal]:
    """The days up to `settled` with a cost since the SKU last changed: what may be compared."""
    days = sorted(registry.skus)
    latest = registry.skus[days[-1]] if days else ()
    start = max((day for day in days if registry.skus[day] != latest), default=date.min)
    return {day: cost for day, cost in registry.costs.items() if cost and cost > 0 and start < day <= settled}


def _anomaly(registry: RegistryDays, settled: date) -> Anomaly | None:
    known = comparable_days(registry, settled)
    if not known or max(known) < settled - timedelta(LEAST_SINCE):
        return None  # It is gone, or nothing is known of its last days.
    since = _split(known)
    if since is None:
        return None
    earlier = [day for day in known if since - timedelta(_BEFORE) <= day < since]
    later = [day for day in known if day >= since]
    if len(earlier) < LEAST_BEFORE or len(later) < LEAST_SINCE:
        return None
    before, after = median(known[day] for day in earlier), median(known[day] for day in later)
    middle = (before + after) / 2
    above, below = sum(known[day] > middle for day in later), sum(known[day] < middle for day in earlier)
    if after < RISE * before or above < _SINCE_ABOVE * len(later) or below < _BEFORE_BELOW * len(earlier):
        return None
    if cents(after) == cents(before):
        return None
    rises = {
        part: median(amounts.get(day, ZERO) for day in later) - median(amounts.get(day, ZERO) for day in earlier)
        for part, amounts in registry.parts.items()
    }
    part = max(rises, key=lambda name: (rises[name], name))
    last_before = max(earlier)
    unsure = last_before + timedelta(1)
    return Anomaly(
        registry.registry_id,
        registry.name,
        registry.currency,
        since,
        unsure if unsure < since else None,
        before,
        after,
        part,
        rises[part],
    )


def _split(known: Mapping[date, Decimal]) -> date | None:
    """The day that begins the second part, where the two parts lie closest to their medians; None for too few days."""
    days = sorted(known)
    amounts = [known[day] for day in days]
    if len(days) < LEAST_BEFORE + LEAST_SINCE:
        return None
    return days[min(range(1, len(days)), key=lambda at: (_deviation(amounts[:at]) + _deviation(amounts[at:]), at))]


def _deviation(amounts: Sequence[Decimal]) -> Decimal:
    middle = median(amounts)
    return sum((abs(amount - middle) for amount in amounts), ZERO)


def anomaly_words(one: Anomaly) -> str:
    """'contosoci doubled since 12 November: build minutes (EUR 1.50 a day before, EUR 3.10 now)'."""
    times = one.ratio
    if Decimal("1.9") <= times < Decimal("2.25"):
        rose = "doubled"
    elif Decimal("2.85") <= times < Decimal("3.25"):
        rose = "tripled"
    elif times < 2:
        rose = f"costs {round(100 * (times - 1))} % more"
    else:
        rose = f"costs {times:.1f} times as much"
    since = f"{one.since.day} {one.since:%B}"
    if one.unsure_from:
        since = f"{since} (or up to {(one.since - one.unsure_from).days} days before, which are unknown)"
    amounts = f"{money(one.before, one.currency)} a day before, {money(one.after, one.currency)} now"
    return f"{one.name} {rose} since {since}: {one.part[:1].lower()}{one.part[1:]} ({amounts})"


def sku_words(one: SkuChange) -> str:
    """'contosoci: SKU changed to Premium on 12 November'."""
    return f"{one.name}: SKU changed to {one.sku} on {one.on.day} {one.on:%B}"
