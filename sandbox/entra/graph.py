"""The part of Microsoft Graph that `az role assignment` and the console ask: principals, and their groups."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.documents.errors import ArmError, Document
from sandbox.identity.principals import PRINCIPALS
from sandbox.identity.rbac import principal_and_groups

BASE = "/graph/v1.0"
_ANY_NAME = re.compile(r"servicePrincipalNames/any\(\w+:\s*\w+ eq '([^']*)'\)", re.IGNORECASE)
_EQUALS = re.compile(r"(appId|displayName|userPrincipalName|id) eq '([^']*)'", re.IGNORECASE)
# Each quoted part is a property and what its words begin with; Graph's own grammar has more.
_SEARCH = re.compile(r'"(displayName|userPrincipalName|mail):([^"]*)"', re.IGNORECASE)
_MOST = 100
_KINDS = {
    "servicePrincipals": ("servicePrincipal", "managedIdentity"),
    "users": ("user",),
    "groups": ("group",),
}


def routes() -> list[Route]:
    return [
        *(Route("GET", f"{BASE}/{collection}", list_principals) for collection in _KINDS),
        *(Route("GET", f"{BASE}/{collection}/{{id}}", get_principal) for collection in _KINDS),
        Route("POST", f"{BASE}/servicePrincipals/{{id}}/getMemberGroups", get_member_groups),
        Route("POST", f"{BASE}/directoryObjects/getByIds", get_by_ids),
    ]


def list_principals(call: Call) -> Response:
    collection = call.path.rsplit("/", 1)[-1]
    text, search = call.query.get("$filter", ""), call.query.get("$search", "")
    if search and call.headers.get("consistencylevel", "").lower() != "eventual":
        message = "Request with $search query parameter only works through MSGraph with a special request header: "
        raise ArmError(400, "Request_UnsupportedQuery", f"{message}'ConsistencyLevel: eventual'")
    top = int(call.query.get("$top", _MOST))
    found = [
        shown
        for shown in _objects(call, _KINDS[collection])
        if _matches(shown, text) and (not search or _is_found(shown, search))
    ]
    return answer({"value": found[:top]})


def _is_found(shown: Document, search: str) -> bool:
    clauses = [_SEARCH.fullmatch(part.strip()) for part in search.split(" OR ")]
    if not all(clauses):
        raise ArmError(400, "Request_BadRequest", f"Syntax error: Invalid search expression: {search}")
    return any(_has_words(shown, clause[1], clause[2]) for clause in clauses if clause)


def _has_words(shown: Document, name: str, text: str) -> bool:
    """A display name is searched by the beginnings of its words, other properties by their own beginning."""
    member = next((key for key in shown if key.lower() == name.lower()), "")
    value, wanted = str(shown.get(member) or "").lower(), text.lower().strip()
    if name.lower() != "displayname":
        return bool(wanted) and value.startswith(wanted)
    words = re.split(r"[^a-z0-9]+", value)
    tokens = [token for token in re.split(r"[^a-z0-9]+", wanted) if token]
    return bool(tokens) and all(any(word.startswith(token) for word in words) for token in tokens)


def _matches(shown: Document, text: str) -> bool:
    if not text:
        return True
    if names := _ANY_NAME.fullmatch(text.strip()):
        return names[1].lower() in (name.lower() for name in shown.get("servicePrincipalNames", ()))
    if equals := _EQUALS.fullmatch(text.strip()):
        member = next(key for key in (*shown, equals[1]) if key.lower() == equals[1].lower())
        return str(shown.get(member, "")).lower() == equals[2].lower()
    raise ArmError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}")


def get_principal(call: Call) -> Response:
    wanted = call.params["id"].lower()
    for shown in _objects(call, _KINDS[call.path.split("/")[3]]):
        if wanted in (shown["id"].lower(), str(shown.get("userPrincipalName", "")).lower()):
            return answer(shown)
    raise _no_such(call.params["id"])


def get_by_ids(call: Call) -> Response:
    ids = call.body.get("ids") if isinstance(call.body, dict) else None
    if not isinstance(ids, list):
        raise ArmError(400, "Request_BadRequest", "The ids are missing.")
    wanted = {str(item).lower() for item in ids}
    everyone = _objects(call, tuple(kind for kinds in _KINDS.values() for kind in kinds))
    return answer({"value": [shown for shown in everyone if shown["id"].lower() in wanted]})


def get_member_groups(call: Call) -> Response:
    """The ids of all groups of a service principal or managed identity, nested ones too."""
    wanted = call.params["id"].lower()
    if not any(shown["id"].lower() == wanted for shown in _objects(call, _KINDS["servicePrincipals"])):
        raise _no_such(call.params["id"])
    return answer({"value": sorted(principal_and_groups(call.store, wanted) - {wanted})})


def _no_such(principal_id: str) -> ArmError:
    message = f"Resource '{principal_id}' does not exist or one of its queried reference-property objects"
    return ArmError(404, "Request_ResourceNotFound", f"{message} are not present.")


def _objects(call: Call, kinds: tuple[str, ...]) -> list[Document]:
    return [_object(doc) for doc in call.store.list_resources(PRINCIPALS) if doc["kind"] in kinds]


def _object(principal: Document) -> Document:
    """A directory object as Graph shows it: never with the secret."""
    common: dict[str, Any] = {"id": principal["objectId"], "displayName": principal["displayName"]}
    if principal["kind"] == "user":
        upn = principal["userPrincipalName"]
        return {"@odata.type": "#microsoft.graph.user", **common, "userPrincipalName": upn}
    if principal["kind"] == "group":
        return {"@odata.type": "#microsoft.graph.group", **common}
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        **common,
        "appId": principal["appId"],
        "servicePrincipalNames": [principal["appId"]],
        "servicePrincipalType": "ManagedIdentity" if principal["kind"] == "managedIdentity" else "Application",
    }
