"""Growth of all registries together: stacked by registry, or by a tag that their teams have in Azure."""

from collections.abc import Mapping, Sequence
from datetime import UTC

import pyarrow as pa
import streamlit as st

from services.connection.errors import ServiceError
from services.growth.estate import GroupGrowth, Totals, groups_by_tag, growth_of_groups, stack, tag_names
from services.growth.store import read_totals
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.chart_theme import show_chart, show_chart_title, theme_now
from ui.elements.columns import Sizes
from ui.elements.errors import show_error
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.skeleton import Shape, show_skeleton
from ui.elements.table import Cells, show_rows
from ui.growth.chart import growth_figure
from ui.growth.spans import choose_span, chosen_span
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.navigation.selection import keys_of
from ui.runtime.database import database

_SPAN = "span of all growth"
_MONTH, _QUARTER = 30, 91
OTHERS = "All others"


def show_estate_growth(registries: Sequence[Registry], *, running: bool = False) -> None:
    """Shows what these registries, those that the person sees, stored day by day, and what grew. `running`: more of
    them may be found yet."""
    try:
        totals = read_totals(database(), registries, chosen_span(_SPAN))
    except ServiceError as error:
        show_error(error)
        return
    if not totals and running:
        show_skeleton(Shape.TABLE)
        return
    if not totals:
        # What is older than the span is found with a longer one.
        choose_span(_SPAN)
        empty(
            ":material/trending_up:",
            "No growth known yet" if chosen_span(_SPAN) is None else "No growth known in this time",
            "Each day on which all of a registry was read is recorded, by the console itself or by a person.",
        )
        return
    keys = keys_of(registries)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tag = st.selectbox(
            "Stack by",
            ["", *tag_names(registries)],
            format_func=lambda name: f"Tag {name}" if name else "Registry",
            key="growth of all by",
            width=260,
            help="By the value that registries have of a tag in Azure, such as the team that they are of",
        )
        choose_span(_SPAN)
    groups = groups_by_tag(registries, tag) if tag else dict(keys)
    _show_stacked(totals, groups, by_tag=bool(tag))
    unread = [one for one in registries if one.id not in totals]
    if unread:
        st.caption(
            f"Unknown of {len(unread):,} of {counted(len(registries), 'registry', 'registries')}: they have no "
            "snapshot in this time, and are in no figure."
        )
    created = {one.id: one.created.astimezone(UTC).date() if one.created else None for one in registries}
    monthly = growth_of_groups(totals, groups, created, _MONTH)
    quarterly = {one.name: one for one in growth_of_groups(totals, groups, created, _QUARTER)}
    if tag:
        show_rows(
            [{"Value": one.name, "Registries": one.registries, **_cells(one, quarterly)} for one in monthly],
            "Values of the tag by growth, the most first",
            key=f"growth by tag {tag}",
            columns=_COLUMNS,
            types=_TYPES,
        )
        return
    ids = {name: id_ for id_, name in keys.items()}
    opened = openable(
        monthly,
        lambda one: {"Registry": one.name, **_cells(one, quarterly)},
        "growth of all registries",
        "Registries by growth, the most first",
        columns=_COLUMNS,
        types=_TYPES,
        identity=lambda one: ids[one.name],
    )
    if opened:
        open_page(pages.STORAGE, registry=opened.name, show="Growth")


_COLUMNS = {
    "Now": Sizes("By the last snapshot"),
    "In 30 days": Sizes("Of the registries whose size was known then and is since. Below zero: it shrank"),
    "In 91 days": Sizes("Of the registries whose size was known then and is since. Below zero: it shrank"),
}
_TYPES = {"In 30 days": pa.int64(), "In 91 days": pa.int64(), "Note": pa.string()}


def _cells(one: GroupGrowth, quarterly: Mapping[str, GroupGrowth]) -> Cells:
    longer = quarterly[one.name]
    note = ""
    if one.unknown:
        note = f"Unknown in 30 days of {counted(one.unknown, 'registry', 'registries')}"
    elif longer.unknown:
        note = f"Unknown in 91 days of {counted(longer.unknown, 'registry', 'registries')}"
    return {
        "Now": one.now,
        "In 30 days": one.grown,
        "In 91 days": longer.grown,
        "Note": note or None,
    }


def _show_stacked(totals: Totals, groups: Mapping[str, str], *, by_tag: bool) -> None:
    show_chart_title("What all registries stored")
    show_chart(
        growth_figure(stack(totals, groups), None, None, theme_now(), others=OTHERS),
        f"Areas of the bytes by {'value of the tag' if by_tag else 'registry'} over the days that were recorded. "
        "The table has what grew.",
    )
    first = min(min(days) for days in totals.values())
    later = sum(min(days) > first for days in totals.values())
    since = f" Of {counted(later, 'registry', 'registries')} the first snapshot came later: before it, they are not in "
    st.caption(
        f"Snapshots since {first:%Y-%m-%d}, between two as in the one before.{f'{since}the areas.' if later else ''}"
    )
