"""uvicorn servers on one event loop on a thread, each on a loopback socket of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """A server that stops when it is asked to. uvicorn's own looks ten times a second whether it should, each of them,
    and then waits another tenth."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # Sets the Date of answers.
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        for connection in list(self.server_state.connections):
            # A polite TLS close waits for clients that keep an idle connection and don't read from it.
            if isinstance(connection, H11Protocol) and (not connection.cycle or connection.cycle.response_complete):
                connection.transport.abort()
        await asyncio.sleep(0)  # Until what was aborted has closed.
        if self.server_state.tasks:
            await super().shutdown(sockets)


@dataclass(frozen=True)
class Listener:
    server: Server
    task: asyncio.Task[None]


class Listeners:
    """Opens and closes listeners by name while it runs. Call it from any thread but its own."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self._open: dict[str, Listener] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._thread.start()

    def open(self, name: str, app: ASGIApp, sock: socket.socket, *, tls: bool = True) -> None:
        """Serve the app; the socket accepts when this returns."""
        self._run(self._serve(name, app, sock, tls))

    def close(self, name: str) -> None:
        listener = self._open.pop(name, None)
        if listener is not None:
            self._run(_end([listener]))

    def stop(self) -> None:
        """Close all, and end the thread."""
        if not self._thread.is_alive():
            return
        self._run(_end(list(self._open.values())))
        self._open.clear()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, name: str, app: ASGIApp, sock: socket.socket, tls: bool) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,  # the process may be somebody else's, with logging of its own
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
            ssl_certfile=self._certificate if tls else None,
            ssl_keyfile=self._key if tls else None,
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started and not task.done():
            await asyncio.sleep(0)
        if task.done():
            task.result()
        self._open[name] = Listener(server, task)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


def bind(*ports: int) -> socket.socket:
    """A loopback socket on the first of these ports that is free; 0 lets the system choose."""
    for port in ports:
        # With the protocol left to default, asyncio doesn't set TCP_NODELAY and every answer waits 40 ms.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
            sock.listen(128)
        except OSError:
            sock.close()
            if port == ports[-1]:
                raise
        else:
            return sock
    raise ValueError("no ports given")


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


async def _end(listeners: list[Listener]) -> None:
    for listener in listeners:
        listener.server.stop()
    await asyncio.gather(*(listener.task for listener in listeners))
