"""The ASGI app of one registry's listener: routes, and the checks that precede every handler."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.registry import auth, distribution, metadata, soft_delete, uploads
from sandbox.registry.auth import CATALOG, DELETED_CATALOG
from sandbox.registry.call import REPOSITORY, Call, Grants, Handler, RegistryError
from sandbox.state import State

LOCAL = ipaddress.ip_address("127.0.0.1")


class Need(Enum):
    """What a request's credentials must allow."""

    NOTHING = auto()
    LOGIN = auto()
    LIST = auto()
    LIST_DELETED = auto()
    READ_DELETED = auto()
    RESTORE = auto()
    READ = auto()
    TAGS = auto()
    WRITE = auto()
    PULL = auto()
    PUSH = auto()
    DELETE = auto()

    def of(self, repository: str) -> list[tuple[str, str]]:
        """The pairs to be granted, as a challenge names them."""
        if self is Need.LIST:
            return [CATALOG]
        if self is Need.LIST_DELETED:
            return [DELETED_CATALOG]
        return [(repository, action) for action in ACTIONS[self]]

    def met(self, repository: str, grants: Grants) -> bool:
        """With pull alone, tags may be listed too: skopeo asks for nothing else, and lists those of ACR."""
        listing = self is Need.TAGS and (repository, "pull") in grants
        return listing or grants.issuperset(self.of(repository))


ACTIONS = {
    Need.LOGIN: (),
    Need.READ_DELETED: ("deleted_read",),
    Need.RESTORE: ("deleted_read", "deleted_restore"),
    Need.READ: ("metadata_read",),
    Need.TAGS: ("metadata_read",),
    Need.WRITE: ("metadata_write",),
    Need.PULL: ("pull",),
    Need.PUSH: ("pull", "push"),
    Need.DELETE: ("delete",),
}
Methods = Mapping[str, tuple[Need, Handler]]


def _get(need: Need, handler: Handler) -> Methods:
    return {"GET": (need, handler), "HEAD": (need, handler)}


# Paths are matched decoded: the SDKs send team%2Fapp, az and skopeo team/app.
ROUTES: list[tuple[str, Methods]] = [
    (r"/oauth2/exchange", {"POST": (Need.NOTHING, auth.exchange)}),
    (
        r"/oauth2/token",
        {"GET": (Need.NOTHING, auth.token_by_get), "POST": (Need.NOTHING, auth.token_by_post)},
    ),
    (r"/acr/v1/_catalog", _get(Need.LIST, metadata.catalog)),
    (r"/acr/v1/_deleted/_catalog", _get(Need.LIST_DELETED, soft_delete.list_repositories)),
    (
        r"/acr/v1/_deleted/(?P<name>.+)/_manifests/(?P<digest>[^/]+)",
        {"POST": (Need.RESTORE, soft_delete.restore)},
    ),
    (r"/acr/v1/_deleted/(?P<name>.+)/_manifests", _get(Need.READ_DELETED, soft_delete.list_manifests)),
    (r"/acr/v1/_deleted/(?P<name>.+)/_tags", _get(Need.READ_DELETED, soft_delete.list_tags)),
    (
        r"/acr/v1/(?P<name>.+)/_tags/(?P<tag>[^/]+)",
        {
            "GET": (Need.READ, metadata.get_tag),
            "PATCH": (Need.WRITE, metadata.patch_tag),
            "DELETE": (Need.DELETE, metadata.delete_tag),
        },
    ),
    (r"/acr/v1/(?P<name>.+)/_tags", _get(Need.READ, metadata.list_tags)),
    (
        r"/acr/v1/(?P<name>.+)/_manifests/(?P<digest>[^/]+)",
        {"GET": (Need.READ, metadata.get_manifest), "PATCH": (Need.WRITE, metadata.patch_manifest)},
    ),
    (r"/acr/v1/(?P<name>.+)/_manifests", _get(Need.READ, metadata.list_manifests)),
    (
        r"/acr/v1/(?P<name>.+)",
        {
            "GET": (Need.READ, metadata.get_repository),
            "PATCH": (Need.WRITE, metadata.patch_repository),
            "DELETE": (Need.DELETE, metadata.delete_repository),
        },
    ),
    (r"/v2/?", _get(Need.LOGIN, distribution.base)),
    (r"/v2/_catalog", _get(Need.LIST, distribution.catalog)),
    (r"/v2/(?P<name>.+)/tags/list", _get(Need.TAGS, distribution.list_tags)),
    (
        r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)",
        {
            **_get(Need.PULL, distribution.get_manifest),
            "PUT": (Need.PUSH, distribution.put_manifest),
            "DELETE": (Need.DELETE, distribution.delete_manifest),
        },
    ),
    (r"/v2/(?P<name>.+)/referrers/(?P<digest>[^/]+)", _get(Need.PULL, distribution.list_referrers)),
    (r"/v2/(?P<name>.+)/blobs/uploads/?", {"POST": (Need.PUSH, uploads.start)}),
    (
        r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[^/]+)",
        {
            "GET": (Need.PUSH, uploads.status),
            "PATCH": (Need.PUSH, uploads.append),
            "PUT": (Need.PUSH, uploads.finish),
            "DELETE": (Need.PUSH, uploads.cancel),
        },
    ),
    (
        r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)",
        {**_get(Need.PULL, distribution.get_blob), "DELETE": (Need.DELETE, distribution.delete_blob)},
    ),
]
PATTERNS: list[tuple[re.Pattern[str], Methods]] = [(re.compile(path), methods) for path, methods in ROUTES]


def build_registry_app(state: State, registry: str) -> ASGIApp:
    """The ASGI app of the listener of the registry with this ARM name."""
    open_uploads: dict[str, str] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            document = state.store.find_resource(REGISTRY_TYPE, registry)
            if document is None:
                raise RegistryError(404, "NAME_UNKNOWN", "registry not found")
            call = Call(state, registry.lower(), document, request, uploads=open_uploads)
            response = await _handle(call)
        except RegistryError as error:
            response = error.response()
        response.headers["X-Ms-Correlation-Request-Id"] = str(uuid.uuid4())
        if not request.url.path.startswith("/oauth2/"):
            response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        await response(scope, receive, send)

    return app


async def _handle(call: Call) -> Response:
    _check_network(call.document["properties"])
    params, methods = _route(call.request.scope["path"])
    if call.request.method not in methods:
        raise RegistryError(405, "UNSUPPORTED", "The operation is unsupported.")
    need, handler = methods[call.request.method]
    call = replace(call, params=params)
    if need is Need.NOTHING:
        return await handler(call)
    repository = params.get("name", "")
    needed = need.of(repository)
    grants = auth.grants_of(call, needed)
    if grants is None or not need.met(repository, grants):
        raise auth.challenge(call, needed)
    if "name" in params and not REPOSITORY.fullmatch(params["name"]):
        raise RegistryError(400, "NAME_INVALID", "invalid repository name", {"name": params["name"]})
    return await handler(replace(call, grants=grants))


def _route(path: str) -> tuple[dict[str, str], Methods]:
    for pattern, methods in PATTERNS:
        match = pattern.fullmatch(path)
        if match:
            return match.groupdict(), methods
    raise RegistryError(404, "UNSUPPORTED", "page not found")


def _check_network(properties: Mapping[str, Any]) -> None:
    """Public access and IP rules, as seen from loopback: private endpoints don't lead here."""
    rules = properties.get("networkRuleSet") or {}
    listed = any(LOCAL in ipaddress.ip_network(rule["value"], strict=False) for rule in rules.get("ipRules") or ())
    closed = properties.get("publicNetworkAccess") == "Disabled"
    if closed or (rules.get("defaultAction") == "Deny" and not listed):
        message = f"client with IP '{LOCAL}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
        raise RegistryError(403, "DENIED", message)
