"""One repository: its attributes, its tags a page at a time, and its manifests as the tree they form."""

import pyarrow as pa
import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.images.locks import meaning
from services.images.manifests import attached_to
from services.images.repositories import Tag, as_az_prints
from services.images.summaries import ImageSummary
from ui.elements.columns import Sizes, ago_column
from ui.elements.errors import panel, show_error, show_refused
from ui.elements.metrics import Metric, show_metrics
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import openable
from ui.elements.table import TEXTS, UTC
from ui.elements.text import ago, exact, plain, short
from ui.elements.writing import may_write, show_read_only
from ui.images.lock_actions import change_locks
from ui.images.manifest_table import show_tree
from ui.images.storage_line import show_repository_storage
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_page, registry_steps
from ui.navigation.url_choice import check_url
from ui.runtime import connection

who = connection.who()
registry = selection.registry_of_url(who)
name = selection.repository_of_url()
server = registry.login_server
url = {"registry": st.query_params["registry"], "repository": name}
path = (*registry_steps(registry.name, url["registry"]), last_step(name))
cursors = image_loaders.turned_pages(server, name)


def refresh() -> None:
    image_loaders.forget_repository(who, server, name)


try:
    loaded = image_loaders.repository(who, server, name)
except ServiceError as error:
    header(plain(name), f"In {plain(registry.name)}", None, refresh, path)
    show_error(error)
    st.stop()
repository = loaded.value
header(plain(name), plain(f"{server}/{name}"), loaded.at, refresh, path)
show_done()
show_metrics(
    [
        Metric("Tags", repository.tag_count),
        Metric("Manifests", repository.manifest_count),
        Metric("Last update", ago(repository.updated), help=exact(repository.updated)),
        Metric("Created", ago(repository.created), help=exact(repository.created)),
    ]
)
if repository.locks.any:
    st.info(
        f"Locked against {repository.locks.label}. {meaning(repository.locks, 'repository')}", icon=":material/lock:"
    )
show_read_only()
with st.container(horizontal=True, vertical_alignment="center"):
    if st.button("Set locks", icon=":material/lock:", disabled=not may_write()):
        change_locks(who, registry, name)
    link_to(pages.CLEAN_UP, **url)
    link_to(pages.DELETE, "Delete repository", **url)
show_repository_storage(who, server, url["registry"], name)
with st.expander("Attributes, as az prints them", icon=":material/data_object:"):
    st.code(f"{az_images.show_repository(registry.name, name)}\n{as_az_prints(repository)}", language="bash")


def open_image(reference: str) -> None:
    open_page(pages.IMAGE, **url, reference=reference)


def show_tags() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Open tag or digest", placeholder="v1.0.0 or sha256:…", width=320)
        if wanted:
            open_image(wanted.strip())
    with panel():
        tags = image_loaders.tag_page(who, server, name, cursors[-1]).value
        page = tags.page
        show_refused(Partial((), page.refused), "tag", "tags")
        if not page.tags and page.refused:
            return
        if not page.tags:
            empty(":material/sell:", "No tags", "No manifest of this repository has a tag: see Manifests.")
            return
        show_tag_table(page.tags, tags.summaries)
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Newer", icon=":material/chevron_left:", disabled=len(cursors) == 1):
                cursors.pop()
                st.rerun()
            if st.button("Older", icon=":material/chevron_right:", disabled=page.next is None):
                cursors.append(page.next)
                st.rerun()
            first = (len(cursors) - 1) * image_loaders.TAGS_A_PAGE + 1
            st.markdown(f"{first:,}–{first + len(page.tags) - 1:,} of {repository.tag_count:,}, the newest first.")
    az_lines(az_images.show_tags(registry.name, name))


def show_tag_table(tags: tuple[Tag, ...], known: Partial[ImageSummary]) -> None:
    show_refused(known, "digest", "digests")
    summaries = {summary.digest: summary for summary in known.values}
    tag = openable(
        tags,
        lambda tag: _tag_row(tag, summaries.get(tag.digest)),
        f"tags of {server}/{name} after {cursors[-1]}",
        "Tags, one per row, the newest first",
        columns={
            "Platforms": st.column_config.ListColumn(width="medium"),
            "Size": Sizes("Compressed layers over all platforms"),
            "Digest": st.column_config.TextColumn(width="small"),
            "Last update": ago_column(),
            "Created": ago_column(),
        },
        types={"Kind": pa.string(), "Platforms": TEXTS, "Last update": UTC, "Created": UTC},
    )
    if tag:
        open_image(tag.name)


def _tag_row(tag: Tag, summary: ImageSummary | None) -> dict[str, object]:
    attached = attached_to(tag.name)
    return {
        "Tag": tag.name,
        "Kind": f"attached to {short(attached)}" if attached else summary.kind.value if summary else None,
        "Platforms": list(summary.platforms) if summary else None,
        "Size": summary.size if summary else None,
        "Digest": tag.digest,
        "Last update": tag.updated,
        "Created": tag.created,
        "Locked": tag.locks.label,
    }


check_url("show", "tab", ("Tags", "Manifests"))
tags_tab, manifests_tab = st.tabs(["Tags", "Manifests"], on_change="rerun", key="show", bind="query-params")
if tags_tab.open:
    with tags_tab:
        show_tags()
if manifests_tab.open:
    with manifests_tab:
        digest = show_tree(who, server, name, repository.manifest_count)
        az_lines(az_images.list_manifests(registry.name, name))
    if digest:
        open_image(digest)
