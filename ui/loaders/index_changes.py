"""What the console itself changes in registries that are indexed: each repository is marked, and read again at once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

import streamlit as st

from services.connection.errors import ServiceError
from services.index.configs import read_configs
from services.index.pace import Pace
from services.index.reading import index_repository
from services.index.store import IndexStore
from services.running.answers import azure_of
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.database import database, shared_contents
from ui.runtime.settings import read_settings

_LOG = logging.getLogger("acr_console")
# Read with a repository: what one change adds is seldom more, and the next run of the index reads the rest.
_CONFIGS = 100


@dataclass
class OwnChanges:
    """What somebody has changed by the console. `repositories`: by login server and name, since the process began: a
    catalogue that was read before does not list a new one. `times`: how often the index of one was written since.
    `waiting` are read again one after another, so that what is read last is written last."""

    repositories: set[tuple[str, str]] = field(default_factory=set)
    times: int = 0
    waiting: list[tuple[str, str]] = field(default_factory=list)
    reading: Reading[None] | None = None
    lock: Lock = field(default_factory=Lock)

    def names_of(self, login_server: str) -> frozenset[str]:
        """The repositories of one registry."""
        with self.lock:
            return frozenset(name for server, name in self.repositories if server == login_server)


@st.cache_resource(show_spinner=False, max_entries=1000)
def own_changes(who: str) -> OwnChanges:  # noqa: ARG001 The key.
    return OwnChanges()


def note_change(who: str, login_server: str, name: str) -> None:
    """Marks a repository that `who` has changed, or may have, where its registry is indexed, and begins to read it
    again. What fails here is logged: the change was made, and the mark or the next run of the index says the rest."""
    try:
        indexed = IndexStore(database(), azure_of(who)).mark_changed(login_server, name, datetime.now(UTC))
    except ServiceError as error:
        _LOG.warning("The index does not know that %s in %s was changed: %s", name, login_server, error)
        return
    if not indexed:
        return
    own = own_changes(who)
    with own.lock:
        own.repositories.add((login_server, name))
        own.times += 1
        if (login_server, name) not in own.waiting:
            own.waiting.append((login_server, name))
        if own.reading is None or not own.reading.running:
            own.reading = start(None, lambda reading: _read_waiting(who, own, reading), verb="Comparing")


def being_read(who: str) -> Sequence[Reading[None]]:
    """The reading of what `who` has changed, where it runs in this process."""
    reading = own_changes(who).reading
    return (reading,) if reading and reading.running else ()


def _read_waiting(who: str, own: OwnChanges, reading: Reading[None]) -> None:
    pace = Pace(read_settings().index_reads, reading.stop)
    while not reading.stop.is_set():
        with own.lock:
            if not own.waiting:
                # Within the lock: who adds one now begins another reading.
                reading.end(None)
                return
            server, name = own.waiting.pop(0)
        reading.report_state(f"{name} with the index")
        try:
            _read(who, server, name, pace, reading)
        except (ServiceError, LookupError) as error:
            _LOG.warning("%s in %s was changed, and the index not: %s", name, server, error)
        with own.lock:
            own.times += 1


def _read(who: str, server: str, name: str, pace: Pace, reading: Reading[None]) -> None:
    client = connection.session_for_jobs(who).registry(server).paced(pace.take)
    store = IndexStore(database(), azure_of(who))
    for number in store.indexed_numbers(server, name):
        found = index_repository(store, client, number, name, shared=shared_contents(), stop=reading.stop)
        if found.refused:
            _LOG.warning("%s in %s was changed, and the index not: %s", name, server, found.unread)
        elif found.changed:
            read_configs(
                store, client, number, min(_CONFIGS, read_settings().index_configs), only=name,
                before_read=pace.take, stop=reading.stop,
            )  # fmt: skip
