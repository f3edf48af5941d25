"""Which images run where, as clusters answered, each with the time it was asked: kept in the database for all who see
the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.database.engine import read_clock
from services.registries.registry import Registry
from services.running.answers import FoundAnswers
from services.running.apps import NO_APPS, HostImages, KnownApps, read_apps
from services.running.images import ClusterImages
from services.running.insights import read_logged
from services.running.join import group_by_repository, place_images
from services.running.known import RunningKnown, known_running
from services.running.seen import SeenRunning, seen_running
from services.running.standing import StandingImage, read_facts, stand
from services.running.unasked import Unasked, unknown_apps
from ui.elements.errors import Part
from ui.loaders import clusters
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start
from ui.runtime.database import database, shared_answers


def keep(who: str, answer: ClusterImages) -> ServiceError | None:
    """Keeps an answer for all who see the cluster; returns why it is in this process's memory alone, or None."""
    return shared_answers().keep(who, answer)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=50, validate=fresh)
def logged(
    who: str,
    clusters_at: datetime,  # noqa: ARG001 A part of the key: the clusters.
) -> Reading[Partial[ClusterImages]]:
    """What ran of late in the clusters that have Container insights. Asks no cluster."""
    session, listed = connection.session(who), clusters.pulls(who).value.clusters.values

    def work(reading: Reading[Partial[ClusterImages]]) -> None:
        reading.what = "logs of clusters"
        reading.value = read_logged(session, listed)
        reading.lacks = reading.value.refused

    return start(_NONE_LOGGED, work)


_NONE_LOGGED: Partial[ClusterImages] = Partial(())


def find_answers(who: str) -> FoundAnswers:
    """What the clusters answered that this identity's own list has, and what is logged of them, as far as it has been
    read; nothing until they are listed. Asks none."""
    reading = clusters.pulls(who)
    found = shared_answers().find(who, reading.value.clusters.values)
    if reading.running or not any(one.container_insights for one in reading.value.clusters.values):
        return found
    return replace(found, logged=logged(who, reading.at).value)


def answers(who: str) -> Mapping[str, ClusterImages]:
    """The answers of `find_answers`, by the cluster's id in lower case."""
    return find_answers(who).by_cluster


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def apps(who: str) -> Reading[Partial[HostImages]]:
    """The images of Container Apps, their jobs, and Container Instances. Starts nothing."""
    session = connection.session(who)

    def work(reading: Reading[Partial[HostImages]]) -> None:
        reading.what = "container apps"
        reading.value = read_apps(session)
        reading.lacks = reading.value.refused

    return start(NO_APPS.found, work)


def known_apps(who: str) -> KnownApps:
    """The apps, as far as they have been read."""
    reading = apps(who)
    return KnownApps(reading.value, reading.at, reading.error, reading.running)


def known_of(who: str, registry: Registry) -> RunningKnown:
    """What is known of a registry's running images. Asks no cluster; apps, and which clusters may pull, are read in the
    background, and until then unknown."""
    reading, found, here = clusters.pulls(who), find_answers(who), known_apps(who)
    if reading.running or reading.error or reading.stop.is_set():
        placed = group_by_repository(place_images(found.seen, (registry,), here))
        why = "which of them may pull is being read"
        if reading.error:
            why = f"which of them may pull could not be read: {reading.error.cause}"
        elif not reading.running:
            why = "reading which of them may pull was stopped: refresh"
        unasked = (Unasked(None, "any cluster", why), *unknown_apps(here))
        return RunningKnown(registry, placed, unasked, apps=here, reading=reading.running or here.reading)
    try:
        now = read_clock(database())
    except ServiceError as error:
        placed = group_by_repository(place_images(found.seen, (registry,), here))
        why = f"the age of what they answered is unknown: {error.cause.rstrip('.')}"
        return RunningKnown(registry, placed, (Unasked(None, "any cluster", why), *unknown_apps(here)), apps=here)
    return known_running(reading.value, registry, found, here, now)


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
    apps_at: datetime,  # noqa: ARG001 A part of the key: the apps.
) -> Reading[Standings]:
    """What registries have of the images that run. Asks no cluster."""
    session = connection.session(who)
    registries = clusters.pulls(who).value.registries
    placed = place_images(find_answers(who).seen, registries.values, known_apps(who))

    def work(reading: Reading[Standings]) -> None:
        facts = read_facts(session, placed, progress=reading.report, stop=reading.stop)
        images = tuple(stand(one, facts, all_registries=registries.complete) for one in placed)
        reading.value = Standings(images, facts.partial)
        reading.lacks = facts.partial.refused

    return start(Standings(), work)


def asked_when(who: str) -> tuple[tuple[str, datetime], ...]:
    """Each cluster that answered, could not be asked, or is logged, by its id in lower case, and when: the key of
    `standings`."""
    return tuple(sorted((one.cluster.id.lower(), one.at) for one in find_answers(who).seen))


def seen_of(who: str, registry: Registry, repository: str) -> SeenRunning | None:
    """Where the repository's images were seen to run; None where no cluster answered and no app runs one, as far as
    clusters and apps have been read. Asks none, and lists clusters only where one has ever answered."""
    found = find_answers(who) if shared_answers().has_any(who) else FoundAnswers()
    placed = group_by_repository(place_images(found.seen, (registry,), known_apps(who)))
    here = placed.get((registry.login_server, repository), ())
    return seen_running(here, [one.at for one in found.by_cluster.values() if not one.error], _read_at(known_apps(who)))


def _read_at(apps: KnownApps) -> datetime | None:
    return None if apps.reading or apps.error else apps.at


def unseen_parts(who: str) -> tuple[Part, ...]:
    """What could not be read of where images run, for the notice of a page that shows `seen_of`."""
    apps = known_apps(who)
    found = Partial((), (Refusal("Azure Resource Graph", apps.error),)) if apps.error else apps.found
    parts = [Part(found, "app's containers", "apps' containers")]
    if shared_answers().has_any(who):
        reading = clusters.pulls(who)
        listed = reading.value.clusters
        if reading.error:
            listed = Partial((), (Refusal("every subscription", reading.error),))
        parts.append(Part(listed, "subscription's clusters", "subscriptions' clusters"))
        if unread := find_answers(who).error:
            parts.append(
                Part(Partial((), (Refusal("the database", unread),)), "answer of clusters", "answers of clusters")
            )
    return tuple(parts)
