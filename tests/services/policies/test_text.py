"""A policy as text, there and back; whatever is wrong is named with its line and column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policies.policy import Ceiling, DeleteRule, KeepRule, Policy, UntaggedRule, policy_warnings
from services.policies.text import MOST_CHARACTERS, PolicyTextError, format_policy, parse_policy
from tests.support.policies_at_random import policies

TEXT = """\
name: Production
registries: [casa*, "*prod"]
ask_again_above: {manifests: 200, gib: 10}
rules:
  - name: releases
    action: keep
    tags: v*
    last_of_minor: true
  - name: pull requests
    action: delete
    repositories:
      - team/*
      - app
    tags: pr-*
    at_least: 3
    at_most: 20
    older_than_days: 30
    not_pulled_for_days: 90
  - name: leftovers
    action: delete untagged
"""
POLICY = Policy(
    "Production",
    (
        KeepRule("releases", tags=("v*",), last_of_minor=True),
        DeleteRule("pull requests", ("team/*", "app"), ("pr-*",), 3, 20, 30, 90),
        UntaggedRule("leftovers"),
    ),
    ("casa*", "*prod"),
    Ceiling(200, 50, 10),
)


def test_a_policy_is_read() -> None:
    assert parse_policy(TEXT) == POLICY


@given(policies())
def test_a_policy_is_the_same_there_and_back(policy: Policy) -> None:
    text = format_policy(policy)
    assert parse_policy(text) == policy
    assert format_policy(parse_policy(text)) == text


RULE = "name: x\nrules:\n  - name: a\n    action: "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Line 1, column 1: The policy is empty: it needs a name and rules."),
        ("name: [", "Line 1, column 8: This is no YAML: expected the node content, but found '<stream end>'."),
        ("- x", "Line 1, column 1: The policy is a mapping, with the keys name, registries, ask_again_above, rules."),
        ("name: x", "Line 1, column 1: The policy needs the key rules."),
        ("name: x\nrules: []", "Line 2, column 8: rules is a list of at least one rule."),
        (RULE + "delte", "Line 4, column 13: An action is one of keep, delete, delete untagged. Did you mean delete?"),
        (RULE + "keep\n    tag: v*", "Line 5, column 5: Rule 1 (action keep) has no key tag. Did you mean tags?"),
        (RULE + "keep\n    tags: v*\n    tags: w*", "Line 6, column 5: The key tags is there twice."),
        (
            "name: x\nregistries: null\nrules: [{name: a, action: delete untagged, older_than_days: 1}]",
            "Line 2, column 13: registries is a pattern such as app-*, or a list of patterns. One that begins with * "
            "stands in quotes.",
        ),
        (RULE + "keep\n    signed: 3", "Line 5, column 13: signed is true or false."),
        (RULE + "keep\n    newest: three", "Line 5, column 13: newest is a whole number from 0 to 1,000,000."),
        (RULE + "keep\n    newest: -1", "Line 5, column 13: newest is a whole number from 0 to 1,000,000."),
        (
            RULE + "delete\n    older_than_days: 1.5",
            "Line 5, column 22: older_than_days is a whole number from 0 to 36,500.",
        ),
        (
            RULE + "delete\n    at_most: 2\n    at_least: 3",
            "Line 5, column 14: It keeps at least 3 and at most 2.",
        ),
        (
            RULE + "delete",
            "Line 4, column 13: It deletes nothing: give at_most, older_than_days or not_pulled_for_days; to keep, "
            "the action is keep.",
        ),
        (
            RULE + "keep\n    tags: 'v[0-9]'",
            "Line 5, column 11: No tag has [ in its name: in a pattern * is any number of characters, ? any one.",
        ),
        (
            RULE + "keep\n    repositories: App",
            "Line 5, column 19: No repository has A in its name: in a pattern * is any number of characters, "
            "? any one.",
        ),
        (RULE + "keep\n    tags: []", "Line 5, column 11: tags is empty: without it, all are meant."),
        (
            RULE + "keep\n  - name: b\n    action: delete\n    at_most: 1",
            "Line 5, column 5: The rule b never matches: a before it matches all that it does.",
        ),
        (
            RULE + "keep\n    tags: v*\n  - name: a\n    action: keep",
            "Line 6, column 5: Two rules are called a: each needs a name of its own.",
        ),
        (RULE + "delete untagged\n    tags: v*", "Line 5, column 5: Rule 1 (action delete untagged) has no key tags. "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(PolicyTextError) as raised:
        parse_policy(text)
    assert str(raised.value.problems[0]).startswith(problem)
    assert len(raised.value.problems) == 1


def test_every_problem_is_named_in_order() -> None:
    with pytest.raises(PolicyTextError) as raised:
        parse_policy("nmae: x\nrules:\n  - action: keep\n    newest: x\n  - name: b")
    lines = [problem.line for problem in raised.value.problems]
    assert lines == sorted(lines)
    assert lines == [1, 1, 3, 4, 5]


@given(st.text(max_size=60) | st.text("[]{}:,- \n'\"&*!|>#%@`ab", max_size=40))
def test_any_text_is_a_policy_or_a_problem_with_a_place(text: str) -> None:
    try:
        parse_policy(text)
    except PolicyTextError as error:
        assert error.problems
        assert all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)


def test_a_bomb_of_aliases_and_a_huge_text_are_refused() -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"b{n}: [*a,*a,*a]\n" for n in range(9))
    for text in (bomb, "x" * (MOST_CHARACTERS + 1), "[" * 5000):
        with pytest.raises(PolicyTextError):
            parse_policy(text)


def test_patterns_are_limited_however_aliases_repeat_them() -> None:
    patterns = ",".join(f"p{number}" for number in range(101))
    rules = "".join(f"  - {{name: r{number}, action: keep, newest: 1, tags: *t}}\n" for number in range(4))
    text = f"name: x\nrules:\n  - {{name: r, action: keep, newest: 1, tags: &t [{patterns}]}}\n{rules}"
    with pytest.raises(PolicyTextError, match="at most 500 patterns in all"):
        parse_policy(text)
    assert parse_policy(text.removesuffix(rules.splitlines(keepends=True)[-1]))
    with pytest.raises(PolicyTextError, match="at most 256 characters"):
        parse_policy(f"{RULE}keep\n    tags: {'x' * 257}")


def test_a_text_with_very_many_problems_names_the_first() -> None:
    with pytest.raises(PolicyTextError) as raised:
        parse_policy("name: x\nrules:\n" + "".join(f"  - x{number}\n" for number in range(150)))
    assert len(raised.value.problems) == 100


def test_a_rule_that_deletes_everything_is_said() -> None:
    everything = Policy("x", (DeleteRule("all", at_most=0), UntaggedRule("now", older_than_days=0)))
    assert [warning.split(" deletes ")[0] for warning in policy_warnings(everything)] == [
        "The rule all",
        "The rule now",
    ]
    assert policy_warnings(Policy("x", (DeleteRule("all", at_least=1, at_most=1), UntaggedRule("week")))) == ()
    assert policy_warnings(Policy("x", (DeleteRule("all", older_than_days=0),)))
