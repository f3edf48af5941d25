"""Reading what the pull matrix needs, in a few requests per subscription."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from services.access.memberships import Memberships, read_memberships
from services.access.role_assignment_reading import SubscriptionAccess, read_access
from services.access.role_assignments import may_be_group
from services.aks.clusters import Cluster, list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Progress, parallel_map
from services.connection.session import AzureSession
from services.pull_checks.matrix import PrivateLinks, Pulls, needed_addresses
from services.pull_checks.public_addresses import addresses_by_id
from services.pull_checks.reading import read_endpoints, read_networks
from services.registries.reading import registries_of
from services.registries.registry import Registry

Item = TypeVar("Item", Cluster, Registry)
Read = TypeVar("Read")


def read_pulls(session: AzureSession, *, progress: Progress | None = None) -> Pulls:
    """Clusters, registries, role and deny assignments: four requests per subscription, whatever its size.

    Also: the subscriptions, the roles (`read_access`); one request for each outbound address of clusters if a registry
    has IP rules; one to the directory for each identity that pulls, if a group has a role, and for each service
    principal; a few for each private endpoint and, if there is one, one for each network of clusters. Raises
    ServiceError if the subscriptions can't be listed.
    """
    subscriptions = list_subscriptions(session)
    clusters = list_clusters(session, subscriptions.values, progress=progress)
    registries = registries_of(session, subscriptions.values, progress=progress)
    clusters = replace(clusters, refused=subscriptions.refused + clusters.refused)
    registries = replace(registries, refused=subscriptions.refused + registries.refused)
    access = read_access(session, subscriptions.values, progress=progress)
    addresses = addresses_by_id(session, needed_addresses(clusters.values, registries.values))
    memberships = _memberships(session, clusters.values, access.values, progress)
    links = _private_links(session, clusters.values, registries.values)
    return Pulls(clusters, registries, access, addresses, memberships, links)


def _memberships(
    session: AzureSession,
    clusters: Iterable[Cluster],
    access: Iterable[SubscriptionAccess],
    progress: Progress | None,
) -> Memberships:
    pullers = [cluster.puller for cluster in clusters]
    return read_memberships(
        session,
        {puller.object_id for puller in pullers if puller.object_id},
        {puller.client_id for puller in pullers if not puller.object_id},
        {group for one in access for group in _groups_in(one)},
        progress=progress,
    )


def _groups_in(access: SubscriptionAccess) -> set[str]:
    """The groups that a role or deny assignment names."""
    held = {one.principal_id for one in access.records.assignments if may_be_group(one.principal_type)}
    denies = access.records.denies or ()
    named = (who for deny in denies for who in (*deny.principals, *deny.excluded) if may_be_group(who.type))
    return held | {who.id for who in named}


def _private_links(
    session: AzureSession, clusters: tuple[Cluster, ...], registries: tuple[Registry, ...]
) -> PrivateLinks:
    private = [registry for registry in registries if registry.network.approved_endpoints]
    if not private:
        return PrivateLinks()
    return PrivateLinks(
        _read_each(lambda registry: read_endpoints(session, registry), private),
        _read_each(lambda cluster: read_networks(session, cluster), clusters),
    )


def _read_each(read: Callable[[Item], Read], items: Iterable[Item]) -> dict[str, Read | ServiceError]:
    """What was read of each, or why not, by its id in lower case."""
    found = parallel_map(lambda one: (one.id.lower(), read(one)), items, name=lambda one: one.id.lower())
    refused: dict[str, Read | ServiceError] = {refusal.what: refusal.error for refusal in found.refused}
    return {**refused, **dict(found.values)}
