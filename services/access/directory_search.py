"""Searching the directory for a principal: by name, sign-in name, client id or object id.

Microsoft Graph searches names by the beginnings of their words, and asks for a header with it:
https://learn.microsoft.com/graph/search-query-parameter and https://learn.microsoft.com/graph/aad-advanced-queries
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from azure.core.rest import HttpRequest

from services.access.directory import Named, ask_directory, named_principal, names_of
from services.arm.pages import entries_of
from services.connection.answers import read_entries
from services.connection.names import is_guid
from services.connection.parallel import Partial, Refusal, parallel_map
from services.connection.session import AzureSession

# Of each kind: who does not find a name among so many types more of it.
MOST = 10
_TITLE = "Could not search the directory"


@dataclass(frozen=True)
class _Collection:
    """A collection of Graph. `searched`: the properties that a search looks at."""

    path: str
    kind: str
    what: str
    searched: tuple[str, ...]
    select: str


_COLLECTIONS = (
    _Collection("users", "user", "users", ("displayName", "userPrincipalName"), "id,displayName,userPrincipalName"),
    _Collection("groups", "group", "groups", ("displayName",), "id,displayName"),
    _Collection(
        "servicePrincipals",
        "service principal",
        "service principals and managed identities",
        ("displayName",),
        "id,displayName,appId,servicePrincipalType",
    ),
)


@dataclass(frozen=True)
class SearchResult:
    """The principals that were found, by name. `refused`: the kinds that could not be searched. `more`: the directory
    has more of some kind than are listed."""

    found: tuple[Named, ...] = ()
    refused: tuple[Refusal, ...] = ()
    more: bool = False


def search_directory(session: AzureSession, text: str) -> SearchResult:
    """Users, groups, service principals and managed identities that `text` finds, at most MOST of each kind.

    A GUID is an object id or a client id. Three requests, two for a GUID. Never raises ServiceError.
    """
    text = text.strip()
    if not text:
        return SearchResult()
    if is_guid(text):
        return _by_id(session, text)
    read = parallel_map(
        lambda collection: _search(session, collection, text), _COLLECTIONS, name=lambda collection: collection.what
    )
    refused = read.refused + tuple(refusal for one in read.values for refusal in one.refused)
    more = any(len(one.values) > MOST for one in read.values)
    return SearchResult(_by_name(named for one in read.values for named in one.values[:MOST]), refused, more)


def _by_id(session: AzureSession, guid: str) -> SearchResult:
    named = names_of(session, [guid])
    refused: tuple[Refusal, ...] = (Refusal("object ids", named.unread),) if named.unread else ()
    clients = parallel_map(lambda one: _by_client_id(session, one), [guid.lower()], name=lambda _one: "client ids")
    found = {one.id.lower(): one for one in named.by_id.values()}
    found |= {one.id.lower(): one for of_one in clients.values for one in of_one.values}
    refused += clients.refused + tuple(refusal for one in clients.values for refusal in one.refused)
    return SearchResult(_by_name(found.values()), refused)


def _by_client_id(session: AzureSession, client_id: str) -> Partial[Named]:
    query = {"$filter": f"appId eq '{client_id}'", "$select": "id,displayName,appId,servicePrincipalType"}
    request = HttpRequest("GET", f"{session.endpoints.graph}/v1.0/servicePrincipals", params=query)
    return ask_directory(session, _TITLE, request, _parser("service principals", "service principal"))


def _search(session: AzureSession, collection: _Collection, text: str) -> Partial[Named]:
    # Graph's quotes can't be closed by what somebody types.
    words = " ".join(text.replace("\\", " ").replace('"', " ").split())
    clauses = " OR ".join(f'"{name}:{words}"' for name in collection.searched)
    # azure-core puts values into the URL as they are.
    query = {"$search": quote(clauses, safe=""), "$select": collection.select, "$top": str(MOST + 1)}
    request = HttpRequest(
        "GET",
        f"{session.endpoints.graph}/v1.0/{collection.path}",
        params=query,
        headers={"ConsistencyLevel": "eventual"},
    )
    return ask_directory(session, _TITLE, request, _parser(collection.what, collection.kind))


def _parser(what: str, kind: str) -> Callable[[Any], Partial[Named]]:
    return lambda answer: read_entries(what, entries_of(answer), lambda document: named_principal(document, kind))


def _by_name(found: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.kind, one.sign_in, one.id)))
