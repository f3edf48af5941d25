"""A load balancer as hosted consoles have one in front: each browser stays at its replica by a cookie, and goes to
another where that one does not answer. Websockets pass through; the usual headers say who asked."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from tests.support.console import free_port

COOKIE = "replica"
_BLOCK = 65536
_FORWARDED = (
    b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\nX-Real-IP: 203.0.113.7\r\nVia: 1.1 balancer\r\n"
)


@contextmanager
def balancer(ports: Sequence[int], port: int = 0) -> Iterator[str]:
    """Listens on `port` or a free one, in front of the replicas on `ports`; yields its address. New browsers go to
    them by turns."""
    port = port or free_port()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer", daemon=True)
    thread.start()
    serving = asyncio.start_server(_Balancer(tuple(ports)).pass_on, "127.0.0.1", port)
    server = asyncio.run_coroutine_threadsafe(serving, loop).result(10)
    try:
        yield f"http://localhost:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Balancer:
    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._turns = count()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; each has a connection of its own, which makes both ends simple."""
        # Browsers open connections that they never use, and leave in the middle of an answer.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head[:-4].split(b"\r\n")
                wanted = _replica_of(lines)
                found = await self._connect(wanted)
                if found is None:
                    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return await writer.drain()
                replica, from_replica, to_replica = found
                try:
                    upgraded = any(line.lower().startswith(b"upgrade:") for line in lines)
                    to_replica.write(_request(first, lines, upgraded=upgraded))
                    sending = asyncio.ensure_future(_copy(reader, to_replica))
                    try:
                        answer = await from_replica.readuntil(b"\r\n\r\n")
                        writer.write(answer if replica == wanted else _with_cookie(answer, replica))
                        await _copy(from_replica, writer)
                    finally:
                        sending.cancel()
                finally:
                    to_replica.close()
            finally:
                writer.close()

    async def _connect(self, wanted: int | None) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The replica that is wanted, else the next that answers."""
        begin = next(self._turns) if wanted is None else wanted
        for number in range(len(self._ports)):
            replica = (begin + number) % len(self._ports)
            with suppress(OSError):
                return replica, *await asyncio.open_connection("127.0.0.1", self._ports[replica])
        return None


def _replica_of(lines: list[bytes]) -> int | None:
    """The number in the cookie; None for a new browser."""
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"cookie":
            for cookie in value.decode("latin-1").split(";"):
                key, _, number = cookie.strip().partition("=")
                if key == COOKIE and number.isdecimal():
                    return int(number)
    return None


def _request(first: bytes, lines: list[bytes], *, upgraded: bool) -> bytes:
    kept = lines if upgraded else [*(line for line in lines if not line.lower().startswith(b"connection:"))]
    end = b"" if upgraded else b"Connection: close\r\n"
    return b"\r\n".join([first, *kept]) + b"\r\n" + _FORWARDED + end + b"\r\n"


def _with_cookie(answer: bytes, replica: int) -> bytes:
    return answer[:-2] + f"Set-Cookie: {COOKIE}={replica}; Path=/; HttpOnly\r\n\r\n".encode()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()
