"""What registries cost: so far, forecast, in past months, against the estimate, and by repository."""

from datetime import UTC, datetime

import streamlit as st

from services.commands import costs as az_costs
from services.connection.parallel import Partial
from services.costs.review import (
    days_in,
    estimate_month,
    groups_of,
    latest_currencies,
    recent_months,
    review_month,
    total_by,
)
from services.costs.tables import (
    budget_table,
    group_table,
    month_name,
    registry_table,
    review_report,
)
from ui.costs.by_repository import shared_out, show_repository_bills
from ui.costs.charts import bill_map
from ui.costs.sections import figures_of, show_figures, show_months, show_sources
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.errors import show_error, show_refused
from ui.elements.metrics import figure_text
from ui.elements.page import az_lines, empty, header
from ui.loaders import bills as costs
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.url_choice import check_url
from ui.pricing.prices import choose_prices
from ui.pricing.report_table import show_table
from ui.pricing.save_report import show_save
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
today = datetime.now(UTC).date()
months = recent_months(today)
last_day = today.replace(day=days_in(today))
inventory = registry_loaders.inventory(who)
reading = costs.bills(who, months[-1], last_day)


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    costs.bills.clear(who, months[-1], last_day)


header(pages.COST_REVIEW.title, "", None if reading.running else reading.at, refresh)
show_progress(inventory, "inventory")
show_progress(reading, "bills")
for failed in (inventory, reading):
    if failed.error:
        show_error(failed.error)
if (inventory.running and not inventory.value.detailed) or reading.running:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
bills, budgets = reading.value.costs, reading.value.budgets
listed = inventory.value.registries
if reading.error:
    bills = Partial((), untried=max(1, len({one.subscription_id for one in listed.values})))
if inventory.error:
    listed = Partial((), untried=max(1, len(bills.values) + len(bills.refused) + bills.untried))
registries = listed.values
if not registries and not any(bill.rows for bill in bills.values):
    show_refused(inventory.value.registries, "subscription", "subscriptions")
    show_refused(reading.value.costs, "bill", "bills")
    if inventory.error or reading.error or not (listed.complete and bills.complete):
        empty(":material/receipt_long:", "Costs unknown", "Not every registry and bill could be read.")
    else:
        empty(":material/receipt_long:", "No registries found", f"And none was billed. {selection.NEED_READER}")
    st.stop()

named = {month_name(month): month for month in months}
check_url("month", "month", list(named))
choices = st.container(horizontal=True, vertical_alignment="bottom")
with choices:
    month = named[st.selectbox("Month", list(named), key="month", bind="query-params", width=200)]
billed = latest_currencies(row for bill in bills.values for row in bill.rows)
book = choose_prices(
    who,
    (registry.location for registry in registries),
    with_days=False,
    currency_first=billed[0] if billed else "USD",
)
estimates = estimate_month(registries, book.by_region, month)
review = review_month(month, today, bills.values, listed, estimates)
groups = groups_of(review.lines, registries)
check_url("by", "grouping", list(groups))
with choices:
    by = st.selectbox("By", list(groups), key="by", bind="query-params", width=200)
show_refused(inventory.value.registries, "subscription", "subscriptions")
show_refused(reading.value.costs, "bill", "bills")
show_refused(Partial((), tuple(refusal for bill in bills.values for refusal in bill.unread)), "bill", "bills")

everything = total_by(review.lines, {line.registry_id: "" for line in review.lines})
figures = figures_of(review, everything, bills, listed)
show_figures(review, everything, figures)

tables = [group_table(total_by(review.lines, groups[by]), by, review)]
st.subheader(tables[0].heading, anchor=False)
show_table(tables[0], f"groups {by}")
tables += show_months(
    review,
    reading.value.by_meter,
    complete=bills.complete and not reading.error and not any(bill.error or bill.unread for bill in bills.values),
)

table = registry_table(review)
tables.append(table)
st.subheader(table.heading, anchor=False)
show_table(table, "registries of the review")

st.subheader("By repository", anchor=False)
shares = shared_out(who, review, registries)
for currency in sorted({line.currency for line in review.lines if line.figure}):
    show_chart(
        bill_map(review.lines, currency, {key: parts.costs for key, parts in shares.items()}, theme_now()),
        f"The month's cost in {currency} by registry, and by repository where read.",
    )
tables += show_repository_bills(who, review, listed, shares)

found = budgets.values
table = budget_table(found)
unread_budgets = bool(budgets.refused or reading.error)
st.subheader(f"Budgets ({'at least ' if unread_budgets else ''}{len(found)})", anchor=False)
if found:
    tables.append(table)
    show_table(table, "budgets")
elif unread_budgets:
    st.markdown("Unknown: budgets could not be read.")
else:
    st.markdown("No budgets found.")
show_refused(budgets, "subscription's budgets", "subscriptions' budgets")

tables.append(show_sources(bills))

identity = connection.current().identity
show_save(
    review_report(
        review, reading.at, identity.name, book.words, {one.label: figure_text(one) for one in figures}, tables
    )
)
subscriptions = [bill.subscription.id for bill in bills.values]
az_lines(
    *(az_costs.query_costs(subscription, month, month.replace(day=days_in(month))) for subscription in subscriptions),
    *(az_costs.list_budgets(subscription) for subscription in subscriptions),
)
