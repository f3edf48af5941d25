"""Basic, Standard or Premium: features, cost, and the recommended SKU of each registry."""

import streamlit as st

from services.commands.registries import show_usage
from services.pricing.price_snapshot import snapshot
from services.pricing.sku_choice import choose_sku, review_sku
from services.registries.skus import PRICE_NOTE, sku_of
from ui.elements.errors import show_error, show_refused
from ui.elements.page import az_lines, header
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.selection import show_unknown
from ui.navigation.url_choice import check_url
from ui.pricing.prices import choose_prices
from ui.pricing.sku_change import show_changes
from ui.pricing.sku_charts import Point
from ui.pricing.sku_questions import ask, choose_start, needs_known
from ui.pricing.sku_reviews import show_reviews
from ui.pricing.sku_sections import show_choice, show_features, show_month, show_regions, show_sizes
from ui.runtime import connection
from ui.runtime.background import show_progress

ELSEWHERE = "eastus"

who = connection.who()
top = st.container()
show_changes()  # Before anything is read: a change that just ended makes caches stale.
inventory = registry_loaders.inventory(who)
with top:
    header(
        pages.SKU_COMPARISON.title,
        "",
        None if inventory.running else inventory.at,
        lambda: registry_loaders.inventory.clear(who),
    )
show_progress(inventory, "inventory")
if inventory.error:
    show_error(inventory.error)
if inventory.running and not inventory.value.detailed:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
listed = inventory.value.registries
registries = listed.values
show_refused(listed, "subscription", "subscriptions")
show_refused(inventory.value.usages, "registry's usage", "registries' usage")

st.subheader("Recommended SKU", anchor=False)
regions = sorted({registry.location for registry in registries} | {ELSEWHERE})
check_url("region", "region", regions)
with st.container(horizontal=True, vertical_alignment="bottom"):
    start = choose_start(listed)
    home = regions.index(start.location if start else ELSEWHERE)
    region = st.selectbox("Region", regions, home, key="region", bind="query-params", width=200)
book = choose_prices(who, regions)
prices = book.by_region.get(region) or snapshot(region)
if start is None and st.query_params.get("registry") and (inventory.error or show_unknown(listed)):
    st.stop()  # Not the empty form in place of the registry that was asked for.
needs = ask(start)
try:
    choice = choose_sku(needs, prices, book.days)
except ValueError as exc:
    st.error(f"{plain(str(exc))}. Choose another currency or region, or upload a price sheet.", icon=":material/error:")
    st.stop()
if needs_known(start):
    show_choice(choice, book.days)
    show_month(choice, prices.currency)

reviews = [review_sku(registry, book.by_region, book.days) for registry in registries]
ours = [
    Point(one.registry.name, sku, one.found.needs.stored_gib, one.present.total)
    for one in reviews
    if one.present and one.found.needs and (sku := sku_of(one.registry.sku))
]
show_sizes(prices, book.days, ours)
if needs_known(start):
    show_regions(needs.stored_gib, prices, book.days)
if not inventory.error:
    show_reviews(who, reviews, listed, book)
show_features()
st.info(PRICE_NOTE, icon=":material/info:")
az_lines(*(show_usage(registry.name) for registry in ([start] if start else registries[:3])))
