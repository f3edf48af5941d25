"""Subscriptions, tenants, locations, and the generic list of resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, public
from sandbox.arm.networks import TYPES
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import LOCATIONS, Location
from sandbox.identity.rbac import scope_covers

SUBSCRIPTION = "/subscriptions/{subscription}"
# /resources lists these; groups, assignments and the sandbox's own documents aren't resources.
_TRACKED = (
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.ContainerRegistry/registries/replications",
    "Microsoft.ContainerRegistry/registries/webhooks",
    "Microsoft.ContainerService/managedClusters",
    *TYPES,
)
_FILTER_TERM = re.compile(
    r"\s*(?:substringof\('(?P<part>[^']*)',\s*name\)|(?P<field>\w+)\s+eq\s+'(?P<value>(?:[^']|'')*)')\s*",
    re.IGNORECASE,
)


def routes() -> list[Route]:
    return [
        Route("GET", "/tenants", list_tenants),
        Route("GET", "/subscriptions", list_subscriptions),
        Route("GET", SUBSCRIPTION, get_subscription),
        Route("GET", SUBSCRIPTION + "/locations", list_locations),
        Route("GET", SUBSCRIPTION + "/resources", list_resources),
        Route("GET", SUBSCRIPTION + "/resourceGroups/{group}/resources", list_resources),
    ]


def list_tenants(call: Call) -> Response:
    return listing(call, call.store.list_resources("tenants"))


def list_subscriptions(call: Call) -> Response:
    """Those in which the caller holds any role, at whatever scope."""
    documents = call.store.list_resources("subscriptions")
    return listing(call, [_subscription(doc) for doc in documents if _visible(call, doc["id"])])


def get_subscription(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None or not _visible(call, document["id"]):
        raise subscription_not_found(call.params["subscription"])
    return answer(_subscription(document))


def subscription_not_found(subscription: str) -> ArmError:
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def _visible(call: Call, subscription: str) -> bool:
    return any(
        scope_covers(mine.scope, subscription) or scope_covers(subscription, mine.scope)
        for mine in call.access.assignments
    )


def _subscription(document: Document) -> Document:
    """Subscriptions, unlike other resources, show no type and no name."""
    return {key: value for key, value in public(document).items() if key not in ("type", "name")}


def list_locations(call: Call) -> Response:
    return listing(call, [_location(call.params["subscription"], location) for location in LOCATIONS.values()])


def _location(subscription: str, location: Location) -> Document:
    base = f"/subscriptions/{subscription}/locations/"
    zones = [{"logicalZone": zone, "physicalZone": f"{location.name}-az{zone}"} for zone in "123"]
    return {
        "id": base + location.name,
        "name": location.name,
        "type": "Region",
        "displayName": location.display_name,
        "regionalDisplayName": f"({location.geography}) {location.display_name}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geographyGroup": location.geography,
            "pairedRegion": [{"name": location.pair, "id": base + location.pair}],
        },
        **({"availabilityZoneMappings": zones} if location.zones else {}),
    }


def list_resources(call: Call) -> Response:
    """Generic list: no properties, and only what the caller may read."""
    wanted = _filter(call.query.get("$filter", ""))
    under = call.path.rstrip("/").rpartition("/")[0]
    found = []
    for kind in _TRACKED:
        for document in call.store.list_resources(kind, under):
            if wanted(document) and call.access.allows(document["id"], f"{kind}/read"):
                shown = {key: value for key, value in public(document).items() if key != "properties"}
                found.append(shown)
    return listing(call, found)


def _filter(text: str) -> Callable[[Document], bool]:
    """`a eq 'b' and …`, the forms az and the SDKs send; what isn't understood is refused, not ignored."""
    if not text:
        return lambda _document: True
    terms = []
    for term in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        match = _FILTER_TERM.fullmatch(term)
        if match is None or (match["field"] or "name").lower() not in _FILTER_FIELDS:
            raise ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query.")
        terms.append(match)

    def matches(document: Document) -> bool:
        for term in terms:
            if term["part"] is not None:
                if term["part"].lower() not in document["name"].lower():
                    return False
            elif _FILTER_FIELDS[term["field"].lower()](document) != term["value"].replace("''", "'").lower():
                return False
        return True

    return matches


_FILTER_FIELDS: Mapping[str, Callable[[Document], str]] = {
    "resourcetype": lambda document: document["type"].lower(),
    "name": lambda document: document["name"].lower(),
    "location": lambda document: document.get("location", "").lower(),
    "resourcegroup": lambda document: group_of(document["id"]).lower(),
}


def group_of(resource_id: str) -> str:
    return resource_id.split("/")[4]
