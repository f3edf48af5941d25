"""How Entra refuses: an OAuth error with an AADSTS code."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from sandbox.state import State


class Refused(Exception):
    """A request for a token that is refused; `more` are further members of the answer."""

    def __init__(self, status: int, error: str, code: int, message: str, more: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.code = code
        self.message = message
        self.more = more or {}


def answer_of(state: State, refused: Refused) -> Response:
    """The answer in Entra's form."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    now = state.clock().strftime("%Y-%m-%d %H:%M:%SZ")
    said = f"AADSTS{refused.code}: {refused.message}"
    body = {
        "error": refused.error,
        "error_description": f"{said} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
        "error_codes": [refused.code],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{state.authority_url}/error?code={refused.code}",
        **refused.more,
    }
    return JSONResponse(body, refused.status)
