"""Retention policies as hypothesis draws them."""

from hypothesis import strategies as st

from services.policies.policy import ALL, Ceiling, DeleteRule, KeepRule, Policy, Rule, UntaggedRule
from services.policies.text import PolicyTextError, format_policy, parse_policy

REPOSITORIES = st.sampled_from([ALL, ("app",), ("base", "team/*"), ("t?am/*",)])
TAGS = st.sampled_from([ALL, ("v*",), ("latest", "main"), ("v1", "m?in")])
_NAMES = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=8)
_FEW = st.integers(0, 4)


def keep_rules(names: st.SearchStrategy[str] = _NAMES) -> st.SearchStrategy[KeepRule]:
    return st.builds(KeepRule, names, REPOSITORIES, TAGS, _FEW, st.booleans(), st.booleans())


def delete_rules(names: st.SearchStrategy[str] = _NAMES) -> st.SearchStrategy[DeleteRule]:
    drawn = st.builds(
        DeleteRule, names, REPOSITORIES, TAGS, st.integers(0, 2), st.none() | st.integers(0, 3),
        st.none() | _FEW, st.none() | _FEW,
    )  # fmt: skip
    return drawn.filter(
        lambda rule: (
            (rule.at_most is None or rule.at_least <= rule.at_most)
            and (rule.at_most, rule.older_than_days, rule.not_pulled_for_days) != (None, None, None)
        )
    )


def rules(names: st.SearchStrategy[str] = _NAMES) -> st.SearchStrategy[Rule]:
    return st.one_of(keep_rules(names), delete_rules(names), st.builds(UntaggedRule, names, REPOSITORIES, _FEW))


def policies() -> st.SearchStrategy[Policy]:
    """Policies that the console takes: none of their rules contradicts itself or is hidden by another."""
    ceilings = st.builds(Ceiling, st.integers(0, 9), st.integers(0, 100), st.integers(0, 9))
    drawn = st.lists(rules(), min_size=1, max_size=5, unique_by=lambda rule: rule.name)
    registries = st.sampled_from([ALL, ("casa*", "prod")])
    return st.builds(Policy, _NAMES, drawn.map(tuple), registries, ceilings).filter(is_valid)


def is_valid(policy: Policy) -> bool:
    try:
        parse_policy(format_policy(policy))
    except PolicyTextError:
        return False
    return True
