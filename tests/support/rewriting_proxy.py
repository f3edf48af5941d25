"""A reverse proxy on this machine that gives every request another Host header, and may add headers of its own."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def rewriting_proxy(target: str, added: Mapping[str, str] | None = None) -> Iterator[str]:
    """Forwards to the address `target` as if asked for it; yields its own address. One request a connection, or one
    websocket."""
    host, port = urlsplit(target).hostname or "", urlsplit(target).port
    loop = asyncio.new_event_loop()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            upgrade = any(line.lower().startswith("upgrade:") for line in head)
            dropped = ("host:",) if upgrade else ("host:", "connection:")
            kept = [line for line in head if not line.lower().startswith(dropped)]
            more = [f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in (added or {}).items())]
            lines = [*kept, *more, *([] if upgrade else ["Connection: close"]), "", ""]
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
            to_writer.write("\r\n".join(lines).encode("latin-1"))
            await asyncio.gather(_copy(reader, to_writer), _copy(to_reader, writer))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(forward, "127.0.0.1", 0)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Closes the server and what it still forwards: a browser keeps its websocket open."""
    server.close()
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(64 * 1024):
            writer.write(block)
            await writer.drain()
    with suppress(OSError):
        writer.close()
