"""Which images run where, as clusters answered: kept until the console ends, each with the time it was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from services.aks.clusters import Cluster
from services.connection.parallel import Partial
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from services.running.images import ClusterImages
from services.running.join import (
    PlacedImage,
    RepositoryKey,
    digests_in_use,
    group_by_repository,
    place_images,
)
from services.running.seen import SeenRunning, seen_running
from services.running.standing import StandingImage, read_facts, stand
from services.running.unasked import Unasked, clusters_that_may_pull, find_unasked
from ui.loaders import clusters
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(show_spinner=False)
def _answers(who: str) -> dict[str, ClusterImages]:  # noqa: ARG001 The key of the cache.
    """The last answer of each cluster, by its id in lower case."""
    return {}


def answers(who: str) -> Mapping[str, ClusterImages]:
    """The last answer of each cluster that this identity asked, by the cluster's id in lower case. Asks none."""
    return dict(_answers(who))


def keep(who: str, answer: ClusterImages) -> None:
    """Keeps an answer. Where a cluster could not be asked now, what it answered before may still run."""
    kept = _answers(who)
    before = kept.get(answer.cluster.id.lower())
    if answer.error and before:
        answer = replace(answer, images=before.images)
    kept[answer.cluster.id.lower()] = answer


@dataclass(frozen=True)
class RunningKnown:
    """What is known of the clusters that may run images of a registry. `placed`: what runs of it, by repository;
    `unasked`: what is not known; `may_pull`: the clusters that may pull from it, as far as they are known. `reading`:
    they are being read."""

    registry: Registry
    placed: Mapping[RepositoryKey, Sequence[PlacedImage]]
    unasked: tuple[Unasked, ...]
    may_pull: tuple[Cluster, ...] = ()
    reading: bool = False

    def of(self, contents: RepositoryContents) -> RunningImages:
        """What of a repository of the registry runs."""
        here = self.placed.get((self.registry.login_server, contents.name), ())
        return RunningImages(digests_in_use(here, contents), tuple(one.label for one in self.unasked))


def known_of(who: str, registry: Registry) -> RunningKnown:
    """What is known of a registry's running images. Asks no cluster; which clusters may pull is read in the background,
    and until then unknown."""
    reading, known = clusters.pulls(who), answers(who)
    placed = group_by_repository(place_images(known.values(), (registry,)))
    if reading.running or reading.error or reading.stop.is_set():
        why = "which of them may pull is being read"
        if reading.error:
            why = f"which of them may pull could not be read: {reading.error.cause}"
        elif not reading.running:
            why = "reading which of them may pull was stopped: refresh"
        return RunningKnown(registry, placed, (Unasked(None, "any cluster", why),), reading=reading.running)
    unasked = find_unasked(reading.value, registry, known, datetime.now(UTC))
    return RunningKnown(registry, placed, unasked, clusters_that_may_pull(reading.value, registry))


_NOTHING: Partial[None] = Partial(())


@dataclass(frozen=True)
class Standings:
    """How each image stands that runs in the clusters that answered, as far as it has been read."""

    images: tuple[StandingImage, ...] = ()
    partial: Partial[None] = _NOTHING


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=20, validate=fresh)
def standings(
    who: str,
    asked: tuple[tuple[str, datetime], ...],  # noqa: ARG001 A part of the key: what was asked when.
    pulls_at: datetime,  # noqa: ARG001 A part of the key: the registries.
) -> Reading[Standings]:
    """What registries have of the images that run. Asks no cluster."""
    session = connection.session(who)
    registries = clusters.pulls(who).value.registries.values
    placed = place_images(answers(who).values(), registries)

    def work(reading: Reading[Standings]) -> None:
        facts = read_facts(session, placed, progress=reading.report, stop=reading.stop)
        reading.value = Standings(tuple(stand(one, facts) for one in placed), facts.partial)
        reading.lacks = facts.partial.refused

    return start(Standings(), work)


def asked_when(who: str) -> tuple[tuple[str, datetime], ...]:
    """Each cluster that was asked, by its id in lower case, and when: the key of `standings`."""
    return tuple(sorted((key, one.at) for key, one in answers(who).items()))


def seen_of(who: str, registry: Registry, repository: str) -> SeenRunning | None:
    """Where the repository's images were seen to run; None where no cluster answered. Reads and asks nothing."""
    known = answers(who).values()
    placed = group_by_repository(place_images(known, (registry,)))
    here = placed.get((registry.login_server, repository), ())
    return seen_running(here, [one.at for one in known if not one.error])
