"""The figures of Overview. What is not read yet, or could not be, is a dash or a lower bound that says so."""

from collections.abc import Mapping, Sequence

from services.connection.parallel import Partial
from services.costs.bills import SubscriptionCosts
from services.costs.review import GroupTotal, Review
from services.costs.savings import Savings
from services.estate.attention import Attention
from services.registries.findings import Risk
from services.registries.registry import Registry
from services.wording import counted
from ui.costs.figures import figures_of
from ui.costs.savings import LABEL, saving_figure
from ui.elements.metrics import Metric


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
    return figures_of(review, totals, bills, listed)


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


def saving_metric(savings: Savings, currency: str, listed: Partial[Registry], *, billed: bool, running: bool) -> Metric:
    """What could be saved a month, as the cost review has it."""
    if running:
        return Metric(LABEL, None, unknown="prices are not read yet.")
    return saving_figure(savings, currency, listed, billed=billed)
