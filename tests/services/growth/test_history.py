"""Snapshots of registries: kept a day, what grew by them, and which days are kept."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from sandbox.storage.store import Store
from services.connection.parallel import Partial
from services.growth.history import WHOLE, Growth, Snapshot, grown, readable_of, snapshots_of, thinned, whole_of
from services.growth.store import add_snapshots, read_history
from services.images.storage import registry_storage
from tests.support.own_sandbox import OwnSandbox
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries

DAY = date(2026, 11, 29)


def snapshot(day: date, name: str, unique: int, shared: int = 0) -> Snapshot:
    return Snapshot(day, name, unique, shared, 0, 1, 1)


def days_ago(days: int) -> date:
    return DAY - timedelta(days=days)


@given(registries())
@settings(suppress_health_check=list(HealthCheck))
def test_a_snapshot_adds_up_to_the_registry(store: Store, pushed: tuple[Pushes, ...]) -> None:
    contents = stored(store, pushed)
    storage = registry_storage(Partial(contents))
    found = snapshots_of(storage, contents, DAY)
    assert bool(found) == storage.complete
    if not found:
        return
    whole, *each = found
    assert whole.repository == WHOLE and whole.total == storage.total
    assert whole.unique == sum(one.unique for one in each)
    assert {one.repository: one.total for one in each} == {one.name: one.total for one in storage.repositories}
    assert whole.manifests == sum(len(one.rows) for one in contents)


def test_what_grew_is_counted_from_the_last_day_that_is_old_enough() -> None:
    history = [
        snapshot(days_ago(40), "app", 100), snapshot(days_ago(31), "app", 150), snapshot(days_ago(31), "gone", 70),
        snapshot(days_ago(3), "app", 900), snapshot(DAY, "app", 1000, 5), snapshot(DAY, "new", 20),
        snapshot(DAY, WHOLE, 1020, 5),
    ]  # fmt: skip
    assert grown(history, 30) == (
        Growth("app", days_ago(31), DAY, 150, 1005),
        Growth("new", days_ago(31), DAY, None, 20),
        Growth("gone", days_ago(31), DAY, 70, 0),
    )
    assert [one.since for one in grown(history, 7)] == [days_ago(31)] * 3
    assert [one.since for one in grown(history, 365)] == [days_ago(40)] * 2
    assert grown(history[-3:], 7) == () and grown([], 7) == ()
    assert [one.total for one in whole_of(history)] == [1025]


@given(st.sets(st.integers(0, 3000), min_size=1).map(lambda ages: [days_ago(age) for age in ages]))
def test_recent_days_are_kept_and_of_older_months_one_each(days: list[date]) -> None:
    kept = thinned(days, DAY)
    assert kept <= set(days)
    recent = {day for day in days if day > days_ago(400)}
    assert recent <= kept
    assert {(day.year, day.month) for day in days} == {(day.year, day.month) for day in kept}
    older = [(day.year, day.month) for day in kept - recent]
    assert len(older) == len(set(older))


def test_a_day_has_one_snapshot_and_another_registry_of_the_name_its_own(own: OwnSandbox, database: Engine) -> None:
    registry = own.registry()
    add_snapshots(database, registry, [snapshot(days_ago(1), WHOLE, 1), snapshot(days_ago(1), "app", 1)])
    add_snapshots(database, registry, [snapshot(DAY, WHOLE, 5), snapshot(DAY, "app", 3), snapshot(DAY, "old", 2)])
    add_snapshots(database, registry, [snapshot(DAY, WHOLE, 2**40), snapshot(DAY, "app", 2**40)])
    add_snapshots(database, registry, [])
    assert read_history(database, registry) == (
        snapshot(days_ago(1), WHOLE, 1), snapshot(days_ago(1), "app", 1),
        snapshot(DAY, WHOLE, 2**40), snapshot(DAY, "app", 2**40),
    )  # fmt: skip
    assert registry.created
    made_again = replace(registry, created=registry.created + timedelta(days=1))
    assert read_history(database, made_again) == ()


def test_old_days_are_thinned_as_new_ones_come(own: OwnSandbox, database: Engine) -> None:
    registry = own.registry()
    for age in (500, 499, 450, 300, 299, 0):
        add_snapshots(database, registry, [snapshot(days_ago(age), WHOLE, age)])
    kept = [one.day for one in read_history(database, registry)]
    assert days_ago(499) not in kept and kept[-3:] == [days_ago(300), days_ago(299), DAY]
    assert [one.day for one in read_history(database, registry, 400)] == kept[-3:]


def test_of_a_history_only_what_can_be_read_is_left() -> None:
    history = [snapshot(DAY, name, 1) for name in (WHOLE, "mine", "gone")]
    assert [one.repository for one in readable_of(history, {"mine"}, gone=False)] == [WHOLE, "mine"]
    assert [one.repository for one in readable_of(history, {"mine"}, gone=True)] == [WHOLE, "mine", "gone"]
