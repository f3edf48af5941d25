"""Registries by cost or by size: the first of them, each opening its page."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import streamlit as st

from services.costs.review import ReviewLine
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.selectable_table import openable
from ui.elements.styled_table import included_column, stored_column
from ui.elements.text import as_option
from ui.estate.places import place_of_registry
from ui.navigation import pages
from ui.navigation.links import link_to, open_page

SHOWN = 15
BY_COST, BY_SIZE = "By cost", "By size"


def show_registries(
    registries: Sequence[Registry], lines: Sequence[ReviewLine], currency: str, unread: Collection[str]
) -> None:
    """A table of `SHOWN` registries, with bars. `lines`: the month's review; amounts are those in `currency`.
    `unread`: the subscriptions whose bill could not be read."""
    known = {line.registry_id: line for line in lines if line.currency == currency and line.figure is not None}
    by = st.segmented_control(
        "Sort",
        [BY_COST, BY_SIZE],
        default=BY_COST,
        key="sort",
        required=True,
        label_visibility="collapsed",
        format_func=as_option,
    )

    def cost(registry: Registry) -> float | None:
        line = known.get(registry.id.casefold())
        return float(line.figure) if line and line.figure is not None else None

    def source(registry: Registry) -> str:
        line = known.get(registry.id.casefold())
        if line is None:
            return "Unknown"
        if line.cost is not None:
            return "Bill"
        return "Estimate, bill unread" if registry.subscription in unread else "Estimate, no bill"

    def stored(registry: Registry) -> float | None:
        return registry.stored_bytes

    value = stored if by == BY_SIZE else cost
    ordered = sorted(registries, key=lambda registry: (-(value(registry) or 0), registry.name))[:SHOWN]
    picked = openable(
        ordered,
        lambda registry: {
            "Registry": registry.name,
            "Month": cost(registry),
            "Cost from": source(registry),
            "Stored": registry.stored_bytes,
            "Included": registry.included_bytes,
            "SKU": registry.sku,
            "Subscription": registry.subscription,
        },
        f"registries {by}",
        f"Registries {'by size' if by == BY_SIZE else 'by cost'}, the largest first",
        columns={
            "Month": st.column_config.ProgressColumn(
                f"Month ({currency or 'no price'})",
                format="%.2f",
                min_value=0,
                max_value=max((cost(one) or 0 for one in registries), default=0) or 1.0,
                help="The forecast of the whole month; of a registry without a bill, the estimate",
            ),
            "Stored": stored_column(),
            "Included": included_column(),
        },
        types={"Month": pa.float64(), "Stored": pa.int64(), "Included": pa.int64()},
        identity=lambda registry: registry.id,
    )
    if picked:
        page, query = place_of_registry(picked, registries)
        open_page(page, **query)
    if len(registries) > SHOWN:
        link_to(pages.INVENTORY, f"All {counted(len(registries), 'registry', 'registries')}")
