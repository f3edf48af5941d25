"""Microsoft.ContainerRegistry/registries: the registries themselves and their credentials and usage."""

from __future__ import annotations

import secrets

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, public
from sandbox.arm.groups import existing_group, refuse_deleting, remove_registry
from sandbox.arm.operations import Operations, async_operation, location_header
from sandbox.arm.policies import refuse_by_policy
from sandbox.arm.providers import require_registered
from sandbox.arm.registry_path import REGISTRIES, REGISTRY, existing_registry, registry_id
from sandbox.arm.replications import geo_replicas
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import NAME, REGISTRY_TYPE, SKUS, changed, check, created, login_server, reserved
from sandbox.documents.scope_maps import SCOPE_MAP_TYPE, TOKEN_TYPE
from sandbox.registry.soft_delete import purge_expired

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
    documents = [_shown(call, document) for document in call.store.list_resources(REGISTRY_TYPE, scope)]
    return listing(call, call.readable(documents, REGISTRY_TYPE + "/read", scope))


def registry_rows(call: Call) -> list[Document]:
    """The registries of all subscriptions that the caller may read, as Resource Graph has them."""
    action = REGISTRY_TYPE + "/read"
    found = [one for one in call.store.list_resources(REGISTRY_TYPE) if call.access.allows(one["id"], action)]
    members = ("id", "name", "location", "tags", "sku", "identity", "properties")
    rows = [
        {
            **{name: document.get(name) for name in members},
            "type": REGISTRY_TYPE.lower(),
            "subscriptionId": document["id"].split("/")[2],
        }
        for document in (_shown(call, one) for one in found)
    ]
    return sorted(rows, key=lambda row: str(row["id"]))


def get_registry(call: Call, operations: Operations) -> Response:
    document = public(_shown(call, existing_registry(call)))
    state = operations.state_of(document["id"])
    return answer(_in_state(document, state) if state else document)


def _shown(call: Call, document: Document) -> Document:
    """As the API version of the request knows it: the soft delete policy is in previews alone."""
    if call.query.get("api-version", "").endswith("-preview"):
        return document
    properties = document["properties"]
    policies = {name: policy for name, policy in properties["policies"].items() if name != "softDeletePolicy"}
    return {**document, "properties": {**properties, "policies": policies}}


def _in_state(document: Document, state: str) -> Document:
    return {**document, "properties": {**document["properties"], "provisioningState": state}}


def check_name(call: Call) -> Response:
    """Names are taken all over Azure, not just in one's own subscription."""
    require_registered(call)
    name = call.body.get("name") if isinstance(call.body, dict) else None
    if not isinstance(name, str):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
    if not NAME.fullmatch(name):
        message = (
            f"The specified registry name {name} is invalid. Registry names may contain alpha numeric "
            "characters only and must be between 5 and 50 characters."
        )
        return answer({"nameAvailable": False, "reason": "Invalid", "message": message})
    if refusal := reserved(name):
        return answer({"nameAvailable": False, "reason": "Invalid", "message": refusal})
    if call.store.find_resource(REGISTRY_TYPE, name) is not None:
        message = f"The registry {name} is already in use."
        return answer({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    scope = str(call.body.get("autoGeneratedDomainNameLabelScope") or "Unsecure")
    return answer({"nameAvailable": True, "availableLoginServerName": login_server(name, scope)})


def put_registry(call: Call, operations: Operations) -> Response:
    """Create (201, ends later) or replace (200, ends at once). The registry answers first."""
    require_registered(call)
    group = existing_group(call)
    refuse_deleting(group)
    before = call.store.get_resource(registry_id(call))
    if before is not None:
        refuse_by_policy(call, changed(before, call.body, call.now()))
        return _store(call, before)
    name = call.params["registry"]
    _check_body(call)
    if message := reserved(name):
        raise ArmError(400, "ReservedResourceName", message)
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
    refuse_by_policy(call, registry)
    call.store.put_resource(registry)
    call.state.open_registry(name)
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
    _check_soft_delete(call, before, after)
    after["systemData"] = {**before.get("systemData", {}), **_stamp(call, "lastModified")}
    call.store.put_resource(after)
    return answer(public(after))


def _stamp(call: Call, what: str) -> Document:
    kind = "User" if call.caller.upn else "Application"
    return {f"{what}By": call.caller.name, f"{what}ByType": kind, f"{what}At": call.now()}


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
    if used_bytes(call, before) > SKUS[new].maximum:
        blockers.append("storage")
    if blockers:
        message = f"The SKU can't be changed from {old} to {new} because of the registry's {', '.join(blockers)}."
        raise ArmError(409, "SkuUpdateNotAllowed", message)


def _check_soft_delete(call: Call, before: Document, after: Document) -> None:
    """https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy#preview-limitations"""
    was_on, on = (one["properties"]["policies"]["softDeletePolicy"]["status"] == "enabled" for one in (before, after))
    if on and not was_on and geo_replicas(call.store, before):
        message = f"The soft delete policy is not supported for registry {before['name']}: it is geo-replicated."
        raise ArmError(400, "PolicyNotSupported", message)


def delete_registry(call: Call, operations: Operations) -> Response:
    """202 and Location; 204 when there is none."""
    registry = call.store.get_resource(registry_id(call))
    if registry is None:
        return Response(status_code=204)
    remove_registry(call, registry)
    operation = operations.start(registry["id"], "Deleting")
    headers = location_header(call, operation, registry["location"])
    return answer(_in_state(public(registry), "Deleting"), 202, headers)


def used_bytes(call: Call, registry: Document) -> int:
    purge_expired(call.store, registry, call.state.clock())
    return call.store.blobs.stored_bytes(registry["name"].lower()) + int(registry["_sandbox"].get("extraBytes", 0))


def list_usages(call: Call) -> Response:
    """Size's limit is what the SKU includes; how far it may grow is MaximumStorageCapacity."""
    registry = existing_registry(call)
    sku, used = SKUS[registry["sku"]["name"]], used_bytes(call, registry)
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
