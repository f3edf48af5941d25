"""Geo-replicas of a Premium registry. The home region shows among them as soon as there is another one."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.operations import Operations, async_operation, location_header
from sandbox.arm.registry_path import REGISTRY, existing_registry
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import LOCATIONS, normalize
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.storage.store import Store

REPLICATION_TYPE = REGISTRY_TYPE + "/replications"
_ALL = REGISTRY + "/replications"
_ONE = _ALL + "/{replication}"


def routes(operations: Operations) -> list[Route]:
    return [
        Route("GET", _ALL, list_replications, REPLICATION_TYPE + "/read", REGISTRY),
        Route("GET", _ONE, get_replication, REPLICATION_TYPE + "/read"),
        Route("PUT", _ONE, lambda call: put_replication(call, operations), REPLICATION_TYPE + "/write"),
        Route("PATCH", _ONE, patch_replication, REPLICATION_TYPE + "/write"),
        Route("DELETE", _ONE, lambda call: delete_replication(call, operations), REPLICATION_TYPE + "/delete"),
    ]


def geo_replicas(store: Store, registry: Document) -> list[Document]:
    """Replicas in other regions than the registry's own."""
    documents = store.list_resources(REPLICATION_TYPE, registry["id"])
    return [document for document in documents if document["location"] != registry["location"]]


def replication(registry: Document, location: str, now: str) -> Document:
    """The ARM document of a replica that is in sync."""
    return {
        "id": f"{registry['id']}/replications/{location}",
        "type": REPLICATION_TYPE,
        "name": location,
        "location": location,
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "status": {"displayStatus": "Ready", "timestamp": now},
            "regionEndpointEnabled": True,
            "zoneRedundancy": "Disabled",
        },
    }


def list_replications(call: Call) -> Response:
    return listing(call, call.store.list_resources(REPLICATION_TYPE, existing_registry(call)["id"]))


def get_replication(call: Call) -> Response:
    return answer(public(_existing(call)))


def put_replication(call: Call, operations: Operations) -> Response:
    registry = existing_registry(call)
    if registry["sku"]["name"] != "Premium":
        message = f"Geo-replication is only available for Premium registries; {registry['name']} isn't one."
        raise ArmError(400, "SkuNotSupported", message)
    if not isinstance(call.body, dict) or not isinstance(call.body.get("location"), str):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if registry["properties"]["policies"]["softDeletePolicy"]["status"] == "enabled":
        message = f"Geo-replication is not supported for registry {registry['name']}: its soft delete policy is on."
        raise ArmError(400, "PolicyNotSupported", message)
    location = normalize(call.body["location"])
    if location not in LOCATIONS:
        message = f"The provided location '{location}' is not available for resource type '{REPLICATION_TYPE}'."
        raise ArmError(400, "LocationNotAvailableForResourceType", message)
    existing = {document["location"] for document in geo_replicas(call.store, registry)}
    if location in existing | {registry["location"]}:
        message = f"The registry {registry['name']} already has a replication in {location}."
        raise ArmError(409, "ReplicationAlreadyExists", message)
    document = replication(registry, location, call.now())
    document["id"] = f"{registry['id']}/replications/{call.params['replication']}"
    document["name"] = call.params["replication"]
    document["properties"] |= call.properties()
    document["tags"] = call.body.get("tags") or {}
    if not existing:
        call.store.put_resource(replication(registry, registry["location"], call.now()))
    call.store.put_resource(document)
    operation = operations.start(document["id"], "Creating")
    shown = {**document, "properties": {**document["properties"], "provisioningState": "Creating"}}
    return answer(shown, 201, async_operation(call, operation, location))


def patch_replication(call: Call) -> Response:
    document, body = _existing(call), call.body if isinstance(call.body, dict) else {}
    document["properties"] |= call.properties()
    document["tags"] = body.get("tags") or document["tags"]
    call.store.put_resource(document)
    return answer(public(document))


def delete_replication(call: Call, operations: Operations) -> Response:
    registry = existing_registry(call)
    document = call.store.get_resource(call.path)
    if document is None:
        return Response(status_code=204)
    if document["location"] == registry["location"]:
        message = f"The replication of the registry's home region {registry['location']} can't be deleted."
        raise ArmError(409, "HomeReplicationDeleteNotAllowed", message)
    call.store.delete_resource(document["id"])
    if not geo_replicas(call.store, registry):
        call.store.delete_resource(f"{registry['id']}/replications/{registry['location']}")
    operation = operations.start(document["id"], "Deleting")
    return answer(None, 202, location_header(call, operation, document["location"]))


def _existing(call: Call) -> Document:
    document = call.store.get_resource(call.path)
    if document is None:
        existing_registry(call)
        raise not_found(REPLICATION_TYPE, call.params["replication"], call.params["group"])
    return document
