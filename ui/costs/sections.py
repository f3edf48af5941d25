"""The sections of a cost review: its figures, past months by meter, and the sources of the figures."""

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd
import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.review import GroupTotal, Review, month_before
from services.costs.tables import meter_table, source_table
from services.pricing.money import money
from services.pricing.report import Table
from services.wording import counted
from ui.costs.charts import months_figure
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.errors import show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import plain
from ui.pricing.report_table import show_table


def figures_of(review: Review, totals: tuple[GroupTotal, ...]) -> dict[str, str]:
    """The month's figures by name, for each currency. `totals`: all lines, one total per currency."""
    figures: dict[str, str] = {}
    for total in totals:
        beside = f", {total.currency}" if len(totals) > 1 else ""
        figures[("So far" if review.under_way else "Billed") + beside] = _billed(total.cost, total.currency)
        if review.under_way:
            figures["Forecast" + beside] = money(total.figure, total.currency)
        figures[f"In {month_before(review.month):%B}" + beside] = _billed(total.before, total.currency)
    return figures


def _billed(amount: Decimal | None, currency: str) -> str:
    return "–" if amount is None else money(amount, currency)


def show_figures(review: Review, totals: tuple[GroupTotal, ...], figures: dict[str, str]) -> None:
    """The figures, and what is not in them."""
    registries = len({line.registry_id for line in review.lines})
    show_metrics([*(Metric(name, value) for name, value in figures.items()), Metric("Registries", registries)])
    if unbilled := sum(total.unbilled for total in totals):
        st.caption(
            f"The whole month includes {counted(unbilled, 'registry', 'registries')} at the estimate, not billed."
        )
    if unknown := [plain(line.name) for line in review.lines if line.figure is None]:
        st.caption(f"Cost unknown (a Classic registry has no price, or it could not be read): {', '.join(unknown)}.")


def show_months(review: Review, by_meter: Mapping[str, pd.DataFrame]) -> list[Table]:
    """A chart and a table for each currency. `by_meter` as `months_by_meter` returns it. Returns the tables."""
    tables = [meter_table(by_meter[currency], review.months, currency) for currency in review.currencies]
    for currency, table in zip(review.currencies, tables, strict=True):
        st.subheader(table.heading, anchor=False)
        show_chart(
            months_figure(by_meter[currency], review.months, currency, theme_now()),
            f"What was billed in {currency}: a bar for each month, by meter. The table below has the same numbers.",
        )
        show_table(table, f"meters {currency}", pinned="Meter")
    return tables


def show_sources(bills: Partial[SubscriptionCosts]) -> Table:
    """The source of each subscription's figures, with Azure's error if they are estimates. Returns the table."""
    table = source_table(bills)
    st.subheader(table.heading, anchor=False)
    show_table(table, "sources", pinned="Subscription")
    for bill in bills.values:
        if bill.source is CostSource.ESTIMATE and bill.error:
            with st.expander(f"Bill not read: {plain(bill.subscription.name)}", icon=":material/info:"):
                show_error(bill.error)
    return table
