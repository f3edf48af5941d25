"""What one registry costs: its month so far, the forecast, the estimate, and which SKU would be right."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.review import ReviewLine, days_in, estimate_month, latest_currencies, review_month
from services.pricing.estimates import NOT_INCLUDED
from services.pricing.money import ZERO, money
from services.pricing.prices import Prices
from services.pricing.sku_choice import review_sku
from services.registries.registry import Registry
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import plain
from ui.loaders import bills as costs
from ui.loaders.prices import price_list
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime.background import show_progress


def show_cost(who: str, registry: Registry, here: dict[str, str]) -> None:
    """The figures of this month, and the recommended SKU."""
    with st.container(horizontal=True):
        link_to(pages.COST_REVIEW, **here)
        link_to(pages.SKU_COMPARISON, **here)
    today = datetime.now(UTC).date()
    reading = costs.recent_bills(who)
    show_progress(reading, "bills")
    if reading.error:
        show_error(reading.error)
    if reading.running:
        return
    bills = reading.value.costs
    bill = next((one for one in bills.values if one.subscription.id == registry.subscription_id), None)
    _show_unread(registry, bills, bill)
    currency = next(iter(latest_currencies(bill.rows if bill else ())), "USD")
    listed = price_list(who, currency, (registry.location,))
    show_progress(listed, "list prices")
    if listed.error:
        show_error(listed.error)
    if listed.running:
        return
    prices = listed.value.by_region
    if listed.value.error:
        show_partial(Part(Partial((), listed.lacks), "price list"))
    estimates = estimate_month([registry], prices, today.replace(day=1))
    review = review_month(today.replace(day=1), today, [bill] if bill else [], Partial((registry,)), estimates)
    lines = [line for line in review.lines if line.registry_id == registry.id.casefold()]
    for line in lines:
        _show_line(line, bill)
    if not lines:
        st.markdown("Unknown: neither a bill nor an estimate of it could be made.")
    _show_sku(registry, prices)
    st.caption(NOT_INCLUDED)


def _show_unread(registry: Registry, bills: Partial[SubscriptionCosts], bill: SubscriptionCosts | None) -> None:
    if bill:
        show_partial(Part(Partial((), bill.unread), "entry of the bill", "entries of the bill"))
        if bill.error and bill.source is CostSource.ESTIMATE:
            with st.expander("The bill could not be read: figures are estimates", icon=":material/warning:"):
                show_error(bill.error)
        return
    refused = tuple(one for one in bills.refused if one.what in (registry.subscription, registry.subscription_id))
    show_partial(Part(Partial((), refused or bills.refused, 0 if bills.refused else 1), "bill"))


def _show_line(line: ReviewLine, bill: SubscriptionCosts | None) -> None:
    """The figures of one currency. Where a part of the bill was not read, what was billed is the least."""
    lacks = "not every entry of the bill was read" if bill and bill.unread else ""
    no_bill = "no bill could be read" if bill is None else "the bill has nothing for it" if bill.rows else bill.reason

    def amount(label: str, value: Decimal | None, unknown: str, lacking: str = "") -> Metric:
        text = None if value is None else money(value, line.currency)
        return Metric(label, text, unknown=unknown, lacks=lacking if text else "", beside="" if text else "unknown")

    estimate = line.estimate
    show_metrics(
        [
            amount("So far this month", line.cost, no_bill, lacks),
            amount("Forecast", line.forecast, no_bill if line.cost is None else "no day is billed yet"),
            amount("Last month", line.before, no_bill, lacks),
            Metric(
                "At list prices",
                money(estimate.total, estimate.currency) if estimate else None,
                help="The whole month, by what the registry uses now",
                unknown="its use or its prices could not be read",
                beside="" if bill else "the currency of the bill is unknown",
                lacks=f"no price for {', '.join(estimate.unpriced)}" if estimate and estimate.unpriced else "",
            ),
        ]
    )
    if line.why:
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in line.why))


def _show_sku(registry: Registry, prices: Mapping[str, Prices]) -> None:
    days = days_in(datetime.now(UTC).date())
    review = review_sku(registry, prices, days)
    st.subheader("Recommended SKU", anchor=False)
    best = review.choice.best if review.choice else None
    if review.unknown:
        st.markdown(f"Unknown: {plain(review.unknown)}")
    elif best is None:
        st.markdown("No SKU has all that the registry uses.")
    elif review.saving and review.saving > ZERO:
        saved = money(review.saving, best.estimate.currency)
        st.markdown(f":green[:material/savings:] **{best.sku}** has all that is used, and costs {saved} a month less.")
    else:
        st.markdown(f":green[:material/check_circle:] **{plain(registry.sku)}** is the cheapest that has all it uses.")
    in_use = [*review.found.evidence, *(f"{what} unknown" for what in review.found.unread)]
    if in_use:
        st.markdown(f"In use: {plain(', '.join(in_use))}.")
    if review.choice:
        st.markdown(plain(review.choice.reason))
