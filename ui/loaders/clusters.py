"""Clusters and role assignments, cached for the AKS pages."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.access.role_assignment_reading import SubscriptionAccess
from services.aks.clusters import Cluster, get_cluster
from services.connection.parallel import Partial, Refusal
from services.pull_checks.checks import ORDER
from services.pull_checks.matrix import Pair, Pulls, pull_matrix
from services.pull_checks.matrix_reading import read_pulls
from services.pull_checks.run import PullQuestion, PullReport, run_checks
from services.registries.reading import get_registry
from services.registries.registry import Registry
from ui.elements.errors import Part
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def pulls(who: str) -> Reading[Pulls]:
    """Everything that the pull matrix is computed from."""
    session = connection.session(who)

    def work(reading: Reading[Pulls]) -> None:
        pulls = reading.value = read_pulls(session, progress=reading.report)
        partials = (pulls.clusters, pulls.registries, pulls.access, pulls.addresses)
        names = pulls.memberships.unread_names
        reading.lacks = (
            *(refusal for partial in partials for refusal in partial.refused),
            *pulls.memberships.refused,
            *pulls.private_links.refused,
            *((Refusal("names of groups", names),) if names else ()),
        )

    return start(Pulls(), work)


@st.cache_resource(show_spinner=False, max_entries=20)
def pairs(who: str, pulls_at: datetime) -> tuple[Pair, ...]:  # noqa: ARG001 A part of the key.
    """The pull matrix of `pulls`, as they were read at `pulls_at`: large estates have tens of thousands of pairs."""
    return pull_matrix(pulls(who).value)


_NOTHING_YET = PullReport()


@dataclass(frozen=True)
class PullRun:
    """The checks of one cluster and one registry, as far as they have ended. None: not read yet."""

    cluster: Cluster | None = None
    registry: Registry | None = None
    report: PullReport = _NOTHING_YET


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, validate=fresh)
def pull_checks(
    who: str,
    cluster_id: str,
    registry_id: str,
    repository: str,
    reference: str,
    principal_id: str,
    pulls_at: datetime,  # noqa: ARG001 A part of the key.
) -> Reading[PullRun]:
    """Reads both again, then runs all checks; each is in the value as soon as it has ended.

    `principal_id`: of a service principal, else "".
    `pulls_at`: when `pulls` were read, so that what makes them stale makes the checks of every image stale.
    """
    session = connection.session(who)

    def work(reading: Reading[PullRun]) -> None:
        cluster, registry = get_cluster(session, cluster_id), get_registry(session, registry_id)
        reading.value = PullRun(cluster, registry)

        def on_report(report: PullReport) -> None:
            reading.value = PullRun(cluster, registry, report)
            reading.report(len(report.checks), len(ORDER), "checks")

        question = PullQuestion(cluster, registry, datetime.now(UTC), repository, reference, principal_id)
        run_checks(session, question, on_report)

    return start(PullRun(), work, verb="Running")


def parts_by_subscription(
    registries: Partial[Registry], clusters: Partial[Cluster], access: Partial[SubscriptionAccess]
) -> tuple[Part, ...]:
    """What could not be read of subscriptions, for a page's notice: one part where the same subscriptions refuse all
    three lists for the same cause."""
    causes = [
        {(one.what, one.error.status, one.error.code) for one in partial.refused}
        for partial in (registries, clusters, access)
    ]
    if causes[0] == causes[1] == causes[2] and not any(one.untried for one in (registries, clusters, access)):
        return (Part(registries, "subscription"),)
    return (
        Part(registries, "subscription's registries", "subscriptions' registries"),
        Part(clusters, "subscription's clusters", "subscriptions' clusters"),
        Part(access, "subscription's role assignments", "subscriptions' role assignments"),
    )


def forget_pulls(who: str) -> None:
    """Drops what a role assignment or its removal makes stale: also `pull_checks`, keyed by the time of `pulls`."""
    pulls.clear(who)


def forget_registries(who: str) -> None:
    """Drops all lists of registries: for a registry that was created, changed or deleted."""
    registry_loaders.inventory.clear(who)
    pulls.clear(who)
