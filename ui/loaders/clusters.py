"""Clusters and role assignments, cached: what the AKS views read, by identity."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from services.aks.clusters import Cluster, get_cluster
from services.aks.puller import PullerAccess, read_puller
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.pull_checks.checks import ORDER, Check, in_order
from services.pull_checks.matrix_reading import Pulls, read_pulls
from services.pull_checks.network import Resolved
from services.pull_checks.reading import look_up
from services.pull_checks.run import PullQuestion, run_checks
from services.registries.reading import get_registry
from services.registries.registry import Registry
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="5m", show_spinner=False, max_entries=50, validate=fresh)
def pulls(who: str) -> Reading[Pulls]:
    """All that the pull matrix is made of."""
    session = connection.session(who)

    def work(reading: Reading[Pulls]) -> None:
        reading.value = read_pulls(session, progress=reading.report)

    return start(Pulls(Partial(()), Partial(()), Partial(()), Partial(())), work)


@dataclass(frozen=True)
class PullRun:
    """The checks of one cluster and one registry, as far as they have ended. None: not read yet.

    `held`: what the cluster's puller holds at the registry, None where it could not be read.
    """

    cluster: Cluster | None = None
    registry: Registry | None = None
    checks: tuple[Check, ...] = ()
    held: PullerAccess | None = None
    resolved: Resolved | None = None


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
    """Both read anew, then all checks; each is there as it ends. `principal_id`: of a service principal, else "".
    `pulls_at`: when `pulls` were read, so that what makes them stale makes the checks of every image stale."""
    session = connection.session(who)

    def work(reading: Reading[PullRun]) -> None:
        cluster, registry = get_cluster(session, cluster_id), get_registry(session, registry_id)
        run = PullRun(cluster, registry)
        reading.value = run

        def lookup(host: str) -> Resolved:
            nonlocal run
            resolved = look_up(host)
            run = replace(run, resolved=resolved)
            return resolved

        def found(checks: tuple[Check, ...]) -> None:
            nonlocal run
            run = replace(run, checks=in_order((*run.checks, *checks)))
            reading.value = run
            reading.report(len(run.checks), len(ORDER), "checks")

        question = PullQuestion(cluster, registry, datetime.now(UTC), repository, reference, principal_id)
        run_checks(session, question, found, lookup=lookup)
        with suppress(ServiceError):  # Then its check says why.
            run = replace(run, held=read_puller(session, cluster, registry, principal_id))
        reading.value = run

    return start(PullRun(), work, verb="Running")


def forget_pulls(who: str) -> None:
    """What a role assignment, or its removal, makes stale: `pull_checks` too, which go by when `pulls` were read."""
    pulls.clear(who)
