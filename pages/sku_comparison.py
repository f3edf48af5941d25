"""The recommended SKU of each registry with what it saves, and Basic, Standard and Premium compared."""

import streamlit as st

from services.commands.registries import show_usage
from services.costs.savings import savings_of
from services.pricing.price_snapshot import snapshot
from services.pricing.sku_choice import Choice, choose_sku, review_sku
from services.registries.registry import Registry
from services.registries.skus import PRICE_NOTE, sku_of
from ui.costs.savings import saving_figure, show_beyond
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import show_metrics
from ui.elements.page import az_lines, header
from ui.elements.text import plain
from ui.loaders import bills as bill_loaders
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.selection import key_of, show_unknown
from ui.navigation.url_choice import check_url
from ui.pricing.prices import choose_prices, sheet_in_use
from ui.pricing.sku_change import change_sku, show_changes
from ui.pricing.sku_charts import Point
from ui.pricing.sku_questions import answer_from, ask, choose_start, needs_known
from ui.pricing.sku_reviews import figures_of, show_reviews
from ui.pricing.sku_sections import show_choice, show_features, show_month, show_regions, show_sizes
from ui.runtime import connection
from ui.runtime.background import show_progress

ELSEWHERE = "eastus"
TABS = COMPARE, BY_SIZE, BY_REGIONS, FEATURES = ("Compare", "Cost by size", "Geo-replication", "Features")

who = connection.who()
top = st.container()
show_changes(who)  # Before anything is read: a change that just ended makes caches stale.
inventory = registry_loaders.inventory(who)
bills = bill_loaders.recent_bills(who)
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
# Amounts are in the currency of the bills, unless another one was chosen.
chosen = bool(st.query_params.get("currency")) or sheet_in_use()[1] is not None
if not chosen and not bills.value.costs.values:
    show_progress(bills, "bills")
unbilled = not chosen and bills.running and not bills.value.costs.values
if (inventory.running and not inventory.value.detailed) or unbilled:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
listed = inventory.value.registries
registries = listed.values
show_partial(Part(listed, "subscription"), Part(inventory.value.usages, "registry's usage", "registries' usage"))
regions = sorted({registry.location for registry in registries} | {ELSEWHERE})
billed = bills.value.currency
book = choose_prices(who, regions, currency_first=billed)


def compare(registry: Registry) -> None:
    """Fills in the questions with what the registry uses, and opens the comparison."""
    st.query_params["registry"] = key_of(registry, registries)
    answer_from(registry)
    st.session_state["show"] = COMPARE


reviews = [review_sku(registry, book.by_region, book.days) for registry in registries]
known_currency = chosen or bool(billed) or (bills.value.costs.complete and not bills.error)
if not known_currency:
    st.caption(f"The currency of the bills is unknown: amounts are in {book.currency}.")
if not inventory.error:
    savings = savings_of(registries, book.by_region, contents.untagged_bytes(who), book.days)
    show_metrics(
        [
            saving_figure(savings, book.currency, listed, billed=known_currency),
            *figures_of(reviews, listed, book.currency),
        ]
    )
    show_beyond(savings, book.currency)
    show_reviews(reviews, listed, book, compare)

check_url("show", "tab", TABS)
check_url("region", "region", regions)
tabs = dict(zip(TABS, st.tabs(list(TABS), on_change="rerun", key="show", bind="query-params"), strict=True))
with tabs[COMPARE]:
    # The questions are there in every tab: their answers are in the URL, and other tabs use them.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=320):
            start = choose_start(listed)
        home = regions.index(start.location if start else ELSEWHERE)
        region = st.selectbox("Region", regions, home, key="region", bind="query-params", width=200)
        actions = st.container(width="content")
    if start is None and st.query_params.get("registry") and (inventory.error or show_unknown(listed)):
        st.stop()  # Not the empty form in place of the registry that was asked for.
    advice = st.container()
    with st.expander("Requirements", icon=":material/checklist:", expanded=start is None):
        needs = ask(start)
prices = book.by_region.get(region) or snapshot(region)
known = needs_known(start)
choice: Choice | None = None
try:
    choice = choose_sku(needs, prices, book.days)
except ValueError as exc:
    advice.error(
        f"{plain(str(exc))}. Choose another currency or region, or upload a price sheet.", icon=":material/error:"
    )

if tabs[COMPARE].open:
    with advice:
        if choice and known:
            show_choice(choice, book.days)
    with actions:
        best = choice.best.sku if choice and choice.best and known else None
        if start and st.button(f"Change SKU of {plain(start.name)}", icon=":material/swap_vert:"):
            change_sku(who, start, book, best)
    if choice and known:
        with tabs[COMPARE]:
            show_month(choice, prices.currency)
if tabs[BY_SIZE].open:
    ours = [
        Point(one.registry.name, sku, one.found.needs.stored_gib, one.present.total)
        for one in reviews
        if one.present and one.found.needs and (sku := sku_of(one.registry.sku))
    ]
    with tabs[BY_SIZE]:
        show_sizes(prices, book.days, ours)
if tabs[BY_REGIONS].open:
    with tabs[BY_REGIONS]:
        if known:
            show_regions(needs.stored_gib, prices, book.days)
        else:
            st.markdown("Unknown: not all that the registry uses could be read.")
if tabs[FEATURES].open:
    with tabs[FEATURES]:
        st.info(PRICE_NOTE, icon=":material/info:")
        show_features()
az_lines(*(show_usage(registry.name) for registry in ([start] if start else registries[:3])))
