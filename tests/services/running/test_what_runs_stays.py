"""Nothing that is reachable from what runs goes by a rule, and nothing at all while a place is not known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings

from sandbox.storage.store import Store
from services.connection.parallel import Partial
from services.deletion.cleanup_rules import Rule, choose
from services.deletion.plan import plan_deletion
from services.policies.decisions import LastPulls
from services.policies.policy import Policy
from services.policies.simulation import simulate
from tests.services.pull_checks.test_matrix import registry as a_registry
from tests.support.policies_at_random import policies
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW, days
from tests.support.running_worlds import PLACES, Place, known, must_stay

# Every cluster may pull from it.
REGISTRY = a_registry()
REGISTRY = replace(REGISTRY, access=replace(REGISTRY.access, anonymous_pull=True))
ALL = Rule("*", timedelta(0), leftovers=True)


@settings(suppress_health_check=list(HealthCheck))
@given(drawn=registries(), policy=policies(), places=PLACES)
def test_what_runs_somewhere_or_may_run_stays_by_rule(
    store: Store, drawn: tuple[Pushes, ...], policy: Policy, places: Sequence[Place]
) -> None:
    found = stored(store, drawn)
    runs = known(places, REGISTRY, found, NOW)
    simulated = simulate(
        policy,
        Partial(found),
        NOW,
        registry="contoso",
        running=runs.of,
        pulls={one.name: LastPulls({}, days(1000)) for one in found},
        unknown_pulls=LastPulls(),
    )
    gone = {(one.name, digest) for one in simulated.repositories for digest in one.plan.digests}
    for one in found:
        chosen = choose(one, ALL, NOW).digests
        plan = plan_deletion(one, chosen, registry="contoso", by_name=False, running=runs.of(one))
        gone |= {(one.name, digest) for digest in plan.digests}
    if any(place.reads for place in places):
        assert runs.unasked
        assert not gone
    else:
        assert not runs.unasked
        assert not gone & must_stay(places, REGISTRY, found)
