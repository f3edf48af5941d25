"""Policies to begin with: what nobody uses, and what a clean-up by hand chooses."""

from collections.abc import Sequence

from services.deletion.cleanup_rules import Rule as CleanUpRule
from services.policies.policy import ALL, DeleteRule, KeepRule, Policy, Rule, UntaggedRule
from services.policies.text import MOST_PATTERNS

UNUSED_DAYS, UNTAGGED_DAYS, NEWEST = 90, 30, 3
# What runs stays without a rule.
UNUSED = Policy(
    "Unused images",
    (
        KeepRule("Newest tags", newest=NEWEST),
        DeleteRule(f"Not pulled for {UNUSED_DAYS} days", older_than_days=UNUSED_DAYS, not_pulled_for_days=UNUSED_DAYS),
        UntaggedRule("Untagged manifests", older_than_days=UNTAGGED_DAYS),
    ),
)


def policy_of_cleanup(registry: str, repositories: Sequence[str], rule: CleanUpRule) -> Policy | None:
    """A policy that chooses what the rule of a clean-up chooses in these repositories of the registry of that name.

    None where a policy can't say it: for one platform, by a pattern with [characters], of more repositories than it has
    patterns, or where the newest of those that the rule chooses stay, while a policy keeps the newest of all tags of a
    pattern.
    """
    if rule.platform or rule.keep or "[" in rule.pattern:
        return None
    where, days = tuple(repositories), rule.older_than.days
    rules: list[Rule] = []
    if rule.pattern:
        rules.append(DeleteRule(f"Delete {rule.pattern}", where, (rule.pattern,), older_than_days=days))
    if rule.leftovers:
        rules.append(UntaggedRule("Untagged manifests", where, days))
    if len(rules) * (len(where) + 1) >= MOST_PATTERNS:
        return None
    name = repositories[0] if len(repositories) == 1 else registry
    return Policy(f"Clean up {name}", tuple(rules), (registry,) if registry else ALL) if rules else None
