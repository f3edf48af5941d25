"""A server over TLS whose answers begin as a test says, and then come a byte at a time, without an end."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from sandbox.tls import ensure_certificates

BYTE_EACH_S = 0.01
# Where its reader takes whatever comes, it hangs up at last: a test fails then, and does not hang.
MOST = 200


@contextmanager
def dripping(folder: Path, beginning: bytes, drop: bytes = b"a") -> Iterator[tuple[str, str]]:
    """Its host and port, and the file of its CA's certificate. After `beginning` comes `drop` again and again."""
    files = ensure_certificates(folder, datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.leaf, files.key)
    stopped = Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            with taken:
                answer(taken)

    def answer(taken: socket.socket) -> None:
        try:
            with context.wrap_socket(taken, server_side=True) as connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                connection.sendall(beginning)
                for _ in range(MOST):
                    connection.sendall(drop)
                    if stopped.wait(BYTE_EACH_S):
                        return
        except OSError:  # Its reader has given up.
            return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"localhost:{listening.getsockname()[1]}", str(files.ca)
        finally:
            stopped.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
