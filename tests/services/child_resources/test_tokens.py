"""Tokens and scope maps: made, given a password, disabled and removed, on a sandbox that honours them."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.server import Sandbox
from services.child_resources.passwords import LOST, NewPassword, apply_password, plan_password, spare_name
from services.child_resources.scope_map_removal import (
    apply_scope_map_removal,
    plan_scope_map_removal,
    read_scope_map_removal_plan,
)
from services.child_resources.scope_maps import (
    MOST_ACTIONS,
    MOST_REPOSITORIES,
    Grant,
    Right,
    ScopeMap,
    actions_of,
    get_scope_map,
    grants_of,
    is_pattern,
    list_scope_maps,
    objections,
)
from services.child_resources.token_creation import TokenPlan, apply_token, plan_token, read_token_plan
from services.child_resources.token_removal import TokenRemovalPlan, apply_token_removal, plan_token_removal
from services.child_resources.tokens import (
    Password,
    Token,
    apply_token_status,
    get_token,
    list_tokens,
    plan_token_status,
)
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.registries.skus import LIMITS, Sku
from tests.support.canned import ARM, Answer, Canned
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.registry_clients import Registry as Client
from tests.support.registry_clients import claims_of
from tests.support.shell_lines import registry as a_registry
from tests.support.strategies import repository_names

NAME = "contosodevice"
PULL = (Grant(APP, (Right.PULL, Right.READ_METADATA)),)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.push("v1")
    own.push("v1", repository="team/web")
    return own


def plan(own: OwnSandbox, grants: tuple[Grant, ...] = PULL, name: str = NAME) -> TokenPlan:
    return read_token_plan(own.session(), own.registry(), name, grants)


def make(own: OwnSandbox, grants: tuple[Grant, ...] = PULL, name: str = NAME) -> Token:
    assert apply_token(own.session(), plan(own, grants, name)) == "created"
    return get_token(own.session(), own.registry(), name)


def password_of(own: OwnSandbox, token: Token, name: str = "password1", days: int | None = 30) -> NewPassword:
    now = own.sandbox.state.clock()
    return apply_password(own.session(), plan_password(own.registry(), token, name, days, now))


def set_status(own: OwnSandbox, token: Token, *, enabled: bool) -> Outcome:
    return apply_token_status(own.session(), plan_token_status(own.registry(), token, enabled=enabled))


def pulls(own: OwnSandbox, password: str, repository: str, name: str = NAME, tag: str = "v1") -> int:
    """The status that a client gets who pulls as the token does: asks for a token with Basic, then for the manifest."""
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
    with Client(own.sandbox.ready, REGISTRY) as client:
        answer = client.send("GET", "/oauth2/token", params={"scope": f"repository:{repository}:pull"}, headers=basic)
        if answer.status_code != 200:
            return answer.status_code
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return client.send("GET", f"/v2/{repository}/manifests/{tag}", headers=bearer).status_code


def own_maps(own: OwnSandbox) -> list[str]:
    return [found.name for found in list_scope_maps(own.session(), own.registry()).values if not found.system]


def removal(own: OwnSandbox, token: Token) -> TokenRemovalPlan:
    session, registry = own.session(), own.registry()
    return plan_token_removal(
        registry, list_tokens(session, registry).values, list_scope_maps(session, registry).values, token
    )


def test_a_token_pulls_its_repository_and_no_other_until_it_is_disabled(own: OwnSandbox) -> None:
    token = make(own)
    assert own_maps(own) == [f"{NAME}-scope-map"]
    password = password_of(own, token)
    assert pulls(own, password.value, APP) == 200
    assert pulls(own, password.value, "team/web") == 401
    assert pulls(own, "wrong", APP) == 401
    given = get_token(own.session(), own.registry(), NAME)
    assert set_status(own, given, enabled=False) == "changed"
    assert pulls(own, password.value, APP) == 401
    disabled = get_token(own.session(), own.registry(), NAME)
    assert (disabled.status, disabled.scope_map) == ("disabled", f"{NAME}-scope-map")
    assert set_status(own, disabled, enabled=True) == "changed"
    assert pulls(own, password.value, APP) == 200


def test_a_token_that_is_disabled_keeps_its_scope_map(wire: Canned, azure: AzureSession) -> None:
    """`az acr token update --help` says that without it, the token loses it."""
    registry = a_registry()
    url = f"{ARM}{registry.id}/tokens/{NAME}"
    properties = {"status": "enabled", "scopeMapId": f"{registry.id}/scopeMaps/map01", "provisioningState": "Succeeded"}
    there = {"id": f"{registry.id}/tokens/{NAME}", "name": NAME, "properties": properties}
    changed = {**there, "properties": {**properties, "status": "disabled"}}
    wire.on("GET", url, Answer(200, there), Answer(200, there), Answer(200, changed))
    wire.on("PATCH", url, Answer(200, changed))
    planned = plan_token_status(registry, get_token(azure, registry, NAME), enabled=False)
    assert apply_token_status(azure, planned) == "changed"
    (body,) = [json.loads(sent.body) for sent in wire.sent if sent.method == "PATCH"]
    assert body == {"properties": {"status": "disabled", "scopeMapId": f"{registry.id}/scopeMaps/map01"}}


def test_a_beginning_of_names_covers_the_repositories_that_begin_so(own: OwnSandbox) -> None:
    token = make(own, (Grant("team/*", (Right.PULL,)),))
    password = password_of(own, token)
    assert [pulls(own, password.value, name) for name in (APP, "team/web", "nodejstemplate")] == [200, 200, 401]


def test_each_right_lets_do_what_it_says_and_no_more(own: OwnSandbox) -> None:
    expected = {
        Right.PULL: ["pull"],
        Right.PUSH: ["push"],
        Right.DELETE: ["delete"],
        Right.READ_METADATA: ["metadata_read"],
        Right.WRITE_METADATA: ["metadata_write"],
    }
    grants = tuple(Grant(f"team/app{number}", (right,)) for number, right in enumerate(expected))
    password = password_of(own, make(own, grants))
    every = "pull,push,delete,metadata_read,metadata_write"
    for grant in grants:
        found = granted(own, password.value, f"repository:{grant.repository}:{every}")
        assert found == expected[grant.rights[0]]
    assert granted(own, password.value, f"repository:{APP}:{every}") == []
    assert granted(own, password.value, "registry:catalog:*") == []


def granted(own: OwnSandbox, password: str, scope: str) -> list[str]:
    basic = {"Authorization": "Basic " + base64.b64encode(f"{NAME}:{password}".encode()).decode()}
    with Client(own.sandbox.ready, REGISTRY) as client:
        answer = client.send("GET", "/oauth2/token", params={"scope": scope}, headers=basic)
    access = claims_of(answer.json()["access_token"])["access"]
    return [action for entry in access for action in entry["actions"]]


def test_a_password_is_told_once_and_listed_never(own: OwnSandbox) -> None:
    password = password_of(own, make(own))
    assert len(password.value) > 30
    assert password.value not in repr(password)
    assert (password.token, password.name) == (NAME, "password1")
    token = get_token(own.session(), own.registry(), NAME)
    assert [found.name for found in token.passwords] == ["password1"]
    assert token.passwords[0].expiry == password.expiry
    assert password.value not in repr(list_tokens(own.session(), own.registry()).values)


def test_a_new_password_ends_the_one_of_its_name_and_not_the_other(own: OwnSandbox) -> None:
    first = password_of(own, make(own))
    token = get_token(own.session(), own.registry(), NAME)
    second = password_of(own, token, "password2", None)
    assert second.expiry is None
    token = get_token(own.session(), own.registry(), NAME)
    third = password_of(own, token)
    assert [pulls(own, one.value, APP) for one in (first, second, third)] == [401, 200, 200]


def test_a_password_is_refused_after_its_end(tmp_path: Path) -> None:
    time = [datetime.now(UTC)]
    folder = tmp_path / "later"
    folder.mkdir()
    (folder / "faults.json").write_text("[]")
    with Sandbox.start(folder / "data", "walkthrough", clock=lambda: time[0]) as sandbox:
        own = OwnSandbox(sandbox, folder / "faults.json")
        own.push("v1")
        password = password_of(own, make(own), days=2)
        assert pulls(own, password.value, APP) == 200
        time[0] += timedelta(days=2, minutes=1)
        assert pulls(own, password.value, APP) == 401


def test_a_token_is_seen_by_another_client_and_the_other_way_round(own: OwnSandbox) -> None:
    make(own)
    assert [token.name for token in list_tokens(own.session(as_reader=True), own.registry()).values] == [NAME]
    usage = own.registry().usage("Tokens")
    assert usage
    assert (usage.current, usage.limit) == (1, 500)


def test_the_registry_s_own_scope_maps_are_told_apart(own: OwnSandbox) -> None:
    found = list_scope_maps(own.session(), own.registry()).values
    assert all(scope_map.system for scope_map in found)
    pull = next(scope_map for scope_map in found if scope_map.name == "_repositories_pull")
    assert pull.grants == (Grant("*", (Right.PULL,)),)
    planned = plan_scope_map_removal(own.registry(), pull, ())
    assert planned.blockers == ("_repositories_pull is the registry's own: it can't be deleted.",)


def test_a_scope_map_without_a_token_is_left_said_and_used_again(own: OwnSandbox) -> None:
    planned = plan(own)
    own.break_({"method": "PUT", "path": "/tokens/", "status": 403})
    with pytest.raises(ServiceError, match=f"The scope map {NAME}-scope-map is there, and is left"):
        apply_token(own.session(), planned)
    own.break_()
    assert own_maps(own) == [f"{NAME}-scope-map"]
    again = plan(own)
    assert (again.map_there, again.blockers) == (True, ())
    assert apply_token(own.session(), again) == "created"
    other = plan(own, (Grant(APP, (Right.DELETE,)),), "otherdevice")
    assert not other.map_there


def test_a_scope_map_of_its_name_that_allows_something_else_blocks(own: OwnSandbox) -> None:
    own.break_({"method": "PUT", "path": "/tokens/", "status": 403})
    with pytest.raises(ServiceError):
        apply_token(own.session(), plan(own))
    own.break_()
    more = plan(own, (Grant(APP, (Right.PULL, Right.PUSH)),))
    assert more.blockers == (f"There is a scope map {NAME}-scope-map already, and it allows something else.",)
    with pytest.raises(ServiceError) as raised:
        apply_token(own.session(), more)
    assert raised.value.code == "Refused"
    assert list_tokens(own.session(), own.registry()).values == ()


def test_no_token_is_made_with_a_scope_map_that_could_not_be_read_back(own: OwnSandbox) -> None:
    planned = plan(own)
    # The first look is the SDK's, at the end of the operation; the second is ours.
    own.break_({"method": "GET", "path": f"/scopeMaps/{NAME}-scope-map$", "status": 403, "every": 2})
    with pytest.raises(ServiceError) as raised:
        apply_token(own.session(), planned)
    assert raised.value.code == "NotConfirmed"
    assert "No token was created" in raised.value.cause
    own.break_()
    assert list_tokens(own.session(), own.registry()).values == ()


def test_answers_that_are_lost_after_the_deed_are_no_failures(own: OwnSandbox) -> None:
    planned = plan(own)
    own.break_({"method": "PUT", "path": "/(tokens|scopeMaps)/", "reset": True, "late": True})
    assert apply_token(own.session(), planned) == "created"
    token = get_token(own.session(), own.registry(), NAME)
    own.break_({"method": "DELETE", "path": "/(tokens|scopeMaps)/", "reset": True, "late": True})
    done = apply_token_removal(own.session(), removal(own, token))
    assert (done.token, done.scope_map) == ("deleted", "deleted")


def test_a_token_that_came_up_since_the_plan_is_not_written_over(own: OwnSandbox) -> None:
    late = plan(own, (Grant(APP, (Right.DELETE,)),))
    make(own)
    with pytest.raises(ServiceError, match=f"There is a token {NAME} already") as raised:
        apply_token(own.session(), late)
    assert raised.value.code == "ChangedMeanwhile"


def test_a_token_that_changed_is_given_no_password_and_is_not_removed(own: OwnSandbox) -> None:
    token = make(own)
    set_status(own, token, enabled=False)
    changes = (
        lambda: password_of(own, token),
        lambda: apply_token_removal(own.session(), removal(own, token)),
        lambda: set_status(own, token, enabled=False),
    )
    for change in changes:
        with pytest.raises(ServiceError, match="has changed since it was shown"):
            change()
    (left,) = list_tokens(own.session(), own.registry()).values
    assert left.passwords == ()


def test_a_password_whose_answer_is_lost_is_said_to_be_lost(own: OwnSandbox) -> None:
    token = make(own)
    own.break_({"method": "POST", "path": "/generateCredentials$", "reset": True, "late": True})
    with pytest.raises(ServiceError) as raised:
        password_of(own, token)
    assert raised.value.remedy == LOST
    own.break_({"method": "GET", "path": "/operationResults/", "status": 403})
    with pytest.raises(ServiceError) as raised:
        password_of(own, get_token(own.session(), own.registry(), NAME))
    assert (raised.value.status, raised.value.remedy) == (403, LOST)
    own.break_({"method": "POST", "path": "/generateCredentials$", "status": 403})
    with pytest.raises(ServiceError) as raised:
        password_of(own, get_token(own.session(), own.registry(), NAME))
    assert raised.value.remedy != LOST


def test_a_reader_makes_no_token_and_no_password(own: OwnSandbox) -> None:
    session = own.session(as_reader=True)
    with pytest.raises(ServiceError) as raised:
        apply_token(session, plan(own))
    assert (raised.value.status, raised.value.code) == (403, "AuthorizationFailed")
    token = make(own)
    with pytest.raises(ServiceError) as raised:
        apply_password(session, plan_password(own.registry(), token, "password1", 1, own.sandbox.state.clock()))
    assert "generateCredentials/action" in raised.value.cause
    assert own_maps(own) == [f"{NAME}-scope-map"]


def test_a_token_goes_with_its_scope_map_where_no_other_has_it(own: OwnSandbox) -> None:
    token = make(own)
    password = password_of(own, token)
    token = get_token(own.session(), own.registry(), NAME)
    states: list[str] = []
    done = apply_token_removal(own.session(), removal(own, token), states.append)
    assert (done.token, done.scope_map, done.map_error) == ("deleted", "deleted", None)
    assert states == ["checking again", "deleting the token", "deleting the scope map"]
    assert (list_tokens(own.session(), own.registry()).values, own_maps(own)) == ((), [])
    assert pulls(own, password.value, APP) == 401
    assert apply_token_removal(own.session(), removal(own, token)).token == "already done"


def share(own: OwnSandbox, token: Token) -> Token:
    """Another token with the same scope map, made by somebody else."""
    document = own.sandbox.store.get_resource(token.id)
    assert document
    other = {**document, "id": token.id.replace(NAME, "otherdevice"), "name": "otherdevice"}
    own.sandbox.store.put_resource(other)
    return get_token(own.session(), own.registry(), "otherdevice")


def test_a_scope_map_that_another_token_has_stays(own: OwnSandbox) -> None:
    token = make(own)
    planned_alone = removal(own, token)
    share(own, token)
    assert removal(own, token).scope_map is None
    done = apply_token_removal(own.session(), planned_alone)
    assert (done.token, done.scope_map) == ("deleted", None)
    assert done.map_error
    assert "otherdevice" in done.map_error.cause
    assert own_maps(own) == [f"{NAME}-scope-map"]


def test_one_of_the_registry_s_own_scope_maps_stays_and_a_connected_registry_s_is_said() -> None:
    token = Token("/t", NAME, "enabled", "/maps/m", None, "Succeeded", ())
    system = ScopeMap("/maps/m", "_repositories_pull", "", True, (), (), None)
    planned = plan_token_removal(a_registry(), (token,), (system,), token)
    assert (planned.scope_map, len(planned.warnings)) == (None, 1)
    sync = ScopeMap("/maps/m", "edge-sync", "", False, (), ("gateway/edge/message/read",), None)
    planned = plan_token_removal(a_registry(), (token,), (sync,), token)
    assert planned.scope_map == sync
    assert "that may sync with this token" in planned.warnings[1]


def test_a_scope_map_that_could_not_be_removed_is_told_beside_the_token_that_was(own: OwnSandbox) -> None:
    token = make(own)
    planned = removal(own, token)
    own.break_({"method": "DELETE", "path": "/scopeMaps/", "status": 409})
    done = apply_token_removal(own.session(), planned)
    assert (done.token, done.scope_map) == ("deleted", None)
    assert done.map_error
    own.break_()
    (left,) = [found for found in list_scope_maps(own.session(), own.registry()).values if not found.system]
    planned_map = read_scope_map_removal_plan(own.session(), own.registry(), left)
    assert apply_scope_map_removal(own.session(), planned_map) == "deleted"
    assert own_maps(own) == []


def test_a_scope_map_in_use_or_changed_is_left(own: OwnSandbox) -> None:
    token = make(own)
    registry = own.registry()
    found = get_scope_map(own.session(), registry, f"{NAME}-scope-map")
    used = read_scope_map_removal_plan(own.session(), registry, found)
    with pytest.raises(ServiceError, match=f"could do nothing any more: {NAME}") as raised:
        apply_scope_map_removal(own.session(), used)
    assert raised.value.code == "Refused"
    before = plan_scope_map_removal(registry, found, ())
    with pytest.raises(ServiceError, match=f"could do nothing any more: {NAME}") as raised:
        apply_scope_map_removal(own.session(), before)
    assert raised.value.code == "ChangedMeanwhile"
    other = plan_scope_map_removal(registry, replace(found, grants=()), (token,), deleted_token=NAME)
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        apply_scope_map_removal(own.session(), other)
    assert own_maps(own) == [f"{NAME}-scope-map"]


@pytest.mark.parametrize(
    ("name", "grants", "blocker"),
    [
        ("dev", PULL, "5 to 40 letters, digits or dashes"),
        ("a_device", PULL, "5 to 40 letters, digits or dashes"),
        ("d" * 41, PULL, "5 to 40 letters, digits or dashes"),
        ("CONTOSODEVICE", PULL, "There is a token CONTOSODEVICE already."),
        ("device1", (), "Choose a repository."),
        ("device1", (Grant(APP, ()),), "Choose a right."),
        ("device1", (Grant("Team/App", (Right.PULL,)),), "Team/App is no name for a repository"),
        ("device1", (Grant("team*", (Right.PULL,)),), "team* is no name for a repository"),
        ("device1", (Grant("a/../b", (Right.PULL,)),), "a/../b is no name for a repository"),
    ],
)
def test_what_azure_would_not_take_is_said_before(name: str, grants: tuple[Grant, ...], blocker: str) -> None:
    there = Token("/t", NAME, "enabled", "", None, "Succeeded", ())
    (found,) = plan_token(a_registry(), (there,), (), name, grants).blockers
    assert blocker in found


@pytest.mark.parametrize("sku", list(Sku))
def test_a_sku_s_number_of_tokens_and_scope_maps_is_kept(sku: Sku) -> None:
    most = LIMITS[sku].tokens
    tokens = (Token("/t", "t", "enabled", "", None, "Succeeded", ()),) * most
    maps = (ScopeMap("/m", "m", "", False, (), (), None),) * most
    system = (ScopeMap("/s", "_repositories_pull", "", True, (), (), None),) * most
    registry = a_registry(sku=sku.value)
    assert plan_token(registry, tokens[1:], (*maps[1:], *system), NAME, PULL).blockers == ()
    assert plan_token(registry, tokens, maps, NAME, PULL).blockers == (
        f"{sku} has at most {most:,} tokens, and there are {most:,}.",
        f"{sku} has at most {most:,} scope maps, and there are {most:,}.",
    )
    assert plan_token(a_registry(sku="Classic"), (), (), NAME, PULL).blockers == ("A Classic registry has no tokens.",)


def test_a_scope_map_s_sizes_are_kept() -> None:
    many = tuple(Grant(f"app{number}", (Right.PULL,)) for number in range(MOST_REPOSITORIES + 1))
    assert objections(many[1:]) == []
    assert objections(many) == ["A scope map has at most 500 repositories: 501 are chosen."]
    wide = tuple(Grant(f"app{number}", (Right.PULL, Right.PUSH)) for number in range(MOST_ACTIONS // 2 + 1))
    assert objections(wide[1:]) == []
    assert "at most 500 actions: the rights in these repositories are 502" in objections(wide)[0]


@pytest.mark.parametrize(
    ("grants", "warning"),
    [
        ((Grant("*", (Right.PULL,)),), "* is every repository of the registry"),
        ((Grant("team/*", (Right.PULL,)),), "team/*: every repository that begins so"),
        ((Grant(APP, (Right.PUSH,)),), "A push needs pull as well"),
        ((Grant(APP, (Right.DELETE,)),), "may delete images"),
        ((Grant(APP, (Right.WRITE_METADATA,)),), "includes taking them off"),
    ],
)
def test_what_is_wide_is_said_before(grants: tuple[Grant, ...], warning: str) -> None:
    (found,) = plan_token(a_registry(), (), (), NAME, grants).warnings
    assert warning in found
    failed = plan_token(a_registry(provisioning_state="Failed"), (), (), NAME, grants)
    assert failed.blockers == ()
    assert failed.warnings == ("The last operation did not succeed (state: Failed).", found)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ((), "password1"),
        ((Password("password1", NOW, None),), "password2"),
        ((Password("password2", NOW, None),), "password1"),
        ((Password("password1", NOW, None), Password("password2", NOW - timedelta(days=1), None)), "password2"),
        (
            (Password("password1", NOW, NOW - timedelta(hours=1)), Password("password2", NOW - timedelta(9), None)),
            "password1",
        ),
    ],
)
def test_the_password_in_use_goes_on_where_it_can(there: tuple[Password, ...], name: str) -> None:
    assert spare_name(Token("/t", NAME, "enabled", "", None, "Succeeded", there), NOW) == name


def test_what_a_new_password_does_is_said_before() -> None:
    used = Token("/t", NAME, "disabled", "", None, "Succeeded", (Password("password1", NOW, None),))
    planned = plan_password(a_registry(), used, "password1", None, NOW)
    assert planned.expiry is None
    assert len(planned.warnings) == 3
    assert plan_password(a_registry(), used, "password2", 30, NOW).expiry == NOW + timedelta(days=30)
    over = replace(used, status="enabled", passwords=(Password("password1", NOW, NOW),))
    assert plan_password(a_registry(), over, "password1", 30, NOW).warnings == ()


some_rights = st.sets(st.sampled_from(Right), min_size=1).map(lambda found: tuple(r for r in Right if r in found))


@given(st.dictionaries(repository_names | st.just("*") | repository_names.map("{}/*".format), some_rights, max_size=9))
def test_actions_are_written_and_read_the_same(rights: dict[str, tuple[Right, ...]]) -> None:
    grants = tuple(Grant(name, rights[name]) for name in sorted(rights))
    gateway = "gateway/edge/message/read"
    assert grants_of((*actions_of(grants), gateway)) == (grants, (gateway,))
    assert all(is_pattern(grant.repository) for grant in grants)


@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=3), some_rights)
def test_nothing_that_is_typed_is_more_than_refused(
    name: str, repositories: list[str], rights: tuple[Right, ...]
) -> None:
    grants = tuple(Grant(repository, rights) for repository in dict.fromkeys(repositories))
    planned = plan_token(a_registry(), (), (), name, grants)
    if not planned.blockers:
        assert 5 <= len(name) <= 40
        assert len(planned.scope_map) <= 50
        assert grants_of(actions_of(grants)) == (tuple(sorted(grants, key=lambda grant: grant.repository)), ())


def test_what_is_not_given_yet_stands_in_capitals_in_the_lines() -> None:
    planned = plan_token(a_registry(), (), (), "", ())
    assert planned.commands[0].startswith(
        "az acr scope-map create --registry contosoacr --name NAME-scope-map --repository REPOSITORY"
    )
    assert planned.commands[1].startswith("az acr token create --registry contosoacr --name NAME --scope-map NAME-")
