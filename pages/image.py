"""One image or index: its platforms, layers, config and history, and what refers to it."""

import streamlit as st

from services.commands import images as az_images
from services.connection.errors import ServiceError
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.repositories import Locks
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.errors import panel, show_error
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.elements.selectable_table import openable
from ui.elements.table import show_facts
from ui.elements.text import ago, exact, plain, short, size
from ui.elements.writing import may_write, show_read_only
from ui.images import tag_actions
from ui.images.image_details import show_config, show_layers, show_pairs
from ui.images.lock_actions import change_locks
from ui.images.storage_line import show_image_storage
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_page, registry_steps
from ui.runtime import connection
from ui.transfer import copy
from ui.transfer.download import download_image

SHOWN_TAGS = 20

who = connection.who()
registry = selection.registry_of_url(who)
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


tag_locks = Locks()
try:
    if ":" not in reference:
        named = image_loaders.tag(who, server, repository, reference)
        digest, tag_locks = named.digest, named.locks
    loaded = image_loaders.manifest_row(who, server, repository, digest)
    manifest = image_loaders.manifest(who, server, repository, digest)
except ServiceError as error:
    header(plain(title), caption, None, refresh, path)
    show_error(error)
    st.stop()

row = loaded.value
header(plain(title), caption, loaded.at, refresh, path)
show_done()
copy.show_copies()
st.code(digest, language=None, wrap_lines=True)
with st.container(horizontal=True):
    st.badge(manifest.kind.value, icon=":material/deployed_code:", color="blue")
    try:
        platforms = image_loaders.platforms(who, server, repository, digest)
    except ServiceError:
        platforms = ("unknown platforms: an index in it could not be read",)
    for platform in platforms or ((row.platform,) if row.platform else ()):
        st.badge(plain(platform), icon=":material/memory:", color="gray")
    for tag in row.tags[:SHOWN_TAGS]:
        st.badge(plain(tag), icon=":material/sell:", color="green")
    if len(row.tags) > SHOWN_TAGS:
        st.badge(f"and {counted(len(row.tags) - SHOWN_TAGS, 'more tag')}", color="green")
    if tag_locks.any:
        st.badge(f"tag locked: {tag_locks.label}", icon=":material/lock:", color="orange")
    if row.locks.any:
        st.badge(f"manifest locked: {row.locks.label}", icon=":material/lock:", color="orange")
show_read_only()
OF_TAG, OF_MANIFEST = "Tag locks", "Manifest locks"
with st.container(horizontal=True, vertical_alignment="center"):
    if st.button("Add tag", icon=":material/new_label:", disabled=not may_write()):
        tag_actions.add_tag(who, registry, repository, digest)
    if ":" not in reference and st.button("Remove tag", icon=":material/label_off:", disabled=not may_write()):
        tag_actions.remove_tag(who, registry, repository, reference)
    if st.button("Copy image", icon=":material/content_copy:", disabled=not may_write()):
        copy.copy_to(who, registry, repository, reference, digest)
    if st.button("Download image", icon=":material/download:"):
        download_image(who, registry, repository, reference, manifest)
    locks = [OF_MANIFEST] if ":" in reference else [OF_TAG, OF_MANIFEST]
    if of := st.menu_button("Set locks", locks, icon=":material/lock:", disabled=not may_write()):
        change_locks(who, registry, repository, reference if of == OF_TAG else digest)
    link_to(pages.DELETE, **url, reference=digest)
show_facts(
    {
        "Media type": plain(manifest.media_type),
        "Last update": f"{ago(row.updated)} ({exact(row.updated)})" if row.updated else "Not reported",
        "Pushed": f"{ago(row.created)} ({exact(row.created)})" if row.created else "Not reported",
        "Manifest size": size(manifest.size),
    },
)
show_image_storage(who, server, url["registry"], repository, digest)


def open_digest(other: str) -> None:
    open_page(pages.IMAGE, **url, reference=other)


def _kind(child: Descriptor) -> str:
    if child.attests:
        return "attestation"
    return "platform" if child.platform and child.kind is not Kind.INDEX else child.kind.value


def show_children(index: Manifest) -> None:
    st.subheader(f"Manifests in this index ({len(index.children)})", anchor=False)
    child = openable(
        index.children,
        lambda child: {
            "Digest": short(child.digest),
            "Kind": _kind(child),
            "Platform or type": child.platform or child.artifact_type,
            "Attests": short(child.attests),
            "Media type": child.media_type,
        },
        f"children {index.digest}",
        "Manifests that the index points to",
        identity=lambda child: child.digest,
    )
    if child:
        open_digest(child.digest)


if manifest.kind is Kind.INDEX:
    show_children(manifest)
else:
    show_layers(manifest)
if manifest.is_schema_1:
    st.warning(
        "An image of schema 1, Docker's old format: containerd 2 does not pull it, and registries take no more of "
        "them. Build it again, or convert it with `skopeo copy`.",
        icon=":material/warning:",
    )
elif manifest.kind is Kind.IMAGE:
    with panel():
        show_config(image_loaders.config(who, server, repository, digest))
show_pairs("Annotations", manifest.annotations)
with panel():
    referrers = image_loaders.referrers(who, server, repository, digest)
    st.subheader(f"Referrers ({len(referrers)})", anchor=False)
    if referrers:
        referrer = openable(
            referrers,
            lambda found: {"Digest": short(found.digest), "Type": found.artifact_type, "Size": found.size},
            f"referrers {digest}",
            "Signatures, SBOMs and attestations of this manifest",
            columns={"Size": Sizes()},
            identity=lambda found: found.digest,
        )
        if referrer:
            open_digest(referrer.digest)
    else:
        st.markdown("No signature, SBOM or attestation refers to it, apart from those in an index.")
az_lines(
    az_images.pull(server, repository, reference),
    az_images.show_manifest(registry.name, repository, reference),
    az_images.list_referrers(registry.name, repository, digest),
)
