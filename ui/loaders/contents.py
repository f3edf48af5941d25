"""The complete contents of repositories and registries, cached: the start of deletions and of storage figures."""

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
    """The contents of one repository, for deletions from it; None until they are read."""
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
    """The contents of all repositories of a registry. `last_count` has them too, once they are read."""
    client = connection.session(who).registry(login_server)
    known, last = known_manifests(who, login_server), _last_count(who, login_server)

    def work(reading: Reading[Partial[RepositoryContents]]) -> None:
        names: list[str] = []
        for page in repository_names(client):
            names += page
            reading.report(len(names), 0, "names")
            if reading.stop.is_set():
                break
        read = read_contents(client, names, known, progress=reading.report, stop=reading.stop)
        reading.value = read
        reading.lacks = (*read.refused, *(refusal for one in read.values for refusal in one.unread))
        last[:] = [StorageCount(read, registry_storage(read), datetime.now(UTC))]

    return start(Partial(()), work)


@dataclass(frozen=True)
class StorageCount:
    """The contents of a registry's repositories, their storage, and when they were read."""

    contents: Partial[RepositoryContents]
    storage: RegistryStorage
    at: datetime


# The arguments of these two are their caches' keys.
@st.cache_resource(show_spinner=False, max_entries=20)
def known_manifests(who: str, login_server: str) -> dict[str, Manifest]:  # noqa: ARG001
    """Every manifest read for `registry`, by digest. A digest's manifest never changes, so none is read twice."""
    return {}


@st.cache_resource(show_spinner=False, max_entries=20)
def _last_count(who: str, login_server: str) -> list[StorageCount]:  # noqa: ARG001
    """The result of the last `registry`, for callers that must not start a read."""
    return []


def last_count(who: str, login_server: str) -> StorageCount | None:
    """The last read of a registry's contents, however old; None where there is none. Never starts a read."""
    return next(iter(_last_count(who, login_server)), None)


def known_blobs(who: str, login_server: str) -> Mapping[str, str]:
    """Digest of each layer and config → a repository that had it at the last read. Never starts a read."""
    found = last_count(who, login_server)
    return {
        blob.digest: of_one.name
        for of_one in (found.contents.values if found else ())
        for manifest in of_one.manifests.values()
        for blob in (*((manifest.config,) if manifest.config else ()), *manifest.layers)
    }


def forget(who: str, login_server: str) -> None:
    """Makes the next call read a registry's contents again, after any change of them. Known manifests are kept."""
    registry.clear(who, login_server)
    _last_count.clear(who, login_server)
