import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from ui.runtime.security_headers import HEADERS, SecurityHeaders


def headers_of(status: int) -> dict[str, str]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(SecurityHeaders(PlainTextResponse("x", status))(scope, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("status", [200, 404])
def test_every_answer_carries_the_headers(status: int) -> None:
    found = headers_of(status)
    assert {name: found[name.lower()] for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_in_from_another_host() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "http" not in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy
