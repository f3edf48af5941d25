"""What the plan of a deletion is made of: the repository read whole, and the images that run."""

import streamlit as st

from services.commands import aks as az_aks
from services.connection.parallel import Partial
from services.deletion.running_images import running_digests
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.skeleton import Shape
from ui.elements.text import shell
from ui.loaders import contents as contents_loader
from ui.runtime.background import show_progress


def contents_of(who: str, registry: Registry, name: str) -> RepositoryContents:
    """The contents of the repository, read with progress shown. Stops the page while that runs, and where it fails."""
    reading = contents_loader.repository(who, registry.login_server, name)
    show_progress(reading, f"contents of {registry.id}/{name}", shape=None if reading.value else Shape.PLAN)
    if reading.error:
        show_error(reading.error)
    elif reading.value is None and not reading.running:
        st.info("Stopped before the repository was read: refresh to read it again.", icon=":material/stop_circle:")
    if reading.error or reading.value is None:
        st.stop()
    contents = reading.value
    show_partial(Part(Partial((), contents.unread, contents.untried), "manifest"))
    return contents


def ask_running_images(contents: RepositoryContents) -> frozenset[str]:
    """Asks for the digests that run in clusters. The console does not read a cluster's pods."""
    with st.expander("Running images", icon=":material/deployed_code_alert:"):
        st.markdown(
            "The registry does not know which images run. Paste the output of this line for each cluster: images in "
            f"it are not deleted.\n\n{shell(az_aks.running_images())}"
        )
        text = st.text_area("Output for all clusters", placeholder="contoso.azurecr.io/app@sha256:…", key="running")
        running = running_digests(text or "", contents)
        here = len(running & {row.digest for row in contents.rows})
        if text:
            st.markdown(f"{counted(len(running), 'digest')} found, {here:,} of them in this repository.")
    return running
