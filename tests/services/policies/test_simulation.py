"""A policy over a registry: what is simulated is what a run does, in items and bytes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, given, settings

from sandbox.storage.store import Store
from services.connection.parallel import Partial
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from services.images.storage import registry_storage
from services.policies.decisions import LastPulls
from services.policies.policy import Ceiling, DeleteRule, KeepRule, Policy
from services.policies.simulation import RuleResult, Simulation, above_ceiling, compare, plan_run, simulate
from tests.support.documents import digest_of
from tests.support.policies_at_random import policies
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW, contents, days, row

OLD = DeleteRule("old", older_than_days=30)


def simulated(
    policy: Policy,
    *found: RepositoryContents,
    running: frozenset[str] = frozenset(),
    now: datetime = NOW,
    pulls: Mapping[str, LastPulls] | None = None,
) -> Simulation:
    return simulate(
        policy, Partial(found), now, registry="contoso", running=lambda _: RunningImages.of(running), pulls=pulls or {},
        unknown_pulls=LastPulls(),
    )  # fmt: skip


def repository(name: str, *numbers: int, age: float = 100) -> RepositoryContents:
    found = contents(
        *(row(number, f"v{number}", age=age) for number in numbers), ages={f"v{number}": age for number in numbers}
    )
    return replace(found, repository=replace(found.repository, name=name))


def test_each_rule_has_its_share() -> None:
    policy = Policy("p", (KeepRule("one", tags=("v1",)), OLD))
    found = simulated(
        policy, repository("app", 1, 2, 3), repository("base", 4, age=1), running=frozenset({digest_of(2)})
    )
    assert (found.deleted, found.manifests) == (1, 4)
    assert found.by_rule == (RuleResult("one", 0, 1), RuleResult("old", 1, 2))
    assert dict(found.by_reason) == {"kept by one": 1, "running in a cluster": 1, "not chosen by old": 1}


def test_a_run_of_it_has_a_part_for_each_repository() -> None:
    plan = plan_run(simulated(Policy("p", (OLD,)), repository("app", 1, 2), repository("base", 3, age=1)).repositories)
    assert [(part.name, len(part.deleted), len(part.kept)) for part in plan.parts] == [("app", 2, 0)]
    assert [(part.name, part.kept[0].reason) for part in plan.staying] == [("base", "old: v3: Updated within 30 days.")]


def test_two_policies_are_compared_by_repository() -> None:
    found = repository("app", 1, 2, 3), repository("base", 4)
    first = simulated(Policy("p", (OLD,)), *found)
    second = simulated(Policy("q", (KeepRule("v1", ("app",), ("v1",)), OLD)), *found)
    (one,) = compare(first, second)
    assert (one.repository, one.only_first, one.only_second, one.both) == ("app", (digest_of(1),), (), 2)
    assert compare(first, first) == ()


def test_what_is_above_the_ceiling_is_said() -> None:
    found = simulated(Policy("p", (OLD,)), repository("app", 1, 2, 3), repository("base", 4, age=1))
    assert above_ceiling(found, Ceiling(3, 100, 1)) == ()
    assert "of a repository" in above_ceiling(found, Ceiling(2, 99, 0), names=False)[-1]
    assert above_ceiling(found, Ceiling(2, 99, 0)) == (
        "It deletes 3 manifests: more than 2.",
        "It frees 30 B: more than 0 GiB.",
        "It deletes 100 % of the manifests of app: more than 99 %.",
    )


def test_what_was_not_read_makes_bytes_an_upper_bound() -> None:
    read = Partial((repository("app", 1),), untried=1)
    found = simulate(
        Policy("p", (OLD,)),
        read,
        NOW,
        registry="c",
        running=lambda _: RunningImages(),
        pulls={},
        unknown_pulls=LastPulls(),
    )
    assert (found.unread, found.exact) == (1, False)
    whole = simulated(Policy("p", (OLD,)), repository("app", 1))
    assert whole.exact
    part = replace(repository("app", 1, 2), untried=1)
    assert (simulated(Policy("p", (OLD,)), part).incomplete, simulated(Policy("p", (OLD,)), part).deleted) == (
        ("app",),
        0,
    )


@settings(suppress_health_check=list(HealthCheck))
@given(drawn=registries(), policy=policies())
def test_bytes_are_those_that_the_registry_has_less_afterwards(
    store: Store, drawn: tuple[Pushes, ...], policy: Policy
) -> None:
    found = stored(store, drawn)
    one = simulated(policy, *found, pulls={of_one.name: LastPulls({}, days(1000)) for of_one in found})
    gone = {of_one.name: set(of_one.plan.digests) for of_one in one.repositories}
    after = tuple(
        replace(of_one, rows=tuple(row for row in of_one.rows if row.digest not in gone[of_one.name]))
        for of_one in found
    )
    before_bytes, after_bytes = (registry_storage(Partial(each)).total for each in (found, after))
    assert one.freed == before_bytes - after_bytes
    assert one.deleted == sum(len(digests) for digests in gone.values())
    assert sum(result.deleted for result in one.by_rule) == one.deleted
    assert sum(result.deleted + result.kept for result in one.by_rule) == one.manifests
    plan = plan_run(one.repositories)
    assert {part.name: {each.item.digest for each in part.deleted} for part in plan.parts} == {
        name: digests for name, digests in gone.items() if digests
    }
    for part in (*plan.parts, *plan.staying):
        assert len(part.deleted) + len(part.kept) == len(part.contents.rows)
