"""What registries cost: so far, forecast, in past months, by registry and by repository, and what could be saved."""

from datetime import UTC, datetime

import streamlit as st

from services.commands import costs as az_costs
from services.connection.parallel import Partial
from services.costs.review import (
    days_in,
    estimate_month,
    groups_of,
    recent_months,
    review_month,
    total_by,
)
from services.costs.savings import savings_of
from services.costs.tables import (
    budget_table,
    group_table,
    list_price_table,
    meter_table,
    month_name,
    registry_table,
    source_table,
)
from ui.costs.budget_dialog import CREATE, create_budget
from ui.costs.by_repository import read_repository_bills, show_repository_bill
from ui.costs.figures import (
    figures_of,
    show_left_out,
    show_over_budget,
    show_place,
)
from ui.costs.monthly import show_deliveries
from ui.costs.report import ReviewTables, cost_report
from ui.costs.savings import saving_figure, show_beyond, show_saving_links
from ui.costs.sections import (
    show_budgets,
    show_months,
    show_registries,
    show_sources,
    show_spending,
    unread_bills,
)
from ui.costs.trend import read_trend, show_quarter, show_trend, trend_tables
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import show_metrics
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.loaders import bills as costs
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.url_choice import check_url
from ui.pricing.prices import choose_prices
from ui.pricing.save_report import show_save
from ui.runtime import connection
from ui.runtime.background import show_progress

TABS = REGISTRIES, REPOSITORIES, TREND, MONTHS, BUDGETS, SOURCES = (
    "Registries",
    "Repositories",
    "Trend",
    "Months",
    "Budgets",
    "Sources",
)

who = connection.who()
today = datetime.now(UTC).date()
months = recent_months(today)
inventory = registry_loaders.inventory(who)
reading = costs.recent_bills(who)


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    costs.forget_recent_bills(who)


actions = header(pages.COST_REVIEW.title, "", None if reading.running else reading.at, refresh)
show_done()
show_progress(inventory, "inventory")
show_progress(reading, "bills")
for failed in (inventory, reading):
    if failed.error:
        show_error(failed.error)
if (inventory.running and not inventory.value.detailed) or reading.running:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
bills, budgets = reading.value.costs, reading.value.budgets
listed = inventory.value.registries
show_partial(
    Part(listed, "subscription"),
    Part(inventory.value.usages, "registry's usage", "registries' usage"),
    Part(bills, "bill"),
    Part(Partial((), tuple(refusal for bill in bills.values for refusal in bill.unread)), "bill"),
    Part(budgets, "subscription's budgets", "subscriptions' budgets"),
)
if reading.error:
    bills = Partial((), untried=max(1, len({one.subscription_id for one in listed.values})))
if inventory.error:
    listed = Partial((), untried=max(1, len(bills.values) + len(bills.refused) + bills.untried))
registries = listed.values
if not registries and not any(bill.rows for bill in bills.values):
    if inventory.error or reading.error or not (listed.complete and bills.complete):
        empty(":material/receipt_long:", "Costs unknown", "Not every registry and bill could be read.")
    else:
        empty(":material/receipt_long:", "No registries found", f"And none was billed. {selection.NEED_READER}")
    st.stop()

named = {month_name(month): month for month in months}
check_url("month", "month", list(named))
with st.container(horizontal=True, vertical_alignment="center"):
    month = named[
        st.selectbox("Month", list(named), key="month", bind="query-params", width=180, label_visibility="collapsed")
    ]
    with st.container(width=640):
        billed = reading.value.currency
        book = choose_prices(
            who,
            (registry.location for registry in registries),
            with_days=False,
            currency_first=billed,
        )
estimates = estimate_month(registries, book.by_region, month)
review = review_month(month, today, bills.values, listed, estimates)
groups = groups_of(review.lines, registries)
unread_budgets = bool(budgets.refused or budgets.untried or reading.error)
show_over_budget(budgets.values, BUDGETS)

everything = total_by(review.lines, {line.registry_id: "" for line in review.lines})
savings = savings_of(registries, book.by_region, contents.untagged_bytes(who), book.days)
figures = [
    *figures_of(review, everything, bills, listed),
    saving_figure(savings, book.currency, listed, billed=bool(billed) or bills.complete),
]
show_metrics(figures)
show_saving_links(savings)
show_beyond(savings, book.currency)
show_left_out(review)
partial_bills = unread_bills(bills) > 0
partial = partial_bills or not listed.complete or any(line.figure is None for line in review.lines)
place = selection.find(registries, st.query_params.get("registry", ""))
if place:
    show_place(review, place, partial=partial)

check_url("by", "grouping", list(groups))
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Who spends it", anchor=False, width="content")
    by = st.selectbox("By", list(groups), key="by", bind="query-params", width=200, label_visibility="collapsed")
by_registry = by == next(iter(groups))
marked = place.name if place and by_registry else ""
spending = group_table(total_by(review.lines, groups[by]), by, review, marked, partial=partial)
show_spending(spending, folded=not by_registry)

of_registries, at_list_prices = registry_table(review), list_price_table(review)
of_months = [
    meter_table(reading.value.by_meter[currency], review.months, currency, today.replace(day=1), partial=partial_bills)
    for currency in review.currencies
]
of_repositories = read_repository_bills(who, review, registries)
of_budgets, of_sources = budget_table(budgets.values), source_table(bills)
by_prefix = st.query_params.get("prefix") == "true"

check_url("show", "tab", TABS)
tabs = dict(zip(TABS, st.tabs(list(TABS), on_change="rerun", key="show", bind="query-params"), strict=True))
if tabs[REGISTRIES].open:
    with tabs[REGISTRIES]:
        show_registries(of_registries, at_list_prices)
if tabs[REPOSITORIES].open:
    with tabs[REPOSITORIES]:
        show_repository_bill(who, review, listed, of_repositories)
trend = None
if tabs[TREND].open:
    with tabs[TREND]:
        trend = read_trend(who, listed, wanted=True)
        if trend:
            show_trend(trend, of_repositories, place)
            show_quarter(who, trend)
else:
    trend = read_trend(who, listed, wanted=False)
if tabs[MONTHS].open:
    with tabs[MONTHS]:
        show_months(of_months, bills, review.currencies)
if tabs[BUDGETS].open:
    with tabs[BUDGETS]:
        if st.button(CREATE, icon=":material/add:"):
            without = {refusal.what for refusal in budgets.refused}  # Offers without budgets come last.
            create_budget(
                who,
                sorted((bill.subscription for bill in bills.values), key=lambda one: one.name in without),
                registries,
                reading.value.currencies,
            )
        show_budgets(of_budgets, budgets, unread=unread_budgets)
if tabs[SOURCES].open:
    with tabs[SOURCES]:
        show_sources(of_sources, bills)

with actions:
    tables = ReviewTables(
        spending,
        of_registries,
        at_list_prices,
        of_months,
        of_budgets,
        of_sources,
        repositories=[bill.table(prefixes=by_prefix) for bill in of_repositories.values()],
        trend=trend_tables(who, trend) if trend else (),
        by_registry=by_registry,
    )
    show_save(cost_report(review, reading.at, connection.person().name, book.words, figures, tables))
show_deliveries()
subscriptions = [bill.subscription.id for bill in bills.values]
az_lines(
    *(az_costs.query_costs(subscription, month, month.replace(day=days_in(month))) for subscription in subscriptions),
    *(az_costs.list_budgets(subscription) for subscription in subscriptions),
)
