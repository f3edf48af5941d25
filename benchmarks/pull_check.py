"""Checking whether a cluster can pull, against one bare request: all that is read is read in parallel."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks import processes
from benchmarks.results import Row, under
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions, tenant_of
from services.connection.session import connect_sandbox
from services.pull_checks.run import PullQuestion, run_checks
from services.registries.reading import list_registries

LATENCY_MS, ROUNDS = 20, 9


def measure() -> list[Row]:
    with processes.sandbox(latency_ms=LATENCY_MS, seed="walkthrough") as ready:
        known = connect_sandbox(ready)
        (cluster,), (registry,) = (
            list_clusters(known, list_subscriptions(known).values).values,
            list_registries(known).values,
        )
        now = datetime.now(UTC)
        return [
            _row("One check of a cluster and a registry", ready, PullQuestion(cluster, registry, now)),
            _row("The same with an image", ready, PullQuestion(cluster, registry, now, "nodejstemplate", "v1.0.0")),
        ]


def _row(what: str, ready: Mapping[str, Any], question: PullQuestion) -> Row:
    known = connect_sandbox(ready)

    def check() -> None:
        """Cold: signing in and connecting included."""
        assert len(run_checks(connect_sandbox(ready), question).checks) > 12

    def one_request() -> None:
        assert tenant_of(known, question.cluster.subscription_id)

    check()
    one_request()
    pairs = by_turns(lambda: seconds(check), lambda: seconds(one_request), ROUNDS)
    return under(f"{what} at {LATENCY_MS} ms, cold: time, × one request", median_ratio(pairs), 10)
