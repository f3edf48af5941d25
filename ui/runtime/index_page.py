"""The HTML document that Streamlit's front end starts from, with the console's own script in it."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# In the head, so that it runs before Streamlit's module.
OUR_SCRIPT = b'<head><script src="/brand/console.js"></script>'
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_script_hashes() -> tuple[str, ...]:
    """The sources, for a Content-Security-Policy, of the inline scripts in Streamlit's own document."""
    document = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(document))
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


class IndexPage:
    """ASGI middleware that puts the script into the documents that a browser opens."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            return await self._app(scope, receive, send)
        # Streamlit's own middleware would compress the document before it comes here.
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
        start: Message = {}
        body = bytearray()

        async def send_with_script(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                if not _is_html(message):
                    await send(message)
            elif not _is_html(start):
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _send_document(start, bytes(body).replace(b"<head>", OUR_SCRIPT, 1), send)

        return await self._app(scope, receive, send_with_script)


def _is_html(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/html")


async def _send_document(start: Message, document: bytes, send: Send) -> None:
    headers = MutableHeaders(scope=start)
    if "content-length" in headers and document:
        headers["content-length"] = str(len(document))
    await send(start)
    await send({"type": "http.response.body", "body": document})
