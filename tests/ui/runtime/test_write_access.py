"""Who may change anything: decided from the listening sockets and the request."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ui.elements.write_permission import HEADER
from ui.runtime.write_access import WriteAccess, is_loopback, listening_addresses, write_permission

PORT = 8501
HERE = [("127.0.0.1", PORT)]


def scope_of(
    *headers: tuple[str, str], client: str = "127.0.0.1", server: str = "127.0.0.1", host: str = f"localhost:{PORT}"
) -> dict[str, Any]:
    given = [("Host", host), ("Origin", f"http://{host}"), *headers]
    return {
        "type": "websocket",
        "server": (server, PORT),
        "client": (client, 50000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given],
    }


def test_a_browser_on_this_machine_may_change_azure() -> None:
    for host in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501", "127.0.0.1:9000"):
        assert write_permission(scope_of(host=host), HERE).refusal == ""
    assert write_permission(scope_of(client="::1", server="::1"), [("::1", PORT)]).allowed
    assert write_permission(scope_of(client="::ffff:127.0.0.1"), HERE).allowed
    # Other sockets of the process, as the sandbox's, are not where the console listens.
    assert write_permission(scope_of(), [*HERE, ("0.0.0.0", 9999)]).allowed


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.4", "::ffff:10.0.0.4", "fe80::1%eth0"])
def test_a_console_that_listens_beyond_this_machine_is_read_only_for_everyone(address: str) -> None:
    permission = write_permission(scope_of(), [*HERE, (address, PORT)])
    assert f"listens on {address}" in permission.refusal


@pytest.mark.parametrize("client", ["10.0.0.7", "172.17.0.1", "::ffff:172.17.0.1", "fe80::2%eth0", "testclient", ""])
def test_a_caller_from_another_machine_is_refused(client: str) -> None:
    assert "another machine" in write_permission(scope_of(client=client), HERE).refusal


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Real-IP",
        "Via", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Original-Host", "X-Azure-ClientIP", "X-ARR-SSL",
        "X-Envoy-External-Address", "X-Auth-Request-User",
    ],
)  # fmt: skip
def test_a_proxy_is_seen_by_the_headers_that_it_adds(name: str) -> None:
    permission = write_permission(scope_of((name, "127.0.0.1")), HERE)
    assert "A proxy is in front" in permission.refusal


def test_the_reason_holds_nothing_that_the_caller_made_up() -> None:
    reasons = {write_permission(scope_of((f"X-Forwarded-{n}", "x")), HERE).refusal for n in range(50)}
    assert len(reasons) == 1


def test_a_proxy_that_rewrites_the_host_is_seen_by_the_origin() -> None:
    for origin in ("https://registry-console.contoso.com", "http://localhost:8080", "null"):
        scope = scope_of()
        scope["headers"][1] = (b"origin", origin.encode())
        assert "changes the Host header" in write_permission(scope, HERE).refusal


@pytest.mark.parametrize(
    "host", ["registry-console.contoso.com", "10.0.0.4:8501", "", "a:b", "[::", "localhost.evil.com"]
)
def test_another_name_than_localhost_is_refused(host: str) -> None:
    assert "another address than localhost" in write_permission(scope_of(host=host), HERE).refusal


def test_what_is_unknown_is_refused() -> None:
    assert "could not be determined" in write_permission(scope_of(), None).refusal
    assert "could not be determined" in write_permission(scope_of(), []).refusal
    assert "could not be determined" in write_permission(scope_of(), [("127.0.0.1", PORT + 1)]).refusal
    assert "Unix socket" in write_permission({**scope_of(), "server": ("/run/console.sock", None)}, HERE).refusal
    assert "Unix socket" in write_permission({**scope_of(), "client": None}, HERE).refusal
    no_host = {**scope_of(), "headers": []}
    assert not write_permission(no_host, HERE).allowed


def test_loopback_is_an_address_not_a_name() -> None:
    assert is_loopback("127.8.9.1")
    assert not is_loopback("localhost")
    assert not is_loopback("::ffff:8.8.8.8")


def test_looking_at_the_open_files_leaves_none_open() -> None:
    with Path(__file__).open():
        listening_addresses()
        before = sum(1 for _ in Path("/dev/fd").iterdir())
        listening_addresses()
        assert sum(1 for _ in Path("/dev/fd").iterdir()) == before


def test_the_sockets_that_this_process_listens_on_are_found() -> None:
    with socket.socket() as one, socket.socket(socket.AF_INET6) as six, socket.socket() as bound_only:
        one.bind(("0.0.0.0", 0))
        one.listen()
        six.bind(("::1", 0))
        six.listen()
        bound_only.bind(("127.0.0.1", 0))
        found = listening_addresses() or []
        assert one.getsockname()[:2] in found
        assert six.getsockname()[:2] in found
        assert bound_only.getsockname() not in found
        one.getsockname()  # Raises where the socket itself was closed, and not a copy of it.


def stamped(scope: Scope) -> list[bytes]:
    """What the application behind the middleware finds in the header."""
    seen: list[bytes] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if b"acr" in name.lower())

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_message: Message) -> None:
        pass

    asyncio.run(WriteAccess(app)(scope, receive, send))
    return seen


def test_a_client_cannot_write_the_header_itself() -> None:
    forged = scope_of((HEADER, "allowed"), (HEADER.upper(), "allowed"), (HEADER.replace("-", "_"), "allowed"))
    (value,) = stamped(forged)
    assert value != b"allowed"  # No socket of this process listens on the port.
    assert stamped({**forged, "type": "http"}) == []
