"""What is known of the running images of a registry: what runs of it, and what nobody knows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from services.pull_checks.matrix import Pulls
from services.pull_checks.matrix_reading import read_pulls
from services.registries.registry import Registry
from services.running.answers import AnswerStore, FoundAnswers
from services.running.apps import NO_APPS, KnownApps, known_apps
from services.running.asking import ask_clusters, plan_asking
from services.running.images import ClusterImages
from services.running.insights import read_logged
from services.running.join import (
    PlacedImage,
    RepositoryKey,
    digests_by_other_names,
    digests_in_use,
    group_by_repository,
    place_images,
    pulled_by_other_names,
)
from services.running.unasked import (
    Unasked,
    clusters_that_may_pull,
    clusters_with_path,
    find_unasked,
    unknown_apps,
)


@dataclass(frozen=True)
class RunningKnown:
    """What is known of the clusters and apps that may run images of a registry. `placed`: what runs of it, by
    repository; `unasked`: what is not known; `may_pull`: the clusters that may pull from it, as far as they are known;
    `apps`: the apps that were read. `reading`: some of it is being read. `otherwise`: what nodes pulled by a name of no
    Azure registry, and may be of this one."""

    registry: Registry
    placed: Mapping[RepositoryKey, Sequence[PlacedImage]]
    unasked: tuple[Unasked, ...]
    may_pull: tuple[Cluster, ...] = ()
    apps: KnownApps = NO_APPS
    reading: bool = False
    otherwise: tuple[PlacedImage, ...] = ()

    def of(self, contents: RepositoryContents) -> RunningImages:
        """What of a repository of the registry runs."""
        here = self.placed.get((self.registry.login_server, contents.name), ())
        places = digests_by_other_names(self.otherwise, contents) | digests_in_use(here, contents)
        return RunningImages(places, tuple(one.label for one in self.unasked))


def known_running(
    pulls: Pulls, registry: Registry, answers: FoundAnswers, apps: KnownApps, now: datetime, *, by_secret: bool = False
) -> RunningKnown:
    """What these answers and apps say of a registry. Pure. What could not be read is unknown.

    A cluster whose last answer has images of the registry may pull, whatever its roles. `by_secret`: so may any that
    the network does not keep from it, by a secret that nobody sees: what a run without a person counts on.
    """
    images = place_images(answers.seen, (registry,), apps)
    placed = group_by_repository(images)
    may_pull = (clusters_with_path if by_secret else clusters_that_may_pull)(pulls, registry)
    ran = {one.host.id for here in placed.values() for one in here} - {cluster.id for cluster in may_pull}
    may_pull = (*may_pull, *(cluster for cluster in pulls.clusters.values if cluster.id in ran))
    unasked = (*find_unasked(pulls, may_pull, answers.by_cluster, now), *unknown_apps(apps))
    if answers.error:
        why = f"what clusters answered could not be read: {answers.error.cause.rstrip('.')}"
        unasked = (Unasked(None, "any cluster", why), *unasked)
    return RunningKnown(registry, placed, unasked, may_pull, apps, apps.reading, pulled_by_other_names(images))


def read_known(
    session: AzureSession,
    store: AnswerStore,
    who: str,
    registry: Registry,
    now: datetime,
    *,
    by_secret: bool = False,
) -> RunningKnown:
    """What `who`, by this session, may see of what runs of a registry at `now`. Asks no cluster. `by_secret` as in
    `known_running`.

    Raises ServiceError as `read_pulls` does. One that can't be asked is unknown.
    """
    pulls = read_pulls(session)
    clusters = pulls.clusters.values
    # Logs that can't be read leave a cluster as unknown as it is without them.
    answers = replace(store.find(who, clusters), logged=read_logged(session, clusters))
    return known_running(pulls, registry, answers, known_apps(session), now, by_secret=by_secret)


def running_now(
    session: AzureSession,
    store: AnswerStore,
    who: str,
    login_server: str,
    clock: Callable[[], datetime],
    *,
    by_secret: bool = False,
) -> Callable[[RepositoryContents], RunningImages]:
    """What `who` may see of what runs of a repository, read again at each call; which clusters may pull, and what is
    logged of them, is read by the first. `clock`: the time by which the age of an answer is counted; `by_secret` as in
    `known_running`. What can't be read is unknown; raises ServiceError only as `clock` does."""
    read: list[Pulls] = []
    logged: list[Partial[ClusterImages]] = []

    def now(contents: RepositoryContents) -> RunningImages:
        try:
            read[:] = read or [read_pulls(session)]
            logged[:] = logged or [read_logged(session, read[0].clusters.values)]
        except ServiceError as error:
            why = f"clusters could not be read: {error.cause.rstrip('.')}"
            return RunningImages(unasked=(f"any cluster or app ({why})",))
        (pulls,) = read
        registry = next((one for one in pulls.registries.values if one.login_server == login_server), None)
        if registry is None:
            return RunningImages(unasked=("any cluster or app (the registry could not be read)",))
        answers = replace(store.find(who, pulls.clusters.values), logged=logged[0])
        return known_running(pulls, registry, answers, known_apps(session), clock(), by_secret=by_secret).of(contents)

    return now


def ask_and_keep(
    session: AzureSession, store: AnswerStore, who: str, clusters: Iterable[Cluster]
) -> Partial[ClusterImages]:
    """Asks those of the clusters that can be asked, and keeps what each answers as `who`; runs a pod in each."""
    return ask_clusters(session, plan_asking(clusters), on_answer=lambda answer: _keep(store, who, answer))


def _keep(store: AnswerStore, who: str, answer: ClusterImages) -> None:
    store.keep(who, answer)
