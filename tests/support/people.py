"""People who sign in to a console: in a browser, and as a program that speaks Streamlit's protocol."""

from contextlib import suppress
from typing import Protocol

from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.support.console import cells, settled, window
from ui.runtime.gate import COOKIE

ENGINEER, DEVELOPER, AUDITOR = "Platform administrator", "Payments developer", "Registry auditor"


class Hosted(Protocol):
    """A console that people sign in to, by its public address."""

    @property
    def address(self) -> str: ...


def signed_in(browser: Browser, team: Hosted, who: str, path: str = "/", at: str = "") -> Page:
    """`at`: the address that is opened, where it is not the public one."""
    page = window(browser)
    page.goto(f"{(at or team.address)}{path}")
    page.get_by_role("button", name=who).click()
    settled(page)
    return page


def open_identity(page: Page) -> None:
    page.get_by_test_id("stSidebar").get_by_test_id("stPopover").last.get_by_role("button").click()


def cookie_of(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)


def registries(page: Page, number: str) -> list[str]:
    """The names, once all of that number are shown."""
    expect(page.get_by_text(f"{number} shown")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=30_000)
    settled(page)
    return [row[0] for row in cells(page)[1:]]


def said_on_websocket(
    team: Hosted, headers: dict[str, str], session: str = "", origin: str = ""
) -> tuple[str, int | None]:
    """All that a client without a browser is told on a run of the first page, and the code it is closed with.

    `origin`: of the page that opens it, where it is not the console's.
    """
    told: list[str] = []
    protocols = [Subprotocol(name) for name in ("streamlit", "x", *([session] if session else []))]
    url = team.address.replace("http", "ws", 1)
    with connect(
        f"{url}/_stcore/stream", origin=Origin(origin or team.address), additional_headers=headers,
        subprotocols=protocols, max_size=None,
    ) as socket:  # fmt: skip
        message = BackMsg()
        message.rerun_script.query_string = ""
        with suppress(ConnectionClosed):
            socket.send(message.SerializeToString())
        try:
            while True:
                data = socket.recv(timeout=20)
                assert isinstance(data, bytes)
                heard = ForwardMsg.FromString(data)
                told.append(str(heard))
                if heard.WhichOneof("type") == "script_finished":
                    return "\n".join(told), None
        except ConnectionClosed as end:
            return "\n".join(told), end.rcvd.code if end.rcvd else None
