"""The subscriptions, registries and clusters of a large estate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.identity.principals import CONSOLE, READER, TENANT_ID, principal
from sandbox.large.contents import interval, stored_bytes, tags
from sandbox.large.size import Size
from sandbox.seeds.networks import outbound_addresses
from sandbox.seeds.resources import (
    Document,
    Kubelet,
    assignment,
    cluster,
    group,
    group_id,
    guid,
    registry,
    subscription,
)
from sandbox.storage.deferred import DeferredRepository
from sandbox.storage.records import timestamp
from sandbox.storage.store import Store

# Registries of a subscription, and how many of these have a cluster between them.
REGISTRIES_EACH, REGISTRIES_A_CLUSTER, MOST_CLUSTERS = 10, 25, 40
_LOCATIONS = ("westeurope", "northeurope", "eastus", "swedencentral")
_SKUS = ("Premium", "Standard", "Standard", "Basic", "Standard")
_TEAMS = ("billing", "catalog", "delivery", "identity", "orders", "platform", "search", "support")


def large_estate(store: Store, size: Size, now: datetime) -> None:
    """Add an estate of this size to a store that has the tenant."""
    with store.transaction():
        for number in range(-(-size.registries // REGISTRIES_EACH)):
            for document in _subscription(number, timestamp(now - timedelta(days=800))):
                store.put_resource(document)
        for number in range(size.registries):
            store.put_resource(_registry(number, timestamp(now - timedelta(days=760, minutes=number))))
        store.deferred.add(one for number in range(size.registries) for one in _repositories(number, size, now))
        for number in range(min(-(-size.registries // REGISTRIES_A_CLUSTER), MOST_CLUSTERS)):
            for document in _cluster(number, timestamp(now - timedelta(days=500))):
                store.put_resource(document)


def registry_name(number: int) -> str:
    return f"contoso{number + 1:04}"


def repository_name(number: int) -> str:
    return f"{_TEAMS[number % len(_TEAMS)]}/service-{number + 1:04}"


def subscription_of(number: int) -> str:
    """The id of the subscription that the registry of this number is in."""
    return guid("large subscription", str(number // REGISTRIES_EACH))


def _group_name(number: int) -> str:
    return f"registries-{number // REGISTRIES_EACH + 1:03}-rg"


def _subscription(number: int, created: str) -> Iterator[Document]:
    first = number * REGISTRIES_EACH
    subscription_id = subscription_of(first)
    yield subscription(subscription_id, f"contoso-{number + 1:03}")
    yield group(subscription_id, _group_name(first), _LOCATIONS[number % len(_LOCATIONS)])
    for application, role in ((CONSOLE, "Owner"), (READER, "Reader")):
        scope = f"/subscriptions/{subscription_id}"
        yield assignment(scope, role, application.object_id, "ServicePrincipal", created)


def _registry(number: int, created: str) -> Document:
    """Most are as they should be; one in 25 has its admin account on, one in 50 lets everyone pull."""
    sku = _SKUS[number % len(_SKUS)]
    properties = {"adminUserEnabled": number % 25 == 7, "anonymousPullEnabled": number % 50 == 21}
    location = _LOCATIONS[number // REGISTRIES_EACH % len(_LOCATIONS)]
    within = group_id(subscription_of(number), _group_name(number))
    return registry(within, registry_name(number), sku, location, created, properties)


def _repositories(number: int, size: Size, now: datetime) -> Iterator[DeferredRepository]:
    tagged = tags(size.manifests)
    for index in range(size.repositories):
        name = repository_name(index)
        total = stored_bytes(registry_name(number), name, size.manifests)
        first, last = interval(now, number, index)
        yield DeferredRepository(registry_name(number), name, first, last, size.manifests, tagged, total)


def _cluster(number: int, created: str) -> Iterator[Document]:
    """A cluster that may pull from the registries of its subscription."""
    name, first = f"aks-{number + 1:03}", number * REGISTRIES_A_CLUSTER
    subscription_id, within = subscription_of(first), _group_name(first)
    identity = f"{group_id(subscription_id, within)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    kubelet = Kubelet(guid("large kubelet", name), guid("large kubelet client", name), f"{identity}/{name}-agentpool")
    control_plane = guid("large control plane", name)
    location = _LOCATIONS[first // REGISTRIES_EACH % len(_LOCATIONS)]
    system = {"type": "SystemAssigned", "principalId": control_plane, "tenantId": TENANT_ID}
    document = cluster(subscription_id, within, name, location, identity=system, kubelet=kubelet)
    yield document
    yield from outbound_addresses(document, f"203.0.113.{number + 1}")
    yield principal(control_plane, name, "managedIdentity", app_id=guid("large control plane client", name))
    yield principal(kubelet.object_id, f"{name}-agentpool", "managedIdentity", app_id=kubelet.client_id)
    yield assignment(f"/subscriptions/{subscription_id}", "AcrPull", kubelet.object_id, "ServicePrincipal", created)
