"""What of the index a person may find: by their own list of registries and their own catalogues, as `inventory` has
them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from services.connection.errors import ServiceError
from services.database.engine import read_clock
from services.estate.rebuilds import Rebuild, find_rebuilds, rebuild_of
from services.estate.used_images import used_by_hosts, used_by_pulls
from services.images.base_image import BaseImage
from services.index.index_jobs import targets_of
from services.index.query import Query, Term
from services.index.scope import Readable, Scope, read_scope, readable_repositories
from services.index.search import Results
from services.index.search import search as search_index
from services.index.store import IndexStore
from services.index.usage import FindUsed, Used
from services.registries.registry import Registry
from services.running.answers import azure_of
from ui.loaders import clusters
from ui.loaders.index_changes import being_read, own_changes
from ui.loaders.pulls import estate_pulls
from ui.loaders.registries import inventory
from ui.loaders.running import apps, find_answers, known_apps
from ui.runtime import connection
from ui.runtime.background import Reading
from ui.runtime.database import database


def store_of(who: str) -> IndexStore:
    """The index of the cloud and tenant of `who`. Raises ServiceError (NoDatabase)."""
    return IndexStore(database(), azure_of(who))


@st.cache_resource(ttl="30s", show_spinner=False, max_entries=50)
def _scope(who: str, at: datetime, catalogues: int, changes: int) -> Scope:  # noqa: ARG001 Parts of the key: which inventory it is of.
    listed = inventory(who).value
    names = {one: frozenset(some) for one, some in listed.catalogues.items()}
    # Repositories that the person has just made by the console are in no catalogue that was read before.
    for registry in listed.registries.values:
        if registry.id in names:
            names[registry.id] |= own_changes(who).names_of(registry.login_server)
    return read_scope(store_of(who), targets_of(listed.registries.values), names)


def _key(who: str) -> tuple[str, datetime, int, int]:
    reading = inventory(who)
    known = len(reading.value.catalogues) + len(reading.value.registries.values)
    return who, reading.at, known, own_changes(who).times


def scope(who: str) -> Scope:
    """What `who` may find, as far as the inventory has been read. Raises ServiceError (NoDatabase)."""
    return _scope(*_key(who))


def search(who: str, query: Query) -> Results:
    """What a query finds of what `who` may read now. Raises ServiceError (NoDatabase)."""
    now = datetime.now(UTC)
    return search_index(store_of(who), query, scope(who), readable_by(who), now, find_used=find_used(who, now))


def readable_by(who: str) -> Readable:
    """Which repositories `who` may read the images of, by the registries' tokens."""
    session = connection.session(who)
    return lambda registry, names: readable_repositories(session.registry(registry.login_server), names)


def rebuild(who: str, base: BaseImage | None, layers: tuple[str, ...], created: datetime | None) -> Rebuild:
    """Whether an image is to be rebuilt, as far as `who` may read its base. Raises ServiceError (NoDatabase)."""
    return rebuild_of(store_of(who), scope(who), readable_by(who), base, layers, created)


def find_used(who: str, now: datetime) -> FindUsed:
    """What runs:, pulled: and rebuild: are about as far as it is known; starts the reading of logs. Asks no cluster."""

    def find(term: Term) -> Used:
        registries = inventory(who).value.registries.values
        if term.field == "runs":
            return _used_by_hosts(who, term.value, registries)
        if term.field == "rebuild":
            return find_rebuilds(store_of(who), scope(who), readable_by(who), needed=term.value == "yes")
        logs = {} if inventory(who).running else estate_pulls(who).value
        return used_by_pulls(timedelta(hours=term.number), now, logs, registries)

    return find


def _used_by_hosts(who: str, pattern: str, registries: Sequence[Registry]) -> Used:
    reading = clusters.pulls(who)
    why = reading.error.cause if reading.error else ""
    if reading.running:
        why = "They are being read."
    elif reading.stop.is_set():
        why = "Reading them was stopped: refresh."
    if why:
        return Used(unknown=(f"Clusters: {why}",), unknown_of=None)
    try:
        now = read_clock(database())
    except ServiceError as error:
        return Used(unknown=(f"The age of what clusters answered is unknown: {error.cause}",), unknown_of=None)
    return used_by_hosts(pattern, reading.value, find_answers(who), known_apps(who), registries, now)


def readings_of(who: str, query: Query) -> Sequence[Reading[Any]]:
    """What is read beside a search: what the person has just changed, and for what runs or was pulled."""
    fields = {term.field for term in query.terms}
    found: list[Reading[Any]] = [*being_read(who), *((clusters.pulls(who), apps(who)) if "runs" in fields else ())]
    # Of registries that are still being listed, logs are read once all are known.
    if "pulled" in fields and not inventory(who).running:
        found.append(estate_pulls(who))
    return found


def forget(who: str) -> None:
    """Makes the next search of `who` see what a job has written; that of others sees it within half a minute."""
    _scope.clear(*_key(who))
