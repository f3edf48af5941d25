"""A webhook over TLS that answers as a test says, and keeps what it was sent."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from sandbox.tls import ensure_certificates

SECRET = "T0000-s3cr3t"


@dataclass
class Webhook:
    """`status` and `location` of its next answers. `posts`: the path and body of each request."""

    address: str
    ca_file: str
    status: int = 200
    location: str = ""
    posts: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def webhook(folder: Path) -> Iterator[Webhook]:
    """Its address has `SECRET` in its path and query."""
    folder.mkdir(exist_ok=True)
    files = ensure_certificates(folder, datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.leaf, files.key)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.posts.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Webhook(f"https://localhost:{server.server_port}/services/{SECRET}?sig={SECRET}", str(files.ca))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
