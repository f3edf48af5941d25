"""Chosen repositories as a condition: in the form of Microsoft's template, and as the console reads it."""

import pytest

from services.access.conditions import holds, parse_condition
from services.access.repository_scope import ALL, RepositoryChoice, choice_from, condition_for

READ = "Microsoft.ContainerRegistry/registries/repositories/content/read"
METADATA = "Microsoft.ContainerRegistry/registries/repositories/metadata/read"
NAME = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"


def test_the_condition_is_that_of_the_template() -> None:
    """https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions"""
    others = f"!(ActionMatches{{'{READ}'}}) AND !(ActionMatches{{'{METADATA}'}})"
    assert condition_for(RepositoryChoice(("hello-world",))) == (
        f"(({others}) OR ({NAME} StringEqualsIgnoreCase 'hello-world'))"
    )
    assert condition_for(RepositoryChoice((), ("backend/",))) == (
        f"(({others}) OR ({NAME} StringStartsWithIgnoreCase 'backend/'))"
    )
    assert condition_for(ALL) == ""


@pytest.mark.parametrize(
    ("repository", "allowed"),
    [("team/app", True), ("Team/App", True), ("backend/api", True), ("backend-secrets", False), ("team/apps", False)],
)
def test_it_allows_the_chosen_ones_and_no_other(repository: str, allowed: bool) -> None:
    condition = parse_condition(condition_for(choice_from("team/app, backend/")))
    assert holds(condition, READ, repository) is allowed
    assert holds(condition, "Microsoft.ContainerRegistry/registries/catalog/read", repository) is True
