"""Consoles that other machines could reach: whoever opens one sees why nothing can be changed there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from services.connection.write_permission import ALLOWED
from tests.support.console import console_process, settled, window
from tests.support.rewriting_proxy import rewriting_proxy
from ui.elements.write_permission import HEADER, as_header

pytestmark = pytest.mark.browser
IMAGE = "image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0"


def add_tag(page: Page, address: str) -> tuple[str, bool]:
    """The note on a page that offers changes, and whether its button is enabled."""
    page.goto(f"{address}/{IMAGE}")
    settled(page)
    button = page.get_by_role("button", name="Add tag")
    expect(button).to_be_visible(timeout=30_000)
    notes = page.get_by_test_id("stAlert").filter(has_text="Read-only").all_inner_texts()
    return " ".join(notes), button.is_enabled()


def test_on_this_machine_alone_changes_are_offered(browser: Browser, address: str) -> None:
    page = window(browser)
    assert add_tag(page, address) == ("", True)
    page.context.close()


@pytest.fixture(scope="module")
def open_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`uvicorn app:app --host 0.0.0.0`, whatever Streamlit's settings say."""
    with console_process(tmp_path_factory.mktemp("open"), uvicorn_host="0.0.0.0") as (address, _process):
        yield address


def test_a_console_that_listens_on_every_address_is_read_only(browser: Browser, open_console: str) -> None:
    page = window(browser)
    note, enabled = add_tag(page, open_console)
    assert "This console listens on 0.0.0.0: other machines can reach it" in note
    assert not enabled
    page.context.close()


@pytest.mark.parametrize(
    ("added", "reason"),
    [({}, "changes the Host header"), ({"X-Forwarded-For": "127.0.0.1"}, "A proxy is in front of this console")],
)
def test_behind_a_proxy_it_is_read_only(browser: Browser, address: str, added: dict[str, str], reason: str) -> None:
    with rewriting_proxy(address, added) as proxy:
        page = window(browser)
        note, enabled = add_tag(page, proxy)
        assert reason in note
        assert not enabled
        page.context.close()


def first_run(address: str, path: str, headers: dict[str, str]) -> bytes:
    """All that a raw websocket with these headers is sent while the page of `path` runs once."""
    where = urlsplit(address)
    own = f"http://localhost:{where.port}"
    with connect(
        f"ws://localhost:{where.port}/_stcore/stream",
        origin=Origin(own),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers=headers,
        max_size=None,
    ) as websocket:
        ask = BackMsg()
        name, _, query = path.partition("?")
        ask.rerun_script.query_string = query
        ask.rerun_script.page_name = name
        websocket.send(ask.SerializeToString())
        sent = b""
        while True:
            message = websocket.recv(timeout=30)
            assert isinstance(message, bytes)
            sent += message
            answer = ForwardMsg.FromString(message)
            if answer.WhichOneof("type") == "script_finished":
                return sent


def test_a_raw_websocket_cannot_forge_the_permission(address: str, open_console: str) -> None:
    allowed = as_header(ALLOWED).decode()
    forged = {HEADER: allowed, HEADER.replace("-", "_"): allowed}
    assert b"Read-only" not in first_run(address, IMAGE, {})
    assert b"Read-only. A proxy is in front" in plain_of(first_run(address, IMAGE, {"Via": "1.1 nginx", **forged}))
    assert b"Read-only. This console listens on" in plain_of(first_run(open_console, IMAGE, forged))


def plain_of(sent: bytes) -> bytes:
    """Without the backslashes that keep text from being markdown."""
    return sent.replace(b"\\", b"")
