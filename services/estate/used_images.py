"""What a search for runs: and pulled: is given: what clusters answered, and what registries logged."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from services.aks.clusters import Cluster
from services.images.tag_list import matches
from services.index.usage import Place, Used
from services.pulls.pulls import RegistryPulls
from services.registries.registry import Registry
from services.running.answers import FoundAnswers
from services.running.join import place_images, pulled_by_other_names
from services.wording import counted


def used_by_clusters(
    pattern: str, clusters: Iterable[Cluster], found: FoundAnswers, registries: Iterable[Registry]
) -> Used:
    """The images that run in the clusters of this name, as they answered last. Pure. A cluster that was not asked, or
    could not be, is said: then of no image it is known that it does not run."""
    named = [one for one in clusters if matches(one.name, pattern)]
    if not named:
        return Used(unknown=(f"No cluster that you see is named {pattern}.",), unknown_of=None)
    unknown = []
    answers = []
    for cluster in named:
        answer = found.by_cluster.get(cluster.id.lower())
        if answer is None:
            unknown.append(f"{cluster.name} was not asked which images run in it: ask it under Running images.")
        elif answer.error:
            unknown.append(f"{cluster.name} could not be asked: {answer.error.cause}")
        if answer:
            answers.append(answer)
    placed = place_images(answers, registries)
    if others := len(pulled_by_other_names(placed)):
        unknown.append(f"{counted(others, 'image')} there came by a name that no registry has, such as a proxy's.")
    digests: defaultdict[Place, set[str]] = defaultdict(set)
    tags: defaultdict[Place, set[str]] = defaultdict(set)
    for one in placed:
        if one.registry and one.named:
            place = one.registry.id, one.named.repository
            digests[place] |= {one.image.digest, one.named.digest} - {""}
            if one.by_tag:
                tags[place].add(one.named.tag)
    return Used(digests, tags, tuple(unknown), None if unknown else frozenset())


def used_by_pulls(
    span: timedelta, now: datetime, pulls: Mapping[str, RegistryPulls], registries: Iterable[Registry]
) -> Used:
    """The images that were pulled within `span`, by the logs of registries (by their ids). Pure. Where a registry's
    logs do not go back so far, of its other images it is not known that they were not."""
    then = now - span
    digests: defaultdict[Place, set[str]] = defaultdict(set)
    tags: defaultdict[Place, set[str]] = defaultdict(set)
    unknown = []
    unknown_of = set()
    for registry in registries:
        known = pulls.get(registry.id, RegistryPulls())
        for one in known.pulls:
            if one.at >= then:
                (digests if one.digest else tags)[registry.id, one.repository].add(one.digest or one.tag)
        if known.since is None or known.since > then:
            unknown_of.add(registry.id)
            why = known.why if known.since is None else f"Pulls are logged since {known.since:%Y-%m-%d} only."
            unknown.append(f"{registry.name}: {why}")
    return Used(digests, tags, tuple(unknown), frozenset(unknown_of))
