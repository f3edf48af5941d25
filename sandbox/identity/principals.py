"""The directory: users, groups, service principals, managed identities, as stored documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.storage.store import Store

PRINCIPALS = "principals"
TENANT_ID = "4abb5e5e-af15-4a34-b3c2-18f4a9303ee4"


@dataclass(frozen=True)
class Application:
    """A service principal that can sign in."""

    name: str
    object_id: str
    app_id: str
    secret: str = field(repr=False)


# Fixed, so that a kept data directory and its ready file stay valid; they open nothing but the sandbox.
CONSOLE = Application(
    "console",
    "0f5c1f0e-6a1b-4b53-9d0c-6b2f3d1c9a10",
    "2f6c7b1a-93c5-4c0e-8f0d-1f5be2a7c3d4",
    "sandbox-console-secret",
)
READER = Application(
    "reader",
    "7a3e9d52-1c84-4f6b-a2d0-58e1b7c6f921",
    "c81d4e2e-bcf2-4e6a-869b-7df92533d2db",
    "sandbox-reader-secret",
)


def principal(
    object_id: str,
    display_name: str,
    kind: str,
    *,
    app_id: str | None = None,
    secret: str | None = None,
    upn: str | None = None,
    members: Iterable[str] = (),
    app_roles: Iterable[str] = (),
) -> dict[str, Any]:
    """A principal's document; `kind` is user, group, servicePrincipal or managedIdentity. `app_roles` are those that a
    user was given in the console's application."""
    return {
        "id": f"/principals/{object_id}",
        "type": PRINCIPALS,
        "name": object_id,
        "objectId": object_id,
        "appId": app_id,
        "secret": secret,
        "kind": kind,
        "displayName": display_name,
        "userPrincipalName": upn,
        "members": list(members),
        "appRoles": list(app_roles),
    }


def by_app_id(store: Store, app_id: str) -> dict[str, Any] | None:
    wanted = app_id.lower()
    documents = store.list_resources(PRINCIPALS)
    return next((doc for doc in documents if (doc.get("appId") or "").lower() == wanted), None)


def by_object_id(store: Store, object_id: str) -> dict[str, Any] | None:
    return store.get_resource(f"/principals/{object_id}")
