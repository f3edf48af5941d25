"""What registries cost: this month so far, at its end, before; beside it what they should; and by repository."""

from datetime import UTC, datetime

import streamlit as st

from services.commands import costs as az_costs
from services.costs.bills import CostSource
from services.costs.review import days_in, latest_currencies, month_before, review_month, total_by
from services.costs.tables import (
    budget_table,
    group_table,
    meter_table,
    month_name,
    registry_table,
    review_report,
    source_table,
)
from services.pricing.estimates import estimate_of
from services.pricing.money import money
from services.wording import counted
from ui.costs.by_repository import shared_out, show_repository_bills
from ui.costs.charts import bill_map, months_figure
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.errors import show_error, show_refused
from ui.elements.page import az_lines, empty, header
from ui.loaders import bills as costs
from ui.loaders import registries as registry_loaders
from ui.pricing.prices import choose_prices
from ui.pricing.report_table import show_table
from ui.pricing.save_report import show_save
from ui.runtime import connection
from ui.runtime.background import show_progress

MONTHS = 7
TITLE, CAPTION = "Cost review", "What registries cost, have cost and will cost, and what they should."

who = connection.who()
today = datetime.now(UTC).date()
months = [today.replace(day=1)]
while len(months) < MONTHS:
    months.append(month_before(months[-1]))
last_day = today.replace(day=days_in(today))
inventory = registry_loaders.inventory(who)
reading = costs.bills(who, months[-1], last_day)


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    costs.bills.clear(who, months[-1], last_day)


header(TITLE, CAPTION, None if reading.running else reading.at, refresh)
show_progress(inventory, "inventory")
show_progress(reading, "bills")
for failed in (inventory, reading):
    if failed.error:
        show_error(failed.error)
if (inventory.running and not inventory.value.detailed) or reading.running:
    st.stop()  # What the URL names would be forgotten where it is not there to be chosen yet.
registries = inventory.value.registries.values
bills, budgets = reading.value.costs, reading.value.budgets
if not registries and not any(bill.rows for bill in bills.values):
    if not (inventory.error or reading.error):
        empty(":material/receipt_long:", "Nothing to review", "There is no registry here, and none was billed.")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    named = {month_name(month): month for month in months}
    month = named[st.selectbox("Month", list(named), key="month", bind="query-params", width=200)]
    keys = sorted({key for registry in registries for key, _ in registry.tags})
    groupings = ["Registry", "Resource group", "Subscription", *(f"Tag {key}" for key in keys)]
    by = st.selectbox("By", groupings, key="by", bind="query-params", width=200)
billed = latest_currencies(row for bill in bills.values for row in bill.rows)
book = choose_prices(
    who,
    (registry.location for registry in registries),
    with_days=False,
    currency_first=billed[0] if billed else "USD",
)
estimates = {
    registry.id: estimate
    for registry in registries
    if registry.location in book.by_region
    and (estimate := estimate_of(registry, book.of(registry.location), days_in(month)))
}
review = review_month(month, today, bills.values, inventory.value.registries, estimates)
show_refused(inventory.value.registries, "subscription", "subscriptions")
show_refused(bills, "bill", "bills")

everything = total_by(review.lines, {line.registry_id: "" for line in review.lines})
figures: dict[str, str] = {}
for total in everything:
    beside = f", {total.currency}" if len(everything) > 1 else ""
    figures[("So far" if review.under_way else "Billed") + beside] = money(total.cost, total.currency)
    if review.under_way:
        figures["By the month's end" + beside] = money(total.figure, total.currency)
    figures[f"In {month_before(month):%B}" + beside] = money(total.before, total.currency)
unbilled = sum(total.unbilled for total in everything)
with st.grid(4, min_column_width=170):
    for name, value in figures.items():
        st.metric(name, value, border=True, height="stretch")
    st.metric("Registries", len({line.registry_id for line in review.lines}), border=True, height="stretch")
if unbilled:
    st.caption(f"The month's end includes {counted(unbilled, 'registry', 'registries')} at the estimate, not billed.")
unknown = [line.name for line in review.lines if line.figure is None]
if unknown:
    st.caption(
        f"Without any figure: {', '.join(unknown)}. Classic has no price, and what was not read can't be priced."
    )

groups = {
    "Registry": {line.registry_id: line.name for line in review.lines},
    "Resource group": {line.registry_id: f"{line.resource_group} ({line.subscription})" for line in review.lines},
    "Subscription": {line.registry_id: line.subscription for line in review.lines},
    **{f"Tag {key}": {line.registry_id: line.tags.get(key, "no such tag") for line in review.lines} for key in keys},
}
tables = [group_table(total_by(review.lines, groups[by]), by, review)]
st.subheader(tables[0].heading, anchor=False)
show_table(tables[0], f"groups {by}", pinned=by)

for currency in review.currencies:
    table = meter_table(review, currency)
    tables.append(table)
    st.subheader(table.heading, anchor=False)
    show_chart(
        months_figure(review, currency, theme_now()),
        f"What was billed in {currency}, a bar a month, in parts by meter. The table below has the same numbers.",
    )
    show_table(table, f"meters {currency}", pinned="Meter")

table = registry_table(review)
tables.append(table)
st.subheader(table.heading, anchor=False)
show_table(table, "registries of the review", pinned="Registry")

st.subheader("By repository", anchor=False)
shares = shared_out(who, review, registries)
for currency in sorted({line.currency for line in review.lines if line.figure}):
    show_chart(
        bill_map(review.lines, currency, {key: parts.costs for key, parts in shares.items()}, theme_now()),
        f"The month's cost in {currency} as areas: registries, and within them repositories where they were read.",
    )
tables += show_repository_bills(who, review, registries, shares)

found = [budget for of_one in budgets.values for budget in of_one]
table = budget_table(found)
st.subheader(f"Budgets ({len(found)})", anchor=False)
if found:
    tables.append(table)
    show_table(table, "budgets", pinned="Budget")
else:
    st.markdown("No budget covers a subscription here, or none may be read.")
show_refused(budgets, "subscription's budgets", "subscriptions' budgets")

table = source_table(bills)
tables.append(table)
st.subheader(table.heading, anchor=False)
show_table(table, "sources", pinned="Subscription")
for bill in bills.values:
    if bill.source is CostSource.ESTIMATE and bill.error:
        with st.expander(f"What Azure said of {bill.subscription.name}", icon=":material/info:"):
            show_error(bill.error)

identity = connection.current().identity
show_save(review_report(review, reading.at, identity.name, book.words, figures, tables))
subscriptions = [bill.subscription.id for bill in bills.values]
az_lines(
    *(az_costs.query_costs(subscription, month, month.replace(day=days_in(month))) for subscription in subscriptions),
    *(az_costs.list_budgets(subscription) for subscription in subscriptions),
)
