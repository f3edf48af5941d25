"""What the estate's registries have logged: who pushed, pulled and deleted which image, since logging was turned on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.monitor.diagnostic_settings import CATEGORIES, setting
from sandbox.monitor.workspaces import workspace
from sandbox.seeds.company import ADMIN, PUSHER, SCANNER
from sandbox.seeds.places import ABAC, BASE, CI, CLUSTERS, HUB, NEARLY_FULL, PAYMENTS, VAULT, Registry
from sandbox.seeds.resources import guid
from sandbox.seeds.workloads import WORKLOADS
from sandbox.storage.events import RepositoryEvent
from sandbox.storage.manifest import INDEXES
from sandbox.storage.store import Store, Tag, timestamp

LOGS = workspace(CLUSTERS.id, "contoso-logs", "westeurope", guid("workspace", "contoso-logs"))
PAYMENTS_LOGS = workspace(PAYMENTS.id, "payments-logs", "westeurope", guid("workspace", "payments-logs"))
# Nobody reads it by a registry's permissions alone, and the console has none on it.
SECURITY_LOGS = workspace(
    VAULT.id, "security-logs", "switzerlandnorth", guid("workspace", "security-logs"), by_resource=False
)
# Where each registry's events go, and for how many days.
LOGGING: tuple[tuple[Registry, str, float], ...] = (
    (HUB, LOGS["id"], 120),
    (BASE, LOGS["id"], 45),
    (CI, LOGS["id"], 21),
    (NEARLY_FULL, LOGS["id"], 200),
    (ABAC, SECURITY_LOGS["id"], 90),
)
_NODES, _PIPELINE, _DEFENDER = "containerd/1.7.27", "docker/28.3.2", "MicrosoftDefender-ContainerScan/2.4"
_ADDRESSES = {_NODES: "203.0.113.20", _PIPELINE: "198.51.100.7", _DEFENDER: "20.50.4.11"}


@dataclass(frozen=True)
class _Log:
    """Where the events of one registry go, since when."""

    store: Store
    registry: Registry
    workspace: str
    now: datetime
    since: datetime

    def event(
        self, days: float, operation: str, of: tuple[str, str, str], identity: str, agent: str
    ) -> RepositoryEvent:
        at = timestamp(self.now - timedelta(days=days))
        return RepositoryEvent(self.registry.id, self.workspace, at, operation, *of, identity, _ADDRESSES[agent], agent)

    def age(self, at: str) -> float:
        return (self.now - datetime.fromisoformat(at)).total_seconds() / 86400

    @property
    def days(self) -> float:
        return (self.now - self.since).total_seconds() / 86400


def log_events(store: Store, now: datetime) -> None:
    """Add workspaces, diagnostic settings and events to a store whose registries and clusters are filled."""
    for document in (LOGS, PAYMENTS_LOGS, SECURITY_LOGS):
        store.put_resource(document)
    for registry, workspace_id, days in LOGGING:
        logs = [{"category": category, "enabled": True} for category in CATEGORIES]
        store.put_resource(setting(registry.id, "to-log-analytics", workspace_id, logs))
        log = _Log(store, registry, workspace_id, now, now - timedelta(days=days))
        store.events.add(sorted(_events(log), key=lambda event: event.at))


def _events(log: _Log) -> Iterator[RepositoryEvent]:
    store, name = log.store, log.registry.name
    nodes = _nodes(store)
    for repository in store.list_repositories(name):
        running = {
            one.image.replace("@", ":").partition(":")[2]: nodes.get(one.cluster, "")
            for one in WORKLOADS
            if one.registry == name and one.image.replace("@", ":").partition(":")[0] == repository and one.replicas
        }
        tags = store.list_tags(name, repository, order="timedesc", limit=60)
        for number, tag in enumerate(tags):
            yield from _of_tag(log, repository, tag, number, running)
    if log.registry is HUB:
        yield from _removals(log)


def _of_tag(log: _Log, repository: str, tag: Tag, number: int, running: dict[str, str]) -> Iterator[RepositoryEvent]:
    """Its push, pulls where it runs, one pull by Defender, and of every third image a pull of long ago."""
    random = Random(guid(log.registry.name, repository, tag.name))
    image = (repository, tag.name, tag.digest)
    pushed = log.age(tag.updated)
    if pushed < log.days:
        yield log.event(pushed, "Push", image, PUSHER, _PIPELINE)
    oldest = min(pushed, log.days)
    if tag.name in running:
        yield from _pulls(log, image, running[tag.name], [oldest * random.random() for _ in range(14)])
        yield from _pulls(log, image, running[tag.name], [min(oldest, random.uniform(0.2, 4))])
    elif number % 3 == 1 and oldest > 20:
        yield from _pulls(log, image, SCANNER, [random.uniform(oldest * 0.6, oldest)])
    if number < 3 and pushed > 1:
        yield log.event(random.uniform(0.1, 1), "Pull", image, guid("defender"), _DEFENDER)


def _pulls(log: _Log, image: tuple[str, str, str], identity: str, ages: list[float]) -> Iterator[RepositoryEvent]:
    """Nodes ask for the tag, and where it is an index for its first platform by digest."""
    repository, _, digest = image
    found = log.store.get_manifest(log.registry.name, repository, digest)
    child = ""
    if found and found.media_type in INDEXES:
        body = json.loads(log.store.get_manifest_body(log.registry.name, repository, digest) or b"{}")
        child = next((str(one["digest"]) for one in body.get("manifests", ())), "")
    for days in ages:
        yield log.event(days, "Pull", image, identity, _NODES)
        if child:
            yield log.event(days - 0.00001, "Pull", (repository, "", child), identity, _NODES)


def _removals(log: _Log) -> Iterator[RepositoryEvent]:
    """Tags that are no more: one removed, one deleted with its image."""
    old = f"sha256:{guid('old image').replace('-', '') * 2}"
    yield log.event(33.2, "Untag", ("web/storefront", "v0.9.8", old), ADMIN, _PIPELINE)
    yield log.event(33.1, "Delete", ("web/storefront", "", old), ADMIN, _PIPELINE)


def _nodes(store: Store) -> dict[str, str]:
    """The object id of each cluster's kubelet identity, by the cluster's name."""
    found = {}
    for document in store.list_resources(CLUSTER_TYPE):
        kubelet = (document["properties"].get("identityProfile") or {}).get("kubeletidentity") or {}
        found[document["name"]] = str(kubelet.get("objectId") or "")
    return found
