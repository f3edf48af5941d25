"""All registries of all subscriptions: totals, and a table with findings that opens each registry."""

import pyarrow as pa
import streamlit as st

from services.commands.registries import list_registries
from services.registries.findings import Risk, findings_of, unread_findings
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.errors import show_error, show_refused
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import openable
from ui.elements.table import TEXTS
from ui.elements.text import size
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.inventory_filters import passes, registry_filters
from ui.navigation.links import link_to, open_by_button, open_page
from ui.navigation.selection import key_of, show_no_registries
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
reading = registry_loaders.inventory(who)
with header(
    pages.INVENTORY.title,
    "",
    None if reading.running else reading.at,
    lambda: registry_loaders.inventory.clear(who),
):
    open_by_button(pages.CREATE_REGISTRY)
show_progress(reading, "inventory")
if reading.error:
    show_error(reading.error)
    st.stop()

inventory = reading.value
registries = inventory.registries.values
findings = {registry.id: findings_of(registry) for registry in registries}
usages = inventory.usages
show_refused(inventory.registries, "subscription", "subscriptions")
if not reading.running:
    show_refused(usages, "registry's usage", "registries' usage")
show_refused(inventory.counts, "catalogue", "catalogues")
if not registries:
    if not reading.running:
        show_no_registries(inventory.registries)
        if inventory.registries.complete:
            link_to(pages.CREATE_REGISTRY)
    st.stop()

stored = [registry.stored_bytes for registry in registries if registry.stored_bytes is not None]
included = [registry.included_bytes for registry in registries if registry.included_bytes is not None]
high = sum(1 for found in findings.values() for finding in found if finding.risk is Risk.HIGH)
unlooked = sum(1 for registry in registries if unread_findings(registry))
unread = "not read yet" if reading.running else "unread"
why = "not read yet" if reading.running else "could not be read"


def lacking(number: int, of: str) -> str:
    """What a figure lacks: of how many registries it is not known, or that subscriptions refused."""
    if number:
        return f"{number:,} of {len(registries):,} {of} {unread}"
    refused = len(inventory.registries.refused) + inventory.registries.untried
    return f"{counted(refused, 'subscription')} unread" if refused else ""


show_metrics(
    [
        Metric(
            "Registries",
            len(registries),
            beside=f"in {counted(len({registry.subscription_id for registry in registries}), 'subscription')}",
            lacks=lacking(0, ""),
        ),
        Metric(
            "Repositories",
            sum(inventory.repository_counts.values()) if inventory.repository_counts else None,
            help="In the catalogues that this identity may list.",
            unknown=f"catalogues {why}.",
            lacks=lacking(len(registries) - len(inventory.repository_counts), "catalogues"),
        ),
        Metric(
            "Stored",
            size(sum(stored)) if stored else None,
            help="In the home regions. Azure bills the same amount again for each replica."
            + (f" The fees of the registries that were read include {size(sum(included))}." if included else ""),
            beside=f"of {size(sum(included))} included" if included else "",
            unknown=f"usages {why}.",
            lacks=lacking(len(registries) - len(stored), "usages"),
        ),
        Metric(
            "Findings",
            sum(len(found) for found in findings.values()),
            help="Not looked for where the usage is unknown: over the included storage, or nearly." if unlooked else "",
            beside=f"{high:,} high risk",
            lacks=lacking(unlooked, "usages"),
        ),
    ]
)


def row(registry: Registry) -> dict[str, object]:
    stored, included = registry.stored_bytes, registry.included_bytes
    return {
        "Name": registry.name,
        "SKU": registry.sku,
        "Mode": registry.access.mode.value,
        "Network": registry.network.words,
        "Used": 100 * stored / included if stored is not None and included else None,
        "Findings": [
            *(finding.title for finding in findings[registry.id]),
            *(f"{title} unknown" for title in unread_findings(registry)),
        ],
        "Repositories": inventory.repository_counts.get(registry.id),
        "Stored": stored,
        "Location": registry.location,
        "Subscription": registry.subscription,
        "Resource group": registry.resource_group,
    }


filters = registry_filters(registries, (finding.title for found in findings.values() for finding in found))
shown = [registry for registry in registries if passes(registry, findings[registry.id], filters)]
if not shown:
    empty(":material/filter_alt_off:", "No registry matches", "Clear the search or a filter above.")
    st.stop()
picked = openable(
    shown,
    row,
    "registries",
    "Registries, one per row",
    columns={
        "Used": st.column_config.ProgressColumn(
            "Used of included",
            format="%.0f%%",
            min_value=0,
            max_value=100,
            width="small",
            help="Of the storage that the SKU's fee includes. It is not a limit",
        ),
        "Findings": st.column_config.ListColumn(width="medium"),
        "Stored": Sizes("In the home region"),
    },
    types={"Used": pa.float64(), "Findings": TEXTS, "Repositories": pa.int64()},
    identity=lambda registry: registry.id,
)
st.caption(f"{counted(len(shown), 'registry', 'registries')} shown.")
if picked:
    open_page(pages.REGISTRY, registry=key_of(picked, registries))
az_lines(*(list_registries(subscription) for subscription in sorted({registry.subscription_id for registry in shown})))
