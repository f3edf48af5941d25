"""What a search for runs: and pulled: is given: what clusters answered, what apps have in
their templates, and what registries logged."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.connection.parallel import Partial
from services.images.tag_list import matches
from services.index.usage import Place, Used
from services.pull_checks.matrix import Pulls
from services.pulls.pulls import RegistryPulls
from services.registries.registry import Registry
from services.running.answers import FoundAnswers
from services.running.apps import KnownApps
from services.running.join import place_images, pulled_by_other_names
from services.running.unasked import ALL_APPS, find_unasked, unknown_apps

# Registries of which the same is unknown.
_NAMED = 3


def used_by_hosts(
    pattern: str,
    pulls: Pulls,
    found: FoundAnswers,
    apps: KnownApps,
    registries: Iterable[Registry],
    now: datetime,
) -> Used:
    """The images that run in the clusters of this name, as they answered last, and in the Container Apps, jobs and
    Container Instances of this name, scaled to zero or not. Pure. A cluster that was not asked of late, or could not
    be, one that may be in a subscription that lists none, and an app whose containers could not be read are said: then
    of no image it is known that it does not run. `now`: by the clock that the answers' times are of."""
    named = [one for one in pulls.clusters.values if matches(one.name, pattern)]
    named_apps = tuple(one for one in apps.found.values if matches(one.host.name, pattern))
    unknown = [f"Unknown what runs in {one.label}." for one in find_unasked(pulls, named, found.by_cluster, now)]
    unknown += [
        f"Unknown what runs in {one.label}."
        for one in unknown_apps(apps)
        if one.name == ALL_APPS or matches(one.name, pattern)
    ]
    if not (named or named_apps or unknown) and pulls.clusters.complete:
        why = f"No cluster, Container App, job or Container Instance that you see is named {pattern}."
        return Used(unknown=(why,), unknown_of=None)
    if pulls.clusters.untried:
        unknown.append("Unknown what runs in clusters that were not listed: the reading was stopped.")
    if found.error:
        unknown.append(f"What clusters answered could not be read: {found.error.cause}")
    answers = [found.by_cluster[one.id.lower()] for one in named if one.id.lower() in found.by_cluster]
    placed = place_images(answers, registries, replace(apps, found=Partial(named_apps)))
    # Whence a proxy or a mirror has an image is not known: it is matched by its digest.
    anywhere = frozenset(one.image.digest for one in pulled_by_other_names(placed))
    digests: defaultdict[Place, set[str]] = defaultdict(set)
    tags: defaultdict[Place, set[str]] = defaultdict(set)
    for one in placed:
        if one.registry and one.named:
            place = one.registry.id, one.named.repository
            digests[place] |= {one.image.digest, one.named.digest} - {""}
            if one.by_tag:
                tags[place].add(one.named.tag)
    return Used(digests, tags, anywhere, tuple(unknown), None if unknown else frozenset())


def used_by_pulls(
    span: timedelta, now: datetime, pulls: Mapping[str, RegistryPulls], registries: Iterable[Registry]
) -> Used:
    """The images that were pulled within `span`, by the logs of registries (by their ids). Pure. Where a registry's
    logs do not go back so far, of its other images it is not known that they were not."""
    then = now - span
    digests: defaultdict[Place, set[str]] = defaultdict(set)
    tags: defaultdict[Place, set[str]] = defaultdict(set)
    unknown: defaultdict[str, list[str]] = defaultdict(list)
    unknown_of = set()
    for registry in registries:
        known = pulls.get(registry.id, RegistryPulls())
        for one in known.pulls:
            if one.at >= then:
                (digests if one.digest else tags)[registry.id, one.repository].add(one.digest or one.tag)
        if known.since is None or known.since > then:
            unknown_of.add(registry.id)
            why = known.why if known.since is None else f"Pulls are logged since {known.since:%Y-%m-%d} only."
            unknown[why].append(registry.name)
    sentences = tuple(f"{_few(names)}: {why}" for why, names in unknown.items())
    return Used(digests, tags, unknown=sentences, unknown_of=frozenset(unknown_of))


def _few(names: Sequence[str]) -> str:
    """'contosohub, contosoci, contosobase and 9 more'."""
    named = ", ".join(names[:_NAMED])
    return f"{named} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else named
