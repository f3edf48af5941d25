"""Clusters and role assignments, cached: what the AKS views read, by identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.addresses import read_addresses
from services.assignments import SubscriptionAccess, read_access
from services.clusters import Cluster, get_cluster, list_clusters
from services.fanout import Partial
from services.pull_matrix import Pair, needed_addresses, pull_pair
from services.puller_assignments import PullerAccess, read_puller, with_control_plane
from services.registries import Registry, get_registry
from services.subscriptions import list_subscriptions
from ui import connection, loaders
from ui.reading import Reading, fresh, start


@dataclass(frozen=True)
class Pulls:
    """All that the matrix is made of. `registries` are those of the inventory when it was read."""

    clusters: Partial[Cluster]
    registries: Partial[Registry]
    access: Partial[SubscriptionAccess]
    addresses: Partial[tuple[str, str]]

    @property
    def by_subscription(self) -> Mapping[str, SubscriptionAccess]:
        return {one.subscription.id: one for one in self.access.values}


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def pulls(who: str) -> Reading[Pulls]:
    """Clusters, and role and deny assignments, of all subscriptions; addresses where a registry restricts them."""
    session = connection.session(who)
    inventory = loaders.inventory(who)

    def work(reading: Reading[Pulls]) -> None:
        clusters = list_clusters(session, progress=reading.report)
        access = read_access(session, list_subscriptions(session), progress=reading.report)
        reading.report(0, 0, "the inventory")
        inventory.finished.wait()
        registries = inventory.value.registries
        addresses = read_addresses(session, needed_addresses(clusters.values, registries.values))
        reading.value = Pulls(clusters, registries, access, addresses)

    return start(Pulls(Partial(()), Partial(()), Partial(()), Partial(())), work)


@dataclass(frozen=True)
class Checked:
    """One cluster and one registry as they are now, what the puller holds, and the answer; and when it was read."""

    cluster: Cluster
    registry: Registry
    held: PullerAccess
    pair: Pair
    at: datetime


@st.cache_resource(ttl="1m", show_spinner="Checking", max_entries=200)
def checked(who: str, cluster_id: str, registry_id: str) -> Checked:
    """Reads both anew, and what the cluster's puller holds at the registry, groups followed."""
    session = connection.session(who)
    cluster, registry = get_cluster(session, cluster_id), get_registry(session, registry_id)
    held = read_puller(session, cluster, registry)
    wanted = needed_addresses([cluster], [registry])
    addresses = dict(read_addresses(session, wanted).values)
    records = with_control_plane(session, cluster, registry, held)
    pair = pull_pair(cluster, registry, records, addresses, held.access.groups)
    return Checked(cluster, registry, held, pair, datetime.now(UTC))


def forget_pulls(who: str, cluster_id: str, registry_id: str) -> None:
    """What a role assignment, or its removal, makes stale."""
    checked.clear(who, cluster_id, registry_id)
    pulls.clear(who)
