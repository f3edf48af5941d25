"""An entry of the log for each request: what was asked, how it ended, how long it took."""

import logging
import re
import secrets
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.monitoring.probes import PATHS
from ui.runtime.own_headers import LOGGED

HEADER = "X-Request-Id"
_LOG = logging.getLogger("acr_console.requests")
# An id that the proxy in front gave the request, if it can be nothing but an id.
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Below these the second part of a path names a route. Elsewhere it may be a ticket or a session's id.
_TWO_PARTS = ("auth", "_stcore")
_LONGEST_PART = 60


def shown_path(path: str) -> str:
    """The path without anything that only its caller may know: tickets of downloads, ids of sessions and media."""
    parts = [part[:_LONGEST_PART] for part in path.split("/")[1:]]
    shown = 2 if parts and parts[0] in _TWO_PARTS else 1
    return "/" + "/".join(parts[:shown] + ["…"] * (len(parts) > shown))


class RequestLog:
    """ASGI middleware, the outermost. Queries, headers and bodies are never logged: they hold codes and cookies.

    A probe that is answered with 200 is not logged. A websocket is logged when it ends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not _LOG.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        given = Headers(scope=scope).get(HEADER, "")
        request = given if _ID.fullmatch(given) else secrets.token_hex(8)
        status = 500 if scope["type"] == "http" else 403
        who: dict[str, str] = {}
        scope = {**scope, LOGGED: who}

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"].endswith("response.start"):
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if not (status == 200 and scope["path"] in PATHS):
                _write(scope, request, status, round((time.monotonic() - begun) * 1000), who)


def _write(scope: Scope, request: str, status: int, ms: int, who: Mapping[str, str]) -> None:
    method, path = scope.get("method", "WEBSOCKET"), shown_path(scope["path"])
    entry = {"request": request, "method": method, "path": path, "status": status, "ms": ms, **who}
    level = logging.ERROR if status >= 500 else logging.INFO
    _LOG.log(level, "%s %s %s", method, path, status, extra=entry)
