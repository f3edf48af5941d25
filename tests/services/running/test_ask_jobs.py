"""Clusters asked as a job: what has no result is asked by whoever continues it."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.aks.clusters import Cluster, list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.changes import Outcome
from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from services.connection.session import AzureSession
from services.database.engine import open_database
from services.jobs.jobs import Job, begin
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.running import ask_jobs
from services.running.ask_jobs import ANSWERED, UNSAVED, AskedClusters, ask_items, run_asking
from services.running.images import ClusterImages

LEASE = timedelta(seconds=30)
FULL = ServiceError("Could not", "The disk is full.", "Make room.", "NoDatabase")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(f"sqlite:///{tmp_path / 'console.db'}")
    yield found
    found.dispose()


@pytest.fixture
def clusters(session: AzureSession) -> tuple[Cluster, ...]:
    return list_clusters(session, list_subscriptions(session).values).values


def started(engine: Engine, clusters: tuple[Cluster, ...]) -> tuple[Job, RunningJob]:
    job = begin(
        engine, "who", "Ask", "aks", "", ask_items(clusters), details_of(AskedClusters, clusters), LEASE
    )  # fmt: skip
    return job, RunningJob(engine, job, LEASE, threading.Event())


def test_each_answer_is_kept_before_its_result_and_one_that_can_t_be_asked_is_refused_alone(
    engine: Engine, session: AzureSession, clusters: tuple[Cluster, ...]
) -> None:
    job, running = started(engine, clusters)
    kept: dict[str, ClusterImages] = {}

    def keep(answer: ClusterImages) -> None:
        assert answer.cluster.name not in running.read().results
        kept[answer.cluster.name] = answer

    run_asking(session, job, running, lambda *_: None, keep)
    results = running.read().results
    running.abandon()
    assert set(results) == set(kept) == {one.name for one in clusters}
    assert results["aks-platform"].outcome == ANSWERED
    assert results["aks-platform"].cause.endswith(" images.")
    assert results["aks-dev"].outcome == Outcome.REFUSED
    assert "stopped" in results["aks-dev"].cause


def test_who_continues_asks_those_without_a_result(
    engine: Engine, session: AzureSession, clusters: tuple[Cluster, ...]
) -> None:
    _job, running = started(engine, clusters)
    running.add_result("aks-platform", ANSWERED, "3 images.")
    kept: list[str] = []
    run_asking(session, running.read(), running, lambda *_: None, lambda answer: kept.append(answer.cluster.name))
    running.abandon()
    assert sorted(kept) == sorted({one.name for one in clusters} - {"aks-platform"})


def test_an_answer_that_could_not_be_written_says_so(
    engine: Engine, session: AzureSession, clusters: tuple[Cluster, ...]
) -> None:
    job, running = started(engine, clusters[:1])
    run_asking(session, job, running, lambda *_: None, lambda _answer: FULL)
    (result,) = running.read().results.values()
    running.abandon()
    assert result.outcome == ANSWERED
    assert f"{UNSAVED}: The disk is full." in result.cause


def test_a_sign_in_that_ended_is_no_answer_of_a_cluster(
    engine: Engine, session: AzureSession, clusters: tuple[Cluster, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, running = started(engine, clusters[:1])
    ended = ServiceError("Could not ask", "Sign in again.", "Sign in.", SIGN_IN_NEEDED)
    monkeypatch.setattr(
        ask_jobs, "ask_cluster", lambda _session, cluster: ClusterImages(cluster, job.begun, error=ended)
    )
    with pytest.raises(ServiceError):
        run_asking(session, job, running, lambda *_: None, lambda _answer: pytest.fail("It was kept"))
    assert not running.read().results
    running.abandon()


def test_clusters_of_one_name_are_items_by_their_ids(clusters: tuple[Cluster, ...]) -> None:
    one = clusters[0]
    assert [item.name for item in ask_items((one, one))] == [one.id, one.id]
