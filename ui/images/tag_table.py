"""The tags of a repository in a table: filtered and, where they are many, sorted over all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.images.manifests import attached_to
from services.images.tag_list import ListedTag, SortKey, TagList, filter_tags, sort_tags
from services.running.seen import SeenRunning
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.selectable_table import openable_many
from ui.elements.table import ROWS_A_PAGE, TEXTS, UTC
from ui.elements.text import short
from ui.navigation.url_choice import check_url
from ui.pulls.columns import PullsOf, pull_cells, pull_columns
from ui.running.seen import ask_unseen, seen_words

_NAMES_FIRST = {SortKey.NAME, SortKey.KIND}


@dataclass(frozen=True)
class TagChoice:
    """What was done in the table: the tag whose name was clicked, and those that are selected. `bar` is the place above
    the table for what can be done with these. `text` is the filter; `shown` what it leaves."""

    opened: ListedTag | None
    selected: tuple[ListedTag, ...]
    bar: DeltaGenerator
    text: str
    shown: int


def show_tag_table(
    found: TagList, total: int, key: str, seen: SeenRunning | None = None, pulls: PullsOf | None = None
) -> TagChoice:
    """Shows the tags that pass the filter of the URL. `total`: how many the repository says that it has; `seen`: where
    they were seen to run, None where no cluster was asked; `pulls`: when they were pulled, None where nothing is known
    of it."""
    many = len(found.tags.values) > ROWS_A_PAGE
    # Not next to the table, whose own toolbar would cover its last button.
    bar = st.container(horizontal=True, vertical_alignment="center")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Filter",
            key="filter",
            type="search",
            placeholder="v1.*, a part of a name, or a digest",
            bind="query-params",
            width=420,
            help="A glob is of the whole name: * matches any characters, ? any one character, [0-9] one of these",
        )
        order = _ask_order() if many else None
        unseen = ask_unseen(seen) if seen else False
    items = filter_tags(found.items, text or "")
    runs_in = _runs_in(found, seen) if seen else {}
    if seen and unseen:
        items = [item for item in items if not runs_in[item.tag.digest]]
    if order:
        items = sort_tags(items, order, descending=order not in _NAMES_FIRST)
    if not items:
        return TagChoice(None, (), bar, (text or "").strip(), 0)
    opened, selected = openable_many(
        items,
        lambda item: _row(item, runs_in if seen else None, pulls),
        f"tags of {key}",
        "Tags, one per row, the newest first",
        columns={
            "Platforms": st.column_config.ListColumn(width="medium"),
            "Runs in": st.column_config.ListColumn(width="medium", help=seen_words(seen) if seen else None),
            "Size": Sizes("Compressed layers over all platforms"),
            "Last update": ago_column(),
            "Created": ago_column(),
            **(pull_columns(pulls.pulls) if pulls else {}),
        },
        types={"Kind": pa.string(), "Platforms": TEXTS, "Runs in": TEXTS, "Last update": UTC, "Created": UTC},
    )
    if not selected:
        bar.markdown(_counts(len(items), found, total, text or ""))
    return TagChoice(opened, tuple(selected), bar, (text or "").strip(), len(items))


def _ask_order() -> SortKey:
    """The order over all pages of the table; a column's head sorts the page that is shown."""
    check_url("sort", "order", list(SortKey))
    return st.selectbox("Sort by", list(SortKey), key="sort", bind="query-params", width=180) or SortKey.UPDATED


def _counts(shown: int, found: TagList, total: int, text: str) -> str:
    """'12 of 340 tags, the newest first'."""
    read = len(found.tags.values)
    if found.more:
        read_so_far = f"{read:,} of {total:,} tags read"
        return f"{counted(shown, 'tag')} shown, {read_so_far}"
    return f"{shown:,} of {counted(read, 'tag')}" if text.strip() else counted(read, "tag")


def _runs_in(found: TagList, seen: SeenRunning) -> dict[str, tuple[str, ...]]:
    """Where each image runs, by its digest: whichever of its tags is named."""
    tags: dict[str, list[str]] = {}
    for tag in found.tags.values:
        tags.setdefault(tag.digest, []).append(tag.name)
    return {digest: seen.places(digest, *names) for digest, names in tags.items()}


def _row(item: ListedTag, runs_in: Mapping[str, tuple[str, ...]] | None, pulls: PullsOf | None) -> dict[str, Any]:
    tag, image = item.tag, item.image
    attached = attached_to(tag.name)
    return {
        "Tag": tag.name,
        "Kind": f"attached to {short(attached)}" if attached else image.kind.value if image else None,
        "Platforms": list(image.platforms) if image else None,
        "Size": image.size if image else None,
        **({"Runs in": list(runs_in[tag.digest])} if runs_in is not None else {}),
        **(pull_cells(pulls, [tag.digest], [tag.name]) if pulls else {}),
        "Digest": short(tag.digest),
        "Last update": tag.updated,
        "Created": tag.created,
        "Locked": tag.locks.label,
    }
