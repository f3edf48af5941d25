"""The result of each item of a deletion, and what its repository has left."""

import json
from collections import Counter
from collections.abc import Mapping

import streamlit as st

from services.commands import images as az_images
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.deletion.records import DeletionRecord, Fate, fates_of_open, state_of
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion import deletions
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import az_lines
from ui.elements.table import TEXTS, show_rows
from ui.elements.text import plain, short
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import link_to

# Outcomes that have other words in a deletion.
_WORDS = {Outcome.ALREADY_DONE.value: "already deleted"}
_GONE = "It was gone: someone else deleted it, or an earlier request of this deletion whose answer was lost."


def fates_without_result(who: str, record: DeletionRecord, registry: Registry | None) -> Mapping[str, Fate]:
    """The fates of the items without a recorded result: unknown ones are read from the registry."""
    if record.damaged_lines and record.open:
        st.warning(
            f"{counted(record.damaged_lines, 'line')} of the record could not be read: results may be missing.",
            icon=":material/warning:",
        )
    if not record.open or record.completed:
        return fates_of_open(record, ())
    now = " The table shows their current state in the registry." if registry else ""
    st.warning(
        f"{state_of(record, running=False)}: the result of {counted(len(record.open), 'item')} is not recorded.{now}",
        icon=":material/power_off:",
    )
    if registry is None:
        return fates_of_open(record, None)
    with panel():
        read = deletions.read_open(who, registry, record)
        show_partial(Part(read, "item"))
        return fates_of_open(record, read.values)
    return fates_of_open(record, ())


def show_fates(record: DeletionRecord, fates: Mapping[str, Fate], *, running: bool) -> None:
    """Shows one row per item. What is not deleted comes first once it has ended: rows that move can't be read."""
    waiting = Fate("waiting")
    counts = Counter(fates.get(item.name, waiting).outcome for item in record.items)
    st.markdown(" · ".join(f"**{number:,}** {_label(outcome)}" for outcome, number in counts.most_common()))
    if not running and (counts[Outcome.REFUSED] or counts[Outcome.NOT_CONFIRMED]):
        st.warning("Not everything was deleted: the table shows why.", icon=":material/warning:")
    items = record.items
    if not running:
        items = tuple(sorted(items, key=lambda item: fates.get(item.name, waiting).is_gone))
    show_rows(
        [
            {
                "Item": item.name if item.is_tag else short(item.digest),
                "Outcome": _label(fates.get(item.name, waiting).outcome),
                "Tags": list(item.tags),
                "Cause": _cause(fates.get(item.name, waiting)),
                "Digest": item.digest,
            }
            for item in items
        ],
        "The result of each item",
        key=f"items of {record.id}",
        columns={
            "Tags": st.column_config.ListColumn(width="medium"),
            "Cause": st.column_config.TextColumn(width="large"),
        },
        types={"Tags": TEXTS},
    )


def _cause(fate: Fate) -> str:
    return fate.cause or (_GONE if fate.outcome == Outcome.ALREADY_DONE.value else "")


def _label(outcome: str) -> str:
    return _WORDS.get(outcome, outcome)


def show_remaining_tags(who: str, record: DeletionRecord, registry: Registry) -> None:
    """Shows the tags that the repository has now, as az prints them, and the manifests that became untagged."""
    name, server = record.repository, record.login_server
    try:
        page = image_loaders.newest_tags(who, server, name)
    except ServiceError as error:
        if error.code == "NAME_UNKNOWN":
            if any(fate.is_deleted for fate in record.fates.values()) and record.action != "remove tags":
                st.success(f"Repository {plain(name)}: deleted and verified.", icon=":material/check_circle:")
            else:
                st.info(f"Repository {plain(name)} does not exist any more.", icon=":material/info:")
        else:
            show_error(error)
        return
    st.subheader("Remaining tags", anchor=False)
    st.code(json.dumps([tag.name for tag in page.tags], indent=2), language=None)
    if page.next:
        st.caption(f"The newest {len(page.tags):,} of them.")
    if record.action == "remove tags":
        _show_untagged(who, record)
    key = selection.key_of(registry, registry_loaders.inventory(who).value.registries.values)
    link_to(pages.REPOSITORY, plain(name), registry=key, repository=name)
    az_lines(az_images.show_tags(registry.name, name))


def _show_untagged(who: str, record: DeletionRecord) -> None:
    with panel():
        listed = image_loaders.manifest_rows_of(who, record.login_server, record.repository)
        show_partial(Part(listed, "manifest"))
        gone = {item.digest for item in record.items}
        untagged = [row.digest for row in listed.values if row.digest in gone and not row.tags]
        if untagged:
            st.info(
                f"Now untagged: {counted(len(untagged), 'manifest')}, "
                f"{', '.join(short(digest) for digest in untagged[:10])}. No space was freed.",
                icon=":material/label_off:",
            )
