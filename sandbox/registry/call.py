"""What the parts of a registry's data plane share: a request that found its route, and errors in its form."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.state import State
from sandbox.storage.store import Locks, Order, Repository, Store

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
ABSENT = object()
# https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")

Grants = frozenset[tuple[str, str]]
Handler = Callable[["Call"], Awaitable[Response]]


class RegistryError(Exception):
    """An answer in the registry's error envelope; `detail` may be absent, null, an object or a list."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        detail: object = ABSENT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        self.body: dict[str, Any] = {"code": code, "message": message}
        if detail is not ABSENT:
            self.body["detail"] = detail

    def response(self) -> Response:
        return JSONResponse({"errors": [self.body]}, self.status, headers=self.headers)


@dataclass(frozen=True)
class Call:
    """One request to a registry; `grants` are the (repository, permission) pairs that its credentials carry."""

    state: State
    registry: str
    document: dict[str, Any]
    request: Request
    params: Mapping[str, str] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    grants: Grants = frozenset()

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def login_server(self) -> str:
        return str(self.document["properties"]["loginServer"])

    @property
    def name(self) -> str:
        return self.params["name"]

    def repository(self) -> Repository:
        """The repository of the path, which must exist."""
        found = self.store.get_repository(self.registry, self.name)
        if found is None:
            raise name_unknown(self.name)
        return found

    def locks(self) -> Locks:
        """The locks of the repository of the path; of one that doesn't exist, none."""
        return self.store.repository_locks(self.registry, self.name)

    def page(self) -> tuple[int, str, Order]:
        """n, last and orderby of a list; more than the largest page is cut without an error."""
        query = self.request.query_params
        size = query.get("n") or str(DEFAULT_PAGE)
        if not size.isdigit() or int(size) == 0:
            raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", {"n": size})
        orders: dict[str, Order] = {"timedesc": "timedesc", "timeasc": "timeasc"}
        return min(int(size), LARGEST_PAGE), query.get("last", ""), orders.get(query.get("orderby", ""), "")


def next_link(path: str, last: str, size: int, order: str, **more: str | None) -> dict[str, str]:
    """The Link header of a page that isn't the last: relative, encoded, with an empty orderby, as ACR writes it."""
    query = f"last={quote(last, safe='')}&n={size}&orderby={order}"
    query += "".join(f"&{key}={quote(value, safe='')}" for key, value in more.items() if value)
    return {"Link": f'<{path}?{query}>; rel="next"'}


def name_unknown(name: str) -> RegistryError:
    return RegistryError(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})


def tag_unknown() -> RegistryError:
    return RegistryError(404, "TAG_UNKNOWN", "the specified tag does not exist")


def manifest_unknown() -> RegistryError:
    return RegistryError(404, "MANIFEST_UNKNOWN", "manifest unknown")


def blob_unknown() -> RegistryError:
    return RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry")


def layers_not_kept() -> RegistryError:
    """What is said of a blob that was seeded as a descriptor."""
    message = "blob unknown to registry: this sandbox keeps the layers of a few seeded images only, not of this one"
    return RegistryError(404, "BLOB_UNKNOWN", message)


def disallowed() -> RegistryError:
    """What a lock answers (github.com/Azure/acr-cli/issues/70)."""
    message = (
        "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
        "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
    )
    return RegistryError(405, "REGISTRY_DISALLOWED_OPERATION", message, {})
