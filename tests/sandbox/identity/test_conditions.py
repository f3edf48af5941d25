"""ABAC conditions: the forms that the portal writes, and how they combine."""

import pytest

from sandbox.identity.conditions import ConditionError, condition_holds, parse
from sandbox.identity.rbac import REPOSITORY_NAME

READ = "Microsoft.ContainerRegistry/registries/repositories/content/read"
WRITE = "Microsoft.ContainerRegistry/registries/repositories/content/write"
ONE = f"((!(ActionMatches{{'{READ}'}})) OR (@Request[{REPOSITORY_NAME}] StringEqualsIgnoreCase 'hello-world'))"
PREFIX = f"((!(ActionMatches{{'{READ}'}})) OR (@Request[{REPOSITORY_NAME}] StringStartsWithIgnoreCase 'backend/'))"


@pytest.mark.parametrize(
    ("condition", "repository", "holds"),
    [
        (ONE, "hello-world", True),
        (ONE, "Hello-World", True),
        (ONE, "hello-world2", False),
        (PREFIX, "backend/api", True),
        (PREFIX, "backend", False),
        (PREFIX, "backend2/api", False),
        (None, "anything", True),
        ("", "anything", True),
    ],
)
def test_a_condition_limits_the_repositories_of_an_action(condition, repository, holds):
    assert condition_holds(condition, READ, {REPOSITORY_NAME: repository}) is holds


def test_a_condition_says_nothing_about_actions_it_does_not_name():
    assert condition_holds(ONE, WRITE, {REPOSITORY_NAME: "other"})


def test_without_a_repository_a_condition_on_its_name_fails():
    assert not condition_holds(ONE, READ, {})


def test_conditions_combine():
    either = f"{ONE} AND {ONE} OR {PREFIX}"
    assert condition_holds(either, READ, {REPOSITORY_NAME: "backend/x"})
    assert condition_holds(either, READ, {REPOSITORY_NAME: "hello-world"})
    assert not condition_holds(either, READ, {REPOSITORY_NAME: "x"})
    assert condition_holds("!ActionMatches{'a/*/read'} && !(ActionMatches{'x'})", "a/b/write", {})
    assert not condition_holds("!ActionMatches{'a/*/read'}", "a/b/read", {})


@pytest.mark.parametrize(
    "text", ["(", "()", "@Request[x] StringLike 'a'", "ActionMatches{'a'})", "ActionMatches{'a'} OR", "true"]
)
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(ConditionError):
        parse(text)
