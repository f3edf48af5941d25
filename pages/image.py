"""One image or index: how to pull it, what it is, its platforms, layers, configuration, and what refers to it."""

from collections.abc import Callable

import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError, says_gone
from services.images.evidence import kind_label
from services.images.manifests import Kind, Manifest
from services.images.repositories import Locks
from services.wording import counted
from ui.elements.errors import panel, show_error, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.skeleton import Shape, outlined
from ui.elements.text import plain, short
from ui.elements.writing import may_write, show_read_only
from ui.images import image_details, tag_actions
from ui.images.image_facts import pulls_of_view, show_base_image, show_image_facts, show_indexes
from ui.images.image_view import PLATFORM, ImageView, read_view
from ui.images.lock_actions import change_locks
from ui.images.storage_line import show_image_storage
from ui.loaders import images as image_loaders
from ui.loaders import running
from ui.loaders.principals import PrincipalNames
from ui.loaders.pulls import forget_logs, unread_pulls
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_page, registry_steps
from ui.navigation.url_choice import check_url
from ui.pulls.columns import known_pulls
from ui.pulls.events import names_of_callers, show_image_events
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.transfer import copy, promote
from ui.transfer.download import download_image

SHOWN_TAGS = 12
GONE = "It was never there, or has been deleted."
ADD, REMOVE, COPY, DOWNLOAD, COMPARE = "Add tag", "Remove tag", "Copy image", "Download image", "Compare"
PROMOTE = "Promote image"
FIND_DERIVED = "Find images built on it"
TAG_LOCKS, MANIFEST_LOCKS, DELETE = "Set tag locks", "Set manifest locks", "Delete image"

who = connection.who()
registry = selection.registry_of_url(who, pages.IMAGE)
repository = selection.repository_of_url()
server = registry.login_server
url = {"registry": st.query_params["registry"], "repository": repository}
reference = selection.reference_of_url(repository)
digest = reference
title = f"{repository}@{short(reference)}" if ":" in reference else f"{repository}:{reference}"
caption = plain(f"{server}/{repository}")
path = (
    *registry_steps(registry.name, **url),
    last_step(short(reference) if ":" in reference else reference),
)


def refresh() -> None:
    image_loaders.tag.clear(who, server, repository, reference)
    image_loaders.manifest_row.clear(who, server, repository, digest)
    image_loaders.referrers.clear(who, server, repository, digest)
    image_loaders.evidence.clear(who, server, repository, digest)
    image_loaders.indexes.clear(who, server, repository)
    forget_logs(who, registry)


def act(action: str) -> None:
    """Opens the dialog or the page of an action."""
    if action == REMOVE:
        tag_actions.remove_tag(who, registry, repository, reference)
    elif action == COPY:
        copy.copy_to(who, registry, repository, reference, digest)
    elif action == PROMOTE:
        promote.promote(who, registry, repository, reference, row, manifest)
    elif action == DOWNLOAD:
        download_image(who, registry, repository, reference, manifest)
    elif action == COMPARE:
        open_page(pages.COMPARE, **url, reference=reference)
    elif action == FIND_DERIVED:
        open_page(pages.SEARCH, q=f"base:{digest}")
    elif action == DELETE:
        open_page(pages.DELETE, **url, reference=digest)
    else:
        change_locks(who, registry, repository, reference if action == TAG_LOCKS else digest)


def show_names() -> None:
    """The tags of the manifest, and its locks."""
    with st.container(horizontal=True, gap="xsmall"):
        for tag in row.tags[:SHOWN_TAGS]:
            st.badge(plain(tag), icon=":material/sell:", color="gray")
        if len(row.tags) > SHOWN_TAGS:
            st.badge(f"and {counted(len(row.tags) - SHOWN_TAGS, 'more tag')}", color="gray")
        if tag_locks.any:
            st.badge(f"Tag locked: {tag_locks.label}", icon=":material/lock:", color="orange")
        if row.locks.any:
            st.badge(f"Manifest locked: {row.locks.label}", icon=":material/lock:", color="orange")


def show_pull_lines() -> None:
    """The command people come for, by tag and by digest."""
    kind = kind_label(manifest)
    line = az_images.pull if manifest.kind is not Kind.ARTIFACT else az_images.oras_pull
    line = az_images.helm_pull if kind == "Helm chart" else line
    for at in dict.fromkeys((reference, digest)):
        st.code(line(server, repository, at), language=None)


def open_digest(other: str) -> None:
    open_page(pages.IMAGE, **url, reference=other)


def choose_platform(view: ImageView) -> None:
    """Of an index, the platform whose layers and configuration are shown."""
    if len(view.platforms) > 1:
        check_url(PLATFORM, "platform", list(view.platforms))
        st.selectbox("Platform", list(view.platforms), key=PLATFORM, bind="query-params", width=320)
    elif view.platform:
        st.markdown(f"Platform: **{plain(view.platform)}**")


def show_layers_and_history(view: ImageView) -> None:
    choose_platform(view)
    if view.shown is None:
        st.markdown("Unknown: no platform of this index could be read.")
        return
    image_details.show_layers(view.shown)
    if view.config:
        image_details.show_history(view.config)
    elif view.shown.kind is Kind.IMAGE and not view.shown.is_schema_1:
        st.markdown("History unknown: the config of the image could not be read.")


def show_configuration(view: ImageView) -> None:
    choose_platform(view)
    if view.config:
        image_details.show_config(view.config)
    elif view.shown and view.shown.is_schema_1:
        st.markdown("An image of schema 1 has no config of its own.")
    else:
        st.markdown("Unknown: the config of the image could not be read.")


def show_referrers(view: ImageView) -> None:
    referrers = None
    with panel():
        found = image_loaders.referrers(who, server, repository, digest)
        referrers = {one.digest: one for one in found}
    image_details.show_evidence(view.evidence, referrers, digest, open_digest)


def show_tabs(view: ImageView, manifest: Manifest) -> None:
    layers = "Content" if manifest.kind is Kind.ARTIFACT else "Layers and history"
    bodies: dict[str, Callable[[], None]] = {
        "Platforms": lambda: image_details.show_platforms(
            manifest, image_loaders.children(who, server, repository, digest).value, open_digest
        ),
        layers: lambda: show_layers_and_history(view),
        "Configuration": lambda: show_configuration(view),
        "Referrers": lambda: show_referrers(view),
        "Manifest": lambda: image_details.show_manifest(
            manifest, image_loaders.manifest_text(who, server, repository, digest)
        ),
    }
    bodies["Events"] = lambda: show_image_events(who, registry, repository, digest, row.tags)
    if manifest.kind is not Kind.INDEX:
        del bodies["Platforms"]
    if manifest.kind is Kind.ARTIFACT or (manifest.kind is Kind.INDEX and not view.platforms):
        del bodies["Configuration"]
    if manifest.kind is Kind.INDEX and not view.platforms:
        del bodies[layers]
    check_url("show", "tab", list(bodies))
    for tab, show in zip(
        st.tabs(list(bodies), on_change="rerun", key="show", bind="query-params"), bodies.values(), strict=True
    ):
        if tab.open:
            with tab, panel():
                show()


def show_gone(error: ServiceError) -> None:
    """Says what the registry does not have, with the nearest list."""
    if error.code == "NAME_UNKNOWN":
        empty(":material/search_off:", f"{plain(registry.name)} has no repository {plain(repository)}", GONE)
        link_to(pages.REPOSITORIES, f"Repositories of {plain(registry.name)}", registry=url["registry"])
        return
    what = f"manifest {short(reference)}" if ":" in reference else f"tag {plain(reference)}"
    empty(":material/search_off:", f"{plain(repository)} has no {what}", GONE)
    link_to(pages.REPOSITORY, f"Tags of {plain(repository)}", **url)


tag_locks = Locks()
try:
    if ":" not in reference:
        named = image_loaders.tag(who, server, repository, reference)
        digest, tag_locks = named.digest, named.locks
    loaded = image_loaders.manifest_row(who, server, repository, digest)
    manifest = image_loaders.manifest(who, server, repository, digest)
except ServiceError as error:
    header(plain(title), caption, None, refresh, path)
    if says_gone(error):
        show_gone(error)
    else:
        show_error(error)
    st.stop()

row = loaded.value
with header(plain(title), "", loaded.at, refresh, path):
    add = st.button(ADD, icon=":material/new_label:", type="primary", disabled=not may_write())
    locks = [MANIFEST_LOCKS] if ":" in reference else [TAG_LOCKS, MANIFEST_LOCKS]
    changes = [COPY, PROMOTE, *([] if ":" in reference else [REMOVE]), *locks, DELETE] if may_write() else [DELETE]
    chosen = st.menu_button("More", [COMPARE, FIND_DERIVED, DOWNLOAD, *changes], icon=":material/more_horiz:")
if add:
    tag_actions.add_tag(who, registry, repository, digest)
elif chosen:
    act(chosen)
show_done()
show_read_only()
for job_kind in (copy.COPY, promote.PROMOTE):
    copy.show_copies(who, job_kind, server=registry.login_server, repository=repository)
notice = st.container()
if manifest.is_schema_1:
    st.warning(
        "An image of schema 1, Docker's old format: containerd 2 does not pull it, and registries take no more of "
        "them. Build it again, or convert it with `skopeo copy`.",
        icon=":material/warning:",
    )
show_pull_lines()
show_names()
asked = f"indexes of {server}/{repository}"
with outlined(Shape.TABLE, "an image", f"{server}/{repository}@{digest}"):
    view = read_view(who, server, repository, row, manifest, ask_indexes=bool(st.session_state.get(asked)))
pulled, pulls = known_pulls(who, registry, repository)
names = PrincipalNames()
if pulls and (last := pulls_of_view(view, pulls).last):
    names = names_of_callers(who, (last.identity,), registry.id)
with notice:
    show_partial(*view.unread, unread_pulls(pulled.value), *running.unseen_parts(who))
show_image_facts(view, running.seen_of(who, registry, repository), pulls, names)
if view.reading:
    show_progress(view.reading, asked)
if show_indexes(view, url):
    st.session_state[asked] = True
    st.rerun()
show_base_image(who, view)
show_tabs(view, manifest)
show_image_storage(who, server, url["registry"], repository, digest)
az_lines(
    az_images.show_manifest(registry.name, repository, reference),
    az_images.list_referrers(registry.name, repository, digest),
)
