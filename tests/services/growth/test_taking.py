"""A registry read for its snapshot: the same through the index as without, and nothing where not all was read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.database.contents import ContentStore
from services.growth.history import WHOLE, Snapshot
from services.growth.taking import take_snapshot
from services.index.index_jobs import targets_of
from services.index.reading import index_registry
from services.index.store import IndexStore
from services.pricing.estimates import Estimate, Line, Part
from services.registries.skus import Sku
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.registries_at_random import Pushes, registries, write

AZURE, DRAWN = "sandbox/tenant", "drawnregistry"
MONTH = Estimate(Sku.BASIC, "USD", (Line(Part.FEE, "Basic registry", Decimal(30), "days", Decimal("5.00")),))


def take(
    own: OwnSandbox, engine: Engine, name: str = REGISTRY, now: datetime | None = None, **more: object
) -> tuple[tuple[Snapshot, ...], int]:
    """The snapshots, and how many reads of the data plane they took."""
    reads: list[None] = []
    _, found = take_snapshot(
        own.session(),
        own.registry(name).id,
        now or datetime.now(UTC),
        pace=lambda: reads.append(None),
        index=IndexStore(engine, AZURE),
        **more,  # type: ignore[arg-type]
    )
    return found, len(reads)


def index(own: OwnSandbox, engine: Engine, store: ContentStore, name: str = REGISTRY) -> None:
    (target,) = targets_of([own.registry(name)])
    client = own.session().registry(target.login_server)
    index_registry(IndexStore(engine, AZURE), client, target, shared=store)


def refused(own: OwnSandbox, engine: Engine, **more: object) -> ServiceError:
    with pytest.raises(ServiceError) as found:
        take(own, engine, **more)  # type: ignore[arg-type]
    return found.value


def test_it_is_what_is_stored_with_pulls_and_cost(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    own.push("v2", number=2, repository="team/web")
    (whole, *each), _ = take(own, database, estimate=lambda _registry: MONTH)
    assert whole.repository == WHOLE and whole.total == own.sandbox.store.blobs.stored_bytes(REGISTRY)
    assert whole.pulls is not None and (whole.cost, whole.currency) == (Decimal(5), "USD")
    costs = [one.cost for one in each if one.cost is not None]
    assert len(costs) == len(each) and 0 < sum(costs) <= Decimal(5)
    assert {one.pulls for one in each} == {None}


def test_pulls_of_a_repository_are_those_that_are_logged(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    own.send_logs(own.make_workspace())
    own.log("Pull", 2, APP, digest, "v1")
    own.log("Pull", 1, APP, digest, "v1")
    own.log("Push", 0.1, APP, digest, "v1")
    found, _ = take(own, database)
    assert {one.repository: one.pulls for one in found}[APP] == 2


def test_what_has_no_price_has_no_cost(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    found, _ = take(own, database, estimate=lambda _registry: replace(MONTH, unpriced=("Replica regions",)))
    assert {one.cost for one in found} == {None}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=registries(locks=False))
def test_through_the_index_it_is_the_same(own: OwnSandbox, database: Engine, drawn: tuple[Pushes, ...]) -> None:
    if not own.sandbox.ready["registries"].get(DRAWN):
        own.make_registry(DRAWN)
    for name in own.sandbox.store.list_repositories(DRAWN):
        own.sandbox.store.delete_repository(DRAWN, name)
    write(own.sandbox.store, DRAWN, drawn)
    store = ContentStore(lambda: database)
    try:
        plain, reads = take(own, database, DRAWN, store=store)
    except ServiceError as error:
        assert error.code == "Incomplete"
        return
    index(own, database, store, DRAWN)
    found, fewer = take(own, database, DRAWN, store=store)
    assert found == plain
    # The clock, the catalogue, and each repository's attributes.
    assert fewer == 2 + len(own.sandbox.store.list_repositories(DRAWN)) <= reads


def test_what_changed_since_it_was_indexed_is_read(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    store = ContentStore(lambda: database)
    index(own, database, store)
    own.push("v2", number=2)
    (whole, *_), _ = take(own, database, store=store)
    assert whole.total == own.sandbox.store.blobs.stored_bytes(REGISTRY)
    # As many manifests as before: the update and the counts tell.
    index(own, database, store)
    own.move("v3", own.tags()["v1"])
    (whole, *_), _ = take(own, database, store=store)
    names = own.sandbox.store.list_repositories(REGISTRY)
    assert whole.tags == sum(len(own.tags(name)) for name in names)


def test_where_not_all_was_read_there_is_none_and_no_name_is_said(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    own.break_({"path": "/v2/team/app/manifests/", "status": 403})
    error = refused(own, database)
    assert error.code == "Incomplete" and "could not be read (" in error.cause
    assert APP not in f"{error.cause} {error.remedy}"
    own.break_({"path": "/acr/v1/team%2Fapp", "status": 403}, {"path": "/acr/v1/team/app", "status": 403})
    error = refused(own, database)
    assert APP not in f"{error.cause} {error.remedy}"


@pytest.mark.parametrize("hours", [-30, 30])
def test_by_a_clock_that_is_not_the_registrys_there_is_none(own: OwnSandbox, database: Engine, hours: int) -> None:
    error = refused(own, database, now=datetime.now(UTC) + timedelta(hours=hours))
    assert error.code == "ClocksApart"


def test_stopped_it_is_none(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    stop = Event()
    stop.set()
    assert refused(own, database, stop=stop).code == "Stopped"


def test_without_metrics_and_logs_pulls_are_unknown(own: OwnSandbox, database: Engine) -> None:
    own.break_({"path": "metrics:getBatch", "status": 403}, {"path": "diagnosticSettings", "status": 403})
    (whole, *_), _ = take(own, database)
    assert whole.pulls is None
