"""The soft delete policy: read where the API has it, unknown with a reason where not, and what it means for bytes."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents.registry_rules import REGISTRY_TYPE
from services.images.repositories import repository_names
from services.registries.registry import SoftDelete
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox, keep_deleted


def test_it_is_read_by_the_preview_of_the_api_alone(own: OwnSandbox) -> None:
    assert own.registry().soft_delete == SoftDelete(0, "")
    keep_deleted(own, 30)
    assert own.registry().soft_delete == SoftDelete(30, "")
    policies = own.session().registries(own.registry().subscription_id).registries
    stable = policies.get(own.registry().resource_group, REGISTRY)
    assert stable.properties and stable.properties.policies
    assert "softDeletePolicy" not in stable.properties.policies


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 400}, {"reset": True}])
def test_where_it_can_not_be_read_it_is_unknown_and_the_rest_is_there(own: OwnSandbox, answer: dict[str, Any]) -> None:
    resource_id = own.registry().id
    own.break_({"path": f"/registries/{REGISTRY}$", "query": "preview", **answer})
    found = own.registry()
    assert found.id == resource_id and found.usages is not None
    assert found.soft_delete.days is None
    assert found.soft_delete.unread and "unknown" in found.soft_delete.notice


@pytest.mark.parametrize("policies", [{}, {"softDeletePolicy": None}, {"softDeletePolicy": {"status": "enabled"}}])
def test_an_answer_without_the_policy_is_not_taken_for_off(own: OwnSandbox, policies: dict[str, Any]) -> None:
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert document
    document["properties"]["policies"] = policies
    own.sandbox.store.put_resource(document)
    assert own.registry().soft_delete.days is None


@given(st.one_of(st.none(), st.integers(0, 90)))
def test_only_off_has_nothing_to_say(days: int | None) -> None:
    policy = SoftDelete(days)
    assert bool(policy.notice) is (days != 0)
    assert ("until it expires" in policy.notice) is (days != 0)
    assert policy.label == ("Unknown" if days is None else "Off" if not days else f"On, {days} day{'s' * (days != 1)}")


def test_what_is_deleted_stays_billed_until_it_expires(own: OwnSandbox) -> None:
    """By the sandbox: what a deletion frees without the policy, it frees with it only once that has expired."""
    keep_deleted(own, 7)
    digest, _ = own.push("v1")
    before = own.registry().stored_bytes
    own.client.send("DELETE", f"/v2/{APP}/manifests/{digest}")
    assert APP not in [name for page in repository_names(own.client) for name in page]
    assert own.registry().stored_bytes == before
    clock = own.sandbox.state.clock
    own.sandbox.state.clock = lambda: clock() + timedelta(days=8)
    after = own.registry().stored_bytes
    assert before is not None and after is not None and after < before
