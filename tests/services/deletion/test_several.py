"""A plan over several repositories is what the plans of each say, and a repository that stays keeps no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sandbox.storage.store import Locks, Store
from services.deletion.cleanup_rules import Rule, choose
from services.deletion.plan import plan_deletion
from services.deletion.repository import plan_repository_deletion
from services.deletion.running_images import RunningImages
from services.deletion.several import plan_cleanup_of, plan_repository_of, plan_several
from tests.support.registries_at_random import Pushes, read, registries, write

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("store"))
    yield store
    store.close()


NUMBERS = iter(range(10**9))


@given(drawn=registries(), keep=some.integers(0, 3), leftovers=some.booleans())
def test_of_each_repository_goes_what_its_own_plan_says(
    store: Store, drawn: tuple[Pushes, ...], keep: int, leftovers: bool
) -> None:
    name = f"several{next(NUMBERS)}"
    write(store, name, drawn)
    repositories = read(store, name)
    rule = Rule("*", timedelta(), "", keep, leftovers)
    several = plan_several(plan_cleanup_of(one, rule, LATER, name, RunningImages()) for one in repositories)
    parts = {part.name: part for part in (*several.parts, *several.staying)}
    assert parts.keys() == {one.name for one in repositories}
    commands = []
    for one in repositories:
        alone = plan_deletion(one, choose(one, rule, LATER).digests, registry=name, by_name=False)
        part = parts[one.name]
        assert part.plan == alone
        deleted, kept = [row.item.digest for row in part.deleted], [row.row.digest for row in part.kept]
        assert sorted(deleted) == sorted(alone.digests)
        assert sorted([*deleted, *kept]) == sorted(row.digest for row in one.rows)
        assert (part in several.parts) is bool(deleted)
        commands += alone.commands
    assert list(several.commands) == commands
    assert not (several.parts and several.blockers)


@given(drawn=registries())
def test_a_locked_repository_stays_and_is_named_and_keeps_no_other(store: Store, drawn: tuple[Pushes, ...]) -> None:
    name = f"locked{next(NUMBERS)}"
    write(store, name, drawn)
    first = read(store, name)[0].name
    store.set_repository_locks(name, first, Locks(delete=False))
    repositories = read(store, name)
    free = [one.name for one in repositories if not plan_repository_deletion(one, name).blockers]
    plan = plan_several(plan_repository_of(one, name, RunningImages()) for one in repositories)
    assert [part.name for part in plan.parts] == free
    assert first not in free
    named = [sentence for sentence in (plan.warnings if free else plan.blockers) if sentence.startswith(first)]
    assert f"The repository {first} is locked against deletion" in named[0]
    assert bool(plan.blockers) is not bool(free)
    for part in plan.parts:
        assert len(part.deleted) == len(part.contents.rows)
