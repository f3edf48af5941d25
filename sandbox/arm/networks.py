"""Microsoft.Network, to read by id: what is between a cluster and a registry.

Public addresses, virtual networks with their subnets and peerings, private endpoints, private DNS zones with their
links and records. All are stored documents, also those that Azure shows inside another.
https://learn.microsoft.com/azure/private-link/private-endpoint-dns
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, not_found, public
from sandbox.documents.errors import Document

PUBLIC_ADDRESS = "Microsoft.Network/publicIPAddresses"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE_GROUP = f"{PRIVATE_ENDPOINT}/privateDnsZoneGroups"
ZONE = "Microsoft.Network/privateDnsZones"
ZONE_LINK = f"{ZONE}/virtualNetworkLinks"
A_RECORD = f"{ZONE}/A"
NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = f"{NETWORK}/subnets"
PEERING = f"{NETWORK}/virtualNetworkPeerings"

TYPES = (PUBLIC_ADDRESS, PRIVATE_ENDPOINT, ZONE, NETWORK)
NESTED = (ZONE_GROUP, ZONE_LINK, A_RECORD, SUBNET, PEERING)
# Azure shows these in their network's properties too.
_INSIDE = {"subnets": SUBNET, "virtualNetworkPeerings": PEERING}

_PROVIDER = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/"


def routes() -> list[Route]:
    one = [Route("GET", _PROVIDER + _last(kind) + "/{name}", get_resource, f"{kind}/read") for kind in TYPES]
    nested = []
    for kind in NESTED:
        _, parent, child = kind.split("/")
        path = f"{_PROVIDER}{parent}/{{name}}/{child}"
        nested.append(Route("GET", path, _lister(kind), f"{kind}/read"))
        nested.append(Route("GET", path + "/{child}", get_resource, f"{kind}/read"))
    return [*one, *nested]


def get_resource(call: Call) -> Response:
    return answer(_shown(call, _existing(call, call.path)))


def _lister(kind: str) -> Callable[[Call], Response]:
    def list_nested(call: Call) -> Response:
        parent = _existing(call, call.path.rpartition("/")[0])
        return listing(call, call.store.list_resources(kind, parent["id"]))

    return list_nested


def _existing(call: Call, resource_id: str) -> Document:
    document = call.store.get_resource(resource_id)
    if document is None:
        kind, _, name = resource_id.partition("/Microsoft.Network/")[2].partition("/")
        raise not_found(f"Microsoft.Network/{kind}", name, call.params["group"])
    return document


def _shown(call: Call, document: Document) -> Document:
    shown = public(document)
    if document["type"] == NETWORK:
        inside = {name: call.store.list_resources(kind, document["id"]) for name, kind in _INSIDE.items()}
        shown["properties"] = {**document["properties"], **inside}
    return shown


def _last(kind: str) -> str:
    return kind.rpartition("/")[2]
