"""Latency, faults by rule, and a log of requests: the outermost layer of every listener.

The rules come from a JSON file, a list of objects such as
{"method": "GET", "host": "localhost:5001", "path": "/_manifests$", "status": 429, "retry_after": 2, "times": 3}.
With "drip_ms" the answer's body comes a byte at a time, that long after each other.
With "late" the request is done all the same, and only its answer is replaced by the fault.
The file is read again when it changes, so that a test can break and repair the sandbox while it runs.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG_LENGTH = 100_000


class RequestRecord(NamedTuple):
    """One request at the moment of its answer; status 0 is a connection that a rule dropped."""

    method: str
    host: str
    path: str
    status: int


@dataclass
class Rule:
    """One line of the faults file. All of `every`, `times` and `probability` count matching requests only."""

    method: str = "*"
    path: str = ""
    query: str = ""
    host: str = ""
    status: int | None = None
    retry_after: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    delay_ms: float = 0
    drip_ms: float = 0
    reset: bool = False
    late: bool = False
    times: int | None = None
    every: int = 1
    probability: float = 1
    seed: int = 0
    _matched: int = field(default=0, init=False)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def check(self) -> None:
        """Raises TypeError or re.error for what would fail at a request."""
        for pattern in (self.path, self.query, self.host):
            re.compile(pattern)
        numbers = (self.status, self.retry_after, self.delay_ms, self.drip_ms, self.times, self.every, self.probability)
        if not all(number is None or isinstance(number, int | float) for number in numbers) or not self.every:
            raise TypeError("a number is expected")
        if self.status is not None and not 100 <= self.status <= 599:
            raise TypeError("a status is from 100 to 599")
        if not isinstance(self.headers, dict) or not all(isinstance(text, str) for text in self.headers.values()):
            raise TypeError("headers are an object of texts")
        if not isinstance(self.body, str | None):
            raise TypeError("a body is text")

    def strikes(self, method: str, host: str, path: str, query: str = "") -> bool:
        """Whether this request is one to break; counts it."""
        patterns = ((self.path, path), (self.query, query), (self.host, host))
        matches = self.method in ("*", method) and all(re.search(pattern, text) for pattern, text in patterns)
        if not matches or self.times == 0:
            return False
        self._matched += 1
        if self._matched % self.every or self._random.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


def parse_rules(text: str) -> list[Rule]:
    """The rules of a faults file. Raises ValueError, which says what is wrong."""
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(rule, dict) for rule in found):
        raise ValueError("a faults file is a JSON list of objects")
    try:
        rules = [Rule(**rule) for rule in found]
        for rule in rules:
            rule.check()
    except (TypeError, re.error) as error:
        raise ValueError(f"a rule of faults is wrong: {error}") from error
    return rules


class Faults:
    """State that all listeners share."""

    def __init__(self, file: Path | None, latency_ms: float) -> None:
        self.latency_ms = latency_ms
        self.requests: deque[RequestRecord] = deque(maxlen=LOG_LENGTH)
        self._file = file
        self._version: tuple[int, int] | None = None
        self._rules: list[Rule] = []

    def wrap(self, app: ASGIApp, *, arm: bool) -> ASGIApp:
        """The app behind the rules; `arm` chooses the form of a fault's default body."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            method, path = scope["method"], scope["path"]
            host = f"localhost:{scope['server'][1]}"

            def log(status: int) -> None:
                self.requests.append(RequestRecord(method, host, path, status))

            async def logged(message: Message) -> None:
                if message["type"] == "http.response.start":
                    log(message["status"])  # before it is sent: a client that has the answer finds it in the log
                await send(message)

            rule = self._striking(method, host, path, scope["query_string"].decode())
            await asyncio.sleep((self.latency_ms + (rule.delay_ms if rule else 0)) / 1000)
            if rule and rule.late:
                await app(scope, receive, _nowhere)
            if rule and rule.reset:
                log(0)
                await _reset(receive, send)
            elif rule and rule.status is not None:
                await _answer(rule, rule.status, arm=arm)(scope, receive, logged)
            elif rule and rule.drip_ms:
                await app(scope, receive, _dripping(logged, rule.drip_ms / 1000))
            else:
                await app(scope, receive, logged)

        return wrapped

    def _striking(self, method: str, host: str, path: str, query: str) -> Rule | None:
        self._reload()
        struck = (rule for rule in self._rules if rule.strikes(method, host, path, query))
        return next(struck, None)

    def _reload(self) -> None:
        if self._file is None or not self._file.exists():
            self._rules, self._version = [], None
            return
        found = self._file.stat()
        version = (found.st_mtime_ns, found.st_size)
        if version == self._version:
            return
        try:
            rules = parse_rules(self._file.read_text())
        except ValueError:
            return  # half written: the next request reads it again
        self._rules, self._version = rules, version


async def _nowhere(_message: Message) -> None:
    """A `send` that drops the answer."""


def _dripping(send: Send, seconds: float) -> Send:
    async def drip(message: Message) -> None:
        for byte in message.get("body", b""):
            await send({"type": message["type"], "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(seconds)
        await send({**message, "body": b""} if "body" in message else message)

    return drip


def _answer(rule: Rule, status: int, *, arm: bool) -> Response:
    headers = {} if rule.retry_after is None else {"Retry-After": f"{rule.retry_after:g}"}
    headers |= rule.headers
    if rule.body is not None:
        return Response(rule.body, status, headers=headers)
    throttled = status == 429
    message = "too many requests" if throttled else "a fault of the sandbox"
    body: dict[str, Any]
    if arm:
        body = {"error": {"code": "TooManyRequests" if throttled else "InternalServerError", "message": message}}
    else:
        body = {"errors": [{"code": "TOOMANYREQUESTS" if throttled else "UNKNOWN", "message": message}]}
    return JSONResponse(body, status, headers=headers)


async def _reset(receive: Receive, send: Send) -> None:
    """Drop the connection. ASGI has no word for it: uvicorn's send is a method of the cycle that owns the transport."""
    cycle: Any = getattr(send, "__self__")  # noqa: B009
    cycle.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
