"""A month's review: what each registry has cost, its forecast and its estimate. Pure functions.

Amounts of two currencies are never added: a registry that was billed in two has a line for each.
"""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.connection.parallel import Partial
from services.connection.resource_ids import parse_id
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.differences import differences, unpriced_words
from services.costs.rows import CostRow, total
from services.pricing.estimates import Estimate, estimate_of
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.registries.registry import Registry
from services.registries.skus import sku_of
from services.wording import counted


@dataclass(frozen=True)
class ReviewLine:
    """One registry in one currency. None: unknown.

    `cost` is what the month has cost, or has cost so far; `forecast` what it will cost by its end; `before` the cost of
    the month before; `estimate` the whole month at list prices, in the estimate's own currency. `notes` say what the
    registry's month was like, as that it was deleted within it; `why` has them too, and explains a difference between
    the two.
    """

    registry_id: str
    name: str
    resource_group: str
    subscription: str
    tags: Mapping[str, str]
    source: CostSource
    currency: str
    cost: Decimal | None
    forecast: Decimal | None
    before: Decimal | None
    estimate: Estimate | None
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()
    gone: bool = False

    @property
    def figure(self) -> Decimal | None:
        """The whole month's cost: the forecast or the bill, else the estimate."""
        known = self.forecast if self.forecast is not None else self.cost
        return known if known is not None else self.estimate.total if self.estimate else None

    @property
    def difference(self) -> Decimal | None:
        """The month's cost less the estimate, if both are known in one currency."""
        known = self.forecast if self.forecast is not None else self.cost
        comparable = self.estimate is not None and self.estimate.currency == self.currency
        return known - self.estimate.total if known is not None and self.estimate and comparable else None


@dataclass(frozen=True)
class Review:
    """A month's review. `under_way`: the month is not over. `rows`: all that was billed, in all months."""

    month: date
    under_way: bool
    lines: tuple[ReviewLine, ...]
    rows: tuple[CostRow, ...]

    @property
    def months(self) -> tuple[date, ...]:
        """Months with a bill, and the reviewed one, in order."""
        return tuple(sorted({row.month for row in self.rows} | {self.month}))

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies of the bills, as `latest_currencies` orders them."""
        return latest_currencies(self.rows)


@dataclass(frozen=True)
class GroupTotal:
    """The sum of one group in one currency. `unbilled` counts the lines whose `figure` is an estimate.

    `cost` and `before` are sums of what was billed; None where no line has a bill. `unknown` counts the registries of
    the group that no sum includes, since nothing is known of their cost; where those are all, `currency` is "" and
    `figure` None.
    """

    name: str
    currency: str
    registries: int
    cost: Decimal | None
    before: Decimal | None
    figure: Decimal | None
    unbilled: int
    unknown: int = 0


def days_in(month: date) -> int:
    """The number of days in the month of this date."""
    return calendar.monthrange(month.year, month.month)[1]


def month_before(month: date) -> date:
    """The first of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def recent_months(today: date, number: int = 7) -> tuple[date, ...]:
    """The firsts of this month and of those before it, the newest first."""
    months = [today.replace(day=1)]
    while len(months) < number:
        months.append(month_before(months[-1]))
    return tuple(months)


def estimate_month(registries: Iterable[Registry], prices: Mapping[str, Prices], month: date) -> Mapping[str, Estimate]:
    """Registry id → its estimate for the whole month at list prices; without those that have no price. `prices`: by
    region."""
    found = {
        registry.id: estimate_of(registry, prices[registry.location], days_in(month))
        for registry in registries
        if registry.location in prices
    }
    return {registry_id: estimate for registry_id, estimate in found.items() if estimate}


def review_month(
    month: date,
    today: date,
    bills: Iterable[SubscriptionCosts],
    listed: Partial[Registry],
    estimates: Mapping[str, Estimate],
) -> Review:
    """The review of the month that begins at `month`. `estimates`: registry id, as ARM writes it → a whole month's.

    A registry that has a bill but is not in its subscription's list is gone; if the list was refused, that is unknown.
    One without a bill has a line with its estimate alone.
    """
    known = {registry.id.casefold(): registry for registry in listed.values}
    refused = {refusal.what for refusal in listed.refused}
    names = {registry.subscription_id.casefold(): registry.subscription for registry in known.values()}
    sources: dict[str, SubscriptionCosts] = {}
    billed: defaultdict[str, list[CostRow]] = defaultdict(list)
    for bill in bills:
        sources[bill.subscription.id.casefold()] = bill
        names[bill.subscription.id.casefold()] = bill.subscription.name
        for row in bill.rows:
            billed[row.registry_id].append(row)
    lines: list[ReviewLine] = []
    for registry_id in sorted(billed.keys() | known.keys()):
        registry = known.get(registry_id)
        if registry and registry_id not in billed and not _existed(registry, month):
            continue
        subscription_id = parse_id(registry_id).subscription
        billing = sources.get(subscription_id)
        subscription = names.get(subscription_id, subscription_id)
        lines += _lines(
            _Billed(registry_id, registry, registry is None and not listed.untried and subscription not in refused),
            subscription,
            billing.source if billing else CostSource.ESTIMATE,
            estimates.get(registry.id) if registry else None,
            billed.get(registry_id, []),
            month,
            today,
        )
    under_way = (today.year, today.month) == (month.year, month.month)
    # The highest cost first; unknown ones last.
    lines.sort(key=lambda line: (-(line.figure if line.figure is not None else ZERO), line.name))
    return Review(month, under_way, tuple(lines), tuple(row for rows in billed.values() for row in rows))


def _existed(registry: Registry, month: date) -> bool:
    return registry.created is None or registry.created.date() <= month.replace(day=days_in(month))


@dataclass(frozen=True)
class _Billed:
    """A registry with a bill. `registry` None: not listed; `gone`: not listed although its subscription was read."""

    id: str
    registry: Registry | None
    gone: bool


def _lines(
    billed: _Billed,
    subscription: str,
    source: CostSource,
    estimate: Estimate | None,
    rows: Sequence[CostRow],
    month: date,
    today: date,
) -> list[ReviewLine]:
    """A line for each currency of the month and the one before; without any, one line for the estimate."""
    in_month = [row for row in rows if row.month == month]
    recent = [row for row in rows if row.month in (month, month_before(month))]
    currencies = sorted({row.currency for row in recent}, key=lambda currency: _used(rows, currency))
    registry = billed.registry
    where = parse_id(billed.id)
    lines: list[ReviewLine] = []
    for currency in currencies or (None,):
        mine = [row for row in in_month if row.currency == currency]
        last = currency is None or currency == currencies[-1]
        goes_on = last and not billed.gone
        # One that may have been deleted has no forecast, so that a total is never above the truth.
        known_to_go_on = mine and (registry or billed.gone or not last)
        forecast = _forecast(mine, in_month, month, today, registry, goes_on=goes_on) if known_to_go_on else None
        cost = total(mine) if mine else ZERO if currency else None
        known = forecast if forecast is not None else cost
        why = list(_notes(billed, rows, currency, month))
        if currency is None:
            why.append(_NO_BILL[source] if estimate else _unknown_words(registry))
            why += unpriced_words(estimate) if estimate else ()
        if estimate is None and last and registry and registry.unread:
            unread = " and ".join(refusal.what for refusal in registry.unread)
            why.append(f"No estimate: its {unread} could not be read.")
        notes = tuple(why)
        if known is not None and estimate and last:
            why += differences(mine, estimate, forecast / cost if forecast and cost else Decimal(1))
        lines.append(
            ReviewLine(
                registry_id=billed.id,
                name=registry.name if registry else where.name,
                resource_group=registry.resource_group if registry else where.group,
                subscription=subscription,
                tags=dict(registry.tags) if registry else {},
                source=source if currency else CostSource.ESTIMATE,
                currency=currency or (estimate.currency if estimate else ""),
                cost=cost,
                forecast=forecast,
                before=total(row for row in rows if row.month == month_before(month) and row.currency == currency)
                if currency
                else None,
                estimate=estimate if last else None,
                why=tuple(why),
                notes=notes,
                gone=billed.gone,
            )
        )
    return lines


def _used(rows: Iterable[CostRow], currency: str) -> tuple[date, date]:
    """Sort key that puts the present currency last: the latest used, and of two in one month the later to begin."""
    months = [row.month for row in rows if row.currency == currency]
    return max(months), min(months)


def _forecast(
    mine: Sequence[CostRow],
    in_month: Sequence[CostRow],
    month: date,
    today: date,
    registry: Registry | None,
    *,
    goes_on: bool,
) -> Decimal | None:
    """What `mine` will cost by the month's end, at the rate so far; None if the month is over, or no day is billed yet.

    Each registry has a meter that counts the days it was billed for.
    """
    if (today.year, today.month) != (month.year, month.month):
        return None
    cost = total(mine)
    if not goes_on:
        return cost
    created_on = registry.created.date() if registry and registry.created else month
    uncreated_on = max((created_on - month).days, 0)
    paid = sum((row.days for row in mine), ZERO) or Decimal((today - max(created_on, month)).days)
    if paid <= 0:
        return None
    paid_in_all = sum((row.days for row in in_month), ZERO) or paid
    left = max(days_in(month) - uncreated_on - paid_in_all, ZERO)
    return cost + cost / paid * left


_NO_BILL = {
    CostSource.ESTIMATE: "No bill could be read: estimate at list prices.",
    CostSource.QUERY: "Not on the bill: estimate at list prices.",
    CostSource.USAGE: "Not on the bill: estimate at list prices.",
}


def _unknown_words(registry: Registry | None) -> str:
    retired = registry.sku if registry and sku_of(registry.sku) is None else ""
    return f"Cost unknown: no bill, and {f'{retired} has no list price' if retired else 'no estimate'}."


def _notes(billed: _Billed, rows: Sequence[CostRow], currency: str | None, month: date) -> Iterable[str]:
    in_month = [row for row in rows if row.month == month]
    mine = [row for row in in_month if row.currency == currency]
    registry = billed.registry
    if registry is None and not billed.gone:
        yield "Unknown whether it still exists (its list could not be read): no forecast, but its cost so far."
    elif billed.gone and any(row.month > month for row in rows):
        yield "Deleted since, or hidden from this identity."
    elif billed.gone and mine:
        days = counted(sum((row.days for row in mine), ZERO), "day")
        yield f"Deleted, or hidden from this identity: billed for {days} of the month."
    if len({row.currency for row in in_month}) > 1:
        yield f"The currency changed within the month: this line is the bill in {currency}."
    units = sorted({row.meter for row in mine if row.days})
    if len(units) > 1:
        yield f"The SKU changed within the month: {', '.join(units)}."
    created_on = registry.created.date() if registry and registry.created else None
    if created_on and created_on > month and (created_on.year, created_on.month) == (month.year, month.month):
        yield f"Created on {created_on:%d %B}."
    if not mine and currency:
        yield "Nothing was billed in this month."


def latest_currencies(rows: Iterable[CostRow]) -> tuple[str, ...]:
    """The currencies of the bills: the latest billed first, then by the amount in that month."""
    amounts: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in rows:
        amounts[row.currency].append((row.month, row.cost))

    def weight(currency: str) -> tuple[date, Decimal]:
        latest = max(month for month, _ in amounts[currency])
        return latest, sum((cost for month, cost in amounts[currency] if month == latest), ZERO)

    return tuple(sorted(amounts, key=weight, reverse=True))


def groups_of(lines: Iterable[ReviewLine], registries: Iterable[Registry]) -> Mapping[str, Mapping[str, str]]:
    """What lines can be grouped by: name → registry id → its group. Each tag of a registry is one."""
    lines = list(lines)
    keys = sorted({key for registry in registries for key, _ in registry.tags})
    return {
        "Registry": {line.registry_id: line.name for line in lines},
        "Resource group": {line.registry_id: f"{line.resource_group} ({line.subscription})" for line in lines},
        "Subscription": {line.registry_id: line.subscription for line in lines},
        **{f"Tag {key}": {line.registry_id: line.tags.get(key, "no such tag") for line in lines} for key in keys},
    }


def total_by(lines: Iterable[ReviewLine], names: Mapping[str, str]) -> tuple[GroupTotal, ...]:
    """The total of each group in each currency, the highest first. `names`: registry id → its group."""
    groups: defaultdict[tuple[str, str], list[ReviewLine]] = defaultdict(list)
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line.figure is None:
            unknown[names[line.registry_id]].add(line.registry_id)
        else:
            groups[names[line.registry_id], line.currency].append(line)
    totals = [
        GroupTotal(
            name=name,
            currency=currency,
            registries=len({line.registry_id for line in group}),
            cost=_sum(line.cost for line in group),
            before=_sum(line.before for line in group),
            figure=_sum(line.figure for line in group),
            unbilled=sum(1 for line in group if line.cost is None),
            unknown=len(unknown[name]),
        )
        for (name, currency), group in groups.items()
    ]
    known = {one.name for one in totals}
    totals += [
        GroupTotal(name, "", 0, None, None, None, 0, len(ids))
        for name, ids in unknown.items()
        if name not in known and ids
    ]
    return tuple(sorted(totals, key=lambda one: (one.figure is None, -(one.figure or ZERO), one.name, one.currency)))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None
