"""The complete contents of repositories and registries, cached: the start of deletions and of storage figures."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.connection.data_plane import RegistryClient, require_same_time
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.estate.potential import Measurement, measure
from services.growth.history import snapshots_of
from services.growth.store import add_snapshots
from services.images.manifests import Manifest
from services.images.repositories import repository_names
from services.images.repository_contents import RepositoryContents, read_contents
from services.images.storage import RegistryStorage, registry_storage
from ui.loaders.registries import inventory
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.database import database, shared_contents

_LOG = logging.getLogger(__name__)
# Registries whose contents are kept: each may be many megabytes.
MOST_COUNTS = 20
# How soon a stop of `measure_all` reaches the registry that is being read.
_LOOK_S = 0.2


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50, validate=fresh)
def repository(who: str, login_server: str, name: str) -> Reading[RepositoryContents | None]:
    """The contents of one repository, for deletions from it; None until they are read."""
    client = connection.session(who).registry(login_server)
    known = known_manifests(who, login_server)

    def work(reading: Reading[RepositoryContents | None]) -> None:
        read = read_contents(client, [name], known, store=shared_contents(), progress=reading.report, stop=reading.stop)
        if read.refused:
            raise read.refused[0].error
        reading.value = read.values[0] if read.values else None

    return start(None, work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=50)
def _several(who: str, login_server: str) -> dict[tuple[str, ...], Reading[Partial[RepositoryContents]]]:  # noqa: ARG001
    """What `repositories` has read, by their names. One entry of the cache, so that all of it can be forgotten."""
    return {}


def repositories(who: str, login_server: str, names: tuple[str, ...]) -> Reading[Partial[RepositoryContents]]:
    """The contents of several repositories, for a plan over all of them."""
    kept = _several(who, login_server)
    if names not in kept or not kept[names].fresh:
        kept[names] = _read_several(who, login_server, names)
    return kept[names]


def forget_several(who: str, login_server: str) -> None:
    """Makes the next `repositories` of this registry read again, after a change of any of them."""
    _several.clear(who, login_server)


def _read_several(who: str, login_server: str, names: tuple[str, ...]) -> Reading[Partial[RepositoryContents]]:
    client = connection.session(who).registry(login_server)
    known = known_manifests(who, login_server)

    def work(reading: Reading[Partial[RepositoryContents]]) -> None:
        reading.value = read_contents(
            client, names, known, store=shared_contents(), progress=reading.report, stop=reading.stop
        )
        within = (refusal for one in reading.value.values for refusal in one.unread)
        reading.lacks = (*reading.value.refused, *within)

    return start(Partial((), untried=len(names)), work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=MOST_COUNTS, validate=fresh)
def registry(who: str, login_server: str) -> Reading[Partial[RepositoryContents]]:
    """The contents of all repositories of a registry. `last_count` has them too, once they are read."""
    client = connection.session(who).registry(login_server)
    known, last = known_manifests(who, login_server), _count_of(who, login_server)
    measured = _measurements(who).setdefault(login_server, [])

    def work(reading: Reading[Partial[RepositoryContents]]) -> None:
        names: list[str] = []
        for page in repository_names(client):
            names += page
            reading.report(len(names), 0, "names")
            if reading.stop.is_set():
                break
        read = read_contents(client, names, known, store=shared_contents(), progress=reading.report, stop=reading.stop)
        reading.value = read
        reading.lacks = (*read.refused, *(refusal for one in read.values for refusal in one.unread))
        count = StorageCount(read, registry_storage(read), datetime.now(UTC))
        last[:], measured[:] = [count], [measure(login_server, count.storage, count.at)]
        if not reading.stop.is_set():
            _keep_snapshot(who, client, count)

    return start(Partial(()), work)


def _keep_snapshot(who: str, client: RegistryClient, count: "StorageCount") -> None:
    """Keeps what the registry stores today, where all of it was read and its clock is the console's."""
    listed = inventory(who).value.registries.values
    known = next((one for one in listed if one.login_server == client.login_server), None)
    if known is None or not count.storage.complete:
        return
    try:
        require_same_time(client, f"The snapshot of {known.name} was not recorded", datetime.now(UTC))
        add_snapshots(database(), known, snapshots_of(count.storage, count.contents.values, count.at.date()))
    except ServiceError as error:  # The page that shows the growth says so itself.
        _LOG.warning("%s", error)


@dataclass(frozen=True)
class StorageCount:
    """The contents of a registry's repositories, their storage, and when they were read."""

    contents: Partial[RepositoryContents]
    storage: RegistryStorage
    at: datetime


# The arguments of these two are their caches' keys.
@st.cache_resource(show_spinner=False, max_entries=MOST_COUNTS)
def known_manifests(who: str, login_server: str) -> dict[str, Manifest]:  # noqa: ARG001
    """Every manifest read for `registry`, by digest. A digest's manifest never changes, so none is read twice."""
    return {}


@st.cache_resource(show_spinner=False)
def _counts(who: str) -> dict[str, list[StorageCount]]:  # noqa: ARG001
    """Login server → the result of its last `registry`, empty until it is read. The oldest go first."""
    return {}


def _count_of(who: str, login_server: str) -> list[StorageCount]:
    """Where a read of the registry puts its result. After `forget` it is another one: what was read before is not
    kept."""
    counts = _counts(who)
    count = counts.setdefault(login_server, [])
    while len(counts) > MOST_COUNTS:
        counts.pop(next(iter(counts)), None)
    return count


def last_count(who: str, login_server: str) -> StorageCount | None:
    """The last read of a registry's contents, however old; None where there is none. Never starts a read."""
    return next(iter(_counts(who).get(login_server, ())), None)


@st.cache_resource(show_spinner=False)
def _measurements(who: str) -> dict[str, list[Measurement]]:  # noqa: ARG001
    """Login server → what its last `registry` found untagged, empty until it is read. Small: those of all are kept."""
    return {}


def measurements(who: str) -> Mapping[str, Measurement]:
    """By login server, the untagged bytes of every registry whose contents were read. Never starts a read."""
    return {server: found[0] for server, found in tuple(_measurements(who).items()) if found}


def untagged_bytes(who: str) -> Mapping[str, int]:
    """By login server, the bytes that no tag leads to, of every registry that was read whole. Never starts a read."""
    return {server: sum(one.untagged.values()) for server, one in measurements(who).items() if not one.unread}


@st.cache_resource(show_spinner=False)
def _measuring(who: str) -> list[Reading[None]]:  # noqa: ARG001
    """The last run of `measure_all`; empty where there is none."""
    return []


def measuring(who: str) -> Reading[None] | None:
    """The last run of `measure_all`, by whichever session; None where there is none."""
    return next(iter(_measuring(who)), None)


def measure_all(who: str, servers: Mapping[str, str]) -> None:
    """Starts to read the contents of these registries (login server → name), one after the other: `measurements` has
    each as soon as it is read. Where that is under way, it goes on."""
    last = _measuring(who)
    if last and last[0].running:
        return

    def work(reading: Reading[None]) -> None:
        refused: list[Refusal] = []
        for number, (server, name) in enumerate(servers.items()):
            reading.report(number, len(servers), name)
            one = registry(who, server)
            while not one.finished.wait(_LOOK_S):
                if reading.stop.is_set():
                    one.stop.set()
            if one.error:
                refused.append(Refusal(name, one.error))
            if reading.stop.is_set():
                found = measurements(who).get(server)
                if found and found.unread:  # It was stopped within: the next run reads the rest.
                    registry.clear(who, server)
                    _measurements(who).pop(server, None)
                break
        reading.lacks = tuple(refused)

    last[:] = [start(None, work, verb="Measuring")]


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
    _counts(who).pop(login_server, None)
    _measurements(who).pop(login_server, None)
