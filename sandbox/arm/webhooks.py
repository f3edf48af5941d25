"""Webhooks of a registry: kept and shown with their events, never called, because nothing leaves the machine."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.arm.registry_path import REGISTRY, existing_registry, registry_id
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import normalize
from sandbox.documents.registry_rules import NAME, SKUS
from sandbox.registry.webhook_events import WEBHOOK_TYPE, record

_ALL = REGISTRY + "/webhooks"
_ONE = _ALL + "/{webhook}"
# ARM takes these and shows them only in getCallbackConfig.
_PRIVATE = ("serviceUri", "customHeaders")


def routes() -> list[Route]:
    return [
        Route("GET", _ALL, list_webhooks, WEBHOOK_TYPE + "/read", REGISTRY),
        Route("GET", _ONE, get_webhook, WEBHOOK_TYPE + "/read"),
        Route("PUT", _ONE, put_webhook, WEBHOOK_TYPE + "/write"),
        Route("PATCH", _ONE, patch_webhook, WEBHOOK_TYPE + "/write"),
        Route("DELETE", _ONE, delete_webhook, WEBHOOK_TYPE + "/delete"),
        Route("POST", _ONE + "/ping", ping, WEBHOOK_TYPE + "/ping/action", _ONE),
        Route("POST", _ONE + "/listEvents", list_events, WEBHOOK_TYPE + "/listEvents/action", _ONE),
        Route("POST", _ONE + "/getCallbackConfig", config, WEBHOOK_TYPE + "/getCallbackConfig/action", _ONE),
    ]


def webhook(registry: Document, name: str, service_uri: str, scope: str, actions: list[str]) -> Document:
    """The ARM document of an enabled webhook."""
    return {
        "id": f"{registry['id']}/webhooks/{name}",
        "type": WEBHOOK_TYPE,
        "name": name,
        "location": registry["location"],
        "tags": {},
        "properties": {
            "status": "enabled",
            "scope": scope,
            "actions": actions,
            "provisioningState": "Succeeded",
        },
        "_sandbox": {"serviceUri": service_uri, "customHeaders": {}},
    }


def list_webhooks(call: Call) -> Response:
    return listing(call, call.store.list_resources(WEBHOOK_TYPE, existing_registry(call)["id"]))


def get_webhook(call: Call) -> Response:
    return answer(public(_existing(call)))


def put_webhook(call: Call) -> Response:
    registry, given, name = existing_registry(call), call.properties(), call.params["webhook"]
    if not given.get("serviceUri") or not given.get("actions"):
        raise ArmError(400, "InvalidWebhook", "A webhook needs serviceUri and actions.")
    if not NAME.fullmatch(name):
        raise ArmError(400, "InvalidWebhookName", f"The webhook name {name} must be 5 to 50 letters or digits.")
    others = [doc for doc in call.store.list_resources(WEBHOOK_TYPE, registry["id"]) if doc["name"] != name]
    if len(others) >= SKUS[registry["sku"]["name"]].webhooks:
        sku = registry["sku"]["name"]
        raise ArmError(403, "QuotaExceeded", f"The registry's SKU {sku} allows no more than {len(others)} webhooks.")
    document = webhook(registry, name, given["serviceUri"], given.get("scope") or "", list(given["actions"]))
    document["location"] = normalize(str(call.body.get("location") or registry["location"]))
    return _store(call, document)


def patch_webhook(call: Call) -> Response:
    return _store(call, _existing(call))


def _store(call: Call, document: Document) -> Response:
    given = call.properties()
    document["_sandbox"] |= {key: given[key] for key in _PRIVATE if given.get(key)}
    document["properties"] |= {key: given[key] for key in ("status", "scope", "actions") if given.get(key) is not None}
    document["tags"] = call.body.get("tags") or document["tags"]
    call.store.put_resource(document)
    return answer(public(document))


def delete_webhook(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None:
        return Response(status_code=204)
    call.store.delete_resource(document["id"])
    return Response(status_code=200)


def ping(call: Call) -> Response:
    """Calls the address whatever the webhook's actions and status are."""
    return answer({"id": record(call.store, _existing(call)["id"], "ping", call.now(), {})})


def list_events(call: Call) -> Response:
    return listing(call, _existing(call)["_sandbox"].get("events", []))


def config(call: Call) -> Response:
    private = _existing(call)["_sandbox"]
    return answer({key: private[key] for key in _PRIVATE})


def _existing(call: Call) -> Document:
    document = call.store.get_resource(f"{registry_id(call)}/webhooks/{call.params['webhook']}")
    if document is None:
        existing_registry(call)
        raise not_found(WEBHOOK_TYPE, call.params["webhook"], call.params["group"])
    return document
