"""Resource providers: what they have, where, and whether a subscription may use them.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing
from sandbox.arm.networks import NESTED, TYPES
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import LOCATIONS
from sandbox.documents.registry_rules import REGISTRY_LOCATIONS

_PROVIDERS = "/subscriptions/{subscription}/providers"
_PROVIDER = _PROVIDERS + "/{namespace}"
REGISTRIES = "Microsoft.ContainerRegistry"
_KNOWN = {
    "microsoft.containerregistry": (
        REGISTRIES,
        ("registries", "registries/replications", "registries/webhooks"),
    ),
    "microsoft.containerservice": ("Microsoft.ContainerService", ("managedClusters",)),
    "microsoft.network": ("Microsoft.Network", tuple(kind.partition("/")[2] for kind in (*TYPES, *NESTED))),
    "microsoft.authorization": ("Microsoft.Authorization", ("roleAssignments", "roleDefinitions")),
    "microsoft.resources": ("Microsoft.Resources", ("subscriptions", "resourceGroups")),
}


def routes() -> list[Route]:
    return [
        Route("GET", _PROVIDERS, list_providers),
        Route("GET", _PROVIDER, get_provider),
        Route("POST", _PROVIDER + "/register", register),
    ]


def list_providers(call: Call) -> Response:
    return listing(call, [_provider(call, namespace) for namespace in _KNOWN])


def get_provider(call: Call) -> Response:
    """A registration that has begun is over at the second read."""
    namespace = _namespace(call)
    document = _provider(call, namespace)
    if document["registrationState"] == "Registering":
        _keep(call, namespace, "Registered")
    return answer(document)


def register(call: Call) -> Response:
    """What is registered stays so."""
    namespace = _namespace(call)
    call.require(f"{_KNOWN[namespace][0]}/register/action", f"/subscriptions/{call.params['subscription']}")
    if _state(call, namespace) != "Registered":
        _keep(call, namespace, "Registering")
    return answer(_provider(call, namespace))


def require_registered(call: Call) -> None:
    """Refuses what needs the provider of registries in a subscription that has not registered it."""
    if _state(call, REGISTRIES.lower()) == "Registered":
        return
    message = (
        f"The subscription is not registered to use namespace '{REGISTRIES}'. See https://aka.ms/rps-not-found for how "
        "to register subscriptions."
    )
    code = "MissingSubscriptionRegistration"
    detail = {"code": code, "target": REGISTRIES, "message": message}
    raise ArmError(409, code, message, {"x-ms-failure-cause": "gateway"}, {"details": [detail]})


def unregister(subscription: Document) -> None:
    """Makes a subscription's document one that has never used registries."""
    subscription.setdefault("_sandbox", {})["providers"] = {REGISTRIES.lower(): "NotRegistered"}


def _namespace(call: Call) -> str:
    namespace = call.params["namespace"].lower()
    if namespace not in _KNOWN:
        message = f"The resource namespace '{call.params['namespace']}' is invalid."
        raise ArmError(404, "InvalidResourceNamespace", message)
    return namespace


def _subscription(call: Call) -> Document:
    return call.store.get_resource(f"/subscriptions/{call.params['subscription']}") or {}


def _state(call: Call, namespace: str) -> str:
    states = _subscription(call).get("_sandbox", {}).get("providers", {})
    return str(states.get(namespace, "Registered"))


def _keep(call: Call, namespace: str, state: str) -> None:
    document = _subscription(call)
    document.setdefault("_sandbox", {}).setdefault("providers", {})[namespace] = state
    call.store.put_resource(document)


def _provider(call: Call, namespace: str) -> Document:
    name, kinds = _KNOWN[namespace]
    names = REGISTRY_LOCATIONS if name == REGISTRIES else LOCATIONS
    locations = [LOCATIONS[location].display_name for location in names]
    return {
        "id": f"/subscriptions/{call.params['subscription']}/providers/{name}",
        "namespace": name,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": _state(call, namespace),
        "resourceTypes": [
            {"resourceType": kind, "locations": locations, "apiVersions": ["2025-11-01", "2023-07-01"]}
            for kind in kinds
        ],
    }
