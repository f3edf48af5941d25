"""Our script in Streamlit's document, and nothing else changed."""

import asyncio
import base64
import gzip
import hashlib
from pathlib import Path

import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from ui.runtime.index_page import OUR_SCRIPT, IndexPage, inline_script_hashes
from ui.runtime.security_headers import CONTENT_SECURITY_POLICY

DOCUMENT = "<html><head><title>x</title></head>" + "ä" * 1000 + "</html>"


async def document(_request: object) -> HTMLResponse:
    return HTMLResponse(DOCUMENT)


async def in_parts(_request: object) -> StreamingResponse:
    return StreamingResponse(iter((DOCUMENT[:20], DOCUMENT[20:])), media_type="text/html")


async def text(_request: object) -> PlainTextResponse:
    return PlainTextResponse("<head>" * 200)


APP = Starlette(
    routes=[Route("/", document), Route("/parts", in_parts), Route("/text", text)],
    middleware=[Middleware(IndexPage), Middleware(GZipMiddleware)],
)


def answer(path: str, accept: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body that a browser, which takes gzip, gets."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()  # The browser stays, and has no more to say.
        raise AssertionError

    headers = [(b"accept", accept.encode()), (b"accept-encoding", b"gzip")]
    asyncio.run(APP({"type": "http", "method": "GET", "path": path, "headers": headers}, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body


def test_a_document_that_a_browser_opens_has_our_script_first_in_its_head() -> None:
    for path in ("/", "/parts"):
        headers, body = answer(path, "text/html,*/*")
        assert body.decode() == DOCUMENT.replace("<head>", OUR_SCRIPT.decode())
        assert headers.get("content-length", str(len(body))) == str(len(body))


def test_what_is_no_document_stays_as_it_is() -> None:
    assert gzip.decompress(answer("/", "*/*")[1]).decode() == DOCUMENT
    assert answer("/text", "text/html")[1] == b"<head>" * 200


def test_streamlits_document_has_a_head_and_its_inline_scripts_may_run() -> None:
    document = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    assert "<head>" in document
    begin = document.index("<script>") + len("<script>")
    digest = hashlib.sha256(document[begin : document.index("</script>", begin)].encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in inline_script_hashes()
    assert all(source in CONTENT_SECURITY_POLICY for source in inline_script_hashes())
