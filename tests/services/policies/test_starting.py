"""Policies to begin with are policies, and one that is made of a clean-up's rule deletes what the clean-up does."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Store
from services.deletion.cleanup_rules import Rule
from services.deletion.running_images import RunningImages
from services.deletion.several import plan_cleanup_of
from services.policies.decisions import decide
from services.policies.policy import policy_warnings
from services.policies.starting import UNUSED, policy_of_cleanup
from services.policies.text import format_policy, parse_policy
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW

RULES = st.builds(
    Rule,
    st.sampled_from(["", "*", "v*", "m?in", "latest"]),
    st.integers(0, 4).map(lambda days: timedelta(days=days)),
    st.sampled_from(["", "", "linux/amd64"]),
    st.integers(0, 1),
    st.booleans(),
)


def test_what_nobody_uses_is_a_policy_without_a_warning() -> None:
    assert parse_policy(format_policy(UNUSED)) == UNUSED
    assert not policy_warnings(UNUSED)


@given(RULES, registries())
@settings(suppress_health_check=list(HealthCheck))
def test_a_policy_of_a_clean_up_deletes_what_the_clean_up_does(
    store: Store, rule: Rule, pushed: tuple[Pushes, ...]
) -> None:
    found = stored(store, pushed)
    policy = policy_of_cleanup("contoso", [one.name for one in found], rule)
    assert (policy is None) == bool(rule.platform or rule.keep or not (rule.pattern or rule.leftovers))
    if policy is None:
        return
    assert parse_policy(format_policy(policy)) == policy
    nothing_runs = RunningImages()
    for contents in found:
        by_hand = plan_cleanup_of(contents, rule, NOW, "contoso", nothing_runs)
        by_policy = decide(policy, contents, NOW, registry="contoso", running=nothing_runs)
        assert {one.digest for one in by_policy.plan.unblocked} == {one.digest for one in by_hand.plan.unblocked}


def test_a_clean_up_of_more_repositories_than_a_policy_has_patterns_is_none() -> None:
    rule = Rule("pr-*", timedelta(days=9), leftovers=True)
    fitting = policy_of_cleanup("contoso", [f"app{number}" for number in range(248)], rule)
    assert fitting
    assert parse_policy(format_policy(fitting)) == fitting
    assert policy_of_cleanup("contoso", [f"app{number}" for number in range(300)], rule) is None
