"""One repository: its tags, its manifests as the tree they form, and its attributes."""

import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError
from services.connection.names import is_digest, is_tag
from services.connection.parallel import Partial
from services.images.locks import meaning
from services.images.repositories import as_az_prints
from services.images.tag_list import ListedTag
from services.wording import counted
from ui.deletion.tag_removal import remove_tags
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.skeleton import Shape
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write, show_read_only
from ui.images.lock_actions import change_locks, change_many_locks, show_lock_changes
from ui.images.manifest_table import show_tree
from ui.images.storage_line import show_repository_storage
from ui.images.tag_table import TagChoice, show_tag_table
from ui.loaders import images as image_loaders
from ui.loaders import running
from ui.loaders.pulls import forget_logs, unread_pulls
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_by_button, open_page, registry_steps
from ui.navigation.url_choice import check_url
from ui.pulls.columns import known_pulls
from ui.pulls.logging import offer_logging
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.transfer.copy import COPY, copy_to, show_copies
from ui.transfer.copy_many import copy_images
from ui.transfer.download import download_image, download_images
from ui.transfer.promote import PROMOTE
from ui.transfer.promote_many import promote_images

PROMOTES = "To another registry with their signatures, after checks"

who = connection.who()
registry = selection.registry_of_url(who, pages.REPOSITORY)
name = selection.repository_of_url()
server = registry.login_server
url = {"registry": st.query_params["registry"], "repository": name}
path = (*registry_steps(registry.name, url["registry"]), last_step(name))


def refresh() -> None:
    image_loaders.forget_repository(who, server, name)
    forget_logs(who, registry)


try:
    loaded = image_loaders.repository(who, server, name)
except ServiceError as error:
    header(plain(name), f"In {plain(registry.name)}", None, refresh, path)
    show_error(error)
    if error.status == 404:
        link_to(pages.DELETED, "Deleted images of this repository", **url)
    st.stop()
repository = loaded.value
actions = header(plain(name), plain(f"{server}/{name}"), loaded.at, refresh, path)
show_done()
notice = st.container()
for kind in (COPY, PROMOTE):
    show_copies(who, kind, server=server, repository=name)
show_lock_changes()
if repository.locks.any:
    st.info(
        f"Locked against {repository.locks.label}. {meaning(repository.locks, 'repository')}", icon=":material/lock:"
    )
show_read_only()
st.markdown(
    f"**{counted(repository.tag_count, 'tag')}** · **{counted(repository.manifest_count, 'manifest')}** · "
    f"updated {ago(repository.updated)} · created {ago(repository.created)}",
    help=f"Updated {exact(repository.updated)}  \nCreated {exact(repository.created)}",
)
LOCKS, CLEAN_UP, DELETE = "Set locks", "Clean up", "Delete repository"
with actions:
    open_by_button(pages.PUSH, registry=url["registry"])
    options = [LOCKS, CLEAN_UP, DELETE] if may_write() else [CLEAN_UP, DELETE]
    chosen = st.menu_button("More", options, icon=":material/more_horiz:")
if chosen == LOCKS:
    change_locks(who, registry, name)
elif chosen == CLEAN_UP:
    open_page(pages.CLEAN_UP, **url)
elif chosen == DELETE:
    open_page(pages.DELETE, **url)
show_repository_storage(who, server, url["registry"], name)


def open_image(reference: str) -> None:
    open_page(pages.IMAGE, **url, reference=reference)


def show_tags() -> None:
    every = st.session_state.get(f"every index of {server}/{name}", False)
    reading = image_loaders.tag_list(who, server, name, every_index=every)
    found = reading.value
    nothing = reading.running and not found.tags.values
    show_progress(reading, f"tags of {server}/{name}", shape=Shape.TABLE if nothing else None)
    if reading.error:
        show_error(reading.error)
        return
    pulled, pulls = known_pulls(who, registry, name)
    found = reading.value
    images = Partial(found.images.values, found.images.refused)
    with notice:
        show_partial(
            Part(found.tags, "tag"), Part(images, "digest"), unread_pulls(pulled.value), *running.unseen_parts(who)
        )
    if not found.tags.values:
        if not reading.running and not found.tags.refused and not found.more:
            empty(":material/sell:", "No tags", "No manifest of this repository has a tag: see Manifests.")
        elif found.more and not reading.running:
            st.info("Stopped before a tag was read: refresh to read them.", icon=":material/stop_circle:")
        return
    seen = running.seen_of(who, registry, name)
    choice = show_tag_table(found, repository.tag_count, f"{server}/{name}", seen, pulls)
    if choice.opened:
        open_image(choice.opened.tag.name)
    act_on(choice)
    if not choice.shown:
        offer_unlisted(choice.text)
    if found.images.untried and not reading.running:
        st.markdown(
            f"Platforms and size of {counted(found.images.untried, 'older image')} are not read.", width="content"
        )
        if st.button("Read all images", icon=":material/download_for_offline:"):
            st.session_state[f"every index of {server}/{name}"] = True
            st.rerun()
    offer_logging(who, registry, pulled)
    az_lines(az_images.show_tags(registry.name, name))


def act_on(choice: TagChoice) -> None:
    """The bar above the table: what can be done with the selected tags."""
    selected = choice.selected
    names = [item.tag.name for item in selected]
    with choice.bar:
        if selected:
            st.markdown(f"**{len(selected):,} selected**", width="content")
        opens = "Select two tags to compare them"
        if len(selected) == 2:
            if st.button("Compare", icon=":material/compare:"):
                compare_selected(selected)
        # For the keyboard: names are clicked.
        elif st.button("Open image", icon=":material/open_in_full:", disabled=len(selected) != 1, help=opens):
            open_image(names[0])
        deletes = "With all their tags: pulls fail, and their space is freed"
        if st.button("Delete images", icon=":material/delete:", disabled=not selected, help=deletes):
            open_page(pages.DELETE, **url, reference=names)
        removes = "Keeps the images: pulls by digest still work"
        offered = bool(selected) and may_write()
        if st.button("Remove tags", icon=":material/label_off:", disabled=not offered, help=removes):
            remove_tags(who, registry, name, names)
        if st.button("Copy images", icon=":material/content_copy:", disabled=not selected or not may_write()):
            copy_selected(selected)
        if st.button("Promote images", icon=":material/upgrade:", disabled=not offered, help=PROMOTES):
            promote_images(who, registry, name, by_digest(selected))
        if st.button("Lock tags", icon=":material/lock:", disabled=not selected or not may_write()):
            lock_selected(selected)
        if st.button("Download images", icon=":material/download:", disabled=not selected):
            download_selected(selected)


def compare_selected(selected: tuple[ListedTag, ...]) -> None:
    """Opens the comparison of two tags, the one updated first on the left."""
    first, second = sorted(selected, key=lambda item: str(item.tag.updated or ""))
    open_page(pages.COMPARE, **url, reference=first.tag.name, **{"with": second.tag.name})


def copy_selected(selected: tuple[ListedTag, ...]) -> None:
    if len(selected) == 1:
        copy_to(who, registry, name, selected[0].tag.name, selected[0].tag.digest)
        return
    copy_images(who, registry, name, by_digest(selected))


def by_digest(selected: tuple[ListedTag, ...]) -> dict[str, list[str]]:
    """The tags of each digest."""
    tags: dict[str, list[str]] = {}
    for item in selected:
        tags.setdefault(item.tag.digest, []).append(item.tag.name)
    return tags


def lock_selected(selected: tuple[ListedTag, ...]) -> None:
    if len(selected) == 1:
        change_locks(who, registry, name, selected[0].tag.name)
    else:
        change_many_locks(who, registry, name, {item.tag.name: item.tag.locks for item in selected})


def download_selected(selected: tuple[ListedTag, ...]) -> None:
    if len(selected) == 1:
        tag = selected[0].tag
        with panel():
            download_image(who, registry, name, tag.name, image_loaders.manifest(who, server, name, tag.digest))
    else:
        download_images(who, registry, name, {item.tag.name: item.tag.digest for item in selected})


def offer_unlisted(text: str) -> None:
    """Where no tag matches: the image of that tag or digest may be there all the same."""
    empty(":material/filter_alt_off:", "No tag matches", "Clear the filter above.")
    if is_tag(text) or is_digest(text):
        st.markdown("A tag that is locked against listing, or a digest, is not in this list.")
        if st.button(f"Open {plain(text)}", icon=":material/arrow_forward:"):
            open_image(text)


check_url("show", "tab", ("Tags", "Manifests", "Attributes"))
tags_tab, manifests_tab, attributes_tab = st.tabs(
    ["Tags", "Manifests", "Attributes"], on_change="rerun", key="show", bind="query-params"
)
if tags_tab.open:
    with tags_tab:
        show_tags()
if manifests_tab.open:
    with manifests_tab:
        pulled, pulls = known_pulls(who, registry, name)
        digest = show_tree(who, server, name, repository.manifest_count, notice, pulls, unread_pulls(pulled.value))
        offer_logging(who, registry, pulled)
        az_lines(az_images.list_manifests(registry.name, name))
    if digest:
        open_image(digest)
if attributes_tab.open:
    with attributes_tab:
        st.code(f"{az_images.show_repository(registry.name, name)}\n{as_az_prints(repository)}", language=None)
