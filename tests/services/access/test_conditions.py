"""Conditions of role assignments: the forms that Azure, its portal and its documentation write."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.conditions import ActionMatches, NotUnderstood, holds, parse_condition, understood
from tests.support import access_worlds
from tests.support.access_worlds import NAME, R

READ, WRITE, METADATA = (f"{R}repositories/{kind}" for kind in ("content/read", "content/write", "metadata/read"))
ACTIONS = st.sampled_from([READ, WRITE, METADATA, f"{R}catalog/read", "Microsoft.Authorization/roleAssignments/write"])
NAMED = f"@Request[{NAME}]"


def lets(condition: str, repository: str | None = "team/app", action: str = READ) -> bool | None:
    return holds(parse_condition(condition), action, repository)


@given(access_worlds.trees, ACTIONS, st.sampled_from(access_worlds.REPOSITORIES))
def test_a_tree_that_is_written_and_read_says_the_same(tree: access_worlds.Tree, action: str, repository: str) -> None:
    condition = parse_condition(access_worlds.written(tree))
    found = holds(condition, action, repository)
    if not access_worlds.asks_more(tree):
        assert understood(condition)
        assert found is access_worlds.true(tree, action, repository)
    elif found is not None:
        assert found is access_worlds.true(tree, action, repository)


@pytest.mark.parametrize("form", [str, str.lower, str.upper])
@pytest.mark.parametrize("operator", ["StringEqualsIgnoreCase 'TEAM/APP'", "StringLikeIgnoreCase 'Team/*'"])
def test_case_counts_neither_in_the_attribute_nor_in_what_ignores_it(form: Callable[[str], str], operator: str) -> None:
    condition = f"{form(f'@Request[{NAME}]')} {operator}"
    assert lets(condition) is True
    assert lets(condition, "other/app") is False
    assert lets(f"{form(f'@Resource[{NAME}]')} {operator}") is None


@given(st.text(st.sampled_from("()!&|'{}@[]:, ANDORReadStringEquals\n"), max_size=60))
def test_any_text_is_read_or_can_not_be_told(text: str) -> None:
    condition = parse_condition(text)
    assert holds(condition, READ, "a") in (True, False, None)
    if condition == NotUnderstood(text):
        assert holds(condition, READ, "a") is None


def test_nesting_beyond_measure_can_not_be_told() -> None:
    assert lets("(" * 100_000 + "x") is None
    assert lets("!" * 100_000 + f"ActionMatches{{'{READ}'}}") is None


def test_the_form_of_the_documentation() -> None:
    condition = (
        "(\n (\n  !(ActionMatches{'"
        + READ
        + "'})\n  AND\n  !(ActionMatches{'"
        + METADATA
        + "'})\n )\n OR \n (\n  "
        + NAMED
        + " StringEqualsIgnoreCase 'hello-world'\n )\n)"
    )
    assert lets(condition, "Hello-World") is True
    assert lets(condition, "hello-worlds") is False
    assert lets(condition, "other", WRITE) is True
    assert lets(condition, None) is None
    assert understood(parse_condition(condition))


@pytest.mark.parametrize(
    ("comparison", "lets_in", "keeps_out"),
    [
        ("StringEquals 'a/b'", ["a/b"], ["A/b", "a/bc"]),
        ("StringNotEquals 'a/b'", ["A/b"], ["a/b"]),
        ("StringNotEqualsIgnoreCase 'a/b'", ["a"], ["A/b", "a/b"]),
        ("StringStartsWith 'a/'", ["a/b"], ["A/b", "ab", "a"]),
        ("StringStartsWithIgnoreCase 'a/'", ["A/b"], ["ab"]),
        ("StringNotStartsWith 'a/'", ["b"], ["a/b"]),
        ("StringLike 'a/*/c'", ["a/b/c", "a//c"], ["a/b", "A/b/c"]),
        ("StringLikeIgnoreCase 'A?'", ["ab"], ["a", "abc"]),
        (r"StringLike 'a\*'", ["a*"], ["ab"]),
        ("StringLike 'a.b'", ["a.b"], ["axb"]),
        ("StringNotLike 'a*'", ["b"], ["ab"]),
        ("ForAnyOfAnyValues:StringEqualsIgnoreCase {'a', 'b/c'}", ["A", "b/c"], ["b"]),
        ("ForAnyOfAnyValues:StringStartsWith {'a/','b/'}", ["a/x", "b/y"], ["c/a/"]),
        ("ForAllOfAnyValues:StringLike {'a*', 'b*'}", ["ax", "b"], ["c"]),
        ("ForAnyOfAllValues:StringNotEquals {'a', 'b'}", ["c"], ["a", "b"]),
        ("ForAnyOfAnyValues:StringEquals 'a'", ["a"], ["b"]),
        ("stringequals 'a'", ["a"], ["A"]),
    ],
)
def test_comparisons_with_the_repository(comparison: str, lets_in: list[str], keeps_out: list[str]) -> None:
    condition = f"{NAMED} {comparison}"
    assert [lets(condition, name) for name in lets_in] == [True] * len(lets_in)
    assert [lets(condition, name) for name in keeps_out] == [False] * len(keeps_out)


@pytest.mark.parametrize(
    "other",
    [
        "@Resource[Microsoft.ContainerRegistry/registries:name] StringEquals 'x'",
        "@Request[Microsoft.ContainerRegistry/registries/repositories:tag] StringEquals 'x'",
        "@Environment[isPrivateLink] BoolEquals true",
        "@Environment[UtcNow] DateTimeGreaterThan '2026-05-01T15:00:00.0Z'",
        f"{NAMED} StringEquals @Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Project]",
        f"{NAMED} ForAnyOfAnyValues:GuidEquals {{7f951dda-4ed3-4680-a7ca-43fe172d538d}}",
        f"{NAMED} StringMatches 'x'",
        f"{NAMED} StringEquals {{'x', 'y'}}",
        f"Exists {NAMED}",
        "SubOperationMatches{'Blob.List'}",
        "Something{'else'}",
    ],
)
def test_what_is_not_read_can_not_be_told_and_leaves_the_rest_alone(other: str) -> None:
    assert lets(other) is None
    assert not understood(parse_condition(other))
    assert lets(f"!({other})") is None
    assert lets(f"({other}) OR ActionMatches{{'*/read'}}") is True
    assert lets(f"({other}) AND ActionMatches{{'*/write'}}") is False
    assert lets(f"({other}) AND ActionMatches{{'*/read'}}") is None
    assert lets(f"NOT ({other}) && ActionMatches{{'*/write'}}") is False


@pytest.mark.parametrize(
    "broken", ["", " ", "(", ")", "ActionMatches{'*'} ActionMatches{'*'}", "AND", "! ", "'x'", "(!)"]
)
def test_text_that_is_no_condition_can_not_be_told(broken: str) -> None:
    assert parse_condition(broken) == NotUnderstood(broken)


def test_and_binds_more_than_or_and_not_more_than_and() -> None:
    yes, no = "ActionMatches{'*'}", "ActionMatches{'x'}"
    assert lets(f"{yes} || {no} && {no}") is True
    assert lets(f"({yes} OR {no}) AND {no}") is False
    assert lets(f"!{no} AND {no}") is False
    assert lets(f"NOT({no} and {no})") is True


def test_an_action_is_matched_by_its_wildcards() -> None:
    assert parse_condition("ActionMatches{'a/*'}") == ActionMatches("a/*")
    assert lets("ActionMatches{'microsoft.containerregistry/registries/*/READ'}") is True
    assert lets("ActionMatches{'*/rea'}") is False
