"""A registry's tokens: /oauth2/exchange, /oauth2/token, and what a request's credentials allow.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.documents import scope_maps
from sandbox.identity.principals import by_app_id
from sandbox.identity.rbac import registry_permissions
from sandbox.identity.tokens import InvalidToken
from sandbox.registry.call import Call, Grants, RegistryError
from sandbox.state import State

TOKEN_USER = "00000000-0000-0000-0000-000000000000"
ADMIN = "admin"  # token subjects; a principal's subject is its object id
ANONYMOUS = "anonymous"
TOKEN = "token:"  # and its name: one of the registry's own
ON_REPOSITORY = frozenset({"pull", "push", "delete", "metadata_read", "metadata_write"})
ON_DELETED = frozenset({"deleted_read", "deleted_restore"})
CATALOG = ("catalog", "*")
DELETED_CATALOG = ("deleted_catalog", "*")
# Resource Manager's audience in Azure's public cloud: what the SDK asks for by default.
ARM_AUDIENCE = "https://management.azure.com"
UNAUTHORIZED = "authentication required, visit https://aka.ms/acr/authorization for more information."


async def exchange(call: Call) -> Response:
    """An Entra token for a refresh token of this registry."""
    form = await _form(call.request)
    if form.get("grant_type", [""])[0] != "access_token":
        raise RegistryError(400, "UNSUPPORTED", "grant_type is not supported")
    try:
        claims = call.state.tokens.read(form.get("access_token", [""])[0])
    except InvalidToken as error:
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED) from error
    audience, principal = str(claims.get("aud", "")).rstrip("/"), str(claims.get("oid", ""))
    if audience not in _audiences(call) or not principal:
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED)
    # A registry in ABAC mode can't tell before it knows the repository.
    if not _is_abac(call.document) and not _held(call, principal, None):
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED)
    return JSONResponse({"refresh_token": call.state.tokens.refresh(service=call.login_server, subject=principal)})


async def token_by_get(call: Call) -> Response:
    """An access token for Basic credentials, or an anonymous one."""
    header = call.request.headers.get("authorization")
    subject = ANONYMOUS if header is None else _basic_subject(call, header)
    return _access_token(call, subject, call.request.query_params.getlist("scope"))


async def token_by_post(call: Call) -> Response:
    """An access token for a refresh token, for a user name and password, or an anonymous one."""
    form = await _form(call.request)
    first = {key: values[0] for key, values in form.items()}
    grant = first.get("grant_type")
    if grant == "refresh_token":
        subject = _refresh_subject(call, first.get("refresh_token", ""))
    elif grant == "password" and "username" in first:
        subject = _password_subject(call, first["username"], first.get("password", ""))
    elif grant == "password":
        subject = ANONYMOUS
    else:
        raise RegistryError(400, "UNSUPPORTED", "grant_type is not supported")
    return _access_token(call, subject, form.get("scope", []))


def grants_of(call: Call, needed: Sequence[tuple[str, str]]) -> Grants | None:
    """What the request's credentials carry; None without valid ones. Basic is looked up for `needed` at once."""
    header = call.request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    try:
        if scheme.lower() == "basic":
            subject = _basic_subject(call, header)
            return frozenset(pair for pair in needed if pair[1] in _permissions(call, subject, pair[0]))
        claims = call.state.tokens.read_registry(token, service=call.login_server, grant_type="access_token")
    except (InvalidToken, RegistryError):
        return None
    held = frozenset((entry["name"], action) for entry in claims["access"] for action in entry["actions"])
    return held | {pair for pair in needed if pair not in (CATALOG, DELETED_CATALOG) and ("*", pair[1]) in held}


def subject_of(call: Call) -> str:
    """Whose credentials a request has: an object id, ADMIN, ANONYMOUS, or TOKEN and a name."""
    header = call.request.headers.get("authorization")
    if header is None:
        return ANONYMOUS
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "basic":
        return _basic_subject(call, header)
    claims = call.state.tokens.read_registry(token, service=call.login_server, grant_type="access_token")
    return str(claims["sub"])


def challenge(call: Call, needed: Sequence[tuple[str, str]]) -> RegistryError:
    """401 with the scope to ask for, in the registry's words."""
    service = call.login_server
    header = f'Bearer realm="https://{service}/oauth2/token",service="{service}"'
    detail: list[dict[str, str]] | None = None
    if needed:
        name = needed[0][0]
        kind = "registry" if needed[0] in (CATALOG, DELETED_CATALOG) else "repository"
        header += f',scope="{kind}:{name}:{",".join(action for _, action in needed)}"'
        detail = [{"Type": kind, "Name": name, "Action": action} for _, action in needed]
    if "authorization" in call.request.headers:
        header += ',error="invalid_token"'
    return RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED, detail, {"WWW-Authenticate": header})


def may_pull(state: State, document: dict[str, Any], user: str, password: str, repository: str) -> bool:
    """Whether this user name and password may pull from a repository; anonymously where both are empty."""
    call = Call(state, str(document["name"]).lower(), document, Request({"type": "http", "headers": []}))
    if not user and not password:
        return bool(document["properties"].get("anonymousPullEnabled"))
    try:
        subject = _password_subject(call, user, password)
    except RegistryError:
        return False
    return "pull" in _permissions(call, subject, repository)


def _access_token(call: Call, subject: str, scopes: Sequence[str]) -> Response:
    if subject == ANONYMOUS and not call.document["properties"].get("anonymousPullEnabled"):
        access = []
    else:
        asked = [scope for line in scopes for scope in line.split()]
        access = [entry for scope in asked if (entry := _granted(call, subject, scope))]
    token = call.state.tokens.access(service=call.login_server, subject=subject, access=access)
    return JSONResponse({"access_token": token})


def _granted(call: Call, subject: str, scope: str) -> dict[str, Any] | None:
    """A scope such as repository:team/app:pull,push, less what the subject may not; skopeo delete asks for `*`.

    repository:*:… counts for every repository in Legacy mode, and is left out without an error in ABAC mode.
    """
    kind, _, rest = scope.partition(":")
    name, _, wanted = rest.rpartition(":")
    if name == "*" and _is_abac(call.document):
        return None
    allowed = _permissions(call, subject, name)
    actions = [a for a in wanted.split(",") if a in allowed]
    if "*" in wanted.split(",") and kind == "repository":
        actions = sorted(allowed)
    if not actions or kind not in ("registry", "repository"):
        return None
    return {"type": kind, "name": name, "actions": actions}


def _permissions(call: Call, subject: str, name: str) -> frozenset[str]:
    """Actions of a subject on a repository, or on the catalog when that is the name."""
    catalog = name == CATALOG[0]
    if name == DELETED_CATALOG[0]:
        may = subject == ADMIN or (":" not in subject and "deleted_catalog" in _held(call, subject, None))
        return frozenset({"*"}) if may else frozenset()
    if subject == ADMIN:
        return frozenset({"*"}) if catalog else ON_REPOSITORY | ON_DELETED
    if subject == ANONYMOUS:  # azure-containerregistry's own tests list the catalog so (test_anon_access.py).
        return frozenset({"*"}) if catalog else frozenset({"pull", "metadata_read"})
    if subject.startswith(TOKEN):
        # "Repository-scoped permissions do not support the ability to list the catalog": container-registry-repository-
        # scoped-permissions.md
        own = subject.removeprefix(TOKEN)
        return frozenset() if catalog else scope_maps.permissions(call.store, call.document, own, name)
    held = _held(call, subject, None if catalog else name)
    if catalog:
        return frozenset({"*"}) if "catalog" in held else frozenset()
    return held & (ON_REPOSITORY | ON_DELETED)


def _held(call: Call, principal: str, repository: str | None) -> frozenset[str]:
    settled = call.state.settled
    return registry_permissions(call.store, call.document, principal, repository, settled=settled)


def _basic_subject(call: Call, header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED) from error
    if scheme.lower() != "basic":
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED)
    return _password_subject(call, user, password)


def _password_subject(call: Call, user: str, password: str) -> str:
    if user == TOKEN_USER:
        return _refresh_subject(call, password)
    if user.lower() == call.registry:
        passwords = call.document.get("_sandbox", {}).get("adminPasswords", ())
        if call.document["properties"].get("adminUserEnabled") and _one_of(password, passwords):
            return ADMIN
    elif own := call.store.get_resource(f"{call.document['id']}/tokens/{user}"):
        if scope_maps.signs_in(own, password, call.state.clock()):
            return TOKEN + str(own["name"])
    else:
        principal = by_app_id(call.store, user)
        if principal and _one_of(password, [principal.get("secret") or ""]):
            return str(principal["objectId"])
    raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED)


def _refresh_subject(call: Call, token: str) -> str:
    try:
        claims = call.state.tokens.read_registry(token, service=call.login_server, grant_type="refresh_token")
    except InvalidToken as error:
        raise RegistryError(401, "UNAUTHORIZED", UNAUTHORIZED) from error
    return str(claims["sub"])


def _one_of(given: str, known: Sequence[str]) -> bool:
    return any(bool(secret) and hmac.compare_digest(given.encode(), secret.encode()) for secret in known)


def _audiences(call: Call) -> set[str]:
    state: State = call.state
    policies = call.document["properties"].get("policies", {})
    arm_allowed = policies.get("azureADAuthenticationAsArmPolicy", {}).get("status") != "disabled"
    return {state.registry_audience, state.authority_url, ARM_AUDIENCE} if arm_allowed else {state.registry_audience}


def _is_abac(document: Mapping[str, Any]) -> bool:
    return bool(document["properties"].get("roleAssignmentMode") == "AbacRepositoryPermissions")


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"))
