"""How a plan of a removal of tags is shown: its figures, the tags with their ages, and folded which stay and why."""

from collections.abc import Mapping

import pyarrow as pa
import streamlit as st

from services.deletion.plan_rows import NOT_CHOSEN
from services.images.repositories import Tag, last_update_of
from services.images.repository_contents import RepositoryContents
from services.images.tagging import UntagPlan
from services.wording import counted
from ui.deletion.places import Places
from ui.elements.columns import ago_column
from ui.elements.metrics import Metric, show_metrics
from ui.elements.table import UTC, show_rows
from ui.elements.text import ago, exact, short, size


def show_untag(places: Places, plan: UntagPlan, tags: Mapping[str, Tag], contents: RepositoryContents) -> None:
    """Shows the figures of a removal of tags, the table of them, and in a closed expander the tags that stay."""
    with places.figures:
        _show_figures(plan, tags, contents)
    with places.folded:
        _show_kept(plan, contents)
    with places.lists:
        _show_removed(plan, tags, contents)


def _show_figures(plan: UntagPlan, tags: Mapping[str, Tag], contents: RepositoryContents) -> None:
    updates = [updated for item in plan.unblocked if (updated := tags[item.tag].updated)]
    show_metrics(
        [
            Metric("Tags to remove", len(plan.unblocked), beside=f"of {counted(len(contents.tags), 'tag')}"),
            Metric("Left untagged", len(plan.left_untagged), beside="pulled by digest alone"),
            Metric("Frees", size(0), help="The manifests and their layers stay, and pulls by digest still work."),
            Metric(
                "Last update",
                ago(max(updates)) if updates else None,
                beside=f"oldest {ago(min(updates))}" if updates else "",
                help=exact(max(updates)) if updates else "",
                unknown="the registry reports no time.",
            ),
        ]
    )


def _show_removed(plan: UntagPlan, tags: Mapping[str, Tag], contents: RepositoryContents) -> None:
    pushed = {row.digest: row.created for row in contents.rows}
    removed = sorted(plan.unblocked, key=lambda item: last_update_of(tags[item.tag]))
    if removed:
        show_rows(
            [
                {
                    "Tag": item.tag,
                    "Last update": tags[item.tag].updated,
                    "Manifest": short(item.digest),
                    "Manifest pushed": pushed.get(item.digest),
                    "Left untagged": item.digest in plan.left_untagged,
                }
                for item in removed
            ],
            "Tags to remove, the oldest first",
            key="tags to remove",
            columns={"Last update": ago_column(), "Manifest pushed": ago_column()},
            types={"Last update": UTC, "Manifest pushed": UTC},
        )


def _show_kept(plan: UntagPlan, contents: RepositoryContents) -> None:
    kept = [item for item in plan.items if item.blocker]
    rest = len(contents.tags) - len(plan.items)
    facts = [f"{len(kept):,} locked" if kept else "", f"{rest:,} not chosen" if rest else ""]
    if not (kept or rest):
        return
    label = f"{counted(len(kept) + rest, 'tag stays', 'tags stay')}: {', '.join(fact for fact in facts if fact)}"
    chosen = {item.tag for item in plan.items}
    with st.expander(label, icon=":material/lock:"):
        show_rows(
            [
                *({"Tag": item.tag, "Stays": "locked", "Reason": item.blocker} for item in kept),
                *(
                    {"Tag": tag.name, "Stays": NOT_CHOSEN, "Reason": None}
                    for tag in contents.tags
                    if tag.name not in chosen
                ),
            ],
            "Tags that stay, and why",
            key="tags that stay",
            columns={"Reason": st.column_config.TextColumn(width="large")},
            types={"Reason": pa.string()},
        )
