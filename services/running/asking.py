"""Asking clusters which images run in them, by run command: a pod in each, for some seconds."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from services.aks.clusters import Cluster
from services.aks.run_command import run_command, run_command_blockers
from services.commands import aks as az_aks
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession
from services.running.images import ClusterImages, RunningImage, merge_images
from services.running.listing import MOST_BYTES, listing_script, parse_listing

# A cluster whose images need more is not asked further: each command takes its pod some seconds.
MOST_COMMANDS = 20
SCRIPT = "list-images.sh"
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class AskPlan:
    """Clusters to ask, by name. `unable`: those that can't be asked, each with why."""

    clusters: tuple[Cluster, ...]
    unable: tuple[tuple[Cluster, str], ...] = ()

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why none can be asked; empty where one can."""
        return () if self.clusters else tuple(f"{cluster.name}: {why}" for cluster, why in self.unable)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which can't be asked, where others can."""
        return tuple(f"{cluster.name} is not asked. {why}" for cluster, why in self.unable) if self.clusters else ()

    @property
    def commands(self) -> tuple[str, ...]:
        """A line of az for each cluster, which runs the same script from the file `SCRIPT`."""
        return tuple(az_aks.invoke(cluster.name, cluster.resource_group, SCRIPT) for cluster in self.clusters)


def plan_asking(clusters: Iterable[Cluster]) -> AskPlan:
    """The plan of asking these clusters. Pure."""
    ordered = sorted(clusters, key=lambda one: (one.name.casefold(), one.id))
    return AskPlan(
        tuple(one for one in ordered if not run_command_blockers(one)),
        tuple((one, " ".join(why)) for one in ordered if (why := run_command_blockers(one))),
    )


def ask_clusters(
    session: AzureSession,
    plan: AskPlan,
    *,
    on_answer: Callable[[ClusterImages], None] | None = None,
    stop: Event | None = None,
) -> Partial[ClusterImages]:
    """Asks the plan's clusters in parallel. One that could not be asked is a value with its error.

    `on_answer` is called in the caller's thread as each answers.
    """

    def done(_index: int, answer: ClusterImages | ServiceError) -> None:
        if on_answer and isinstance(answer, ClusterImages):
            on_answer(answer)

    return parallel_map(
        lambda cluster: ask_cluster(session, cluster), plan.clusters, name=lambda one: one.name, done=done, stop=stop
    )


def ask_cluster(session: AzureSession, cluster: Cluster) -> ClusterImages:
    """What runs in the cluster, or why that could not be read: all of it or nothing."""
    at = datetime.now(UTC)
    try:
        images = tuple(_read(session, cluster))
    except ServiceError as error:
        return ClusterImages(cluster, at, error=error)
    return ClusterImages(cluster, at, merge_images(images))


def _read(session: AzureSession, cluster: Cluster) -> Iterator[RunningImage]:
    title = f"Could not ask {cluster.name} which images run in it"
    if blockers := run_command_blockers(cluster):
        raise ServiceError(title, " ".join(blockers), "Start it, or switch run command on.", "NotAsked")
    listing = parse_listing(run_command(session, cluster, listing_script(), title).logs, title)
    if listing.sizes is None:
        yield from listing.images
        return
    for namespaces in split_namespaces(listing.sizes, title):
        part = parse_listing(run_command(session, cluster, listing_script(namespaces), title).logs, title)
        if part.sizes is not None:
            raise _too_much(title, f"The images of {', '.join(namespaces)} are more than an answer holds.")
        yield from part.images


def split_namespaces(sizes: Mapping[str, int], title: str) -> tuple[tuple[str, ...], ...]:
    """The namespaces in groups whose answers fit, each in one. `sizes` are bytes. Raises ServiceError under `title`
    where one alone does not fit, or the groups are more than `MOST_COMMANDS`."""
    groups: list[list[str]] = []
    room = 0
    for namespace, size in sorted(sizes.items(), key=lambda one: one[1], reverse=True):
        if size > MOST_BYTES or not _NAMESPACE.fullmatch(namespace):
            raise _too_much(title, f"The images of the namespace {namespace} are more than an answer holds.")
        if not groups or size > room:
            groups.append([])
            room = MOST_BYTES
        groups[-1].append(namespace)
        room -= size
    if len(groups) > MOST_COMMANDS:
        raise _too_much(title, f"Its images need {len(groups):,} answers; at most {MOST_COMMANDS} are asked for.")
    return tuple(map(tuple, groups))


def _too_much(title: str, cause: str) -> ServiceError:
    remedy = "Paste what kubectl prints for it: the registry's page of a deletion has the line."
    return ServiceError(title, cause, remedy, "TooManyImages")
