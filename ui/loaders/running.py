"""Which images run where, as clusters answered: kept until the console ends, each with the time it was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from services.aks.clusters import Cluster
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
from services.running.unasked import Unasked, clusters_that_may_pull, find_unasked
from ui.loaders import clusters


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
    `unasked`: what is not known; `may_pull`: the clusters that may pull from it, as far as they are known."""

    registry: Registry
    placed: Mapping[RepositoryKey, Sequence[PlacedImage]]
    unasked: tuple[Unasked, ...]
    may_pull: tuple[Cluster, ...] = ()

    def of(self, contents: RepositoryContents) -> RunningImages:
        """What of a repository of the registry runs."""
        here = self.placed.get((self.registry.login_server, contents.name), ())
        return RunningImages(digests_in_use(here, contents), tuple(one.sentence for one in self.unasked))


def known_of(who: str, registry: Registry) -> RunningKnown:
    """What is known of a registry's running images. Asks no cluster; which clusters may pull is read in the background,
    and until then unknown."""
    reading, known = clusters.pulls(who), answers(who)
    placed = group_by_repository(place_images(known.values(), (registry,)))
    if reading.running or reading.error or reading.stop.is_set():
        why = "Which of them may pull is being read."
        if reading.error:
            why = f"Which of them may pull could not be read. {reading.error.cause}"
        elif not reading.running:
            why = "Reading which of them may pull was stopped: refresh."
        return RunningKnown(registry, placed, (Unasked(None, "Clusters", why),))
    unasked = find_unasked(reading.value, registry, known, datetime.now(UTC))
    return RunningKnown(registry, placed, unasked, clusters_that_may_pull(reading.value, registry))
