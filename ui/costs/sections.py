"""The parts of a cost review below its figures: who spends it, past months, budgets and the sources of the figures."""

from collections.abc import Sequence

import streamlit as st

from services.connection.parallel import Partial
from services.costs.bills import CostSource, SubscriptionCosts
from services.costs.budgets import Budget
from services.pricing.estimates import NOT_INCLUDED
from services.pricing.report import Table
from services.wording import counted
from ui.costs.charts import months_figure
from ui.elements.bar_chart import show_bars
from ui.elements.chart_theme import show_chart, show_chart_title, theme_now
from ui.elements.errors import show_error
from ui.elements.text import plain
from ui.pricing.report_table import show_folded, show_table


def show_spending(table: Table, *, folded: bool) -> None:
    """The chart of `group_table`, and its numbers where they are `folded` under it."""
    if table.chart is None:
        st.markdown("Unknown who spends it: no registry's cost is known.")
    else:
        below = "folded under it" if folded else "in the tab Registries"
        show_bars(table.chart, f"{table.chart.title}: a bar for each, the highest first. The numbers are {below}.")
    if folded:
        show_folded(table, f"groups {table.heading}")


def show_registries(table: Table, at_list_prices: Table) -> None:
    """A row for each registry, and folded what bills are beside list prices."""
    show_table(table, "registries of the review")
    if at_list_prices.rows:
        show_folded(at_list_prices, "list prices")


def unread_bills(bills: Partial[SubscriptionCosts]) -> int:
    """How many bills could not be read, or not in full."""
    lacking = sum(1 for bill in bills.values if bill.unread or (bill.error and bill.source is CostSource.ESTIMATE))
    return len(bills.refused) + bills.untried + lacking


def show_months(tables: Sequence[Table], bills: Partial[SubscriptionCosts], currencies: Sequence[str]) -> None:
    """A chart for each of the `currencies`, its table folded under it; above them, how many bills they lack."""
    if unread := unread_bills(bills):
        number = counted(len(bills.values) + len(bills.refused) + bills.untried, "bill")
        st.caption(f"At least: {unread:,} of {number} could not be read in full.")
    if tables[1:]:
        first, *others = currencies
        st.caption(f"{' and '.join(others)} is in no {first} total: amounts of two currencies are never added.")
    for table in tables:
        if table.chart:
            show_chart_title(table.chart.title)
            show_chart(
                months_figure(table.chart, theme_now()),
                f"What was billed in {table.chart.unit}: a column for each month, by meter. The numbers are folded "
                "under it.",
            )
        show_folded(table, table.heading)


def show_budgets(table: Table, budgets: Partial[Budget], *, unread: bool) -> None:
    """The budgets, those over their amount first; `unread`: not all could be read."""
    if budgets.values:
        if unread:
            st.caption("Not every budget could be read.")
        show_table(table, "budgets")
    elif unread:
        st.markdown("Unknown: budgets could not be read.")
    else:
        st.markdown("No budgets found.")


def show_sources(table: Table, bills: Partial[SubscriptionCosts]) -> None:
    """The source of each subscription's figures, with Azure's error if they are estimates."""
    show_table(table, "sources")
    for bill in bills.values:
        if bill.source is CostSource.ESTIMATE and bill.error:
            with st.expander(f"Bill not read: {plain(bill.subscription.name)}", icon=":material/info:"):
                show_error(bill.error)
    st.caption(NOT_INCLUDED)
