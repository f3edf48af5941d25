"""Scope maps, tokens and their passwords: what a client creates, changes and deletes, and what it is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.documents.registry_rules import SKUS
from sandbox.documents.scope_maps import TOKEN_TYPE, token
from tests.support.azure_clients import REGISTRY, Arm

READ = ["repositories/app/content/read"]


@pytest.fixture
def reader(running):
    with Arm(running.ready, "reader_client") as session:
        yield session


@pytest.fixture(autouse=True)
def clean(arm):
    """No test sees what another has made."""
    yield
    for collection in ("tokens", "scopeMaps"):
        for document in arm("GET", f"{REGISTRY}/{collection}").json()["value"]:
            if not document["name"].startswith("_"):
                arm("DELETE", document["id"])


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def make_map(arm, name="map01", actions=READ):
    return arm("PUT", f"{REGISTRY}/scopeMaps/{name}", {"properties": {"actions": actions}})


def make_token(arm, name="device01", scope_map="map01"):
    body = {"properties": {"scopeMapId": f"{REGISTRY}/scopeMaps/{scope_map}"}}
    return arm("PUT", f"{REGISTRY}/tokens/{name}", body)


def generate(arm, **more):
    """The passwords that are told, of device01."""
    body = {"tokenId": f"{REGISTRY}/tokens/device01", **more}
    answer = arm("POST", f"{REGISTRY}/generateCredentials", body)
    while answer.status_code == 202:
        answer = arm("GET", answer.headers["Location"])
    assert answer.json()["username"] == "device01"
    return answer.json()["passwords"]


def test_both_are_created_and_deleted_by_operations(arm):
    created = make_map(arm)
    assert created.json()["properties"]["provisioningState"] == "Creating"
    assert arm.poll(created) == ["Creating", "Succeeded"]
    assert arm.poll(make_token(arm)) == ["Creating", "Succeeded"]
    shown = arm("GET", f"{REGISTRY}/tokens/device01").json()["properties"]
    assert (shown["status"], shown["scopeMapId"]) == ("enabled", f"{REGISTRY}/scopeMaps/map01")
    usages = {usage["name"]: usage["currentValue"] for usage in arm("GET", f"{REGISTRY}/listUsages").json()["value"]}
    assert (usages["Tokens"], usages["ScopeMaps"]) == (1, 1)
    assert arm.poll(arm("DELETE", f"{REGISTRY}/tokens/device01")) == ["Deleting", 200]
    assert arm("DELETE", f"{REGISTRY}/tokens/device01").status_code == 204
    assert code(arm("GET", f"{REGISTRY}/tokens/device01")) == (404, "ResourceNotFound")


def test_every_registry_has_the_same_five_scope_maps(arm):
    found = arm("GET", f"{REGISTRY}/scopeMaps").json()["value"]
    assert {document["properties"]["type"] for document in found} == {"SystemDefined"}
    assert [document["name"] for document in found] == [
        "_repositories_admin",
        "_repositories_pull",
        "_repositories_pull_metadata_read",
        "_repositories_push",
        "_repositories_push_metadata_write",
    ]
    assert code(arm("DELETE", found[0]["id"])) == (400, "SystemScopeMap")
    assert code(arm("PATCH", found[0]["id"], {"properties": {"actions": READ}})) == (400, "SystemScopeMap")


@pytest.mark.parametrize(
    ("actions", "name", "expected"),
    [
        (READ, "map", "InvalidScopeMapName"),
        (READ, "_map01", "InvalidScopeMapName"),
        ([], "map01", "InvalidScopeMapActions"),
        (["repositories/app/content/pull"], "map01", "InvalidScopeMapActions"),
        (["repositories/app/metadata/delete"], "map01", "InvalidScopeMapActions"),
        ([f"repositories/app{number}/content/read" for number in range(501)], "map01", "InvalidScopeMapActions"),
    ],
)
def test_a_scope_map_that_is_none_is_refused(arm, actions, name, expected):
    assert code(make_map(arm, name, actions)) == (400, expected)


def test_a_token_needs_a_name_and_a_scope_map_that_is_there(arm):
    assert code(make_token(arm)) == (400, "ScopeMapNotFound")
    make_map(arm)
    assert code(make_token(arm, "a_device")) == (400, "InvalidTokenName")
    assert code(make_token(arm, "dev")) == (400, "InvalidTokenName")
    assert make_token(arm, "device01", "_repositories_pull").status_code == 201


def test_a_sku_has_so_many_and_no_more(arm, running):
    registry = running.store.get_resource(REGISTRY)
    for number in range(SKUS["Standard"].tokens):
        running.store.put_resource(token(registry, f"device{number:04}", "", running.state.stamp()))
    try:
        assert code(make_token(arm, "onemore", "_repositories_pull")) == (403, "QuotaExceeded")
    finally:
        for document in running.store.list_resources(TOKEN_TYPE, REGISTRY):
            running.store.delete_resource(document["id"])


def test_a_password_is_told_by_the_operation_alone(arm):
    make_map(arm)
    make_token(arm)
    made = generate(arm)
    assert [entry["name"] for entry in made] == ["password1", "password2"]
    values = {entry["value"] for entry in made}
    assert len(values) == 2
    shown = arm("GET", f"{REGISTRY}/tokens/device01")
    assert not any(value in shown.text for value in values)
    (again,) = generate(arm, name="password1")
    assert again["value"] not in values
    credentials = arm("GET", f"{REGISTRY}/tokens/device01").json()["properties"]["credentials"]
    assert [entry["name"] for entry in credentials["passwords"]] == ["password1", "password2"]


def test_a_password_ends_when_it_is_told_to(arm):
    make_map(arm)
    make_token(arm)
    end = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    (entry,) = generate(arm, name="password2", expiry=end)
    assert entry["expiry"] == end
    past = {"tokenId": f"{REGISTRY}/tokens/device01", "expiry": "2020-01-01T00:00:00Z"}
    assert code(arm("POST", f"{REGISTRY}/generateCredentials", past)) == (400, "InvalidExpiry")


def test_a_password_that_is_not_named_any_more_goes(arm, running):
    make_map(arm)
    make_token(arm)
    generate(arm)
    body = {"properties": {"credentials": {"passwords": [{"name": "password2"}]}}}
    shown = arm("PATCH", f"{REGISTRY}/tokens/device01", body).json()["properties"]
    assert [entry["name"] for entry in shown["credentials"]["passwords"]] == ["password2"]
    assert shown["scopeMapId"] == f"{REGISTRY}/scopeMaps/map01"
    document = running.store.get_resource(f"{REGISTRY}/tokens/device01")
    assert list(document["_sandbox"]["passwords"]) == ["password2"]


def test_a_reader_lists_tokens_and_makes_none(arm, reader):
    make_map(arm)
    make_token(arm)
    assert [document["name"] for document in reader("GET", f"{REGISTRY}/tokens").json()["value"]] == ["device01"]
    assert code(make_token(reader, "device02")) == (403, "AuthorizationFailed")
    body = {"tokenId": f"{REGISTRY}/tokens/device01"}
    assert code(reader("POST", f"{REGISTRY}/generateCredentials", body)) == (403, "AuthorizationFailed")
    assert code(arm("POST", f"{REGISTRY}/generateCredentials", {"tokenId": f"{REGISTRY}/tokens/none0"})) == (
        404,
        "TokenNotFound",
    )
