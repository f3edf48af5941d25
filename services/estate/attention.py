"""What needs attention in all registries and clusters: one list, the highest risk first. Pure.

A finding that several registries share is one entry, so that it does not hide the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.aks.clusters import Cluster
from services.costs.budgets import Budget, over_budget
from services.pricing.estimates import Part, estimate_of, gib
from services.pricing.money import money
from services.pricing.prices import Prices
from services.pull_checks.matrix import Answer, Pair
from services.registries.findings import NEARLY_FULL, OVER_INCLUDED, Finding, Risk, findings_of
from services.registries.registry import Registry
from services.wording import counted

# Registries over their included storage with an entry of their own; the others share one.
MOST_FULL = 3


@dataclass(frozen=True)
class Attention:
    """An entry: `title` is what is wrong, `detail` where, `reason` what was seen.

    Where to look: a `registry`, a `cluster`, or both; `finding` is the title that finds all registries of the entry
    in the inventory; `record_id` is a deletion's, `budget` a budget's id, `policy` that of a retention policy.
    """

    risk: Risk
    title: str
    detail: str
    reason: str
    registry: Registry | None = None
    cluster: Cluster | None = None
    finding: str = ""
    record_id: str = ""
    budget: str = ""
    policy: str = ""


def spent_budgets(budgets: Iterable[Budget]) -> list[Attention]:
    """An entry for each budget of which more than the amount is spent, the most used first."""
    return [
        Attention(
            Risk.HIGH,
            "Over budget",
            f"{one.name}, {money(one.spent or Decimal(0), one.currency)} of {money(one.amount, one.currency)}",
            f"{round(100 * (one.used or 0))} % of the {one.grain.lower()} budget is spent. It covers {one.covers}.",
            budget=one.id,
        )
        for one in over_budget(budgets)
    ]


def needs_attention(
    registries: Iterable[Registry],
    pairs: Iterable[Pair],
    more: Iterable[Attention] = (),
    *,
    every_registry: bool = True,
    prices: Mapping[str, Prices] | None = None,
) -> tuple[Attention, ...]:
    """The entries of all of these, the highest risk first, and within a risk single places before shared findings.
    Those that cost something are the first of their risk: registries over their included storage.

    `pairs`: the pull matrix, and `every_registry` whether all registries are in it: only then can it be said that a
    cluster has none. `more`: entries of others, such as deletions that failed, and budgets that are spent. `prices`: by
    region, as far as they are known.
    """
    found = [*more, *_of_clusters(pairs, every_registry=every_registry), *_of_registries(registries, prices or {})]

    def order(one: Attention) -> tuple[int, bool, bool]:
        return list(Risk).index(one.risk), bool(one.finding), one.title != OVER_INCLUDED

    return tuple(sorted(found, key=order))


def _of_registries(registries: Iterable[Registry], prices: Mapping[str, Prices]) -> list[Attention]:
    shared: defaultdict[str, list[tuple[Registry, Finding]]] = defaultdict(list)
    full: list[tuple[float, Registry, Finding]] = []
    for registry in registries:
        for finding in findings_of(registry):
            used = _used(registry)
            if finding.about_storage and used is not None:
                full.append((used, registry, finding))
            else:
                shared[finding.title].append((registry, finding))
    full.sort(key=lambda one: (-one[0], one[1].name))
    found = [
        Attention(finding.risk, finding.title, _stored(registry, prices), finding.reason, registry)
        for _, registry, finding in full[:MOST_FULL]
    ]
    for _, registry, finding in full[MOST_FULL:]:
        shared[finding.title].append((registry, finding))
    for title, those in shared.items():
        first, finding = those[0]
        if len(those) == 1:
            detail = _stored(first, prices) if finding.about_storage else first.name
            found.append(Attention(finding.risk, title, detail, finding.reason, first))
        else:
            also = "more " if finding.about_storage else ""
            number = counted(len(those), f"{also}registry", f"{also}registries")
            found.append(Attention(finding.risk, title, number, finding.risk_text, finding=title))
    return found


def _used(registry: Registry) -> float | None:
    """The part of the included storage that is used; None where unknown, or below what is nearly full."""
    stored, included = registry.stored_bytes, registry.included_bytes
    if stored is None or not included or stored < NEARLY_FULL * included:
        return None
    return stored / included


def _stored(registry: Registry, prices: Mapping[str, Prices]) -> str:
    """'contosodev, EUR 57 a month'; where the cost is unknown, 'contosodev, 601 of 10 GiB'."""
    stored, included = gib(registry.stored_bytes or 0), gib(registry.included_bytes or 0)
    price = prices.get(registry.location)
    # A month of 30 days: storage has a price by the month.
    month = estimate_of(registry, price, 30) if price else None
    more = round(month.of(Part.STORAGE)) if month else 0
    cost = f", {month.currency} {more:,} a month" if month and more else ""
    size = f", {stored:,.{0 if stored >= 10 else 1}f} of {included:,.0f} GiB"
    return f"{registry.name}{cost or size}"


def _of_clusters(pairs: Iterable[Pair], *, every_registry: bool) -> list[Attention]:
    """Clusters with a role on a registry whose network refuses them, and running ones that can pull from none."""
    by_cluster: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_cluster[pair.cluster.id].append(pair)
    found = []
    for those in by_cluster.values():
        cluster = those[0].cluster
        refused = [pair for pair in those if _attached_and_refused(pair)]
        if refused:
            from_where = refused[0].registry.name if len(refused) == 1 else f"{len(refused):,} registries"
            found.append(
                Attention(
                    Risk.HIGH,
                    "Network refuses pulls",
                    f"{cluster.name} from {from_where}",
                    refused[0].reason,
                    refused[0].registry if len(refused) == 1 else None,
                    cluster,
                )
            )
        elif every_registry and cluster.power != "Stopped" and all(pair.by_roles is Answer.CANNOT for pair in those):
            found.append(
                Attention(Risk.MEDIUM, "No registry to pull from", cluster.name, those[0].reason, None, cluster)
            )
    return found


def _attached_and_refused(pair: Pair) -> bool:
    """Whether somebody gave the cluster a role on the registry, and the registry's network refuses it. Anonymous pull
    needs no role: nobody has attached that cluster."""
    has_role = pair.by_roles in (Answer.CAN, Answer.SOME) and not pair.registry.access.anonymous_pull
    return has_role and pair.path.open is False
