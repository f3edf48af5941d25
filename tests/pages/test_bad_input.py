"""Whatever goes wrong, a view shows the error panel and the rest of the page lives."""

from dataclasses import replace

import pytest
from azure.core.exceptions import ClientAuthenticationError
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from tests.support.app_test import SHELL, Open, texts
from tests.support.own_sandbox import OwnSandbox
from ui.runtime import connection

NODE = {"registry": "casaacr01", "repository": "nodejstemplate"}


pytestmark = pytest.mark.usefixtures("own")


def shown(at: AppTest) -> str:
    assert not at.exception
    return texts(at).replace("\\", "")


def test_a_500_says_whose_fault_it_is_and_gives_the_request_id(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/acr/v1/nodejstemplate/_tags", "status": 500})
    at = open_view("repository.py", **NODE)
    words = shown(at)
    assert "Could not list the tags of nodejstemplate" in words
    assert "HTTP 500" in words
    assert "**3 manifests**" in words


def test_a_reset_connection(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/acr/v1/nodejstemplate/_tags", "reset": True})
    at = open_view("repository.py", **NODE)
    words = shown(at)
    assert "The connection was lost" in words
    assert "**3 manifests**" in words


def test_throttling_for_minutes_is_said_at_once(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/acr/v1/nodejstemplate/_tags", "status": 429, "retry_after": 600})
    assert "try again in 600 s" in shown(open_view("repository.py", **NODE))


def test_a_manifest_that_is_no_json(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/v2/nodejstemplate/manifests/.*", "status": 200, "body": "<html>sign in to the proxy</html>"})
    words = shown(open_view("image.py", **NODE, reference="v1.0.0"))
    assert "Could not read the manifest" in words
    assert "<html>" not in words


def test_a_certificate_that_is_not_trusted(open_view: Open, session: AzureSession) -> None:
    words = shown(
        open_view(
            as_session=AzureSession(session.credential, replace(session.endpoints, ca_file=None)),
        )
    )
    assert "certificate is not trusted" in words
    assert "ACR_CONSOLE_CA_FILE" in words


def test_no_credential_at_all(session: AzureSession) -> None:
    class Nobody:
        def get_token(self, *_scopes: str, **_more: object) -> None:
            raise ClientAuthenticationError("Nothing could sign in.\nA page of attempts follows.")

    connection.use(AzureSession(Nobody(), session.endpoints))  # type: ignore[arg-type]
    at = AppTest.from_file(SHELL, default_timeout=30).run()
    words = shown(at)
    assert at.title[0].value == "Not signed in"
    assert "Nothing could sign in." in words
    assert "az login" in words
    assert "A page of attempts" not in words


def test_a_repository_that_was_deleted_meanwhile(open_view: Open, session: AzureSession) -> None:
    at = open_view("repositories.py", registry="casaacr01")
    login_server = next(
        code.value for code in open_view("registry.py", registry="casaacr01").code if "localhost" in code.value
    )
    session.registry(login_server).sdk.delete_repository("nodejstemplate")
    at = open_view("repository.py", **NODE)
    words = shown(at)
    assert "Could not read the repository nodejstemplate" in words
    assert "refresh the list" in words


def test_a_registry_whose_usage_refuses_is_there_with_what_is_missing(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": ".*/registries/casaacr01/listUsages", "status": 403})
    at = open_view()
    assert list(at.dataframe[0].value["Name"]) == ["casaacr01"]
    assert at.dataframe[0].value["Stored"].isna().all()
    words = shown(open_view("registry.py", registry="casaacr01"))
    assert "Could not read the usage of casaacr01" in words
