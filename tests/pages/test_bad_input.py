"""Whatever goes wrong, a view shows the error panel and the rest of the page lives."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport

from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from tests.pages.conftest import SHELL, AppTest, Open, texts
from ui.runtime import connection

Break = Callable[..., None]
NODE = {"registry": "casaacr01", "repository": "nodejstemplate"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once: what is tested is what the page says after the last."""
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)


@pytest.fixture
def session(tmp_path: Path, faults: Path) -> Iterator[AzureSession]:
    """A sandbox of this test's own, that can be broken."""
    with Sandbox.start(tmp_path / "sandbox", "walkthrough", faults=faults) as sandbox:
        yield connect_sandbox(sandbox.ready)


@pytest.fixture
def break_(faults: Path) -> Break:
    def broken(path: str, **fault: object) -> None:
        faults.write_text(json.dumps([{"method": "*", "path": path, **fault}]))

    return broken


def shown(at: AppTest) -> str:
    assert not at.exception
    return texts(at).replace("\\", "")


def test_a_500_says_whose_fault_it_is_and_gives_the_request_id(open_view: Open, break_: Break) -> None:
    break_("/acr/v1/nodejstemplate/_tags", status=500)
    at = open_view("repository.py", **NODE)
    words = shown(at)
    assert "Could not list the tags of nodejstemplate" in words
    assert "HTTP 500" in words
    assert at.metric[1].value == "3"


def test_a_reset_connection(open_view: Open, break_: Break) -> None:
    break_("/acr/v1/nodejstemplate/_tags", reset=True)
    at = open_view("repository.py", **NODE)
    assert "The connection was lost" in shown(at)
    assert at.metric[1].value == "3"


def test_throttling_for_minutes_is_said_at_once(open_view: Open, break_: Break) -> None:
    break_("/acr/v1/nodejstemplate/_tags", status=429, retry_after=600)
    assert "try again in 600 s" in shown(open_view("repository.py", **NODE))


def test_a_manifest_that_is_no_json(open_view: Open, break_: Break) -> None:
    break_("/v2/nodejstemplate/manifests/.*", status=200, body="<html>sign in to the proxy</html>")
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
    login_server = next(code for code in open_view("registry.py", registry="casaacr01").code).value
    session.registry(login_server).sdk.delete_repository("nodejstemplate")
    at = open_view("repository.py", **NODE)
    words = shown(at)
    assert "Could not read the repository nodejstemplate" in words
    assert "refresh the list" in words


def test_a_registry_whose_usage_refuses_is_there_with_what_is_missing(open_view: Open, break_: Break) -> None:
    break_(".*/registries/casaacr01/listUsages", status=403)
    at = open_view()
    assert list(at.dataframe[0].value["Name"]) == ["casaacr01"]
    assert at.dataframe[0].value["Used"].isna().all()
    words = shown(open_view("registry.py", registry="casaacr01"))
    assert "Could not read the usage of casaacr01" in words
