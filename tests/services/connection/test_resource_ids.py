"""Ids of Resource Manager: taken apart, and compared."""

from dataclasses import replace

import pytest

from services.connection.resource_ids import ResourceId, parse_id, same_id

REGISTRY = "/subscriptions/s1/resourceGroups/Hub-rg/providers/Microsoft.ContainerRegistry/registries/CasaAcr01"
AT = ResourceId("s1", "Hub-rg", "microsoft.containerregistry/registries", "CasaAcr01")


def test_an_id_is_taken_apart_in_any_case_and_its_names_keep_theirs() -> None:
    assert parse_id(REGISTRY) == AT
    assert parse_id(REGISTRY.replace("resourceGroups", "RESOURCEGROUPS")) == AT


def test_a_child_resource_is_where_its_registry_is() -> None:
    assert parse_id(f"{REGISTRY}/scopeMaps/_repositories_pull") == replace(AT, child="_repositories_pull")
    assert parse_id(f"{REGISTRY}/") == AT


@pytest.mark.parametrize(
    ("resource_id", "parts"),
    [
        ("/subscriptions/s1", ResourceId("s1")),
        ("/subscriptions/s1/resourceGroups/rg", ResourceId("s1", "rg")),
        ("/subscriptions/s1/providers/Microsoft.Web/sites/a", ResourceId("s1", "", "microsoft.web/sites", "a")),
        ("/providers/Microsoft.Management/managementGroups/top", ResourceId()),
        ("casaacr01", ResourceId()),
        ("", ResourceId()),
    ],
)
def test_what_an_id_lacks_is_empty(resource_id: str, parts: ResourceId) -> None:
    assert parse_id(resource_id) == parts


def test_ids_are_the_same_whatever_their_case() -> None:
    assert same_id(REGISTRY, REGISTRY.lower())
    assert not same_id(REGISTRY, f"{REGISTRY}2")
    assert not same_id("", REGISTRY)
