"""What of the index a person may find: by their own list of registries and their own catalogues, as `inventory` has
them."""

from collections.abc import Collection
from datetime import UTC, datetime

import streamlit as st

from services.index.index_jobs import targets_of
from services.index.query import Query
from services.index.scope import IndexedRegistry, Scope, read_scope, readable_repositories
from services.index.search import Results
from services.index.search import search as search_index
from services.index.store import IndexStore
from services.running.answers import azure_of
from ui.loaders.registries import inventory
from ui.runtime import connection
from ui.runtime.database import database


def store_of(who: str) -> IndexStore:
    """The index of the cloud and tenant of `who`. Raises ServiceError (NoDatabase)."""
    return IndexStore(database(), azure_of(who))


@st.cache_resource(ttl="30s", show_spinner=False, max_entries=50)
def _scope(who: str, at: datetime, catalogues: int) -> Scope:  # noqa: ARG001 Parts of the key: which inventory it is of.
    listed = inventory(who).value
    return read_scope(store_of(who), targets_of(listed.registries.values), listed.catalogues)


def _key(who: str) -> tuple[str, datetime, int]:
    reading = inventory(who)
    return who, reading.at, len(reading.value.catalogues) + len(reading.value.registries.values)


def scope(who: str) -> Scope:
    """What `who` may find, as far as the inventory has been read. Raises ServiceError (NoDatabase)."""
    return _scope(*_key(who))


def search(who: str, query: Query) -> Results:
    """What a query finds of what `who` may read now. Raises ServiceError (NoDatabase)."""
    session = connection.session(who)

    def readable(registry: IndexedRegistry, names: Collection[str]) -> Collection[str]:
        return readable_repositories(session.registry(registry.login_server), names)

    return search_index(store_of(who), query, scope(who), readable, datetime.now(UTC))


def forget(who: str) -> None:
    """Makes the next search of `who` see what a job has written; that of others sees it within half a minute."""
    _scope.clear(*_key(who))
