"""All registries of all subscriptions: totals, a table with findings, and the way into each."""

import pyarrow as pa
import streamlit as st

from services.commands.registries import list_registries
from services.registries.findings import Finding, Risk, findings_of
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import show_error, show_refused
from ui.elements.page import az_lines, empty, header
from ui.elements.table import table_height, table_of
from ui.elements.text import size
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.inventory_filters import chosen, registry_filters
from ui.navigation.links import link_to, open_page
from ui.navigation.selection import key_of
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
reading = registry_loaders.inventory(who)
header(
    "Inventory",
    "Every registry that this identity sees, in all subscriptions.",
    None if reading.running else reading.at,
    lambda: registry_loaders.inventory.clear(who),
)
show_progress(reading, "inventory")
if reading.error:
    show_error(reading.error)
    st.stop()

inventory = reading.value
registries = inventory.registries.values
findings = {registry.id: findings_of(registry) for registry in registries}
show_refused(inventory.registries, "subscription", "subscriptions")
show_refused(inventory.counts, "catalogue", "catalogues")
if not registries:
    if not reading.running and not inventory.registries.untried:
        empty(
            ":material/inventory_2:",
            "No registries",
            "None of the subscriptions has one, or none lets this identity see it: Reader on a subscription is enough.",
        )
        link_to(pages.CREATE_REGISTRY)
    st.stop()

stored = [registry.stored_bytes for registry in registries if registry.stored_bytes is not None]
included = [registry.included_bytes for registry in registries if registry.included_bytes is not None]
high = sum(1 for found in findings.values() for finding in found if finding.risk is Risk.HIGH)
unlisted = len(registries) - len(inventory.repository_counts)
with st.grid(4, min_column_width=170):
    st.metric(
        "Registries",
        f"{len(registries):,}",
        delta=f"in {counted(len({registry.subscription_id for registry in registries}), 'subscription')}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    st.metric(
        "Repositories",
        f"{sum(inventory.repository_counts.values()):,}",
        delta=f"{counted(unlisted, 'registry', 'registries')} not listed" if unlisted else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="As far as this identity may list each registry's catalogue.",
    )
    st.metric(
        "Stored",
        size(sum(stored)),
        delta=f"of {size(sum(included))} included",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="In the home regions. Each replica is billed for as much again.",
    )
    st.metric(
        "Findings",
        f"{sum(len(found) for found in findings.values()):,}",
        delta=f"{high} of high risk",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def row(registry: Registry, found: tuple[Finding, ...]) -> dict[str, object]:
    stored, included = registry.stored_bytes, registry.included_bytes
    return {
        "Name": registry.name,
        "SKU": registry.sku,
        "Mode": registry.access.mode.value,
        "Network": registry.network.words,
        "Used": 100 * stored / included if stored is not None and included else None,
        "Findings": [finding.title for finding in found],
        "Repositories": inventory.repository_counts.get(registry.id),
        "Stored": size(stored),
        "Location": registry.location,
        "Subscription": registry.subscription,
        "Group": registry.resource_group,
    }


filters = registry_filters(registries, (finding.title for found in findings.values() for finding in found))
shown = [registry for registry in registries if chosen(registry, findings[registry.id], filters)]
if not shown:
    empty(":material/filter_alt_off:", "No registry matches", "Clear the search or a filter above.")
    st.stop()
rows = [row(registry, findings[registry.id]) for registry in shown]
selected = st.dataframe(
    table_of(rows, {"Used": pa.float64(), "Repositories": pa.int64()}),
    key="registries",
    height=table_height(len(rows)),
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    placeholder="–",
    alt="Registries, one a row",
    column_config={
        "Name": st.column_config.TextColumn(pinned=True),
        "Used": st.column_config.ProgressColumn(
            "Used of included",
            format="%.0f%%",
            min_value=0,
            max_value=100,
            width="small",
            help="Of the storage that the SKU's fee includes, which is no cap",
        ),
        "Findings": st.column_config.ListColumn(width="medium"),
    },
)
st.caption(f"{counted(len(shown), 'registry', 'registries')} shown. Select a row to open a registry, or name it here.")
keys = [key_of(registry, registries) for registry in shown]
named = st.selectbox("Open a registry", keys, index=None, placeholder="Name", width=320)
if opened := keys[selected.selection.rows[0]] if selected.selection.rows else named:
    open_page(pages.REGISTRY, registry=opened)
az_lines(*(list_registries(subscription) for subscription in sorted({registry.subscription_id for registry in shown})))
