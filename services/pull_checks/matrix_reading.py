"""Reading what the pull matrix needs: clusters, registries and role assignments, a few requests per subscription."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.access.role_assignment_reading import SubscriptionAccess, read_access
from services.aks.clusters import Cluster, list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.parallel import Partial, Progress
from services.connection.session import AzureSession
from services.pull_checks.matrix import needed_addresses
from services.pull_checks.public_addresses import addresses_by_id
from services.registries.reading import registries_of
from services.registries.registry import Registry


@dataclass(frozen=True)
class Pulls:
    """What the matrix needs; registries without usages and replicas. `addresses`: resource id and address."""

    clusters: Partial[Cluster]
    registries: Partial[Registry]
    access: Partial[SubscriptionAccess]
    addresses: Partial[tuple[str, str]]

    @property
    def by_subscription(self) -> Mapping[str, SubscriptionAccess]:
        return {one.subscription.id: one for one in self.access.values}


def read_pulls(session: AzureSession, *, progress: Progress | None = None) -> Pulls:
    """Clusters, registries, role and deny assignments: four requests per subscription, whatever its size.

    Also: the subscriptions, the roles (`read_access`), and, if a registry has IP rules, one request for each outbound
    address of clusters. Raises ServiceError if the subscriptions can't be listed.
    """
    subscriptions = list_subscriptions(session)
    clusters = list_clusters(session, subscriptions.values, progress=progress)
    registries = registries_of(session, subscriptions.values, progress=progress)
    registries = replace(registries, refused=subscriptions.refused + registries.refused)
    access = read_access(session, subscriptions.values, progress=progress)
    addresses = addresses_by_id(session, needed_addresses(clusters.values, registries.values))
    return Pulls(clusters, registries, access, addresses)
