"""Cached reads of SBOMs."""

import streamlit as st

from services.compare.sbom import Sbom
from services.compare.sbom_reading import read_sbom
from ui.loaders import images as image_loaders
from ui.runtime import connection


@st.cache_resource(show_spinner=False, max_entries=50)
def sbom(who: str, login_server: str, repository: str, digest: str) -> Sbom:
    """The packages in the referrer or attestation at `digest`, which never changes."""
    manifest = image_loaders.manifest(who, login_server, repository, digest)
    return read_sbom(connection.session(who).registry(login_server), repository, manifest)
