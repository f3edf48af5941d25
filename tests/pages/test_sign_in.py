"""How to sign in with each tool, and what the present identity may do, by the registry's answer."""

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.registries.sign_in import Tool
from tests.support.app_test import Open, button, texts
from tests.support.own_sandbox import OwnSandbox


def checked(at: AppTest) -> dict[str, tuple[str, str]]:
    """What the table says after the button: by thing to do, the verdict and the registry's answer."""
    button(at, "Check my permissions").click()
    at.run()
    assert not at.exception
    table = at.dataframe[0].value
    return {row["Action"]: (row["Allowed"], row["Registry's answer"]) for _, row in table.iterrows()}


@pytest.mark.parametrize("tool", Tool)
def test_each_tool_has_its_lines_with_the_login_server_of_azure(open_view: Open, own: OwnSandbox, tool: Tool) -> None:
    at = open_view("sign_in.py", as_session=own.session(), registry="casaacr01", tool=str(tool))
    assert not at.exception
    shown = texts(at)
    assert own.registry().login_server in shown
    assert "**Expires:**" in shown
    assert "casaacr01.azurecr.io" not in shown


def test_the_console_s_identity_may_do_all_on_a_legacy_registry(open_view: Open, own: OwnSandbox) -> None:
    found = checked(open_view("sign_in.py", as_session=own.session(), registry="casaacr01"))
    assert {verdict for verdict, _ in found.values()} == {"✓ yes"}


def test_a_reader_pulls_and_does_not_push(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("sign_in.py", as_session=own.session(as_reader=True), registry="casaacr01")
    found = checked(at)
    assert found["pull"] == ("✓ yes", "granted metadata_read, pull")
    assert found["push"] == ("✗ no", "granted nothing of it")
    assert "eyJ" not in texts(at) + at.dataframe[0].value.to_string()


def test_in_abac_mode_a_repository_has_to_be_named(open_view: Open, session: AzureSession) -> None:
    at = open_view("sign_in.py", as_session=session, registry="contosopayments")
    found = checked(at)
    assert found["sign in"][0] == "✓ yes"
    assert found["pull"][0] == "? unknown"
    assert "name one" in found["pull"][1]


def test_a_network_that_refuses_is_no_missing_right(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosoclosed", publicNetworkAccess="Disabled")
    at = open_view("sign_in.py", as_session=own.session(), registry="contosoclosed")
    found = checked(at)
    assert {verdict for verdict, _ in found.values()} == {"? unknown"}
    assert "network rules refuse this address" in found["sign in"][1]
    assert "network rules refuse" in texts(at)


def test_what_is_no_repository_s_name_is_a_panel(open_view: Open, own: OwnSandbox) -> None:
    hostile = {"tool": "GitHub Actions", "repository": "${{ secrets.X }}"}
    at = open_view("sign_in.py", as_session=own.session(), registry="casaacr01", **hostile)
    assert not at.exception
    assert "That is no name for a repository" in texts(at)
    assert not [code for code in at.code if "docker" in str(code.value)]
    button(at, "Check my permissions").click()
    at.run()
    assert not at.exception and not at.dataframe
