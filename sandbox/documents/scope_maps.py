"""What a registry's own tokens may do: scope maps, those that every registry has among them, and the passwords.

https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.storage.store import Store

Document = dict[str, Any]
SCOPE_MAP_TYPE = REGISTRY_TYPE + "/scopeMaps"
TOKEN_TYPE = REGISTRY_TYPE + "/tokens"
PERMISSIONS = {
    "content/read": "pull",
    "content/write": "push",
    "content/delete": "delete",
    "metadata/read": "metadata_read",
    "metadata/write": "metadata_write",
}
ACTION = re.compile(r"repositories/(?P<repository>.+)/(?P<right>(?:content|metadata)/(?:read|write|delete))")
_READ, _WRITE = "content/read", "content/write"
_SYSTEM = {
    "_repositories_admin": ("Can perform all read, write and delete operations on the registry", tuple(PERMISSIONS)),
    "_repositories_pull": ("Can pull any repository of the registry", (_READ,)),
    "_repositories_pull_metadata_read": (
        "Can perform all read operations on the registry",
        (_READ, "metadata/read"),
    ),
    "_repositories_push": ("Can push to any repository of the registry", (_READ, _WRITE)),
    "_repositories_push_metadata_write": (
        "Can perform all read and write operations on the registry",
        ("metadata/read", "metadata/write", _READ, _WRITE),
    ),
}


def scope_map(
    registry: Mapping[str, Any], name: str, actions: Iterable[str], created: str, description: str = ""
) -> Document:
    """The ARM document of a scope map; those whose names begin with an underscore are the registry's own."""
    return {
        "id": f"{registry['id']}/scopeMaps/{name}",
        "type": SCOPE_MAP_TYPE,
        "name": name,
        "properties": {
            "description": description,
            "type": "SystemDefined" if name.startswith("_") else "UserDefined",
            "creationDate": created,
            "provisioningState": "Succeeded",
            "actions": list(actions),
        },
    }


def token(registry: Mapping[str, Any], name: str, scope_map_id: str, created: str) -> Document:
    """The ARM document of an enabled token that has no password yet."""
    return {
        "id": f"{registry['id']}/tokens/{name}",
        "type": TOKEN_TYPE,
        "name": name,
        "properties": {
            "creationDate": created,
            "provisioningState": "Succeeded",
            "scopeMapId": scope_map_id,
            "credentials": {"certificates": [], "passwords": []},
            "status": "enabled",
        },
        "_sandbox": {"passwords": {}},
    }


def system_maps(registry: Mapping[str, Any]) -> list[Document]:
    """What every registry has from the day it was made."""
    created = registry["properties"]["creationDate"]
    return [
        scope_map(registry, name, [f"repositories/*/{right}" for right in rights], created, description)
        for name, (description, rights) in _SYSTEM.items()
    ]


def find_scope_map(store: Store, registry: Mapping[str, Any], scope_map_id: str) -> Document | None:
    wanted = scope_map_id.lower()
    system = (document for document in system_maps(registry) if document["id"].lower() == wanted)
    return next(system, None) or store.get_resource(scope_map_id)


def signs_in(document: Mapping[str, Any], password: str, now: datetime) -> bool:
    """Whether an enabled token has this password, and it has not expired."""
    expiries = {entry["name"]: entry.get("expiry") for entry in document["properties"]["credentials"]["passwords"]}
    for name, known in document["_sandbox"]["passwords"].items():
        ends = expiries.get(name)
        if hmac.compare_digest(known.encode(), password.encode()) and (not ends or moment(ends) > now):
            return bool(document["properties"]["status"] == "enabled")
    return False


def permissions(store: Store, registry: Mapping[str, Any], name: str, repository: str) -> frozenset[str]:
    """What a token that has signed in may do in a repository: pull, push and the like."""
    document = store.get_resource(f"{registry['id']}/tokens/{name}")
    if document is None:
        return frozenset()
    found = find_scope_map(store, registry, document["properties"].get("scopeMapId") or "")
    actions = found["properties"]["actions"] if found else []
    matches = (match for action in actions if (match := ACTION.fullmatch(action)))
    return frozenset(
        PERMISSIONS[match["right"]]
        for match in matches
        if match["right"] in PERMISSIONS and _covers(match["repository"], repository)
    )


def _covers(pattern: str, repository: str) -> bool:
    return repository.startswith(pattern[:-1]) if pattern.endswith("*") else repository == pattern


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
