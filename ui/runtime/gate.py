"""The gate of a console that people sign in to: ASGI middleware before all that Streamlit does.

- A page that a stranger opens answers with a redirect to the sign-in, which leads back to it; anything else with 401. A
  stranger's websocket gets one message, which sends the tab to sign in; no session is made.
- An open page is closed when its sign-in ends: by time, idle, or signed out in another tab or process.
- Where app roles decide, who has none sees a page that says so, and nothing else.
- Pages get who it is as `st.user`, by a header that a browser can't set (server.trustedUserHeaders in
  .streamlit/config.toml). By that Streamlit also resumes no session for another person.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from google.protobuf.message import DecodeError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from services.connection.errors import ServiceError
from services.sign_in.store import SEEN_EVERY, SignIn, SignIns
from ui.elements.errors import redirect_message
from ui.runtime.own_headers import ACCOUNT, LOGGED, ROLES, SIGNED_IN, without_own_headers
from ui.runtime.safe_next import safe_next

COOKIE = "__Host-acr-console"
ENDED = "/auth/ended"
NO_ROLE = "/auth/no-role"
# All that a stranger reads of it: the error itself names hosts and accounts, and is in the log.
NO_DATABASE = (
    "The console's database does not answer. Try again in a minute. Whoever runs the console finds why in its log."
)
NO_STORE = {"Cache-Control": "no-store"}
_LOG = logging.getLogger("acr_console")
_CLOSED = 4401  # The websocket's code for what is 401 in HTTP.
_LEAVES_WITHIN_S = 2.0
# What needs no sign-in: the sign-in itself, the pictures, and probes that say nothing of anyone.
_OPEN = re.compile(r"/(auth/(login|callback|logout|ended|no-role)|brand/.*|_stcore/health|healthz|readyz)")
_PAGE = re.compile(r"/[A-Za-z0-9_-]*/?")


class Gate:
    """`sign_ins` gives the store once the application has started. `signed_out` is called with an account that this
    process sees signed in nowhere any more. `needs_role`: nobody passes without an app role."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        sign_ins: Callable[[], SignIns],
        public_url: str,
        check: timedelta,
        signed_out: Callable[[str], None],
        needs_role: bool = False,
    ) -> None:
        self._app = app
        self._sign_ins = sign_ins
        self._public_url = public_url
        self._check_s = check.total_seconds()
        self._signed_out = signed_out
        self._needs_role = needs_role

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        scope = {**scope, "headers": without_own_headers(scope["headers"])}
        if scope["type"] == "http" and _OPEN.fullmatch(scope["path"]):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket" and not self._same_origin(scope):
            return await _refuse_websocket(receive, send)
        try:
            found = await run_in_threadpool(self._sign_ins().find, cookie_of(scope))
        except ServiceError as error:
            _LOG.warning("%s", error)
            return await self._unavailable(scope, receive, send)
        if found is None:
            if scope["type"] == "websocket":
                return await _send_away(receive, send)
            return await self._stranger(scope)(scope, receive, send)
        if self._needs_role and not found.roles:
            if scope["type"] == "websocket":
                return await _send_away(receive, send, NO_ROLE)
            return await self._without_role(scope)(scope, receive, send)
        scope[SIGNED_IN] = found
        scope.get(LOGGED, {}).update(account=found.account.partition("/")[2], sign_in=found.id[:8])
        scope["headers"] += [(ACCOUNT, found.account.encode()), (ROLES, ",".join(found.roles).encode())]
        if scope["type"] == "websocket":
            return await self._watched(found, scope, receive, send)
        return await self._app(scope, receive, send)

    def _same_origin(self, scope: Scope) -> bool:
        """Browsers say which page opened a websocket; other programs say nothing, and have no one's cookie."""
        return all(origin.rstrip("/").lower() == self._public_url for origin in Headers(scope=scope).getlist("origin"))

    def _without_role(self, scope: Scope) -> Response:
        if _is_page(scope):
            return RedirectResponse(f"{self._public_url}{NO_ROLE}", 303, NO_STORE)
        return JSONResponse({"error": "An app role of the console is needed."}, 403, NO_STORE)

    def _stranger(self, scope: Scope) -> Response:
        if _is_page(scope):
            query = scope["query_string"].decode("latin-1")
            wanted = safe_next(scope["path"] + (f"?{query}" if query else ""))
            # Entra leads back to the public address alone, and so do the cookies in between.
            return RedirectResponse(f"{self._public_url}/auth/login?next={quote(wanted, safe='')}", 303, NO_STORE)
        return JSONResponse({"error": "Sign in first."}, 401, NO_STORE)

    async def _unavailable(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await _refuse_websocket(receive, send)
        return await PlainTextResponse(NO_DATABASE, 503, NO_STORE)(scope, receive, send)

    async def _watched(self, sign_in: SignIn, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the websocket until its browser closes it or its sign-in ends."""
        over = asyncio.Event()
        seen = datetime.now(UTC)
        closed = False

        async def receive_until_over() -> Message:
            nonlocal closed, seen
            message, ended = asyncio.ensure_future(receive()), asyncio.ensure_future(over.wait())
            await asyncio.wait({message, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not over.is_set():
                ended.cancel()
                if datetime.now(UTC) - seen > SEEN_EVERY and _is_of_person(message.result()):
                    seen = datetime.now(UTC)
                    await self._touch(sign_in)
                return message.result()
            if not closed:
                closed = True
                # The tab in which one signs out follows that link: told of its end at once, it would lead elsewhere.
                await asyncio.wait({message}, timeout=_LEAVES_WITHIN_S)
                if not (message.done() and message.result()["type"] == "websocket.disconnect"):
                    await _send_to_end(send)
            message.cancel()
            return {"type": "websocket.disconnect", "code": _CLOSED}

        async def send_while_open(message: Message) -> None:
            if not closed:
                await send(message)

        watching = asyncio.ensure_future(self._watch(sign_in, over))
        try:
            await self._app(scope, receive_until_over, send_while_open)
        finally:
            watching.cancel()

    async def _watch(self, sign_in: SignIn, over: asyncio.Event) -> None:
        """Sets `over` once the sign-in has ended, or was renewed with other roles: what an open page may do is decided
        as it opens. While the database can't be read, nobody is signed out."""
        ends: datetime | None = sign_in.ends
        while ends:
            left = (ends - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(0.05, min(self._check_s, left)))
            try:
                found = await run_in_threadpool(self._sign_ins().find_by_id, sign_in.id)
                ends = found.ends if found and found.roles == sign_in.roles else None
            except ServiceError as error:
                _LOG.warning("%s", error)
                ends = datetime.now(UTC) + timedelta(seconds=self._check_s)
        await run_in_threadpool(self._drop, sign_in.account)
        over.set()

    def _drop(self, account: str) -> None:
        try:
            if not self._sign_ins().signed_in(account):
                self._signed_out(account)
        except ServiceError as error:
            _LOG.warning("%s", error)

    async def _touch(self, sign_in: SignIn) -> None:
        try:
            await run_in_threadpool(self._sign_ins().touch, sign_in.id)
        except ServiceError as error:
            _LOG.warning("%s", error)


def cookie_of(scope: Scope) -> str:
    """The value of the console's cookie, "" where there is none."""
    # Not http.cookies: that stops at the first cookie of a neighbour that it can't read.
    found = [cookie_parser(header).get(COOKIE) for header in Headers(scope=scope).getlist("cookie")]
    return next((value for value in reversed(found) if value), "")


def _is_page(scope: Scope) -> bool:
    """Whether a browser opens it as a page."""
    asked = Headers(scope=scope)
    document = asked.get("sec-fetch-dest", "document") == "document" and "text/html" in asked.get("accept", "")
    return bool(scope["method"] == "GET" and document and _PAGE.fullmatch(scope["path"]))


def _is_of_person(message: Message) -> bool:
    """Whether someone did something: fragments that run by a timer ask by themselves."""
    try:
        asked = BackMsg.FromString(message.get("bytes") or b"")
    except DecodeError:
        return False
    kind = asked.WhichOneof("type")
    return kind not in (None, "app_heartbeat") and not (kind == "rerun_script" and asked.rerun_script.is_auto_rerun)


async def _refuse_websocket(receive: Receive, send: Send) -> None:
    """Answers the handshake with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def _send_away(receive: Receive, send: Send, to: str = ENDED) -> None:
    """Accepts, since a browser shows no page what a refused handshake said, and sends the tab away."""
    message = await receive()
    if message["type"] == "websocket.connect":
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        await _send_to_end(send, to)


async def _send_to_end(send: Callable[[Message], Any], to: str = ENDED) -> None:
    await send({"type": "websocket.send", "bytes": redirect_message(to).SerializeToString()})
    await send({"type": "websocket.close", "code": _CLOSED, "reason": "The sign-in has ended"})
