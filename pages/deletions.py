"""What was deleted through this console: each deletion with its progress, and the fate of each of its items."""

import json
from collections import Counter

import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError
from services.deletion.records import DeletionRecord, Fate
from services.deletion.repository import RepositoryDeleted, as_az_prints
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion import runs
from ui.elements.columns import ago_column
from ui.elements.errors import panel, show_error, show_refused
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import selectable
from ui.elements.table import TEXTS, show_rows
from ui.elements.text import ago, exact, plain, short
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import crumb, link_to, open_page
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()


def show_all() -> None:
    header("Deletions", "What you deleted through this console, and what became of it.", None, lambda: None)
    found = runs.all_recorded(who)
    if not found:
        empty(":material/history:", "Nothing was deleted", "Each deletion begun here is listed, with each item's fate.")
        return
    opened = selectable(
        found,
        lambda record: {
            "Started": record.begun,
            "Action": record.action,
            "Repository": f"{record.login_server}/{record.repository}",
            "Items": len(record.items),
            "Recorded": len(record.fates),
            "State": state_of(record),
        },
        "deletions",
        "Deletions, the newest first",
        columns={
            "Started": ago_column(),
            "Recorded": st.column_config.NumberColumn(help="Items whose result is recorded"),
        },
        identity=lambda record: record.id,
    )
    st.caption("Select a row to open a deletion.")
    if opened:
        open_page(pages.DELETIONS, record=opened.id)


def state_of(record: DeletionRecord) -> str:
    job = runs.under_way(who, record.id)
    if job and job.running:
        return "Running"
    if record.error:
        return "Failed"
    if not record.ended:
        return "Interrupted"
    return "Stopped" if record.open else "Completed"


def show_one(record: DeletionRecord) -> None:
    crumb(pages.DELETIONS)
    header(
        f"{record.action.capitalize()}: {plain(record.repository)}",
        plain(f"{record.login_server}/{record.repository}, begun {ago(record.begun)} ({exact(record.begun)})"),
        None,
        lambda: None,
    )
    inventory = registry_loaders.inventory(who)
    registry = selection.find(inventory.value.registries.values, record.login_server)
    if registry is None:
        show_progress(inventory, "inventory")
        registry = selection.find(inventory.value.registries.values, record.login_server)
        if registry is None and inventory.running:
            st.stop()
    job = runs.under_way(who, record.id)
    if job:
        show_progress(job, f"deletion {record.id}")
        if job.error:
            show_error(job.error)
    fates = dict(record.fates)
    if not (job and job.running):
        record = runs.recorded(who, record.id) or record
        fates = dict(record.fates) | looked_at(record, registry)
        if registry and st.session_state.get(f"seen {record.id}") is None:
            st.session_state[f"seen {record.id}"] = True
            image_loaders.forget_repository(who, record.login_server, record.repository)
    show_fates(record, fates, running=bool(job and job.running))
    if printed := record.answer or as_az_would_print(record):
        whole = record.action == "delete repository"
        with st.expander("What is deleted, as az prints it", expanded=whole, icon=":material/data_object:"):
            st.code(printed, language="json")
    if registry and not (job and job.running):
        show_what_is_left(record, registry)


def as_az_would_print(record: DeletionRecord) -> str:
    """Manifests and tags that went, as written down; '' where tags alone were removed."""
    if record.action == "remove tags":
        return ""
    gone = [item for item in record.items if item.name in record.fates and record.fates[item.name].is_gone]
    tags = tuple(tag for item in gone for tag in item.tags)
    return as_az_prints(RepositoryDeleted(tuple(item.digest for item in gone), tags))


def looked_at(record: DeletionRecord, registry: Registry | None) -> dict[str, Fate]:
    """What has become of the items of which nothing was written down."""
    if not record.open:
        return {}
    if record.whole:
        return {item.name: Fate("not tried", "It was stopped before.") for item in record.open}
    st.warning(
        f"It was interrupted: the result of {counted(len(record.open), 'item')} is not recorded. "
        "Below is what the registry has of them now.",
        icon=":material/power_off:",
    )
    if registry is None:
        return {item.name: Fate("not known", "Its registry is not among those that are seen.") for item in record.open}
    found: dict[str, Fate] = {item.name: Fate("not known") for item in record.open}
    with panel():
        looked = runs.look_again(who, registry, record)
        show_refused(looked, "item", "items")
        found |= dict(looked.values)
    return found


def show_fates(record: DeletionRecord, fates: dict[str, Fate], *, running: bool) -> None:
    counts = Counter(fates[item.name].outcome if item.name in fates else "waiting" for item in record.items)
    st.markdown(" · ".join(f"**{number:,}** {outcome}" for outcome, number in counts.most_common()))
    if not running and (counts["refused"] or counts["not confirmed"]):
        st.warning("Not everything went: see the causes in the table.", icon=":material/warning:")
    # What did not go stands first, once all is over: while it runs, rows that wander can't be read.
    items = record.items if running else sorted(record.items, key=lambda item: fates[item.name].is_gone)
    rows = [
        {
            "Item": item.name if item.is_tag else short(item.digest),
            "Outcome": fates[item.name].outcome if item.name in fates else "waiting",
            "Tags": list(item.tags),
            "Cause": fates[item.name].cause if item.name in fates else "",
            "Digest": item.digest,
        }
        for item in items
    ]
    show_rows(
        rows,
        "The result of each item",
        key=f"items of {record.id}",
        columns={
            "Tags": st.column_config.ListColumn(width="medium"),
            "Cause": st.column_config.TextColumn(width="large"),
        },
        types={"Tags": TEXTS},
    )


def show_what_is_left(record: DeletionRecord, registry: Registry) -> None:
    """The verified list, as az prints it, and what became untagged."""
    name, server = record.repository, record.login_server
    try:
        page = image_loaders.tag_page(who, server, name, None).value.page
    except ServiceError as error:
        if error.code == "NAME_UNKNOWN":
            st.success(f"The repository {plain(name)} is gone, as read back.", icon=":material/check_circle:")
        else:
            show_error(error)
        return
    st.subheader("The tags that are left", anchor=False)
    st.code(json.dumps([tag.name for tag in page.tags], indent=2), language="json")
    if page.next:
        st.caption(f"The newest {len(page.tags):,} of them.")
    if record.action == "remove tags":
        show_untagged(record)
    key = selection.key_of(registry, registry_loaders.inventory(who).value.registries.values)
    link_to(pages.REPOSITORY, plain(name), registry=key, repository=name)
    az_lines(az_images.show_tags(registry.name, name))


def show_untagged(record: DeletionRecord) -> None:
    """The manifests that have no tag any more. They stay, and so does what they take."""
    with panel():
        rows = image_loaders.manifest_rows_of(who, record.login_server, record.repository)
        gone = {item.digest for item in record.items}
        untagged = [row.digest for row in rows if row.digest in gone and not row.tags]
        if untagged:
            st.info(
                f"{counted(len(untagged), 'manifest')} without a tag now: "
                f"{', '.join(short(digest) for digest in untagged[:10])}. They take the space that they took.",
                icon=":material/label_off:",
            )


record_id = st.query_params.get("record", "")
if not record_id:
    show_all()
elif record := runs.recorded(who, record_id):
    show_one(record)
else:
    crumb(pages.DELETIONS)
    empty(":material/history:", "No such deletion", "It is another identity's, or too old: the newest 200 are kept.")
