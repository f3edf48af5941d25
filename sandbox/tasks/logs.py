"""Logs of runs, as a storage account gives them to whoever has the address with its signature: HEAD, and GET with a
range. https://learn.microsoft.com/rest/api/storageservices/get-blob"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from sandbox.state import State

_VALID = timedelta(hours=1)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_COMPLETE = {"Succeeded": "successful", "Failed": "failed", "Canceled": "canceled"}


class Logs:
    """Signs addresses of logs; the signature counts for an hour and for one log."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def url(self, origin: str, run: str) -> str:
        """The address of the log of the run with this id."""
        until = f"{self._clock() + _VALID:%Y-%m-%dT%H:%M:%SZ}"
        return f"{origin}/logs{run}/rawtext.log?sv=2019-07-07&sr=b&se={quote(until)}&sp=r&sig={self._sign(run, until)}"

    def _sign(self, run: str, until: str) -> str:
        return hmac.new(self._key, f"{run.lower()} {until}".encode(), hashlib.sha256).hexdigest()

    def permits(self, run: str, query: str) -> bool:
        """Whether the query of an address is signed for this run, and still valid."""
        given = parse_qs(query)
        until, signature = given.get("se", [""])[0], given.get("sig", [""])[0]
        expired = until < f"{self._clock():%Y-%m-%dT%H:%M:%SZ}"
        return not expired and hmac.compare_digest(signature, self._sign(run, until))

    def route(self, state: State) -> WebRoute:
        """The blob itself, on the management listener; a storage account knows no tokens of Resource Manager."""

        async def get(request: Request) -> Response:
            run = "/" + request.path_params["run"]
            document = state.store.get_resource(run)
            if not self.permits(run, request.url.query):
                return _error(403, "AuthenticationFailed", "Server failed to authenticate the request.")
            if document is None:
                return _error(404, "BlobNotFound", "The specified blob does not exist.")
            status = _COMPLETE.get(document["properties"]["status"], "successful")
            return _blob(request, document["_sandbox"]["log"].encode(), status, self._clock())

        return WebRoute("/logs/{run:path}/rawtext.log", get, methods=["GET", "HEAD"])


def _blob(request: Request, body: bytes, complete: str, now: datetime) -> Response:
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": "text/plain",
        "ETag": f'"0x{hashlib.sha256(body).hexdigest()[:16].upper()}"',
        "Last-Modified": format_datetime(now.replace(microsecond=0), usegmt=True),
        "x-ms-blob-type": "AppendBlob",
        "x-ms-meta-Complete": complete,
        "x-ms-version": "2019-07-07",
    }
    asked = _RANGE.fullmatch(request.headers.get("x-ms-range") or request.headers.get("range") or "")
    if not asked:
        return Response(body, headers=headers)
    first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
    if first >= len(body):
        return _error(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Response(body[first : last + 1], 206, headers)


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, {"Content-Type": "application/xml", "x-ms-error-code": code})
