"""Basic, Standard or Premium: what each has, what it would cost, and which one each registry should be."""

from decimal import Decimal

import pyarrow as pa
import streamlit as st

from services.az_commands import show_usage
from services.break_even import cost_at, cost_by_regions, crossings
from services.estimates import Part
from services.money import cents, money
from services.price_snapshot import snapshot
from services.sku_choice import SkuReview, choose_sku, review_sku
from services.skus import FEATURES, PRICE_NOTE, Sku, sku_of
from ui import connection, loaders
from ui.chart_theme import show_chart, theme_now
from ui.errors import show_error, show_refused
from ui.page import az_lines, empty, header
from ui.prices import choose_prices
from ui.reading import show_progress
from ui.sku_change import change_sku, show_changes
from ui.sku_charts import Point, bends, parts_figure, regions_figure, sizes_figure
from ui.sku_questions import ask, choose_start
from ui.table import table_height, table_of
from ui.text import plain

MONEY = pa.decimal128(38, 2)
ELSEWHERE = "eastus"

who = connection.who()
inventory = loaders.inventory(who)
header(
    "SKU comparison",
    "What Basic, Standard and Premium have, what they cost, and which one each registry should be.",
    None if inventory.running else inventory.at,
    lambda: loaders.inventory.clear(who),
)
show_progress(inventory, "inventory")
if inventory.error:
    show_error(inventory.error)
registries = inventory.value.registries.values
show_refused(inventory.value.registries, "subscription", "subscriptions")
show_changes()

st.subheader("Which one should I consider?", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    start = choose_start(registries)
    regions = sorted({registry.location for registry in registries} | {ELSEWHERE})
    home = start.location if start else ELSEWHERE
    region = st.selectbox("Region", regions, regions.index(home), key="region", bind="query-params", width=200)
book = choose_prices(who, regions)
prices = book.by_region.get(region) or snapshot(region)
needs = ask(start)
try:
    choice = choose_sku(needs, prices, book.days)
except ValueError as exc:
    st.error(f"{plain(str(exc))}. Choose another currency or region, or give a price sheet.", icon=":material/error:")
    st.stop()
if choice.best:
    st.success(
        f"**{choice.best.sku}**, {money(choice.best.estimate.total, book.currency)} a month of {book.days} days.",
        icon=":material/recommend:",
    )
for reason in choice.reasons:
    st.markdown(f"- {plain(reason)}")
for option in choice.cheaper:
    less = money(option.estimate.total, book.currency)
    st.markdown(f"- {option.sku} would cost {less}, but: {plain(' '.join(option.lacks))}")
for unpriced in choice.options[-1].estimate.unpriced:
    st.warning(f"{unpriced}: no price is known, so the figure is too low.", icon=":material/warning:")

st.subheader("A month by SKU", anchor=False)
estimates = [option.estimate for option in choice.options]
show_chart(
    parts_figure(estimates, [option.sku for option in choice.options if option.lacks], theme_now()),
    "What a month costs with each SKU, by part. The table below has the same numbers.",
)
st.dataframe(
    table_of(
        [
            {
                "SKU": option.sku.value,
                **{part.value: cents(option.estimate.of(part)) for part in Part},
                f"{book.currency} a month": cents(option.estimate.total),
                "Lacks": " ".join(option.lacks),
            }
            for option in choice.options
        ],
        {part.value: MONEY for part in Part},
    ),
    key="by SKU",
    hide_index=True,
    height="content",
    alt="What a month costs with each SKU, by part",
)

reviews = [review_sku(registry, book.by_region, book.days) for registry in registries]
st.subheader("Cost against size", anchor=False)
ours = [
    Point(one.registry.name, sku, one.found.needs.stored_gib, one.present.total)
    for one in reviews
    if one.present and one.found.needs and (sku := sku_of(one.registry.sku))
]
show_chart(
    sizes_figure(prices, book.days, ours, theme_now()),
    "What a month costs by GiB stored, a line a SKU, with the crossings and our registries. The table has the numbers.",
)
found = crossings(prices, book.days)
for crossing in found:
    st.markdown(
        f"- From **{cents(crossing.gib).normalize():f} GiB** on, {crossing.above} costs less than {crossing.below}: "
        f"{money(crossing.amount, book.currency)} there."
    )
st.caption(
    f"In {region}, for a month of {book.days} days, without replicas and builds. Our registries are at what they cost "
    "with all that they use, so replicas lift them above the lines."
)
sizes = sorted({*bends(), Decimal(25), Decimal(250), Decimal(1024), *(crossing.gib for crossing in found)})
st.dataframe(
    table_of(
        [
            {
                "GiB stored": cents(at),
                **{f"{sku}, {book.currency}": cents(cost_at(sku, at, prices, book.days)) for sku in Sku},
            }
            for at in sizes
        ]
    ),
    key="by size",
    hide_index=True,
    height="content",
    alt="What a month costs by GiB stored",
)

st.subheader("Geo-replication", anchor=False)
show_chart(
    regions_figure(needs.stored_gib, prices, book.days, theme_now()),
    "What Premium costs a month by number of regions. The table below has the same numbers.",
)
st.caption(
    "Each replica region costs its own fee, and storage from the first GiB: what is stored counts again in each. "
    "Traffic between regions is billed as bandwidth, and not in here."
)
st.dataframe(
    table_of(
        [
            {"Regions": number, f"{book.currency} a month": cents(amount)}
            for number, amount in enumerate(cost_by_regions(needs.stored_gib, prices, book.days), 1)
        ]
    ),
    key="by regions",
    hide_index=True,
    height="content",
    width=320,
    alt="What Premium costs a month by number of regions",
)


def row(review: SkuReview) -> dict[str, object]:
    best = review.choice.best if review.choice else None
    return {
        "Registry": review.registry.name,
        "SKU": review.registry.sku,
        "In use": list(review.found.evidence),
        "Now": cents(review.present.total) if review.present else None,
        "Should be": best.sku.value if best else None,
        "Saving": cents(review.saving) if review.saving is not None else None,
        "Cheaper, but": f"{review.blocked.sku}: {' '.join(review.blocked.lacks)}" if review.blocked else review.unknown,
        "Subscription": review.registry.subscription,
    }


st.subheader("Our registries", anchor=False)
if not reviews:
    empty(
        ":material/inventory_2:",
        "No registries",
        "None of the subscriptions has one, or none lets this identity see it.",
    )
else:
    reviews.sort(key=lambda one: (-(one.saving or 0), one.registry.name))
    saved = sum((one.saving for one in reviews if one.saving), Decimal(0))
    st.markdown(
        f"With the cheapest SKU that has all that each uses: **{money(saved, book.currency)}** less a month. "
        "Select a row to plan a change."
    )
    amount = st.column_config.NumberColumn(format="%.2f", help=f"{book.currency} a month of {book.days} days")
    selected = st.dataframe(
        table_of([row(one) for one in reviews], {"Now": MONEY, "Saving": MONEY, "Should be": pa.string()}),
        key="reviews",
        height=table_height(len(reviews)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt="Registries, with the SKU that each should be",
        column_config={
            "Registry": st.column_config.TextColumn(pinned=True),
            "In use": st.column_config.ListColumn(width="medium"),
            "Now": amount,
            "Saving": amount,
        },
    )
    st.caption(
        "Found in each registry's settings. Request rates and builds are not known there; connected registries are "
        "looked for when a change is planned."
    )
    if selected.selection.rows:
        chosen = reviews[selected.selection.rows[0]]
        best = chosen.choice.best.sku if chosen.choice and chosen.choice.best else None
        if st.button(f"Plan another SKU for {plain(chosen.registry.name)}", icon=":material/swap_vert:"):
            change_sku(who, chosen.registry, book, best)

st.subheader("Features and limits", anchor=False)
st.dataframe(
    table_of(
        [
            {
                "Feature": feature.name,
                **{sku.value: feature.of(sku) for sku in Sku},
                "The guide": feature.guide,
                "Source": feature.source.url,
                "As of": feature.source.read,
            }
            for feature in FEATURES
        ]
    ),
    key="features",
    height="content",
    hide_index=True,
    alt="Features and limits of Basic, Standard and Premium",
    column_config={
        "Feature": st.column_config.TextColumn(pinned=True),
        "The guide": st.column_config.TextColumn("Where the guide is out of date", width="large"),
        "Source": st.column_config.LinkColumn(display_text=r"container-registry/(.*)"),
    },
)
st.info(PRICE_NOTE, icon=":material/info:")
st.markdown(
    "Standard is never the cheapest for storage: choose it for anonymous pull, more webhooks or more tokens. From "
    "500 GiB on Premium costs less than both."
)
az_lines(*(show_usage(registry.name) for registry in ([start] if start else registries[:3])))
