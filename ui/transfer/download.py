"""The dialogs that download images as OCI archives, with their size and the lines that do the same."""

from collections.abc import Mapping

import streamlit as st

from services.commands import images as az_images
from services.images.manifests import DOCKER_LIST, DOCKER_MANIFEST, Manifest
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import panel
from ui.elements.notices import dialog
from ui.elements.table import show_facts
from ui.elements.text import plain, size
from ui.elements.writing import close_button
from ui.loaders import images as image_loaders
from ui.transfer import download_route

# To check that every blob of one exists takes a request a blob.
MOST_IMAGES = 20
ALL = "All platforms and attestations"


@dialog("Download image")
def download_image(who: str, registry: Registry, repository: str, reference: str, manifest: Manifest) -> None:
    """Offers the image at `reference`, a tag or a digest, as a file. The console keeps no copy of it."""
    server = registry.login_server
    tag = "" if ":" in reference else reference
    with panel():
        platforms = image_loaders.platforms(who, server, repository, manifest.digest)
        chosen = st.selectbox("Platforms", [ALL, *platforms]) if platforms else ALL
        with st.spinner("Checking that all blobs exist"):
            archive = image_loaders.archive(
                who, server, repository, manifest.digest, tag, "" if chosen == ALL else str(chosen)
            )
        show_facts(
            {
                "File": plain(archive.file_name),
                "Size": f"{size(archive.size)} ({archive.size:,} bytes)",
                "Content": f"{counted(archive.manifests, 'manifest')} and {counted(archive.blobs, 'blob')}, each "
                "verified against its digest as it is sent",
            }
        )
        if archive.left_out:
            st.info(
                f"{counted(len(archive.left_out), 'layer')} left out: clients load them from elsewhere (Windows base "
                "layers), and the registry does not have them.",
                icon=":material/info:",
            )
        if manifest.media_type in (DOCKER_LIST, DOCKER_MANIFEST):
            st.markdown(f"The image is in Docker's own format: skopeo reads it as `oci-archive:{archive.file_name}`.")
        st.link_button(
            f"Download {size(archive.size)}",
            download_route.mint(who, server, archive),
            icon=":material/download:",
            type="primary",
        )
        file = archive.file_name
        pulled = reference if chosen == ALL else archive.digest
        st.markdown("The same with skopeo, or with docker (one platform, in docker's own format):")
        lines = (
            az_images.copy_to_archive(server, repository, pulled, file),
            az_images.pull(server, repository, pulled),
            az_images.save(server, repository, pulled, file),
        )
        st.code("\n".join(lines), language=None, wrap_lines=True)
    close_button()


@dialog("Download images")
def download_images(who: str, registry: Registry, repository: str, tags: Mapping[str, str]) -> None:
    """Offers several images, tag → digest, each as a file with all its platforms."""
    if len(tags) > MOST_IMAGES:
        st.info(f"Select at most {MOST_IMAGES} images to download at once.", icon=":material/info:")
        close_button()
        return
    server = registry.login_server
    lines = []
    for tag, digest in tags.items():
        with panel():
            with st.spinner(f"Checking the blobs of {plain(tag)}"):
                archive = image_loaders.archive(who, server, repository, digest, tag, "")
            lines.append(az_images.copy_to_archive(server, repository, tag, archive.file_name))
            st.link_button(
                f"Download {plain(archive.file_name)} ({size(archive.size)})",
                download_route.mint(who, server, archive),
                icon=":material/download:",
                width="stretch",
            )
    st.caption("Each blob is verified against its digest as it is sent.")
    if lines:
        st.code("\n".join(lines), language=None, wrap_lines=True)
    close_button()
