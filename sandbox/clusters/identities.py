"""Microsoft.ManagedIdentity/userAssignedIdentities: those that clusters name, and no others."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, not_found
from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.identity.principals import TENANT_ID

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_IDENTITY = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + IDENTITY_TYPE + "/{identity}"


def routes() -> list[Route]:
    return [Route("GET", _IDENTITY, get_identity, IDENTITY_TYPE + "/read")]


def get_identity(call: Call) -> Response:
    for cluster in call.store.list_resources(CLUSTER_TYPE):
        kubelet = cluster["properties"].get("identityProfile", {}).get("kubeletidentity", {})
        if str(kubelet.get("resourceId", "")).lower() == call.path.lower():
            return _found(call, kubelet["objectId"], kubelet["clientId"])
        assigned = (cluster.get("identity") or {}).get("userAssignedIdentities") or {}
        for resource_id, identity in assigned.items():
            if resource_id.lower() == call.path.lower():
                return _found(call, identity["principalId"], identity["clientId"])
    raise not_found(IDENTITY_TYPE, call.params["identity"], call.params["group"])


def _found(call: Call, principal_id: str, client_id: str) -> Response:
    return answer(
        {
            "id": call.path,
            "name": call.params["identity"],
            "type": IDENTITY_TYPE,
            "location": "westeurope",
            "tags": {},
            "properties": {"tenantId": TENANT_ID, "principalId": principal_id, "clientId": client_id},
        }
    )
