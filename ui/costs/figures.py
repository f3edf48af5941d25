"""The three figures of a cost review, what is not in them, and what a saving is made of."""

from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.budgets import Budget
from services.costs.review import GroupTotal, Review, month_before
from services.costs.savings import Savings
from services.pricing.money import ZERO, money
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.metrics import Metric
from ui.elements.text import plain
from ui.navigation import pages
from ui.navigation.links import link_to


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
    of_all = f"of {counted(len(registries), 'registry', 'registries')}"
    no_bill = _sentence(
        f"{len(unbilled):,} {of_all} have no bill" if unbilled else "",
        unlisted,
        incomplete,
    )
    projected = f"{len(estimated):,} at the estimate" if estimated else ""
    left_out = _sentence(
        f"{len(unknown):,} {of_all} unknown" if unknown else "",
        unlisted,
        incomplete,
    )
    main, others = _by_currency(review, totals)
    earlier = f"{month_before(review.month):%B}"
    change = _change(main, earlier) if main else ""
    figures = [
        Metric(
            "So far" if review.under_way else "Billed",
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


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _by_currency(review: Review, totals: tuple[GroupTotal, ...]) -> tuple[GroupTotal | None, list[GroupTotal]]:
    """The total in the currency of the latest bills, and those in others."""
    known = [total for total in totals if total.figure is not None]
    latest = next(iter(review.currencies), "")
    known.sort(key=lambda total: total.currency != latest)
    return (known[0], known[1:]) if known else (None, [])


def _amount(amount: Decimal | None, total: GroupTotal) -> str | None:
    return None if amount is None else money(amount, total.currency)


def _change(total: GroupTotal, earlier: str) -> str:
    """'-2 % on October'; "" where either is unknown."""
    if total.before is None or total.figure is None or total.before <= 0:
        return ""
    percent = round(100 * (total.figure - total.before) / total.before)
    return f"{percent:+} % on {earlier}" if percent else f"as in {earlier}"


def saving_figure(savings: Savings, currency: str, listed: Partial[Registry], *, billed: bool) -> Metric:
    """What could be saved a month at list prices, with what is not known of it. `billed`: the bills, or that there are
    none, say that it is in this currency."""
    unread = len(listed.refused) + listed.untried
    unknown = ", ".join(
        f"{what} of {number:,}"
        for what, number in (("SKU", savings.sku_unknown), ("untagged", savings.uncounted))
        if number
    )
    lacks = _sentence(
        f"{unknown} unknown" if unknown else "",
        "" if billed else "currency of the bills unknown",
        f"{counted(unread, 'subscription')} unread" if unread else "",
    )
    return Metric(
        "Could be saved a month",
        None if savings.amount is None else money(savings.amount, currency),
        help="By the recommended SKUs, and by deleting untagged manifests beyond the included storage",
        unknown="no registry's use could be read",
        lacks=lacks,
    )


def show_saving_links(savings: Savings, currency: str) -> None:
    """What the saving is made of, each part a link to where it is made."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Could be saved:", width="content")
        if savings.cheaper:
            amount = money(savings.by_sku, currency)
            where = counted(len(savings.cheaper), "registry", "registries")
            link_to(pages.SKU_COMPARISON, f"{amount} by SKU in {where}")
        else:
            unknown = f", {savings.sku_unknown:,} unknown" if savings.sku_unknown else ""
            link_to(pages.SKU_COMPARISON, f"No cheaper SKU is known{unknown}")
        if savings.untagged:
            name = savings.untagged[0].review.registry.name
            amount = money(savings.by_storage, currency)
            link_to(pages.STORAGE, f"{amount} by untagged storage, most in {plain(name)}", registry=name)
        elif savings.uncounted:
            left = f"{savings.uncounted:,} of {counted(savings.registries, 'registry', 'registries')}"
            link_to(pages.STORAGE, f"Untagged storage not read in {left}")
        else:
            link_to(pages.STORAGE, "No untagged storage that costs")


def show_left_out(review: Review, totals: tuple[GroupTotal, ...]) -> None:
    """One line on the registries whose figure is an estimate or unknown."""
    parts = []
    if unbilled := sum(total.unbilled for total in totals):
        figure = "The forecast has" if review.under_way else "The charts have"
        parts.append(f"{figure} {counted(unbilled, 'registry', 'registries')} without a bill at the estimate.")
    if unknown := [plain(line.name) for line in review.lines if line.figure is None]:
        parts.append(
            f"Cost unknown, in none of these figures: {', '.join(unknown)} (retired SKU, or it could not be read)."
        )
    if parts:
        st.caption(" ".join(parts))


def show_place(review: Review, registry: Registry) -> None:
    """One line on the registry that the address names."""
    for line in review.lines:
        if line.registry_id == registry.id.casefold() and line.figure is not None:
            total = sum((one.figure or ZERO for one in review.lines if one.currency == line.currency), ZERO)
            share = f", {round(100 * line.figure / total)} % of all" if total else ""
            word = "forecast" if review.under_way else "billed"
            figure = "estimate" if line.cost is None else word
            st.markdown(f"**{plain(line.name)}**: {figure} {money(line.figure, line.currency)}{share}.")


def over_budget(budgets: tuple[Budget, ...]) -> list[Budget]:
    """Those of which more than the amount is spent, the most used first."""
    over = [one for one in budgets if one.used is not None and one.used > 1]
    return sorted(over, key=lambda one: (-(one.used or 0), one.name))


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
