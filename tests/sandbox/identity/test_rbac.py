"""Who may do what: scopes, wildcards, groups, and what each role gives on a registry in either mode."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.identity.principals import principal
from sandbox.identity.rbac import (
    EVERYONE,
    Assignment,
    access_of,
    action_matches,
    allowed,
    registry_permissions,
    role_grants,
    scope_covers,
)
from sandbox.identity.roles import BUILT_IN_ROLES
from sandbox.seeds import seed
from sandbox.seeds.resources import ROLE_GUIDS, assignment, denial, group_id, registry
from sandbox.storage.store import Store

SUBSCRIPTION = "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f"
NOW = "2026-01-01T00:00:00.0000000Z"
ME = "11111111-1111-1111-1111-111111111111"
ALL = {"catalog", "pull", "push", "delete", "metadata_read", "metadata_write"}
READING = {"catalog", "pull", "metadata_read"}
SEES_DELETED = {"deleted_catalog", "deleted_read"}
RESTORES = SEES_DELETED | {"deleted_restore"}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    seed(store, "empty", datetime(2026, 1, 1, tzinfo=UTC))
    yield store
    store.close()


def a_registry(mode="LegacyRegistryPermissions"):
    group = group_id(SUBSCRIPTION.split("/")[2], "rg")
    return registry(group, "contosoone", "Premium", "eastus", NOW, {"roleAssignmentMode": mode})


@pytest.mark.parametrize(
    ("role", "legacy", "abac"),
    [
        ("AcrPull", READING, set()),
        ("AcrPush", READING | {"push"}, set()),
        ("AcrDelete", {"delete"}, set()),
        ("Owner", ALL | RESTORES, RESTORES),
        ("Contributor", ALL | RESTORES, RESTORES),
        ("Reader", READING | SEES_DELETED, SEES_DELETED),
        ("User Access Administrator", READING | SEES_DELETED, SEES_DELETED),
        ("Container Registry Repository Reader", set(), {"pull", "metadata_read"}),
        ("Container Registry Repository Writer", set(), {"pull", "metadata_read", "push", "metadata_write"}),
        ("Container Registry Repository Contributor", set(), ALL - {"catalog"}),
        ("Container Registry Repository Catalog Lister", set(), {"catalog"}),
        ("Container Registry Data Importer and Data Reader", READING, READING),
        ("Container Registry Configuration Reader and Data Access Configuration Reader", set(), set()),
    ],
)
def test_what_a_role_gives_on_a_registry(store, role, legacy, abac):
    for document, expected in ((a_registry(), legacy), (a_registry("AbacRepositoryPermissions"), abac)):
        store.put_resource(assignment(document["id"], role, ME, "User", NOW))
        assert registry_permissions(store, document, ME, "any/repository") == expected


def test_a_condition_opens_some_repositories_only(store):
    document = a_registry("AbacRepositoryPermissions")
    name = "Microsoft.ContainerRegistry/registries/repositories:name"
    condition = f"@Request[{name}] StringStartsWithIgnoreCase 'team/'"
    role = "Container Registry Repository Reader"
    store.put_resource(assignment(document["id"], role, ME, "User", NOW, condition=condition))
    assert registry_permissions(store, document, ME, "team/api") == {"pull", "metadata_read"}
    assert registry_permissions(store, document, ME, "other/api") == frozenset()
    assert registry_permissions(store, document, ME, None) == frozenset()


def test_roles_reach_down_and_through_groups_but_not_sideways(store):
    document = a_registry()
    store.put_resource(principal("33333333-0000-0000-0000-000000000000", "team", "group", members=[ME.upper()]))
    store.put_resource(
        assignment(SUBSCRIPTION + "/resourceGroups/RG", "AcrPull", "33333333-0000-0000-0000-000000000000", "Group", NOW)
    )
    assert registry_permissions(store, document, ME, "x") == READING
    other = {**document, "id": document["id"].replace("resourceGroups/rg", "resourceGroups/rg2")}
    assert registry_permissions(store, other, ME, "x") == frozenset()
    assert registry_permissions(store, document, "22222222-2222-2222-2222-222222222222", "x") == frozenset()


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("*", "Microsoft.X/y/read", True),
        ("*/read", "Microsoft.ContainerRegistry/registries/pull/read", True),
        ("*/read", "Microsoft.ContainerRegistry/registries/push/write", False),
        ("Microsoft.Authorization/*/Write", "microsoft.authorization/roleassignments/write", True),
        ("a.b/read", "aXb/read", False),
    ],
)
def test_wildcards_span_segments_and_ignore_case(pattern, action, matches):
    assert action_matches(pattern, action) is matches


def test_contributors_may_do_everything_but_assign_roles():
    contributor = BUILT_IN_ROLES[ROLE_GUIDS["Contributor"]]
    assert role_grants(contributor, "Microsoft.ContainerRegistry/registries/delete")
    assert not role_grants(contributor, "Microsoft.Authorization/roleAssignments/write")
    assert role_grants(contributor, "Microsoft.Authorization/roleAssignments/read")


segments = st.lists(st.text("abcXYZ-.", min_size=1, max_size=4), max_size=5)


@given(segments, segments)
def test_a_scope_covers_exactly_what_lies_below_it(above, below):
    scope = "/" + "/".join(above)
    assert scope_covers(scope, "/".join([scope.rstrip("/"), *below]).upper())
    if above:
        assert not scope_covers(scope, scope + "x")
        assert not scope_covers(scope + "/deeper", scope)


@given(st.sampled_from(sorted(BUILT_IN_ROLES)), st.sampled_from(["a/read", "a/write", "a/delete"]), segments)
def test_more_assignments_never_take_rights_away(role, action, path):
    scope = "/" + "/".join(path)
    reader = Assignment("/", ME, ROLE_GUIDS["Reader"])
    extra = Assignment(scope, ME, role)
    alone = allowed([reader], BUILT_IN_ROLES, {ME}, scope, action)
    assert allowed([reader, extra], BUILT_IN_ROLES, {ME}, scope, action) >= alone


def test_an_assignment_of_a_deleted_role_gives_nothing():
    assert not allowed([Assignment("/", ME, "gone")], BUILT_IN_ROLES, {ME}, "/", "a/read")


PULL = {"actions": ["Microsoft.ContainerRegistry/registries/pull/read"]}
TEAM = "33333333-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("scope", "changed", "left"),
    [
        ("registry", {}, set()),
        ("subscription", {}, set()),
        ("subscription", {"this_scope_only": True}, READING),
        ("registry", {"this_scope_only": True}, set()),
        ("registry", {"principals": [ME.upper()]}, set()),
        ("registry", {"principals": [TEAM]}, set()),
        ("registry", {"principals": ["22222222-2222-2222-2222-222222222222"]}, READING),
        ("registry", {"excluded": [ME]}, READING),
        ("registry", {"excluded": [TEAM]}, READING),
    ],
)
def test_a_denial_wins_over_roles_for_those_whom_it_names(store, scope, changed, left):
    document = a_registry()
    store.put_resource(principal(TEAM, "team", "group", members=[ME]))
    store.put_resource(assignment(document["id"], "AcrPull", ME, "User", NOW))
    where = document["id"] if scope == "registry" else SUBSCRIPTION
    store.put_resource(denial(where, "locked", PULL, **changed))
    assert registry_permissions(store, document, ME, "any/repository") == left


def test_a_denial_takes_only_what_its_block_says_and_only_on_its_plane(store):
    document = a_registry("AbacRepositoryPermissions")
    data = "Microsoft.ContainerRegistry/registries/repositories/"
    store.put_resource(assignment(document["id"], "Container Registry Repository Writer", ME, "User", NOW))
    store.put_resource(assignment(document["id"], "Owner", ME, "User", NOW))
    store.put_resource(denial(SUBSCRIPTION, "managed", {"actions": ["*"], "notActions": ["*/read"]}))
    allowed = {"pull", "metadata_read", "push", "metadata_write"}
    assert registry_permissions(store, document, ME, "x") == allowed | SEES_DELETED
    access = access_of(store, ME)
    assert access.allows(document["id"], "Microsoft.ContainerRegistry/registries/read")
    assert not access.allows(document["id"], "Microsoft.ContainerRegistry/registries/delete")
    store.put_resource(denial(document["id"], "frozen", {"dataActions": [data + "*/write"]}, [EVERYONE]))
    assert registry_permissions(store, document, ME, "x") == {"pull", "metadata_read"} | SEES_DELETED


@pytest.mark.parametrize("of", ["the block", "the whole"])
def test_a_denial_with_a_condition_closes_some_repositories_only(store, of):
    document = a_registry("AbacRepositoryPermissions")
    name = "Microsoft.ContainerRegistry/registries/repositories:name"
    store.put_resource(assignment(document["id"], "Container Registry Repository Reader", ME, "User", NOW))
    block = {"dataActions": ["Microsoft.ContainerRegistry/registries/repositories/content/read"]}
    condition = {"condition": f"@Request[{name}] StringStartsWithIgnoreCase 'secret/'"}
    secrets = denial(document["id"], "secrets", block | (condition if of == "the block" else {}))
    secrets["properties"] |= condition if of == "the whole" else {}
    store.put_resource(secrets)
    assert registry_permissions(store, document, ME, "secret/api") == {"metadata_read"}
    assert registry_permissions(store, document, ME, "open/api") == {"pull", "metadata_read"}
