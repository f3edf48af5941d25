"""An ASGI application asked without a server."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        """Its value, "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, by name, with their attributes."""
        lines = [value for key, value in self.headers if key == "set-cookie"]
        return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


def scope_of(kind: str, target: str, headers: Iterable[tuple[str, str]], method: str = "GET") -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": kind,
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
        "client": ("127.0.0.1", 50000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "subprotocols": ["streamlit"],
    }


def ask(app: ASGIApp, target: str, headers: Pairs = (), method: str = "GET") -> Answer:
    """One HTTP request."""

    async def run() -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await app(scope_of("http", target, headers, method), receive, send)
        start = next(one for one in sent if one["type"] == "http.response.start")
        found = [(key.decode(), value.decode("latin-1")) for key, value in start["headers"]]
        body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
        return Answer(start["status"], found, body.decode())

    return asyncio.run(run())


@dataclass
class Websocket:
    """One websocket from the side of its client: `say` sends, `sent` is all that came."""

    app: ASGIApp
    headers: Pairs = ()
    sent: list[Message] = field(default_factory=list)

    async def __aenter__(self) -> "Websocket":
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._news = asyncio.Event()
        self._inbox.put_nowait({"type": "websocket.connect"})
        scope = scope_of("websocket", "/_stcore/stream", self.headers)
        self._task = asyncio.create_task(self.app(scope, self._inbox.get, self._send))  # type: ignore[arg-type]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self._task, 10)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self._news.set()

    def say(self, data: bytes) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": data})

    async def next(self, kind: str) -> Message:
        """The first message of that type, when it comes."""
        async with asyncio.timeout(10):
            while not (found := [one for one in self.sent if one["type"] == kind]):
                self._news.clear()
                await self._news.wait()
        return found[0]
