"""What the parts of the management plane share: a request that passed the checks, routes, errors, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response

from sandbox.documents.errors import ArmError, Document
from sandbox.identity.rbac import Access, access_of
from sandbox.state import State
from sandbox.storage.store import Store, timestamp

PAGE = 100


@dataclass(frozen=True)
class Caller:
    """The principal of the bearer token. `upn` is a person's name, "" for an application of its own."""

    object_id: str
    app_id: str
    upn: str = ""

    @property
    def name(self) -> str:
        """As Resource Manager names the caller."""
        return self.upn or self.app_id


@dataclass(frozen=True)
class Call:
    """One request; `params` are the path's variables as the client wrote them, `headers` have names in lower case."""

    state: State
    caller: Caller
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def store(self) -> Store:
        return self.state.store

    @cached_property
    def access(self) -> Access:
        return access_of(self.store, self.caller.object_id)

    @property
    def url(self) -> str:
        return self.state.authority_url

    def now(self) -> str:
        return timestamp(self.state.clock())

    def properties(self) -> Document:
        """The body's properties; a body of another form is the client's mistake."""
        if not isinstance(self.body, dict) or not isinstance(self.body.get("properties", {}), dict):
            raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
        properties: Document = self.body.get("properties") or {}
        return properties

    def require(self, action: str, scope: str) -> None:
        if not self.access.allows(scope, action):
            raise authorization_failed(self.caller, action, scope)

    def readable(self, documents: Iterable[Document], action: str, scope: str) -> list[Document]:
        """Those of a list that the caller may read; 403 if that is none and the scope is closed too."""
        if self.access.allows(scope, action):
            return list(documents)
        mine = [document for document in documents if self.access.allows(document["id"], action)]
        if not mine:
            raise authorization_failed(self.caller, action, scope)
        return mine


@dataclass(frozen=True)
class Route:
    """A method and path, what it does, and the action it needs at `scope` (by default the path itself)."""

    method: str
    path: str
    handle: Callable[[Call], Response]
    action: str | None = None
    scope: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        variable = re.compile(r"\{(\w+)\}")
        kinds = {"scope": ".*"}
        path = variable.sub(lambda m: f"(?P<{m[1]}>{kinds.get(m[1], '[^/]+')})", self.path)
        return re.compile(path + "/?", re.IGNORECASE)


def authorization_failed(caller: Caller, action: str, scope: str) -> ArmError:
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.name}' with object id '{caller.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )


def not_found(kind: str, name: str, group: str) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please "
        "go to https://aka.ms/ARMResourceNotFoundFix",
    )


def public(document: Mapping[str, Any]) -> Document:
    """A document as ARM shows it: without what the sandbox keeps beside it."""
    return {key: value for key, value in document.items() if key != "_sandbox"}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, headers=dict(headers or {}))


def listing(call: Call, documents: Sequence[Mapping[str, Any]], page: int = PAGE) -> Response:
    """A page of a list; nextLink is an absolute URL, and absent on the last page."""
    top = call.query.get("$top", "")
    size = min(page, int(top)) if top.isdigit() and int(top) else page
    token = call.query.get("$skiptoken", "")
    start = int(token) if token.isdigit() else 0
    body: Document = {"value": [public(document) for document in documents[start : start + size]]}
    if start + size < len(documents):
        query = {**call.query, "$skiptoken": str(start + size)}
        body["nextLink"] = f"{call.url}{quote(call.path)}?{urlencode(query, safe='$')}"
    return answer(body)
