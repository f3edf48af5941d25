"""Repositories and registries read whole, cached: what deleting from them and counting their bytes start from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.connection.parallel import Partial
from services.images.manifests import Manifest
from services.images.repositories import repository_names
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.storage import RegistryStorage, registry_storage
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50, validate=fresh)
def repository(who: str, login_server: str, name: str) -> Reading[RepositoryContents | None]:
    """One repository read whole, for what deletes from it; None until it is in."""
    client = connection.session(who).registry(login_server)
    known = known_manifests(who, login_server)

    def work(reading: Reading[RepositoryContents | None]) -> None:
        read = read_contents(client, [name], known, progress=reading.report, stop=reading.stop)
        if read.refused:
            raise read.refused[0].error
        reading.value = read.values[0] if read.values else None

    return start(None, work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=20, validate=fresh)
def registry(who: str, login_server: str) -> Reading[Partial[RepositoryContents]]:
    """All that a registry's repositories hold. What comes of it is also at hand in `counted`."""
    client = connection.session(who).registry(login_server)
    known, last = known_manifests(who, login_server), _last_counted(who, login_server)

    def work(reading: Reading[Partial[RepositoryContents]]) -> None:
        names: list[str] = []
        for page in repository_names(client):
            names += page
            reading.report(len(names), 0, "names")
            if reading.stop.is_set():
                break
        read = read_contents(client, names, known, progress=reading.report, stop=reading.stop)
        reading.value = read
        last[:] = [Counted(read, registry_storage(read), datetime.now(UTC))]

    return start(Partial(()), work)


@dataclass(frozen=True)
class Counted:
    """What a registry's repositories hold, what that takes, and when it was read."""

    contents: Partial[RepositoryContents]
    storage: RegistryStorage
    at: datetime


# The arguments of these two are their caches' keys.
@st.cache_resource(show_spinner=False, max_entries=20)
def known_manifests(who: str, login_server: str) -> dict[str, Manifest]:  # noqa: ARG001
    """Every manifest that was read for `registry`, by digest: the same for good, so none is read twice."""
    return {}


@st.cache_resource(show_spinner=False, max_entries=20)
def _last_counted(who: str, login_server: str) -> list[Counted]:  # noqa: ARG001
    """What `registry` came to, so that others can look without starting to read."""
    return []


def counted(who: str, login_server: str) -> Counted | None:
    """What was read last of a registry's contents, however old; None where nothing was. Never reads."""
    return next(iter(_last_counted(who, login_server)), None)


def known_blobs(who: str, login_server: str) -> Mapping[str, str]:
    """Digest of each layer and config → a repository that had it when contents were read last. Never reads."""
    found = counted(who, login_server)
    return {
        blob.digest: of_one.name
        for of_one in (found.contents.values if found else ())
        for manifest in of_one.manifests.values()
        for blob in (*((manifest.config,) if manifest.config else ()), *manifest.layers)
    }


def forget(who: str, login_server: str) -> None:
    """Reads what a registry's repositories hold anew: after any change of them. Known manifests stay known."""
    registry.clear(who, login_server)
    _last_counted.clear(who, login_server)
