"""The figures of Overview. What is not read yet, or could not be, is a dash or a lower bound that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts
from services.costs.review import GroupTotal, Review
from services.estate.attention import Attention
from services.estate.potential import Potential
from services.pricing.money import money
from services.registries.findings import Risk
from services.registries.registry import Registry
from services.wording import counted
from ui.costs.figures import figures_of
from ui.elements.metrics import Metric
from ui.elements.text import size


def registries_line(listed: Partial[Registry], repositories: Mapping[str, int]) -> str:
    """'12 registries in 3 subscriptions, 37 repositories'; "" where none is read yet. `repositories`: how many each
    registry has whose catalogue was read."""
    number = len(listed.values)
    if not number:
        return ""
    least = "" if listed.complete else "≥ "
    subscriptions = counted(len({registry.subscription_id for registry in listed.values}), "subscription")
    some = "≥ " if len(repositories) < number else least
    known = f", {some}{counted(sum(repositories.values()), 'repository', 'repositories')}" if repositories else ""
    return f"{least}{counted(number, 'registry', 'registries')} in {subscriptions}{known}"


def cost_metrics(
    review: Review,
    totals: tuple[GroupTotal, ...],
    bills: Partial[SubscriptionCosts],
    listed: Partial[Registry],
    *,
    running: bool,
) -> list[Metric]:
    """This month so far, and its forecast, as the cost review has them."""
    if running:
        return [
            Metric(label, None, unknown="bills and prices are not read yet.") for label in ("Cost so far", "Forecast")
        ]
    so_far, forecast = figures_of(review, totals, bills, listed)[:2]
    return [replace(so_far, label="Cost so far"), forecast]


def attention_metric(entries: Sequence[Attention], *, unread: str, running: bool) -> Metric:
    """How many entries there are of high and medium risk. `unread`: what they lack, as `ui.estate.unread` has it."""
    high, medium = (sum(1 for one in entries if one.risk is risk) for risk in (Risk.HIGH, Risk.MEDIUM))
    risks = f"{high:,} high, {medium:,} medium risk"
    known = bool(entries) or not running
    return Metric(
        "Needs attention",
        high + medium if known else None,
        beside=risks if known else "",
        lacks=unread if known else "",
        unknown="not read yet.",
        help=risks if known else "",
    )


def potential_metric(potential: Potential, of: int) -> Metric:
    """What deleting all untagged manifests would free, `of` so many registries."""
    label = "Could be freed"
    if not potential.measured:
        return Metric(label, None, beside="not measured", unknown="no registry was measured: see Clean-up potential.")
    left = of - potential.measured
    return Metric(
        label,
        f"{'≥ ' if left else ''}{size(potential.bytes)}",
        beside=saved_words(potential),
        help=f"Untagged manifests of {potential.measured:,} of {counted(of, 'registry', 'registries')}.",
    )


def saved_words(potential: Potential) -> str:
    """'EUR 1.60 a month', or that nothing is saved, or that it is unknown."""
    parts = [
        f"{money(one.amount, one.currency)} a month" if one.amount else "within the included storage"
        for one in potential.savings
        if one.amount is not None
    ]
    unknown = [f"saving {one.why}" for one in potential.savings if one.amount is None]
    return "; ".join((*parts, *unknown))
