"""The sections of a cost review: its figures, past months by meter, and the sources of the figures."""

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd
import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.review import GroupTotal, Review, month_before
from services.costs.tables import meter_table, source_table
from services.pricing.estimates import NOT_INCLUDED
from services.pricing.money import money
from services.pricing.report import Table
from services.registries.registry import Registry
from services.wording import counted
from ui.costs.charts import months_figure
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.errors import show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import plain
from ui.pricing.report_table import show_table


def figures_of(
    review: Review, totals: tuple[GroupTotal, ...], bills: Partial[SubscriptionCosts], listed: Partial[Registry]
) -> list[Metric]:
    """The month's figures for each currency, and what each lacks. `totals`: all lines, one total per currency."""
    registries = {line.registry_id for line in review.lines}
    billed = {bill.subscription.name for bill in bills.values if bill.source is not CostSource.ESTIMATE}
    unbilled = {line.registry_id for line in review.lines if line.cost is None and line.subscription not in billed}
    unknown = {line.registry_id for line in review.lines if line.figure is None}
    unread_lists = len(listed.refused) + listed.untried
    unlisted = f"{counted(unread_lists, 'subscription')} unread" if unread_lists else ""

    def lacking(without: set[str], what: str) -> str:
        some = f"{len(without):,} of {counted(len(registries), 'registry', 'registries')} {what}" if without else ""
        return "; ".join(part for part in (some, unlisted) if part)

    partial = sum(1 for bill in bills.values if bill.unread)
    no_bill = lacking(unbilled, "have no bill")
    if partial:
        no_bill = "; ".join(
            part for part in (no_bill, f"not every entry of {counted(partial, 'bill')} was read") if part
        )
    estimated = f"{len(unbilled):,} of {len(registries):,} at the estimate" if unbilled else ""
    projected = "; ".join(part for part in (estimated, lacking(unknown, "have no known cost")) if part)
    figures: list[Metric] = []
    known = [total for total in totals if total.figure is not None]
    for total in known:
        named = f", {total.currency}" if len(known) > 1 else ""
        so_far = "So far" if review.under_way else "Billed"
        figures.append(Metric(so_far + named, _billed(total.cost, total.currency), lacks=no_bill))
        if review.under_way:
            # No lower bound: a registry that is not listed may be gone, and is projected all the same.
            figure = _billed(total.figure, total.currency)
            figures.append(Metric("Forecast" + named, figure, help=projected, beside=projected))
        before = f"In {month_before(review.month):%B}{named}"
        figures.append(Metric(before, _billed(total.before, total.currency), lacks=no_bill))
    # A registry that was deleted is known by its bill alone.
    unread = len(bills.refused) + bills.untried + sum(1 for bill in bills.values if bill.error and not bill.rows)
    no_bills = f"{counted(unread, 'bill')} could not be read" if unread else ""
    if not bills.values:
        no_bills = "no bill could be read"
    lacks = "; ".join(part for part in (unlisted, no_bills) if part)
    return [*figures, Metric("Registries", len(registries), lacks=lacks)]


def _billed(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else money(amount, currency)


def show_figures(review: Review, totals: tuple[GroupTotal, ...], figures: list[Metric]) -> None:
    """The figures, and what is not in them."""
    show_metrics(figures)
    if unbilled := sum(total.unbilled for total in totals):
        st.caption(
            f"The forecast has {counted(unbilled, 'registry', 'registries')} without a bill at the estimate; what is "
            "billed so far leaves them out."
        )
    if unknown := [plain(line.name) for line in review.lines if line.figure is None]:
        st.caption(
            "Cost unknown, and in none of these figures (a Classic registry has no price, or it could not be read): "
            f"{', '.join(unknown)}."
        )
    st.caption(NOT_INCLUDED)


def show_months(review: Review, by_meter: Mapping[str, pd.DataFrame], *, complete: bool) -> list[Table]:
    """A chart and a table for each currency. `by_meter` as `months_by_meter` returns it; `complete`: every bill was
    read. Returns the tables."""
    tables = [meter_table(by_meter[currency], review.months, currency) for currency in review.currencies]
    for currency, table in zip(review.currencies, tables, strict=True):
        st.subheader(table.heading if complete else f"{table.heading}: not every bill could be read", anchor=False)
        show_chart(
            months_figure(by_meter[currency], review.months, currency, theme_now()),
            f"What was billed in {currency}: a bar for each month, by meter. The table below has the same numbers.",
        )
        show_table(table, f"meters {currency}")
    return tables


def show_sources(bills: Partial[SubscriptionCosts]) -> Table:
    """The source of each subscription's figures, with Azure's error if they are estimates. Returns the table."""
    table = source_table(bills)
    st.subheader(table.heading, anchor=False)
    show_table(table, "sources")
    for bill in bills.values:
        if bill.source is CostSource.ESTIMATE and bill.error:
            with st.expander(f"Bill not read: {plain(bill.subscription.name)}", icon=":material/info:"):
                show_error(bill.error)
    return table
