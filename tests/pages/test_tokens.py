"""Tokens on their page: made for a repository, given a password that is seen once, disabled and removed."""

import pytest
from streamlit.testing.v1 import AppTest

from services.child_resources.scope_maps import Grant, Right, list_scope_maps
from services.child_resources.token_creation import apply_token, plan_token
from services.child_resources.tokens import Token, get_token, list_tokens
from services.jobs.audit import SHOWN, newest_entries
from tests.support.app_test import (
    REFUSED,
    Open,
    button,
    confirm_button,
    everything,
    facts,
    open_dialog,
    refresh_button,
    reopen,
    texts,
)
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.runtime.database import database

HERE = {"registry": REGISTRY}
NAME = "contoso-device"
GRANTS = (Grant(APP, (Right.PULL, Right.READ_METADATA)),)

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.push("v1")
    return own


def make(own: OwnSandbox, name: str = NAME) -> Token:
    session, registry = own.session(), own.registry()
    plan = plan_token(
        registry, list_tokens(session, registry).values, list_scope_maps(session, registry).values, name, GRANTS
    )
    assert apply_token(session, plan) == "created"
    return get_token(session, registry, name)


def names(own: OwnSandbox) -> list[str]:
    return [token.name for token in list_tokens(own.session(), own.registry()).values]


def own_maps(own: OwnSandbox) -> list[str]:
    return [found.name for found in list_scope_maps(own.session(), own.registry()).values if not found.system]


def said(at: AppTest) -> str:
    return "".join(str(success.value) for success in at.success).replace("\\", "")


def asked(at: AppTest, name: str, *repositories: str) -> AppTest:
    """The dialog of a new token, filled as a reader does."""
    for fill in (
        lambda: next(one for one in at.text_input if one.label == "Name").set_value(name),
        lambda: next(one for one in at.multiselect if one.label == "Repositories").set_value(list(repositories)),
    ):
        reopen(at, "Create token")
        at.run()
        reopen(at, "Create token")
        fill()
    reopen(at, "Create token")
    return at


def password_on(at: AppTest) -> str:
    """The password that the dialog shows."""
    return next(str(code.value) for code in at.code if " " not in str(code.value))


def test_no_tokens_says_so_and_the_registry_s_own_scope_maps_are_listed(open_view: Open) -> None:
    at = open_view("tokens.py", **HERE)
    assert "No tokens" in texts(at)
    assert "0 tokens of at most 500 in Standard" in texts(at)
    assert "_repositories_pull" in at.dataframe[0].value["Name"].tolist()
    assert set(at.dataframe[0].value["Kind"]) == {"System"}


def test_a_token_is_made_for_a_repository(open_view: Open, own: OwnSandbox) -> None:
    at = asked(open_view("tokens.py", **HERE), NAME, APP)
    at.run()
    assert not at.exception
    assert f"--repository {APP} content/read metadata/read" in texts(at)
    assert f"az acr token create --registry {REGISTRY} --name {NAME} --scope-map {NAME}-scope-map" in texts(at)
    assert names(own) == []
    at = asked(at, NAME, APP)
    confirm_button(at, "Create token").click().run()
    assert not at.exception
    assert f"Token {NAME}: created and verified" in said(at)
    assert (names(own), own_maps(own)) == ([NAME], [f"{NAME}-scope-map"])
    assert at.title[0].value.replace("\\", "") == NAME
    assert facts(at)["Permissions"].replace("\\", "") == f"{APP}: pull, list tags"
    assert "No password" in texts(at)


def test_what_is_in_the_way_is_said_and_the_button_is_off(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = asked(open_view("tokens.py", **HERE), NAME, "*")
    at.run()
    assert f"There is a token {NAME} already" in texts(at).replace("\\", "")
    assert "every repository of the registry" in "".join(str(one.value) for one in at.warning)
    assert confirm_button(at, "Create token").disabled


def test_a_password_is_shown_once_and_is_nowhere_after(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = open_view("tokens.py", **HERE, token=NAME)
    button(at, "Generate password").click().run()
    assert f"credential generate --registry {REGISTRY} --name {NAME} --password1 --expiration-in-days 30" in texts(at)
    reopen(at, "Generate password")
    confirm_button(at, "Generate password").click().run()
    assert not at.exception
    password = password_on(at)
    document = own.sandbox.store.get_resource(get_token(own.session(), own.registry(), NAME).id)
    assert document
    assert document["_sandbox"]["passwords"] == {"password1": password}
    assert password in everything(at)
    line = next(str(code.value) for code in at.code if "docker login" in str(code.value))
    assert line.endswith(f"--username {NAME} --password-stdin")
    assert password not in line
    at.run()
    assert not at.exception
    assert password not in everything(at)
    assert password not in str(dict(at.query_params))
    assert at.dataframe[0].value["Password"].tolist() == ["password1"]
    assert at.dataframe[0].value["Status"].tolist() == ["Valid"]
    (entry,) = newest_entries(database(), None, [SHOWN], 10)
    assert (entry.fields["action"], entry.fields["target"]) == ("Password", f"{REGISTRY}, token {NAME}")
    assert password not in entry.text


def test_the_next_password_is_the_other_one(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = open_view("tokens.py", **HERE, token=NAME)
    for _ in range(2):
        reopen(at, "Generate password")
        at.run()
        reopen(at, "Generate password")
        confirm_button(at, "Generate password").click().run()
        at.run()
    token = get_token(own.session(), own.registry(), NAME)
    assert [password.name for password in token.passwords] == ["password1", "password2"]


def test_a_token_is_disabled_and_removed_once_its_name_is_typed(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = open_view("tokens.py", **HERE, token=NAME)
    open_dialog(at, "Disable token")
    assert "az acr token update" in texts(at)
    reopen(at, "Disable token")
    confirm_button(at, "Disable token").click().run()
    assert ": changed and verified" in said(at)
    assert not get_token(own.session(), own.registry(), NAME).enabled
    open_dialog(at, "Delete token")
    assert f"its scope map {NAME}-scope-map, which no other token uses" in texts(at).replace("\\", "")
    assert confirm_button(at, "Delete token").disabled
    reopen(at, "Delete token")
    at.text_input(key=f"confirm {NAME}").set_value(NAME).run()
    reopen(at, "Delete token")
    at.text_input(key=f"confirm {NAME}").set_value(NAME)
    reopen(at, "Delete token")
    at.run()
    reopen(at, "Delete token")
    confirm_button(at, "Delete token").click().run()
    assert not at.exception
    assert f"Token {NAME}: deleted and verified. Its scope map {NAME}-scope-map: deleted and verified" in said(at)
    assert (names(own), own_maps(own)) == ([], [])


def test_a_scope_map_that_no_token_has_is_removed(open_view: Open, own: OwnSandbox) -> None:
    token = make(own)
    assert "Delete scope map" not in [one.label for one in open_view("tokens.py", **HERE).button]
    own.sandbox.store.delete_resource(token.id)
    at = open_view("tokens.py", **HERE)
    refresh_button(at).click().run()
    button(at, "Delete scope map").click().run()
    reopen(at, "Delete scope map")
    confirm_button(at, "Delete scope map").click().run()
    assert not at.exception
    assert own_maps(own) == []


def test_a_refusal_is_a_panel(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = open_view("tokens.py", own.session(as_reader=True), **HERE, token=NAME)
    reopen(at, "Generate password")
    at.run()
    reopen(at, "Generate password")
    confirm_button(at, "Generate password").click().run()
    assert not at.exception
    assert "Could not generate password1 of the token contoso-device" in texts(at).replace("\\", "")
    own.break_({"path": "/tokens$", "status": 403})
    at = open_view("tokens.py", **HERE)
    refresh_button(at).click().run()
    assert "Could not list the tokens of casaacr01" in texts(at)
    assert "No tokens" not in texts(at)


def test_a_console_that_listens_to_everyone_changes_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(own)
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert button(open_view("tokens.py", **HERE), "Create token").disabled
    at = open_view("tokens.py", **HERE, token=NAME)
    assert button(at, "Generate password").disabled
    assert at.menu_button[0].disabled


def test_the_search_finds_a_token_by_its_name_and_by_what_it_may(open_view: Open, own: OwnSandbox) -> None:
    make(own)
    at = open_view("tokens.py", **HERE)
    for search in ("DEVICE", APP):
        at.text_input(key="search").set_value(search).run()
        assert at.dataframe[0].value["Name"].tolist() == [NAME]
    at.text_input(key="search").set_value("team/web").run()
    assert "No token matches" in texts(at)
