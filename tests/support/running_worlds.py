"""Clusters and apps as hypothesis draws them: what they run of a registry, and which of them can't be read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.repository_contents import RepositoryContents
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.running.answers import FoundAnswers
from services.running.apps import HostImages, KnownApps
from services.running.images import ClusterImages, Host, HostKind, RunningImage
from services.running.known import RunningKnown, known_running
from tests.services.pull_checks.test_matrix import CLUSTER

REFUSED = ServiceError("Could not", "It is not allowed.", "Ask.", "Forbidden", 403)
MISSING = f"sha256:{'9' * 64}"


@dataclass(frozen=True)
class Place:
    """A cluster or an app. `reads`: "" where it was read; else what is wrong. Each of `runs` is a number that picks an
    image, and how it is named: by tag, by digest, by both, or by a tag and the digest that a node pulled."""

    kind: HostKind
    reads: str
    runs: tuple[tuple[int, int], ...]


PLACES = st.lists(
    st.builds(
        Place,
        st.sampled_from(HostKind),
        st.sampled_from([""] * 17 + ["refused", "missing", "old"]),
        st.lists(st.tuples(st.integers(0, 99), st.integers(0, 4)), min_size=1, max_size=3).map(tuple),
    ),
    max_size=4,
)


def known(
    places: Sequence[Place], registry: Registry, contents: Sequence[RepositoryContents], now: datetime
) -> RunningKnown:
    """What is known of a registry to which every one of these places has access."""
    clusters, answers, apps, refused = [], {}, [], []
    for number, place in enumerate(places):
        images = tuple(_image(place, number, registry, contents, *one) for one in place.runs)
        if place.kind is not HostKind.CLUSTER:
            host = Host(f"/a/{number}", f"a{number}", place.kind, "rg", "s1")
            if place.reads:
                refused.append(Refusal(host.name, REFUSED))
            else:
                apps.append(HostImages(host, tuple(_as_app(one) for one in images)))
            continue
        cluster = replace(CLUSTER, id=f"{CLUSTER.id}{number}", name=f"aks{number}")
        clusters.append(cluster)
        at = now - timedelta(days=2 if place.reads == "old" else 0)
        if place.reads != "missing":
            error = REFUSED if place.reads == "refused" else None
            answers[cluster.id.lower()] = ClusterImages(cluster, at, () if error else images, error)
    pulls = Pulls(clusters=Partial(tuple(clusters)))
    found = KnownApps(Partial(tuple(apps), tuple(refused)), now)
    return known_running(pulls, registry, FoundAnswers(answers), found, now)


def _as_app(image: RunningImage) -> RunningImage:
    """As an app names it, of which no node reports a digest."""
    return image._replace(digest="", namespace="")


def _image(
    place: Place, number: int, registry: Registry, contents: Sequence[RepositoryContents], pick: int, form: int
) -> RunningImage:
    repository = contents[pick % len(contents)]
    rows, tags = repository.rows, repository.tags
    digest = rows[pick % len(rows)].digest if rows else MISSING
    tag = tags[pick % len(tags)].name if tags else "latest"
    base = f"{registry.login_server}/{repository.name}"
    reference, pulled = (
        (f"{base}:{tag}", ""),
        (f"{base}@{digest}", ""),
        (f"{base}:{tag}@{digest}", ""),
        (f"{base}:{tag}", digest),
        ("No Reference!", ""),
    )[form]
    return RunningImage("ns", place.kind.value, f"w{number}", reference, pulled, pick % 2)


def must_stay(
    places: Sequence[Place], registry: Registry, contents: Sequence[RepositoryContents]
) -> set[tuple[str, str]]:
    """By a model of its own: the repository and digest of all that is reachable from what these places run."""
    stay: set[tuple[str, str]] = set()
    for place in places:
        for pick, form in place.runs:
            repository = contents[pick % len(contents)]
            tags: dict[str, str] = {tag.name: tag.digest for tag in repository.tags}
            image: Any = _image(place, 0, registry, contents, pick, form)
            if form == 4:
                continue
            named = image.reference.partition("@")[2]
            tag = image.reference.partition("@")[0].rpartition(":")[2]
            first = {named} if named else {tags.get(tag, "")}
            if place.kind is HostKind.CLUSTER:
                first.add(image.digest)
            for digest in first - {""}:
                _reach(repository, digest, stay)
    return stay


def _reach(repository: RepositoryContents, digest: str, stay: set[tuple[str, str]]) -> None:
    if (repository.name, digest) in stay:
        return
    stay.add((repository.name, digest))
    if manifest := repository.manifests.get(digest):
        for child in manifest.children:
            _reach(repository, child.digest, stay)
