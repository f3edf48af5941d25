"""What is soft deleted in a registry: until when it can be restored, and restoring it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError
from services.registries.registry import Registry, SoftDelete
from services.restore.deleted import MAY_LIST, DeletedContents, expires
from services.wording import counted
from ui.deletion import deletions
from ui.deletion.restore import Wanted, deleted_by, restore, show_restores
from ui.elements.columns import ago_column
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import selectable_many
from ui.elements.skeleton import Shape
from ui.elements.table import UTC as UTC_TIME
from ui.elements.text import plain, short
from ui.elements.writing import may_write, show_read_only
from ui.loaders import deleted as deleted_loader
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, registry_steps
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
ALL = "All repositories"


@dataclass(frozen=True)
class Row:
    """A deleted tag, or with `tag` "" a manifest without one."""

    repository: str
    digest: str
    tag: str
    deleted: datetime | None
    until: datetime | None

    @property
    def wanted(self) -> Wanted:
        return self.digest, self.tag


def rows_of(found: DeletedContents, policy: SoftDelete) -> list[Row]:
    """The tags, the last deleted first, then the manifests that no deleted tag points to."""

    def row(digest: str, tag: str, deleted: datetime | None) -> Row:
        return Row(found.repository, digest, tag, deleted, expires(deleted, policy.purged_after))

    tagged = {one.digest for one in found.tags}
    tags = [row(one.digest, one.tag, one.deleted) for one in reversed(found.tags)]
    return tags + [row(one.digest, "", one.deleted) for one in reversed(found.manifests) if one.digest not in tagged]


def remaining(until: datetime | None) -> str:
    """How long something can still be restored, in words."""
    if until is None:
        return "Unknown"
    hours = (until - datetime.now(UTC)).total_seconds() / 3600
    if hours <= 0:
        return "Expired, not purged yet"
    return f"{counted(int(hours // 24), 'day')} left" if hours >= 24 else f"{counted(int(hours) or 1, 'hour')} left"


def table_row(row: Row) -> dict[str, object]:
    return {
        "Tag": row.tag or "untagged",
        "Repository": row.repository,
        "Digest": short(row.digest),
        "Deleted": row.deleted,
        "Can be restored": remaining(row.until),
        "Until": row.until,
    }


def show_policy(policy: SoftDelete) -> None:
    if policy.days == 0:
        st.info(
            "Soft delete is off: what is deleted now can't be restored. What was deleted while it was on is listed "
            "until it expires.",
            icon=":material/auto_delete:",
        )
        link_to(pages.SETTINGS, "Turn on soft delete", **here)
    elif policy.days is None:
        st.warning(plain(policy.notice), icon=":material/help:")


def of_record(record_id: str) -> set[Wanted] | None:
    """What the deletion of that record deleted; None where the record can't be read, which is said."""
    try:
        record = deletions.recorded(who, record_id)
    except ServiceError as error:
        show_error(error)
        return None
    if record is None:
        st.warning("The record of this deletion is not there: everything deleted is listed.", icon=":material/help:")
        return None
    return set(deleted_by(record))


def choose(found: tuple[DeletedContents, ...], policy: SoftDelete) -> list[Row]:
    """The rows of the repository that is chosen, of the record that the URL names, and with a tag unless asked for."""
    rows = [row for one in found for row in rows_of(one, policy)]
    record_id = st.query_params.get("record", "")
    if record_id and (wanted := of_record(record_id)) is not None:
        link_to(pages.DELETIONS, "Record of the deletion", record=record_id)
        repository = st.query_params.get("repository", "")
        return [row for row in rows if row.repository == repository and row.wanted in wanted]
    names = [ALL, *(one.repository for one in found)]
    left, right = st.columns(2, vertical_alignment="bottom")
    asked = st.query_params.get("repository", "")
    repository = left.selectbox("Repository", names, names.index(asked) if asked in names else 0, format_func=plain)
    untagged = [row for row in rows if not row.tag and repository in (ALL, row.repository)]
    label = f"Show {counted(len(untagged), 'manifest')} without a tag"
    only = len(untagged) == len(rows)
    shown = right.toggle(label, only, disabled=not untagged, help="Platforms of indexes come back with their index.")
    return [row for row in rows if repository in (ALL, row.repository) and (row.tag or shown)]


def show_deleted(registry: Registry, rows: list[Row]) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center")
    selected = selectable_many(
        rows,
        table_row,
        f"deleted of {registry.id}",
        "What can be restored, one per row",
        columns={"Deleted": ago_column(), "Until": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
        types={"Deleted": UTC_TIME, "Until": UTC_TIME},
        identity=lambda row: (row.repository, row.digest, row.tag),
    )
    # Where the page is of one deletion, all of it without a selection.
    chosen = selected or (rows if st.query_params.get("record") else [])
    repositories = {row.repository for row in chosen}
    with bar:
        st.markdown(
            f"**{len(selected):,} selected**" if selected else counted(len(rows), "item"),
            width="content",
        )
        label = "Restore all" if chosen and not selected else "Restore"
        why = "Choose items of one repository" if len(repositories) > 1 else None
        blocked = len(repositories) != 1 or not may_write()
        if st.button(label, type="primary", icon=":material/restore_from_trash:", disabled=blocked, help=why):
            restore(who, registry, chosen[0].repository, [row.wanted for row in chosen])


listed = selection.registry_of_url(who, pages.DELETED)
here = {"registry": st.query_params["registry"]}
policy = registry_loaders.soft_delete(who, listed)


def refresh() -> None:
    deleted_loader.deleted.clear(who, listed.login_server)
    registry_loaders.forget_registry(who, listed)


top, notices = st.container(), st.container()
with notices:  # Before the list is read: a restore that ends now has changed it.
    show_read_only()
    show_policy(policy)
    show_restores(who, listed)
reading = deleted_loader.deleted(who, listed.login_server)
with top:
    header(
        "Deleted images",
        f"{plain(listed.name)}, soft delete: {policy.label}",
        reading.at,
        refresh,
        (*registry_steps(listed.name, **here), last_step(pages.DELETED.title)),
    )
show_progress(reading, f"deleted of {listed.id}", shape=Shape.TABLE if reading.running else None)
if reading.error:
    show_error(reading.error)
    st.markdown(MAY_LIST)
elif not reading.running:
    found = reading.value
    show_partial(Part(found, "repository's deleted images", "repositories' deleted images"))
    with panel():
        rows = choose(found.values, policy) if found.values else []
        if rows:
            show_deleted(listed, rows)
        elif found.complete:
            empty(
                ":material/restore_from_trash:",
                "Nothing to restore",
                "What is deleted while soft delete is on is listed here until it expires.",
            )
name = st.query_params.get("repository", "")
az_lines(
    az_images.list_deleted_repositories(listed.name),
    *(
        (az_images.list_deleted_tags(listed.name, name), az_images.list_deleted_manifests(listed.name, name))
        if name
        else ()
    ),
)
