"""The contents of a registry for a page that needs all of them: read with progress shown, a large one when asked."""

import streamlit as st

from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.notices import run_again
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.loaders.registries import Catalogue
from ui.runtime.background import show_progress


def registry_contents(who: str, registry: Registry, catalogue: Catalogue) -> contents.StorageCount:
    """The registry's contents, read with progress shown. Stops the page until they are read.

    A large registry is read only when asked for, and so is one whose last read was stopped.
    """
    server = registry.login_server
    asked = f"contents of {registry.id}"
    manifests = catalogue.manifests
    large = manifests is None or manifests > image_loaders.LARGE
    if large and not contents.last_count(who, server) and not st.session_state.get(asked):
        repositories = f"{counted(len(catalogue.names), 'repository', 'repositories')} or more"
        amount = repositories if manifests is None else counted(manifests, "manifest")
        st.markdown(f"{amount}: reading them all takes a while, and can be stopped.")
        if not st.button("Read all manifests", icon=":material/database:"):
            st.stop()
        st.session_state[asked] = True
    reading = contents.registry(who, server)
    show_progress(reading, asked)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        st.stop()
    found = contents.last_count(who, server)
    if not found:  # The contents of other registries have evicted it from the cache.
        contents.forget(who, server)
        run_again()
    return found
