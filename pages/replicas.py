"""A registry's regions in a table, and the dialogs that add and delete a replica, with its cost."""

import streamlit as st

from services.commands import child_resources as az_child_resources
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.registries.registry import Registry, Replication
from services.registries.skus import Sku, sku_of
from services.wording import counted
from ui.child_resources import replications
from ui.elements.columns import ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, empty, header
from ui.elements.table import UTC, show_rows
from ui.elements.text import plain
from ui.elements.writing import may_write, show_read_only
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, registry_steps
from ui.pricing.prices import choose_prices
from ui.runtime import connection

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}


def show_all(registry: Registry, existing: Partial[Replication]) -> None:
    replicas = [one for one in existing.values if not one.home]
    st.markdown(
        f"Home region: {plain(registry.location)}. {counted(len(replicas), 'replica')}. The nearest region serves a "
        "pull; Azure bills each region as a separate registry."
    )
    book = choose_prices(who, [registry.location])
    with actions:
        if st.button("Add replica", icon=":material/add:", type="primary", disabled=not may_write()):
            replications.add(who, registry, existing, book)
        if replicas and st.button("Delete replica", icon=":material/delete:", disabled=not may_write()):
            replications.delete(who, registry, existing, book)
    show_partial(Part(existing, "replica"))
    if not replicas and not existing.refused:
        empty(
            ":material/public:",
            "No replicas",
            "A replica serves pulls in its region, even if the home region fails.",
        )
    if not existing.values:
        return
    search = st.text_input(
        "Search", key="search", type="search", placeholder="Part of a region", bind="query-params", width=320
    )
    shown = [one for one in existing.values if (search or "").casefold().strip() in one.region]
    if not shown:
        empty(":material/filter_alt_off:", "No region matches", "Clear the search above.")
        return
    rows = [
        {
            "Region": one.region,
            "Role": "Home" if one.home else "Replica",
            "Status": one.status,
            "Status changed": one.status_at,
            "Provisioning state": one.provisioning_state,
            "Pull routing": "Enabled" if one.routed else "Disabled",
        }
        for one in shown
    ]
    show_rows(
        rows,
        "The regions of the registry, the home region first",
        columns={"Status changed": ago_column()},
        types={"Status changed": UTC},
    )


listed = selection.registry_of_url(who, pages.REPLICAS)
top = st.container()
replications.show_changes(who, listed)  # Before anything is read: a change that has just ended makes it stale.
existing: Partial[Replication] | None = None
at, failure, registry = None, None, listed
try:
    registry = registry_loaders.registry(who, listed.id).value
    loaded = replications.listed(who, registry)
    existing, at = loaded.value, loaded.at
except ServiceError as error:
    failure = error
with top:
    actions = header(
        "Replicas",
        f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
        at,
        lambda: replications.forget(who, registry),
        (*registry_steps(listed.name, **here), last_step(pages.REPLICAS.title)),
    )
show_read_only()
if sku_of(registry.sku) is not Sku.PREMIUM and not (existing and existing.values):
    empty(
        ":material/public_off:",
        "Premium only",
        f"{plain(registry.sku)} does not support replicas. See what Premium would cost.",
    )
    link_to(pages.SKU_COMPARISON, **here)
elif failure:
    show_error(failure)
elif existing is not None:
    show_all(registry, existing)
    az_lines(az_child_resources.list_replicas(registry.name))
