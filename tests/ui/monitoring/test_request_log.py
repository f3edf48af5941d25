"""An entry a request, with nothing in it that only its caller may know."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket

from services.sign_in.store import SignIn
from ui.monitoring.request_log import RequestLog, shown_path
from ui.runtime.gate import Gate

SECRETS = ("C0DE", "ST4TE", "T1CKET", "C00KIE", "B34RER", "S3SSION")


async def answer(_request: Request) -> Response:
    return PlainTextResponse("x", headers={"Set-Cookie": "__Host-acr-console=C00KIE"})


async def fail(_request: Request) -> Response:
    raise ZeroDivisionError


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


ROUTES = [
    Route("/fail", fail),
    WebSocketRoute("/_stcore/stream", accept),
    WebSocketRoute("/refused", refuse),
    Route("/{path:path}", answer),
]


@pytest.fixture
def ask(caplog: pytest.LogCaptureFixture) -> Callable[..., tuple[list[logging.LogRecord], dict[str, str]]]:
    caplog.set_level(logging.INFO, "acr_console.requests")

    def asked(path: str, kind: str = "http", **headers: str) -> tuple[list[logging.LogRecord], dict[str, str]]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request" if kind == "http" else "websocket.connect"}

        location, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": kind, "method": "GET", "path": location, "query_string": query.encode(), "app": None,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        if kind == "websocket":
            del scope["method"]
        caplog.clear()
        app = RequestLog(Starlette(routes=ROUTES))
        with suppress(ZeroDivisionError):
            asyncio.run(app(scope, receive, send))
        start = next((one for one in sent if one["type"] == "http.response.start"), {"headers": []})
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return [one for one in caplog.records if one.name == "acr_console.requests"], found

    return asked


Ask = Callable[..., tuple[list[Any], dict[str, str]]]


def test_a_request_is_an_entry(ask: Ask) -> None:
    (entry,), headers = ask("/registry")
    assert (entry.method, entry.path, entry.status, entry.levelname) == ("GET", "/registry", 200, "INFO")
    assert isinstance(entry.ms, int) and 0 <= entry.ms < 60_000
    assert entry.request == headers["x-request-id"]
    assert len(entry.request) == 16


@pytest.mark.parametrize(
    ("given", "kept"), [("0a1b2c3d4e5f", True), ("short", False), ("x" * 65, False), ('{"forged": 1}\n', False)]
)
def test_the_id_of_the_proxy_is_kept_if_it_can_only_be_one(ask: Ask, given: str, kept: bool) -> None:
    (entry,), _ = ask("/", x_request_id=given)
    assert (entry.request == given) is kept


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/registry?registry=contoso", "/registry"),
        ("/auth/callback?code=C0DE&state=ST4TE", "/auth/callback"),
        ("/download/T1CKET", "/download/…"),
        ("/media/T1CKET.png", "/media/…"),
        ("/_stcore/upload_file/S3SSION/T1CKET", "/_stcore/upload_file/…"),
        ("/brand/fonts/plex-sans.woff2", "/brand/…"),
        ("/" + "x" * 900, "/" + "x" * 60),
    ],
)
def test_a_path_names_a_route_and_no_more(ask: Ask, path: str, shown: str) -> None:
    (entry,), _ = ask(path, cookie="__Host-acr-console=C00KIE", authorization="Bearer B34RER")
    assert entry.path == shown
    assert not [secret for secret in SECRETS if secret in f"{entry.getMessage()} {entry.__dict__}"]


def test_a_path_of_any_parts_is_shown() -> None:
    assert [shown_path(path) for path in ("", "//", "/auth", "/auth/")] == ["/", "//…", "/auth", "/auth/"]


def test_a_failure_is_an_error_and_goes_on(ask: Ask) -> None:
    (entry,), _ = ask("/fail")
    assert (entry.status, entry.levelname) == (500, "ERROR")


@pytest.mark.parametrize(("path", "status"), [("/_stcore/stream", 101), ("/refused", 403)])
def test_a_websocket_is_an_entry_when_it_ends(ask: Ask, path: str, status: int) -> None:
    (entry,), _ = ask(path, "websocket")
    assert (entry.method, entry.path, entry.status) == ("WEBSOCKET", path, status)


def test_a_probe_that_succeeds_is_no_entry(ask: Ask) -> None:
    assert [ask(path)[0] for path in ("/healthz", "/readyz")] == [[], []]


def test_an_entry_says_who_is_signed_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "acr_console.requests")
    when = datetime(2026, 1, 1, tzinfo=UTC)

    class SignIns:
        def find(self, cookie: str) -> SignIn | None:
            return SignIn("0123456789abcdef", "tenant/object", "me@example.com", when) if cookie else None

    async def run(app: ASGIApp, cookie: str) -> None:
        headers = [(b"cookie", f"__Host-acr-console={cookie}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
        await app(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        pass

    gate = Gate(
        Starlette(routes=ROUTES), sign_ins=SignIns, public_url="", check=timedelta(1), signed_out=lambda _account: None
    )
    for cookie in ("C00KIE", ""):
        asyncio.run(run(RequestLog(gate), cookie))
    known, stranger = (vars(one) for one in caplog.records if one.name == "acr_console.requests")
    assert (known["status"], known["account"], known["sign_in"]) == (200, "object", "01234567")
    assert (stranger["status"], "account" in stranger) == (401, False)
    assert "C00KIE" not in str(known)


def test_without_the_json_log_nothing_is_written(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "acr_console.requests")
    entries, headers = ask("/registry")
    assert (entries, "x-request-id" in headers) == ([], False)
