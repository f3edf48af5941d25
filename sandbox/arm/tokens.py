"""Scope maps and tokens of a registry, and POST …/generateCredentials, which returns a password once."""

from __future__ import annotations

import re
import secrets

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.operations import Operations, async_operation, location_header
from sandbox.arm.registry_path import REGISTRY, existing_registry, registry_id
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import REGISTRY_TYPE, SKUS
from sandbox.documents.scope_maps import (
    ACTION,
    PERMISSIONS,
    SCOPE_MAP_TYPE,
    TOKEN_TYPE,
    find_scope_map,
    moment,
    scope_map,
    system_maps,
    token,
)

_MAPS, _TOKENS = REGISTRY + "/scopeMaps", REGISTRY + "/tokens"
_MAP, _TOKEN = _MAPS + "/{map}", _TOKENS + "/{token}"
_GENERATE = REGISTRY + "/generateCredentials"
_NAME = re.compile(r"[A-Za-z0-9_-]{5,50}")
MOST_ACTIONS = 500
PASSWORDS = ("password1", "password2")


def routes(operations: Operations) -> list[Route]:
    generate = REGISTRY_TYPE + "/generateCredentials/action"
    return [
        Route("GET", _MAPS, list_maps, SCOPE_MAP_TYPE + "/read", REGISTRY),
        Route("GET", _MAP, get_map, SCOPE_MAP_TYPE + "/read"),
        Route("PUT", _MAP, lambda call: put_map(call, operations), SCOPE_MAP_TYPE + "/write"),
        Route("PATCH", _MAP, patch_map, SCOPE_MAP_TYPE + "/write"),
        Route("DELETE", _MAP, lambda call: delete(call, operations), SCOPE_MAP_TYPE + "/delete"),
        Route("GET", _TOKENS, list_tokens, TOKEN_TYPE + "/read", REGISTRY),
        Route("GET", _TOKEN, get_token, TOKEN_TYPE + "/read"),
        Route("PUT", _TOKEN, lambda call: put_token(call, operations), TOKEN_TYPE + "/write"),
        Route("PATCH", _TOKEN, patch_token, TOKEN_TYPE + "/write"),
        Route("DELETE", _TOKEN, lambda call: delete(call, operations), TOKEN_TYPE + "/delete"),
        Route("POST", _GENERATE, lambda call: generate_credentials(call, operations), generate, REGISTRY),
    ]


def list_maps(call: Call) -> Response:
    registry = existing_registry(call)
    return listing(call, [*system_maps(registry), *call.store.list_resources(SCOPE_MAP_TYPE, registry["id"])])


def get_map(call: Call) -> Response:
    return answer(public(_existing_map(call)))


def put_map(call: Call, operations: Operations) -> Response:
    registry, name, given = existing_registry(call), call.params["map"], call.properties()
    if not _NAME.fullmatch(name) or name.startswith("_"):
        raise ArmError(400, "InvalidScopeMapName", f"The scope map name {name} is invalid.")
    _check_room(call, registry, SCOPE_MAP_TYPE, name)
    actions = _actions(given)
    document = scope_map(registry, name, actions, call.now(), given.get("description") or "")
    return _created(call, document, operations, registry)


def patch_map(call: Call) -> Response:
    document, given = _existing_map(call), call.properties()
    if document["name"].startswith("_"):
        raise ArmError(400, "SystemScopeMap", f"The scope map {document['name']} is defined by the system.")
    if given.get("actions") is not None:
        document["properties"]["actions"] = _actions(given)
    document["properties"]["description"] = given.get("description") or document["properties"]["description"]
    call.store.put_resource(document)
    return answer(public(document))


def _actions(given: Document) -> list[str]:
    actions = given.get("actions")
    if not isinstance(actions, list) or not actions or len(actions) > MOST_ACTIONS:
        raise ArmError(400, "InvalidScopeMapActions", f"A scope map needs 1 to {MOST_ACTIONS} actions.")
    for action in actions:
        match = ACTION.fullmatch(str(action))
        if match is None or match["right"] not in PERMISSIONS:
            raise ArmError(400, "InvalidScopeMapActions", f"The action '{action}' is invalid.")
    return [str(action) for action in actions]


def list_tokens(call: Call) -> Response:
    return listing(call, call.store.list_resources(TOKEN_TYPE, existing_registry(call)["id"]))


def get_token(call: Call) -> Response:
    return answer(public(_existing_token(call)))


def put_token(call: Call, operations: Operations) -> Response:
    registry, name, given = existing_registry(call), call.params["token"], call.properties()
    if not _NAME.fullmatch(name) or "_" in name:
        raise ArmError(400, "InvalidTokenName", f"The token name {name} is invalid.")
    _check_room(call, registry, TOKEN_TYPE, name)
    document = token(registry, name, _scope_map_id(call, registry, given.get("scopeMapId")), call.now())
    document["properties"]["status"] = given.get("status") or "enabled"
    return _created(call, document, operations, registry)


def patch_token(call: Call) -> Response:
    """Passwords that the body does not name are deleted; none can be set."""
    document, given = _existing_token(call), call.properties()
    properties = document["properties"]
    if given.get("scopeMapId"):
        properties["scopeMapId"] = _scope_map_id(call, existing_registry(call), given["scopeMapId"])
    properties["status"] = given.get("status") or properties["status"]
    if given.get("credentials") is not None:
        kept = {entry["name"] for entry in given["credentials"].get("passwords") or ()}
        passwords = properties["credentials"]["passwords"]
        properties["credentials"]["passwords"] = [entry for entry in passwords if entry["name"] in kept]
        known = document["_sandbox"]["passwords"]
        document["_sandbox"]["passwords"] = {name: value for name, value in known.items() if name in kept}
    call.store.put_resource(document)
    return answer(public(document))


def _scope_map_id(call: Call, registry: Document, given: object) -> str:
    found = find_scope_map(call.store, registry, given) if isinstance(given, str) else None
    if found is None:
        raise ArmError(400, "ScopeMapNotFound", f"The scope map '{given}' was not found.")
    return str(found["id"])


def _check_room(call: Call, registry: Document, kind: str, name: str) -> None:
    others = [doc for doc in call.store.list_resources(kind, registry["id"]) if doc["name"].lower() != name.lower()]
    sku = registry["sku"]["name"]
    if len(others) >= SKUS[sku].tokens:
        what = kind.rpartition("/")[2]
        raise ArmError(403, "QuotaExceeded", f"The registry's SKU {sku} allows no more than {len(others)} {what}.")


def _created(call: Call, document: Document, operations: Operations, registry: Document) -> Response:
    call.store.put_resource(document)
    operation = operations.start(document["id"], "Creating")
    shown = {**public(document), "properties": {**document["properties"], "provisioningState": "Creating"}}
    return answer(shown, 201, async_operation(call, operation, registry["location"]))


def delete(call: Call, operations: Operations) -> Response:
    """A scope map can be deleted while tokens have it: they then may do nothing."""
    registry = existing_registry(call)
    if call.path.rpartition("/")[2].startswith("_"):
        raise ArmError(400, "SystemScopeMap", "A scope map that is defined by the system can't be deleted.")
    if not call.store.delete_resource(call.path):
        return Response(status_code=204)
    operation = operations.start(call.path, "Deleting")
    return answer(None, 202, location_header(call, operation, registry["location"]))


def generate_credentials(call: Call, operations: Operations) -> Response:
    """202; the new passwords, one or both, are in the operation's result, and nowhere else."""
    registry = existing_registry(call)
    given = call.body if isinstance(call.body, dict) else {}
    document = call.store.get_resource(str(given.get("tokenId") or ""))
    if document is None or document["type"] != TOKEN_TYPE or not document["id"].startswith(registry["id"]):
        raise ArmError(404, "TokenNotFound", f"The token '{given.get('tokenId')}' was not found.")
    if given.get("name") not in (None, *PASSWORDS):
        raise ArmError(400, "InvalidPasswordName", f"The password name '{given['name']}' is invalid.")
    expiry = given.get("expiry")
    if expiry and moment(expiry) <= call.state.clock():
        raise ArmError(400, "InvalidExpiry", "The expiry must be in the future.")
    made = [
        {"creationTime": call.now(), "name": name, **({"expiry": expiry} if expiry else {})}
        for name in PASSWORDS
        if given.get("name") in (None, name)
    ]
    values = {entry["name"]: secrets.token_urlsafe(39) for entry in made}
    document["_sandbox"]["passwords"] |= values
    credentials = document["properties"]["credentials"]
    kept = [entry for entry in credentials["passwords"] if entry["name"] not in values]
    credentials["passwords"] = sorted([*kept, *made], key=lambda entry: str(entry["name"]))
    call.store.put_resource(document)
    result = {"username": document["name"], "passwords": [{**entry, "value": values[entry["name"]]} for entry in made]}
    operation = operations.start(f"{document['id']}/credentials", "Accepted", result=result)
    return answer(None, 202, location_header(call, operation, registry["location"]))


def _existing_map(call: Call) -> Document:
    return _existing(call, "scopeMaps", call.params["map"], SCOPE_MAP_TYPE)


def _existing_token(call: Call) -> Document:
    return _existing(call, "tokens", call.params["token"], TOKEN_TYPE)


def _existing(call: Call, collection: str, name: str, kind: str) -> Document:
    registry = existing_registry(call)
    path = f"{registry_id(call)}/{collection}/{name}"
    found = find_scope_map(call.store, registry, path)
    if found is None:
        raise not_found(kind, name, call.params["group"])
    return found
