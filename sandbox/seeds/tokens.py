"""The estate's tokens: one as it should be, and one that pushes everywhere and never ends."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.documents.scope_maps import scope_map, token
from sandbox.seeds.places import BASE
from sandbox.seeds.resources import guid
from sandbox.storage.store import Store

GATEWAY, DEPLOY = "plant-gateway", "old-deploy"
_READING = ("content/read", "metadata/read")


def tokens(store: Store, ago: Callable[[float], str]) -> None:
    """Add them to a store that has the registry."""
    registry = store.get_resource(BASE.id)
    if registry is None:
        raise KeyError(BASE.id)
    rights = [f"repositories/{name}/{right}" for name in ("alpine", "node") for right in _READING]
    own = scope_map(registry, f"{GATEWAY}-scope-map", rights, ago(120), "Gateways in the plants")
    system = f"{registry['id']}/scopeMaps/_repositories_push"
    store.put_resource(own)
    for name, scope_map_id, age, expiry in ((GATEWAY, own["id"], 120, ago(-70)), (DEPLOY, system, 640, None)):
        document = token(registry, name, scope_map_id, ago(age))
        ends = {"expiry": expiry} if expiry else {}
        document["properties"]["credentials"]["passwords"] = [
            {"creationTime": ago(20 if expiry else age), "name": "password1", **ends}
        ]
        document["_sandbox"]["passwords"] = {"password1": guid("token password", name)}
        store.put_resource(document)
