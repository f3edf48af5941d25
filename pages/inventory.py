"""All registries of all subscriptions, what needs attention first: a table that opens each, and filters with counts."""

import pyarrow as pa
import streamlit as st

from services.commands.registries import list_registries
from services.connection.parallel import Partial
from services.registries.findings import Risk, findings_of, unread_findings
from services.registries.ranking import rank_findings, titles_by_risk, widespread
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import money_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import Metric, show_line
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import openable
from ui.elements.skeleton import Shape
from ui.elements.styled_table import Worded, included_column, stored_column
from ui.elements.table import TEXTS
from ui.elements.text import size
from ui.loaders import registries as registry_loaders
from ui.loaders.registry_costs import RegistryCosts, costs_of
from ui.navigation import pages
from ui.navigation.inventory_filters import passes, registry_filters
from ui.navigation.links import open_by_button, open_page
from ui.navigation.selection import key_of, show_no_registries
from ui.navigation.url_choice import keep_for_visit
from ui.runtime import connection
from ui.runtime.background import BLINK_S, rerun_when_done, show_progress

who = connection.who()
reading = registry_loaders.inventory(who)
with header(
    pages.INVENTORY.title,
    "",
    None if reading.running else reading.at,
    lambda: registry_loaders.inventory.clear(who),
):
    open_by_button(pages.CREATE_REGISTRY)
nothing = reading.running and not reading.value.registries.values
show_progress(reading, "inventory", shape=Shape.TABLE if nothing else None)
if reading.error:
    show_error(reading.error)
    st.stop()

inventory = reading.value
registries = inventory.registries.values
costing = None if reading.running or not registries else costs_of(who, reading.at)
if costing:
    costing.finished.wait(BLINK_S)
costs = costing.value if costing else RegistryCosts()
unread_bills = Partial[object]((), costs.bills.refused)
usages = Partial[object]((), inventory.usages.refused) if reading.running else inventory.usages
show_partial(
    Part(inventory.registries, "subscription"),
    Part(usages, "registry's usage", "registries' usage"),
    Part(inventory.counts, "catalogue"),
    Part(unread_bills, "bill"),
)
if not registries:
    if not reading.running:
        show_no_registries(inventory.registries)
    st.stop()

found = {registry.id: findings_of(registry) for registry in registries}
ranked = rank_findings(found)
everyday = widespread(found.values())
at_high_risk = sum(1 for one in ranked.values() if one.worst and one.worst.risk is Risk.HIGH)
stored = [registry.stored_bytes for registry in registries if registry.stored_bytes is not None]
included = [registry.included_bytes for registry in registries if registry.included_bytes is not None]
unlooked = sum(1 for registry in registries if unread_findings(registry))
unread = "not read yet" if reading.running else "unread"
why = "not read yet" if reading.running else "could not be read"


def lacking(number: int, of: str) -> str:
    """What a figure lacks: of how many registries it is not known, or that subscriptions refused."""
    if number:
        return f"{number:,} of {len(registries):,} {of} {unread}"
    refused = len(inventory.registries.refused) + inventory.registries.untried
    return f"{counted(refused, 'subscription')} unread" if refused else ""


show_line(
    [
        Metric(
            "registries" if len(registries) != 1 else "registry",
            len(registries),
            beside=f"in {counted(len({registry.subscription_id for registry in registries}), 'subscription')}",
            lacks=lacking(0, ""),
        ),
        Metric(
            "repositories",
            sum(inventory.repository_counts.values()) if inventory.repository_counts else None,
            help="In the catalogues that this identity may list.",
            unknown=f"catalogues {why}.",
            lacks=lacking(len(registries) - len(inventory.repository_counts), "catalogues"),
        ),
        Metric(
            "stored",
            size(sum(stored)) if stored else None,
            help="In the home regions. Azure bills the same amount again for each replica."
            + (f" The fees of the registries that were read include {size(sum(included))}." if included else ""),
            unknown=f"usages {why}.",
            lacks=lacking(len(registries) - len(stored), "usages"),
        ),
        Metric(
            "at high risk",
            at_high_risk,
            help="Not looked for where the usage is unknown: over the included storage, or nearly." if unlooked else "",
            lacks=lacking(unlooked, "usages"),
        ),
    ]
)
filters = registry_filters(registries, titles_by_risk(found.values()), at_high_risk)


# Costs that arrive later do not move a row that a person is about to click.
costs_of_order = keep_for_visit(("costs of the order", who, reading.at), costs.costs)


def place(registry: Registry) -> tuple[int, float, str]:
    """The highest risk first, then the highest cost of those that were known when the page was entered."""
    cost = costs_of_order.get(registry.id.casefold())
    return ranked[registry.id].rank, -float(cost.amount) if cost else 0.0, registry.name


shown = sorted((registry for registry in registries if passes(registry, found[registry.id], filters)), key=place)
if not shown:
    empty(":material/filter_alt_off:", "No registry matches", "Clear the search or a filter above.")
    st.stop()
currencies = sorted({cost.currency for cost in costs.costs.values()})
MONTH = f"Cost a month ({currencies[0]})" if len(currencies) == 1 else "Cost a month"


ESTIMATED = "Estimate, no bill" if costs.bills.complete else "Estimate, not all bills read"
SIGNS = {Risk.HIGH: "▲ ", Risk.MEDIUM: "● ", Risk.LOW: ""}
COLOURS = {Risk.HIGH: "red", Risk.MEDIUM: "orange", Risk.LOW: "gray"}


def attention(registry: Registry) -> list[str]:
    """The worst finding with its sign, how many more there are, and what was refused: while usages are read,
    the line above says so for all."""
    one = ranked[registry.id]
    unknown = unread_findings(registry, reading=reading.running)
    worst = [f"{SIGNS[one.worst.risk]}{one.worst.title}"] if one.worst else []
    more = [f"+{one.more}"] if one.more else []
    return [*worst, *more, *(f"{title} unknown" for title in unknown)]


def row(registry: Registry) -> dict[str, object]:
    cost = costs.costs.get(registry.id.casefold())
    change = cost.change if cost else None
    cells: dict[str, object] = {
        "Name": registry.name,
        "Needs attention": attention(registry),
        MONTH: float(cost.amount) if cost else None,
        "Change": float(change) if change is not None else None,
        "Stored": registry.stored_bytes,
        "Included": registry.included_bytes,
        "SKU": registry.sku,
        "Cost from": (ESTIMATED if cost.estimated else "Bill") if cost else None,
        "Repositories": inventory.repository_counts.get(registry.id),
        "Network": registry.network.words,
        "Mode": registry.access.mode.value,
        "Location": registry.location,
        "Subscription": registry.subscription,
        "Resource group": registry.resource_group,
    }
    if len(currencies) > 1:
        cells["Currency"] = cost.currency if cost else None
    return cells


badges = {label: "gray" for registry in shown for label in attention(registry)}
badges |= {f"{SIGNS[one.risk]}{one.title}": COLOURS[one.risk] for ones in found.values() for one in ones}
without = f", without those of more than half of the registries: {', '.join(everyday)}" if everyday else ""
picked = openable(
    shown,
    row,
    "registries",
    "Registries, one per row, those that need attention first",
    columns={
        "Needs attention": st.column_config.MultiselectColumn(
            options=list(badges), color=list(badges.values()), width="medium", help=f"▲ high risk, ● medium{without}"
        ),
        MONTH: money_column("This month by its end, or at list prices where no bill has it"),
        "Change": Worded("{:+,.2f}".format, "To the month before, which was billed"),
        "Stored": stored_column(),
        "Included": included_column(),
    },
    types={
        "Needs attention": TEXTS,
        MONTH: pa.float64(),
        "Cost from": pa.string(),
        "Repositories": pa.int64(),
        "Currency": pa.string(),
    },
    identity=lambda registry: registry.id,
)
if picked:
    open_page(pages.REGISTRY, registry=key_of(picked, registries))
of_all = f" of {len(registries):,}" if len(shown) < len(registries) else ""
st.caption(f"{counted(len(shown), 'registry', 'registries')}{of_all} shown.")
if costing:
    rerun_when_done(costing)
az_lines(*(list_registries(subscription) for subscription in sorted({registry.subscription_id for registry in shown})))
