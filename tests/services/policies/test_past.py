"""What a policy would have done in the last months: nothing before it was there, nothing twice, and now what a
simulation says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Store
from services.connection.parallel import Partial
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from services.images.storage import registry_storage
from services.policies.decisions import LastPulls
from services.policies.past import PastRun, month_ends, past_runs
from services.policies.policy import DeleteRule, Policy, UntaggedRule
from services.policies.simulation import simulate
from tests.support.policies_at_random import policies
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW, contents, days, row

OLD = Policy("p", (DeleteRule("old", older_than_days=30), UntaggedRule("rest", older_than_days=0)))


def past(policy: Policy, *found: RepositoryContents, ends: tuple[datetime, ...]) -> tuple[PastRun, ...]:
    return past_runs(policy, Partial(found), ends, registry="contoso", pulls={}, unknown_pulls=LastPulls())


def repository(**ages: float) -> RepositoryContents:
    """An image a tag, created and updated so many days ago."""
    rows = [row(number, tag, age=age) for number, (tag, age) in enumerate(ages.items(), 1)]
    rows = [replace(one, created=one.updated) for one in rows]
    found = contents(*rows, ages=ages)
    tags = tuple(replace(tag, created=tag.updated) for tag in found.tags)
    return replace(found, tags=tags, repository=replace(found.repository, manifest_count=len(rows)))


def test_month_ends_go_back_over_a_year() -> None:
    ends = month_ends(datetime(2026, 2, 3, 4, 5, tzinfo=UTC), 4)
    assert [f"{end:%Y-%m-%d %H:%M}" for end in ends] == [
        "2025-11-01 00:00",
        "2025-12-01 00:00",
        "2026-01-01 00:00",
        "2026-02-01 00:00",
    ]


def test_each_month_deletes_what_had_grown_old_by_then_and_no_more_later() -> None:
    found = past(OLD, repository(a=100, b=80, c=40, d=5), ends=(days(65), days(45), days(0)))
    assert [(one.there, one.unclear, one.deleted) for one in found] == [(2, 0, 1), (1, 0, 1), (2, 0, 1)]
    assert all(one.freed > 0 for one in found)


def test_what_was_updated_since_stays_as_it_is_not_known_what_it_was() -> None:
    whole = repository(a=100, b=100)
    retagged = replace(whole, tags=tuple(replace(one, updated=days(10)) for one in whole.tags if one.name == "a"))
    first, last = past(OLD, replace(retagged, tags=(*retagged.tags, whole.tags[1])), ends=(days(60), days(0)))
    assert (first.there, first.unclear, first.deleted) == (2, 1, 1)
    assert (last.there, last.unclear, last.deleted) == (1, 0, 0)


def test_of_a_repository_that_was_not_read_completely_nothing_goes() -> None:
    whole = repository(a=100)
    hidden = replace(whole, repository=replace(whole.repository, manifest_count=2))
    assert [one.deleted for one in past(OLD, hidden, ends=(days(0),))] == [0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(registries(), policies(), st.lists(st.integers(0, 30), max_size=4))
def test_nothing_goes_twice_or_before_it_was_there(
    store: Store, drawn: tuple[Pushes, ...], policy: Policy, ages: list[int]
) -> None:
    found = stored(store, drawn)
    ends = tuple(NOW - timedelta(days=age) for age in sorted(ages, reverse=True))
    runs = past(policy, *found, ends=ends)
    there = sum(len(one.rows) for one in found)
    before = 0
    for run in runs:
        created = sum(1 for one in found for manifest in one.rows if manifest.created and manifest.created <= run.at)
        assert run.there == created - before
        assert run.deleted <= run.there - run.unclear
        before += run.deleted
    assert before <= there
    # A layer that a month frees may come back with a later push.
    most = registry_storage(Partial(found)).total
    assert all(0 <= run.freed <= most for run in runs)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(registries(), policies())
def test_now_it_does_what_a_simulation_says(store: Store, drawn: tuple[Pushes, ...], policy: Policy) -> None:
    found = stored(store, drawn)
    (now,) = past(policy, *found, ends=(NOW,))
    same = simulate(
        policy, Partial(found), NOW, registry="contoso", running=lambda _one: RunningImages(), pulls={},
        unknown_pulls=LastPulls(),
    )  # fmt: skip
    assert (now.deleted, now.freed, now.there, now.unclear) == (same.deleted, same.freed, same.manifests, 0)
