"""What clusters answered is kept for all who see them, and for nobody else."""

import zlib
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from services.connection.errors import ServiceError
from services.database.engine import open_database
from services.database.tables import cluster_answers
from services.running import answers as module
from services.running.answers import AnswerStore
from services.running.images import ClusterImages, RunningImage
from tests.services.pull_checks.test_matrix import CLUSTER

AZURE = "https://management.azure.com tenant"
ANNA, BEN, STRANGER = f"{AZURE}/anna", f"{AZURE}/ben", "https://management.azure.com other/anna"
WEB = RunningImage("shop", "Deployment", "web", "x.azurecr.io/web:v1", "", 2)
NOW = datetime.now(UTC)
REFUSED = ServiceError("Could not ask", "It may not.", "Get a role.", "Forbidden", 403, "7")


def answer(*images: RunningImage, ago: float = 0, error: ServiceError | None = None) -> ClusterImages:
    return ClusterImages(CLUSTER, NOW - timedelta(hours=ago), images, error)


def broken() -> Engine:
    raise ServiceError("No", "The disk is full.", "Make room.", "NoDatabase")


def test_an_answer_survives_a_restart_and_serves_all_who_see_the_cluster(database: Engine, database_url: str) -> None:
    assert AnswerStore(lambda: database).keep(ANNA, answer(WEB)) is None
    other = open_database(database_url)
    store = AnswerStore(lambda: other)
    for who in (ANNA, BEN):
        found = store.find(who, [CLUSTER])
        assert found.by_cluster == {CLUSTER.id.lower(): answer(WEB)}
        assert found.error is found.unsaved is None
    other.dispose()


def test_who_does_not_list_the_cluster_has_nothing_of_it(database: Engine) -> None:
    store = AnswerStore(lambda: database)
    store.keep(ANNA, answer(WEB))
    assert not store.find(BEN, []).by_cluster
    assert not store.find(BEN, [replace(CLUSTER, id=f"{CLUSTER.id}2")]).by_cluster
    assert not store.find(STRANGER, [CLUSTER]).by_cluster


def test_a_cluster_that_was_created_again_was_not_asked(database: Engine) -> None:
    store = AnswerStore(lambda: database)
    store.keep(ANNA, answer(WEB))
    again = replace(CLUSTER, network=replace(CLUSTER.network, fqdn="another.hcp.eastus.azmk8s.io"))
    assert not store.find(ANNA, [again]).by_cluster


def test_an_error_is_of_whom_it_refused_and_over_with_the_next_answer(database: Engine) -> None:
    store = AnswerStore(lambda: database)
    store.keep(ANNA, answer(WEB, ago=3))
    store.keep(BEN, answer(ago=2, error=REFUSED))
    assert store.find(ANNA, [CLUSTER]).by_cluster[CLUSTER.id.lower()].error is None
    failed = store.find(BEN, [CLUSTER]).by_cluster[CLUSTER.id.lower()]
    assert failed.error
    assert astuple(failed.error) == astuple(REFUSED)
    assert failed.images == (WEB,)  # What it answered before may still run.
    store.keep(ANNA, answer(ago=1))
    assert store.find(BEN, [CLUSTER]).by_cluster == {CLUSTER.id.lower(): answer(ago=1)}
    with database.connect() as db:
        assert db.execute(select(func.count()).select_from(cluster_answers)).scalar_one() == 2


def test_another_process_s_newer_answer_takes_the_place_of_what_was_read(database: Engine) -> None:
    here, there = AnswerStore(lambda: database), AnswerStore(lambda: database)
    here.keep(ANNA, answer(WEB, ago=1))
    assert here.find(ANNA, [CLUSTER]).by_cluster[CLUSTER.id.lower()].images == (WEB,)
    there.keep(BEN, answer())
    assert here.find(ANNA, [CLUSTER]).by_cluster[CLUSTER.id.lower()].images == ()


@pytest.mark.parametrize("made", [broken, lambda: open_database("sqlite:////proc/no/console.db")])
def test_without_a_database_an_answer_is_in_memory_and_that_is_said(made: Callable[[], Engine]) -> None:
    store = AnswerStore(made)
    unsaved = store.keep(ANNA, answer(WEB))
    assert unsaved
    assert unsaved.code == "NoDatabase"
    found = store.find(ANNA, [CLUSTER])
    assert found.by_cluster == {CLUSTER.id.lower(): answer(WEB)}
    assert found.error
    assert found.unsaved == unsaved
    assert AnswerStore(made).find(ANNA, [CLUSTER]).error


@pytest.mark.parametrize("raw", [b"", b"no", zlib.compress(b"[[1]]"), zlib.compress(b"[[]]")[:-7], zlib.compress(b"{")])
def test_a_damaged_answer_is_none(database: Engine, raw: bytes) -> None:
    AnswerStore(lambda: database).keep(ANNA, answer(WEB))
    with database.begin() as db:
        db.execute(update(cluster_answers).values(images=raw))
    assert not AnswerStore(lambda: database).find(ANNA, [CLUSTER]).by_cluster


def test_what_is_old_and_what_is_too_much_goes(database: Engine) -> None:
    store = AnswerStore(lambda: database, most_bytes=200)
    old = replace(answer(WEB), at=NOW - module.KEPT - timedelta(minutes=1))
    store.keep(ANNA, old)
    assert not store.find(ANNA, [CLUSTER]).by_cluster
    clusters = [replace(CLUSTER, id=f"{CLUSTER.id}{number}") for number in range(20)]
    for number, cluster in enumerate(clusters):
        store.keep(ANNA, replace(answer(WEB, ago=20 - number), cluster=cluster))
    found = store.find(ANNA, clusters).by_cluster
    assert list(found) == [one.id.lower() for one in clusters[-len(found) :]]
    assert 0 < len(found) < 5


def test_an_earlier_answer_that_comes_later_takes_no_place_of_a_newer_one(database: Engine) -> None:
    store = AnswerStore(lambda: database)
    store.keep(ANNA, answer(WEB, ago=1))
    store.keep(BEN, answer(ago=2))
    assert store.find(ANNA, [CLUSTER]).by_cluster == {CLUSTER.id.lower(): answer(WEB, ago=1)}


def test_an_answer_of_the_future_gives_place_to_one_of_now(database: Engine) -> None:
    store = AnswerStore(lambda: database)
    store.keep(ANNA, answer(ago=-48))
    store.keep(BEN, answer(WEB))
    assert store.find(ANNA, [CLUSTER]).by_cluster == {CLUSTER.id.lower(): answer(WEB)}


def test_in_memory_too_the_newer_answer_stays(database: Engine) -> None:
    engines = [broken, broken, lambda: database]
    store = AnswerStore(lambda: engines.pop(0)() if engines else database)
    store.keep(ANNA, answer(WEB, ago=1))
    store.keep(ANNA, answer(ago=2))
    store.keep(ANNA, answer(ago=3))
    assert store.find(ANNA, [CLUSTER]).by_cluster == {CLUSTER.id.lower(): answer(WEB, ago=1)}
