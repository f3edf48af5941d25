"""Microsoft.ContainerRegistry/registries: the registries themselves and their credentials and usage."""

from __future__ import annotations

import secrets

from starlette.responses import Response

from sandbox.arm import ArmError, Call, Document, Route, answer, listing, public
from sandbox.arm_groups import existing_group, remove_registry
from sandbox.arm_replications import geo_replicas
from sandbox.operations import Operations, async_operation, location_header
from sandbox.registry_path import REGISTRIES, REGISTRY, existing_registry, registry_id
from sandbox.registry_rules import NAME, REGISTRY_TYPE, SKUS, changed, check, created
from sandbox.scope_maps import SCOPE_MAP_TYPE, TOKEN_TYPE

_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry"
_WRITE = REGISTRY_TYPE + "/write"
CONNECTED_TYPE = REGISTRY_TYPE + "/connectedRegistries"


def routes(operations: Operations) -> list[Route]:
    return [
        Route("GET", _PROVIDER + "/registries", list_registries),
        Route("GET", REGISTRIES, list_group_registries),
        Route("POST", _PROVIDER + "/checkNameAvailability", check_name),
        Route("GET", REGISTRY, lambda call: get_registry(call, operations), REGISTRY_TYPE + "/read"),
        Route("PUT", REGISTRY, lambda call: put_registry(call, operations), _WRITE),
        Route("PATCH", REGISTRY, lambda call: patch_registry(call, operations), _WRITE),
        Route("DELETE", REGISTRY, lambda call: delete_registry(call, operations), REGISTRY_TYPE + "/delete"),
        Route("GET", REGISTRY + "/listUsages", list_usages, REGISTRY_TYPE + "/listUsages/read", REGISTRY),
        Route("GET", REGISTRY + "/connectedRegistries", list_connected, CONNECTED_TYPE + "/read", REGISTRY),
        Route(
            "POST",
            REGISTRY + "/listCredentials",
            list_credentials,
            REGISTRY_TYPE + "/listCredentials/action",
            REGISTRY,
        ),
        Route(
            "POST",
            REGISTRY + "/regenerateCredential",
            regenerate_credential,
            REGISTRY_TYPE + "/regenerateCredential/action",
            REGISTRY,
        ),
    ]


def list_registries(call: Call) -> Response:
    return _list(call, f"/subscriptions/{call.params['subscription']}")


def list_group_registries(call: Call) -> Response:
    return _list(call, existing_group(call)["id"])


def _list(call: Call, scope: str) -> Response:
    documents = call.store.list_resources(REGISTRY_TYPE, scope)
    return listing(call, call.readable(documents, REGISTRY_TYPE + "/read", scope))


def get_registry(call: Call, operations: Operations) -> Response:
    document = public(existing_registry(call))
    state = operations.state_of(document["id"])
    return answer(_in_state(document, state) if state else document)


def _in_state(document: Document, state: str) -> Document:
    return {**document, "properties": {**document["properties"], "provisioningState": state}}


def check_name(call: Call) -> Response:
    """Names are taken all over Azure, not just in one's own subscription."""
    name = call.body.get("name") if isinstance(call.body, dict) else None
    if not isinstance(name, str):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
    if not NAME.fullmatch(name):
        message = (
            f"The specified registry name {name} is invalid. Registry names may contain alpha numeric "
            "characters only and must be between 5 and 50 characters."
        )
        return answer({"nameAvailable": False, "reason": "Invalid", "message": message})
    if call.store.find_resource(REGISTRY_TYPE, name) is not None:
        message = f"The registry {name} is already in use."
        return answer({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return answer({"nameAvailable": True, "availableLoginServerName": f"{name.lower()}.azurecr.io"})


def put_registry(call: Call, operations: Operations) -> Response:
    """Create (201, ends later) or replace (200, ends at once). The registry answers first."""
    group = existing_group(call)
    before = call.store.get_resource(registry_id(call))
    if before is not None:
        return _store(call, before)
    name = call.params["registry"]
    _check_body(call)
    taken = call.store.find_resource(REGISTRY_TYPE, name)
    if taken is not None:
        raise ArmError(
            409,
            "AlreadyInUse",
            f"The registry DNS name {name.lower()}.azurecr.io is already in use. You can check if the "
            "name is already claimed using following API: "
            "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability",
        )
    registry = created(f"{group['id']}/providers/{REGISTRY_TYPE}/{name}", name, call.body, call.now())
    registry["systemData"] = {**_stamp(call, "created"), **_stamp(call, "lastModified")}
    check(registry)
    call.store.put_resource(registry)
    call.sandbox.open_registry(name)
    registry = call.store.get_resource(registry["id"]) or registry
    operation = operations.start(registry["id"], "Creating")
    headers = async_operation(call, operation, registry["location"])
    return answer(_in_state(public(registry), "Creating"), 201, headers)


def patch_registry(call: Call, operations: Operations) -> Response:
    """200; another SKU takes a while, and is answered with 201 and an operation."""
    before = existing_registry(call)
    stored = _store(call, before)
    after = existing_registry(call)
    if after["sku"]["name"] == before["sku"]["name"]:
        return stored
    operation = operations.start(after["id"], "Updating")
    headers = async_operation(call, operation, after["location"])
    return answer(_in_state(public(after), "Updating"), 201, headers)


def _store(call: Call, before: Document) -> Response:
    call.properties()
    after = changed(before, call.body, call.now())
    check(after)
    _check_downgrade(call, before, after)
    after["systemData"] = {**before.get("systemData", {}), **_stamp(call, "lastModified")}
    call.store.put_resource(after)
    return answer(public(after))


def _stamp(call: Call, what: str) -> Document:
    return {f"{what}By": call.caller.app_id, f"{what}ByType": "Application", f"{what}At": call.now()}


def _check_body(call: Call) -> None:
    call.properties()
    body = call.body
    if not isinstance(body.get("location"), str):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if not isinstance(body.get("sku"), dict) or not body["sku"].get("name"):
        raise ArmError(400, "InvalidSku", "The registry SKU is required.")
    if str(body["sku"]["name"]).lower() == "classic":
        raise ArmError(400, "InvalidSku", "Registries of the SKU 'Classic' can't be created any more.")


def _check_downgrade(call: Call, before: Document, after: Document) -> None:
    """A registry keeps its SKU while it holds something the smaller one can't.

    https://learn.microsoft.com/azure/container-registry/container-registry-skus#changing-tiers
    """
    old, new = before["sku"]["name"], after["sku"]["name"]
    if old == new:
        return
    webhooks = call.store.list_resources(REGISTRY_TYPE + "/webhooks", before["id"])
    blockers = []
    if new != "Premium":
        if geo_replicas(call.store, before):
            blockers.append("replications")
        if before["properties"].get("privateEndpointConnections"):
            blockers.append("private endpoint connections")
        if call.store.list_resources(CONNECTED_TYPE, before["id"]):
            blockers.append("connected registries")
    if len(webhooks) > SKUS[new].webhooks:
        blockers.append("webhooks")
    if _used(call, before) > SKUS[new].maximum:
        blockers.append("storage")
    if blockers:
        message = f"The SKU can't be changed from {old} to {new} because of the registry's {', '.join(blockers)}."
        raise ArmError(409, "SkuUpdateNotAllowed", message)


def delete_registry(call: Call, operations: Operations) -> Response:
    """202 and Location; 204 when there is none."""
    registry = call.store.get_resource(registry_id(call))
    if registry is None:
        return Response(status_code=204)
    remove_registry(call, registry)
    operation = operations.start(registry["id"], "Deleting")
    headers = location_header(call, operation, registry["location"])
    return answer(_in_state(public(registry), "Deleting"), 202, headers)


def _used(call: Call, registry: Document) -> int:
    extra = int(registry.get("_sandbox", {}).get("extraBytes", 0))
    return call.store.stored_bytes(registry["name"].lower()) + extra


def list_usages(call: Call) -> Response:
    """Size's limit is what the SKU includes; how far it may grow is MaximumStorageCapacity."""
    registry = existing_registry(call)
    sku, used = SKUS[registry["sku"]["name"]], _used(call, registry)
    webhooks = len(call.store.list_resources(REGISTRY_TYPE + "/webhooks", registry["id"]))
    replications = len(geo_replicas(call.store, registry))
    usages = [
        ("Size", sku.included, used, "Bytes"),
        ("Webhooks", sku.webhooks, webhooks, "Count"),
        ("ScopeMaps", sku.tokens, len(call.store.list_resources(SCOPE_MAP_TYPE, registry["id"])), "Count"),
        ("Tokens", sku.tokens, len(call.store.list_resources(TOKEN_TYPE, registry["id"])), "Count"),
        ("MaximumStorageCapacity", sku.maximum, used, "Bytes"),
    ]
    if registry["sku"]["name"] == "Premium":
        usages.insert(2, ("Geo-replications", -1, replications, "Count"))
    return answer(
        {
            "value": [
                {"name": name, "limit": limit, "currentValue": current, "unit": unit}
                for name, limit, current, unit in usages
            ]
        }
    )


def list_connected(call: Call) -> Response:
    """Of the sandbox's registries none has any, but for those that a test puts there."""
    return listing(call, call.store.list_resources(CONNECTED_TYPE, existing_registry(call)["id"]))


def list_credentials(call: Call) -> Response:
    return answer(_credentials(_with_admin(call)))


def regenerate_credential(call: Call) -> Response:
    registry = _with_admin(call)
    name = call.body.get("name") if isinstance(call.body, dict) else None
    if name not in ("password", "password2"):
        raise ArmError(400, "InvalidPasswordName", f"The password name '{name}' is invalid.")
    registry["_sandbox"]["adminPasswords"][name == "password2"] = secrets.token_hex(24)
    call.store.put_resource(registry)
    return answer(_credentials(registry))


def _with_admin(call: Call) -> Document:
    registry = existing_registry(call)
    if not registry["properties"].get("adminUserEnabled"):
        raise ArmError(
            400,
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {registry['id']} as admin user is disabled. Kindly "
            "enable admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
            "container-registry-authentication#admin-account",
        )
    return registry


def _credentials(registry: Document) -> Document:
    first, second = registry["_sandbox"]["adminPasswords"]
    return {
        "username": registry["name"],
        "passwords": [{"name": "password", "value": first}, {"name": "password2", "value": second}],
    }
