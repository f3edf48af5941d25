"""Which clusters and apps could pull from a registry and are not known to run nothing of it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError, is_denied
from services.connection.parallel import Refusal
from services.pull_checks.matrix import Pair, Pulls, pull_matrix
from services.registries.registry import Registry
from services.running.apps import KnownApps
from services.running.images import ClusterImages
from services.wording import counted

# An older answer says what ran then, and not what runs now.
MOST_AGE = timedelta(days=1)
# The clocks of two machines differ a little. One later than that has a wrong time, and so any age.
MOST_AHEAD = timedelta(minutes=5)
ALL_APPS = "Container Apps and Container Instances"


@dataclass(frozen=True)
class Unasked:
    """What may run images of a registry, and is not known: a `cluster`, or where that is None an app, or the clusters
    of a subscription that could not be listed. `why` in short, as it reads in brackets."""

    cluster: Cluster | None
    name: str
    why: str

    @property
    def label(self) -> str:
        """Such as 'aks-dev (not asked)'."""
        return f"{self.name} ({self.why})"


def may_pull(pair: Pair) -> bool:
    """Whether the cluster may pull from the registry, as far as is known: unless its roles or the network are known to
    refuse it. With the admin user's password, which a cluster may have as a pull secret, no role is needed."""
    if pair.can is not False:
        return True
    return pair.registry.access.admin_user and pair.path.open is not False


def clusters_that_may_pull(pulls: Pulls, registry: Registry) -> tuple[Cluster, ...]:
    """The listed clusters that may pull from the registry."""
    return tuple(pair.cluster for pair in pull_matrix(pulls, (registry,)) if may_pull(pair))


def clusters_with_path(pulls: Pulls, registry: Registry) -> tuple[Cluster, ...]:
    """The listed clusters that the network is not known to keep from the registry. Any may pull by the password of a
    token, or by a service principal's secret: whether one has a pull secret is not to be seen from outside."""
    return tuple(pair.cluster for pair in pull_matrix(pulls, (registry,)) if pair.path.open is not False)


def find_unasked(
    pulls: Pulls, clusters: Iterable[Cluster], asked: Mapping[str, ClusterImages], now: datetime
) -> tuple[Unasked, ...]:
    """Each of these clusters that did not answer within `MOST_AGE`, and the subscriptions whose clusters could not be
    listed. `asked`: the last answers, by the cluster's id in lower case."""
    return tuple(_unasked(clusters, pulls.clusters.refused, asked, now))


def _unasked(
    clusters: Iterable[Cluster], unlisted: Iterable[Refusal], asked: Mapping[str, ClusterImages], now: datetime
) -> Iterator[Unasked]:
    for cluster in clusters:
        answer = asked.get(cluster.id.lower())
        if answer is None:
            yield Unasked(cluster, cluster.name, "not asked")
        elif answer.error:
            yield Unasked(cluster, cluster.name, f"could not be asked: {_why(answer.error)}")
        elif answer.at - now > MOST_AHEAD:
            yield Unasked(cluster, cluster.name, f"answered at {answer.at:%Y-%m-%d %H:%M} UTC, which is yet to come")
        elif now - answer.at > MOST_AGE:
            yield Unasked(cluster, cluster.name, f"asked {counted((now - answer.at).days, 'day')} ago")
    for refusal in unlisted:
        yield Unasked(None, refusal.what, f"its clusters could not be listed: {_why(refusal.error)}")


def unknown_apps(apps: KnownApps) -> tuple[Unasked, ...]:
    """The apps whose containers could not be read, or all of them where none could. Any may pull from any registry: by
    which password or identity is not looked at."""
    if apps.reading:
        return (Unasked(None, ALL_APPS, "being read"),)
    if apps.error:
        return (Unasked(None, ALL_APPS, f"could not be read: {_why(apps.error)}"),)
    refused = [
        Unasked(None, one.what, f"its containers could not be read: {_why(one.error)}") for one in apps.found.refused
    ]
    if apps.found.untried:
        refused.append(Unasked(None, ALL_APPS, f"{apps.found.untried:,} of them were not read"))
    return tuple(refused)


def _why(error: ServiceError) -> str:
    """The answer's code where Azure denied it, whose words are long; else the cause."""
    return f"{error.status} {error.code}" if is_denied(error) else error.cause.rstrip(".")
