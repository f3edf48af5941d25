"""The figures of a cost review, and what is not in them."""

from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.budgets import Budget, over_budget
from services.costs.review import GroupTotal, Review, month_before
from services.pricing.money import ZERO, headline, money
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.metrics import Metric
from ui.elements.text import plain


def figures_of(
    review: Review, totals: tuple[GroupTotal, ...], bills: Partial[SubscriptionCosts], listed: Partial[Registry]
) -> list[Metric]:
    """What the month has cost and its forecast, or what the month before has cost; with what each lacks. `totals`: all
    lines, one total per currency. A figure is in the currency of the latest bills, with the others beside it."""
    registries = {line.registry_id for line in review.lines}
    billed = {bill.subscription.name for bill in bills.values if bill.source is not CostSource.ESTIMATE}
    unbilled = {line.registry_id for line in review.lines if line.cost is None and line.subscription not in billed}
    unknown = {line.registry_id for line in review.lines if line.figure is None}
    estimated = {line.registry_id for line in review.lines if line.cost is None and line.figure is not None}
    unread = len(listed.refused) + listed.untried
    partial = sum(1 for bill in bills.values if bill.unread)
    unlisted = f"{counted(unread, 'subscription')} unread" if unread else ""
    incomplete = f"not every entry of {counted(partial, 'bill')} was read" if partial else ""
    of_all = f"of {counted(len(registries), 'registry', 'registries')}{_unlisted(review, listed)}"
    have = "has" if len(unbilled) == 1 else "have"
    no_bill = _sentence(
        f"{len(unbilled):,} {of_all} {have} no bill" if unbilled else "",
        unlisted,
        incomplete,
    )
    projected = f"{counted(len(estimated), 'registry', 'registries')} at the estimate" if estimated else ""
    left_out = _sentence(
        f"{len(unknown):,} {of_all} unknown" if unknown else "",
        unlisted,
        incomplete,
    )
    main, others = _by_currency(review, totals)
    earlier = f"{month_before(review.month):%B}"
    change = _change(review, main.currency, earlier) if main else ""
    figures = [
        Metric(
            "Cost so far" if review.under_way else "Billed",
            _amount(main.cost, main) if main else None,
            beside=_sentence(*(f"and {_amount(one.cost, one)}" for one in others if one.cost)),
            unknown="no bill could be read",
            lacks=no_bill,
        )
    ]
    if review.under_way:
        figures.append(
            Metric(
                "Forecast",
                _amount(main.figure, main) if main else None,
                help=_sentence(change, projected),
                beside=_sentence(
                    change, *(f"and {_amount(one.figure, one)}" for one in others if one.figure), projected
                ),
                unknown="no bill and no estimate",
                lacks=left_out,
            )
        )
    else:
        figures.append(
            Metric(
                f"In {earlier}",
                _amount(main.before, main) if main else None,
                beside=_sentence(*(f"and {_amount(one.before, one)}" for one in others if one.before)),
                unknown="no bill could be read",
                lacks=no_bill,
            )
        )
    return figures


def _unlisted(review: Review, listed: Partial[Registry]) -> str:
    """' (12 listed, 1 deleted or hidden)': so that the bills' registries and those of the inventory add up; "" where
    all are listed."""
    known = {registry.id.casefold() for registry in listed.values}
    found = {line.registry_id: line for line in review.lines}
    others = [line for registry_id, line in found.items() if registry_id not in known]
    gone = sum(1 for line in others if line.gone)
    unsure = len(others) - gone
    parts = (
        f"{len(found) - len(others):,} listed",
        f"{gone:,} deleted or hidden" if gone else "",
        f"{unsure:,} in lists that could not be read" if unsure else "",
    )
    return f" ({', '.join(part for part in parts if part)})" if others else ""


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _by_currency(review: Review, totals: tuple[GroupTotal, ...]) -> tuple[GroupTotal | None, list[GroupTotal]]:
    """The total in the currency of the latest bills, and those in others."""
    known = [total for total in totals if total.figure is not None]
    latest = next(iter(review.currencies), "")
    known.sort(key=lambda total: total.currency != latest)
    return (known[0], known[1:]) if known else (None, [])


def _amount(amount: Decimal | None, total: GroupTotal) -> str | None:
    return None if amount is None else headline(amount, total.currency)


def _change(review: Review, currency: str, earlier: str) -> str:
    """'-2 % on October' of what is billed in the currency; "" where either month is unknown. What is at the estimate
    has no month before, and so no part in it, which is said: '-6 % on October without estimates'."""
    mine = [line for line in review.lines if line.currency == currency and line.figure is not None]
    lines = [line for line in mine if line.cost is not None and (line.forecast is not None or not review.under_way)]
    left_out = (
        "estimates" if any(line.cost is None for line in mine) else "",
        "registries without a forecast" if any(line.cost is not None and line not in lines for line in mine) else "",
    )
    without = " and ".join(part for part in left_out if part)
    of = f" without {without}" if without else ""
    before = sum((line.before or ZERO for line in lines), ZERO)
    if before <= 0:
        return ""
    percent = round(100 * (sum((line.figure or ZERO for line in lines), ZERO) - before) / before)
    return (f"{percent:+} % on {earlier}".replace("-", "\u2212") if percent else f"as in {earlier}") + of


def show_left_out(review: Review) -> None:
    """One line on the registries of unknown cost: the table has the reasons."""
    if unknown := [plain(line.name) for line in review.lines if line.figure is None]:
        st.caption(f"Cost unknown, in none of these figures: {', '.join(unknown)}")


def show_place(review: Review, registry: Registry, *, partial: bool) -> None:
    """One line on the registry that the address names. `partial`: not all costs could be read."""
    for line in review.lines:
        if line.registry_id == registry.id.casefold() and line.figure is not None:
            total = sum((one.figure or ZERO for one in review.lines if one.currency == line.currency), ZERO)
            of = "all that could be read" if partial else "all"
            share = f", {round(100 * line.figure / total)} % of {of}" if total else ""
            word = "forecast" if review.under_way else "billed"
            figure = "estimate" if line.cost is None else word
            st.markdown(f"**{plain(line.name)}**: {figure} {money(line.figure, line.currency)}{share}.")


def show_over_budget(budgets: tuple[Budget, ...], on_open: str) -> None:
    """One red line with the budgets over 100 %, and a button that opens the tab `on_open`. Nothing where none is."""
    over = over_budget(budgets)
    if not over:
        return
    said = "; ".join(
        f"**{plain(one.name)}**: {money(one.spent or ZERO, one.currency)} of {money(one.amount, one.currency)} "
        f"({round(100 * (one.used or 0))} %)"
        for one in over[:3]
    )
    more = f" and {len(over) - 3} more" if len(over) > 3 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(f"Over budget: {said}{more}", icon=":material/error:")
        st.button("Show budgets", on_click=_open_tab, args=(on_open,))


def _open_tab(name: str) -> None:
    st.session_state["show"] = name
