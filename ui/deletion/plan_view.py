"""How a plan of a deletion is shown: its figures, what is deleted with its age, and folded what stays and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import streamlit as st

from services.deletion.plan import Why
from services.deletion.plan_rows import NOT_CHOSEN, DeletedManifest, KeptManifest, count_kinds
from services.images.repositories import Tag, last_update_of
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_bytes
from services.images.tagging import UntagPlan
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.metrics import Metric, show_metrics
from ui.elements.table import TEXTS, UTC, indented, show_rows
from ui.elements.text import ago, exact, plain, short, size
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to

_WHY = {
    Why.CHOSEN: "Chosen",
    Why.CHILD: "Part of {}",
    Why.REFERRER: "Refers to {}",
    Why.ATTACHED: "Attached to {}",
}


@dataclass(frozen=True)
class _Freed:
    """The bytes that a deletion frees. `at_most`: why it may be less, "" where it is exact."""

    bytes: int
    at_most: str
    counted_at: datetime | None


def show_deletion(
    who: str,
    registry: Registry,
    contents: RepositoryContents,
    deleted: Sequence[DeletedManifest],
    kept: Sequence[KeptManifest],
    stays: tuple[str, str] = ("manifest stays", "manifests stay"),
) -> None:
    """Shows the figures of a deletion, the table of what is deleted, and in a closed expander what stays. `stays`: what
    one and many that stay are called."""
    policy = registry_loaders.soft_delete(who, registry)
    freed = _freed(who, registry, contents, [one.item.digest for one in deleted])
    _show_figures(deleted, freed, policy.days, unread=not contents.complete)
    if policy.notice and deleted:
        st.info(plain(policy.notice), icon=":material/auto_delete:")
    if deleted:
        _show_deleted(deleted, unread=not contents.complete)
        if freed.counted_at is None:
            link_to(pages.STORAGE, "Read the registry for the exact size", registry=st.query_params["registry"])
    _show_kept(kept, stays)


def _show_figures(deleted: Sequence[DeletedManifest], freed: _Freed, days: int | None, *, unread: bool) -> None:
    pushes = [one.row.created for one in deleted if one.row.created]
    tags = sum(len(one.item.tags) for one in deleted)
    unknown = "the registry reports no time." if deleted else "nothing is deleted."
    read = f" The other repositories were read {ago(freed.counted_at)}." if freed.counted_at else ""
    show_metrics(
        [
            Metric(
                "Manifests to delete",
                None if unread and not deleted else len(deleted),
                beside=f"with {counted(tags, 'tag')}" if deleted or not unread else "",
                unknown="not every manifest could be read.",
            ),
            Metric(
                "Frees",
                f"{'≤ ' if freed.at_most else ''}{size(freed.bytes)}" if deleted else None,
                help=f"{freed.at_most}{read}".strip(),
                beside=_when(days) or ("shared layers stay" if freed.at_most else ""),
                unknown=unknown,
            ),
            Metric(
                "Oldest push",
                ago(min(pushes)) if pushes else None,
                beside=f"{min(pushes):%Y-%m-%d}" if pushes else "",
                help=exact(min(pushes)) if pushes else "",
                unknown=unknown,
            ),
            Metric(
                "Last push",
                ago(max(pushes)) if pushes else None,
                beside=f"{max(pushes):%Y-%m-%d}" if pushes else "",
                help=exact(max(pushes)) if pushes else "",
                unknown=unknown,
            ),
        ]
    )


def _when(days: int | None) -> str:
    """When soft delete frees the bytes; "" where that is at once."""
    if days is None:
        return "when is unknown"
    return f"after {counted(days, 'day')}" if days else ""


def _freed(who: str, registry: Registry, contents: RepositoryContents, digests: Iterable[str]) -> _Freed:
    deleted = {contents.name: frozenset(digests)}
    count = contents_loader.last_count(who, registry.login_server)
    if count is None:
        return _Freed(freed_bytes([contents], deleted), "Layers that other repositories use too stay.", None)
    others = [other for other in count.contents.values if other.name != contents.name]
    complete = count.contents.complete and all(other.complete for other in others)
    return _Freed(
        freed_bytes([contents, *others], deleted),
        "" if complete else "Not all of the registry could be read.",
        count.at,
    )


def _show_deleted(deleted: Sequence[DeletedManifest], *, unread: bool) -> None:
    broken = any(one.item.breaks for one in deleted)
    rows = [
        {
            "Manifest": indented(short(one.item.digest), one.depth),
            "Tags": list(one.item.tags),
            "Deleted because": _why(one, unread=unread),
            "Pushed": one.row.created,
            "Last update": one.row.updated,
            "Size": one.item.size,
            **({"Breaks": [short(digest) for digest in one.item.breaks]} if broken else {}),
            "Digest": one.item.digest,
        }
        for one in deleted
    ]
    show_rows(
        rows,
        "What is deleted, the oldest first",
        key="plan of the deletion",
        columns={
            "Tags": st.column_config.ListColumn(width="medium"),
            "Pushed": ago_column(),
            "Last update": ago_column("Moving a tag or changing a lock also updates it"),
            "Size": Sizes("Compressed layers, those that others share among them"),
            "Breaks": st.column_config.ListColumn(
                width="small", help="Indexes that can't be pulled completely without it"
            ),
        },
        types={"Tags": TEXTS, "Pushed": UTC, "Last update": UTC, "Breaks": TEXTS},
    )


def _why(one: DeletedManifest, *, unread: bool) -> str:
    if unread and one.item.why is Why.CHOSEN:
        return "Unknown: not every manifest could be read"
    return _WHY[one.item.why].format(short(one.item.of))


def _show_kept(kept: Sequence[KeptManifest], stays: tuple[str, str]) -> None:
    if not kept:
        return
    label = f"{counted(len(kept), *stays)}: {count_kinds(kept)}"
    with st.expander(label, icon=":material/lock:"):
        show_rows(
            [
                {
                    "Manifest": short(one.row.digest),
                    "Tags": list(one.tags),
                    "Stays": one.kind,
                    "Reason": one.reason or None,
                    "Pushed": one.row.created,
                    "Digest": one.row.digest,
                }
                for one in kept
            ],
            "What stays, and why",
            key="what stays",
            columns={
                "Tags": st.column_config.ListColumn(width="medium"),
                "Reason": st.column_config.TextColumn(width="large"),
                "Pushed": ago_column(),
            },
            types={"Tags": TEXTS, "Reason": pa.string(), "Pushed": UTC},
        )


def show_untag(plan: UntagPlan, tags: Mapping[str, Tag], contents: RepositoryContents) -> None:
    """Shows the figures of a removal of tags, the table of them, and in a closed expander the tags that stay."""
    pushed = {row.digest: row.created for row in contents.rows}
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
    going = sorted(plan.unblocked, key=lambda item: last_update_of(tags[item.tag]))
    if going:
        show_rows(
            [
                {
                    "Tag": item.tag,
                    "Last update": tags[item.tag].updated,
                    "Manifest": short(item.digest),
                    "Manifest pushed": pushed.get(item.digest),
                    "Left untagged": item.digest in plan.left_untagged,
                }
                for item in going
            ],
            "Tags to remove, the oldest first",
            key="tags to remove",
            columns={"Last update": ago_column(), "Manifest pushed": ago_column()},
            types={"Last update": UTC, "Manifest pushed": UTC},
        )
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
