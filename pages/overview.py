"""The start page: what needs attention in all registries and clusters, what they cost, and what could be freed."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from services.commands.registries import list_registries
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.costs.review import estimate_month, review_month, total_by
from services.costs.savings import savings_of
from services.estate.attention import Attention, needs_attention, spent_budgets
from services.estate.potential import clean_up_potential
from services.jobs.jobs import JobSummary
from services.pricing.price_cache import PriceList
from services.pricing.price_sheet import with_sheet
from services.pricing.retail_prices import CURRENCIES
from ui.costs.savings import show_beyond
from ui.deletion import deletions
from ui.elements.errors import show_error
from ui.elements.metrics import show_metrics
from ui.elements.page import az_lines, empty, header
from ui.elements.skeleton import Shape, show_skeleton
from ui.estate.activity import failed_deletions, show_activity
from ui.estate.attention import show_attention
from ui.estate.clean_up import show_potential
from ui.estate.figures import attention_metric, cost_metrics, registries_line, saving_metric
from ui.estate.progress import show_readings, wait_a_moment
from ui.estate.registry_table import show_registries
from ui.estate.schedules import waiting_schedules
from ui.estate.unread import show_unread, unread_bills, unread_words
from ui.estate.unused import show_unused
from ui.growth.estate import show_estate_growth
from ui.loaders import bills as bill_loaders
from ui.loaders import clusters as cluster_loaders
from ui.loaders import contents
from ui.loaders import prices as price_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import show_no_registries
from ui.navigation.url_choice import check_url
from ui.pricing.prices import sheet_in_use
from ui.runtime import connection
from ui.runtime.background import Reading
from ui.runtime.database import database

TABS = ("Registries", "Clean-up potential", "Growth", "Activity")

who = connection.who()
today = datetime.now(UTC).date()
month = today.replace(day=1)
inventory = registry_loaders.inventory(who)
pulls = cluster_loaders.pulls(who)
bills = bill_loaders.recent_bills(who)
readings: list[Reading[Any]] = [inventory, pulls, bills]


def refresh() -> None:
    registry_loaders.inventory.clear(who)
    cluster_loaders.forget_pulls(who)
    bill_loaders.forget_recent_bills(who)


_, sheet = sheet_in_use()
wait_a_moment(readings)
reading_prices: Reading[PriceList] | None = None
if not (inventory.running or bills.running) and inventory.value.registries.values:
    billed = bills.value.currency
    currency = sheet.currency if sheet else billed if billed in CURRENCIES else CURRENCIES[0]
    regions = tuple(sorted({registry.location for registry in inventory.value.registries.values}))
    reading_prices = price_loaders.price_list(who, currency, regions)
    readings.append(reading_prices)
    wait_a_moment(readings)
running = any(reading.running for reading in readings)
listed, clusters, costs = inventory.value.registries, pulls.value.clusters, bills.value.costs
registries = listed.values
header(
    pages.OVERVIEW.title,
    registries_line(listed, inventory.value.repository_counts),
    None if running else min(reading.at for reading in readings),
    refresh,
)
if running:
    show_readings(readings, "overview")
for reading in readings:
    if reading.error:
        show_error(reading.error)
records: Partial[JobSummary] = Partial(())
scheduled: list[Attention] = []
try:
    records = deletions.all_recorded(who)
    scheduled = waiting_schedules(database(), registries)
except ServiceError as error:
    show_error(error)
if not running:
    refused = reading_prices.lacks if reading_prices else ()
    show_unread(inventory.value, pulls.value, bills.value, refused, records)
if not registries and not inventory.running:
    if not inventory.error and listed.complete:
        empty(
            ":material/inventory_2:",
            "No registries found",
            "Create the first one, or ask for Reader on a subscription or registry to see it here.",
        )
        link_to(pages.CREATE_REGISTRY)
    elif not inventory.error:
        show_no_registries(listed)
    st.stop()

prices = reading_prices.value.by_region if reading_prices else {}
if sheet and reading_prices and reading_prices.value.currency == sheet.currency:
    prices = {region: with_sheet(price, sheet) for region, price in prices.items()}
estimates = estimate_month(registries, prices, month)
review = review_month(month, today, costs.values, listed, estimates)
totals = total_by(review.lines, {line.registry_id: "" for line in review.lines})
potential = clean_up_potential(registries, contents.measurements(who), prices)
entries = needs_attention(
    registries,
    cluster_loaders.pairs(who, pulls.at),
    [*spent_budgets(bills.value.budgets.values), *failed_deletions(records.values), *scheduled],
    every_registry=pulls.value.registries.complete,
    prices=prices,
)
unread = unread_words(inventory, pulls, records)
savings = savings_of(registries, prices, contents.untagged_bytes(who))
price_currency = reading_prices.value.currency if reading_prices else ""
show_metrics(
    [
        attention_metric(entries, unread=unread, running=running),
        *cost_metrics(
            review,
            totals,
            costs,
            listed,
            running=bills.running or reading_prices is None or reading_prices.running,
        ),
        saving_metric(
            savings,
            price_currency,
            listed,
            billed=bool(bills.value.currency) or (costs.complete and not bills.error),
            running=reading_prices is None or reading_prices.running,
        ),
    ]
)
show_beyond(savings, price_currency)
if registries:
    show_attention(entries, registries, clusters.values, unread=unread)
elif running:
    show_skeleton(Shape.TABLE)

check_url("show", "tab", TABS)
by_registry, clean_up, growth, activity = st.tabs(TABS, on_change="rerun", key="show", bind="query-params")
if by_registry.open:
    with by_registry:
        if registries:
            known = [total.currency for total in totals if total.figure is not None]
            show_registries(registries, review.lines, known[0] if known else "", unread_bills(bills, registries))
        elif running:
            show_skeleton(Shape.TABLE)
if clean_up.open:
    with clean_up:
        show_potential(who, registries, sum(inventory.value.repository_counts.values()), potential)
        if not running:
            show_unused(who, registries)
if growth.open:
    with growth:
        show_estate_growth(registries, running=inventory.running)
if activity.open:
    with activity:
        show_activity(records.values)
if registries:
    az_lines(*(list_registries(subscription) for subscription in sorted({one.subscription_id for one in registries})))
