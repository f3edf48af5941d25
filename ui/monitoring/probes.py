"""The routes that an orchestrator asks: whether the process lives, and whether it can work.

Neither asks Azure: a console that Azure does not answer shows that on its pages, and restarting it helps nobody.
"""

import logging

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.connection.errors import ServiceError
from services.database.engine import answers, cause_without_names
from ui.runtime.database import database

# Kubernetes and Container Apps wait a second for a probe unless it is set.
ANSWERS_WITHIN_S = 1.0
# A database that hangs keeps these threads, and none that a page needs.
_THREADS = CapacityLimiter(2)
_NEVER_KEPT = {"Cache-Control": "no-store"}
_LOG = logging.getLogger("acr_console")


def alive(_request: Request) -> Response:
    """GET /healthz: this process answers."""
    return JSONResponse({"status": "ok"}, headers=_NEVER_KEPT)


async def ready(_request: Request) -> Response:
    """GET /readyz: 200 where the database answers within a second, else 503 with the reason.

    Whoever asks is not signed in: the reason has no address, name or account; the log has the error as it is.
    """
    reason = f"The database did not answer within {ANSWERS_WITHIN_S:g} s."
    with move_on_after(ANSWERS_WITHIN_S):
        reason = await to_thread.run_sync(_reason_not_ready, abandon_on_cancel=True, limiter=_THREADS)
    _state.note(reason)
    if reason:
        return JSONResponse({"status": "not ready", "reason": reason}, 503, headers=_NEVER_KEPT)
    return JSONResponse({"status": "ready"}, headers=_NEVER_KEPT)


def _reason_not_ready() -> str:
    try:
        answers(database())
    except ServiceError as error:
        _state.note_error(error)
        return cause_without_names(error)
    return ""


class _State:
    """What was logged last: a database that is away is logged once, not every few seconds."""

    def __init__(self) -> None:
        self._reason = ""
        self._error = ""

    def note(self, reason: str) -> None:
        if reason and not self._reason:
            _LOG.warning("Not ready: %s", reason)
        elif self._reason and not reason:
            _LOG.warning("Ready again")
            self._error = ""
        self._reason = reason

    def note_error(self, error: ServiceError) -> None:
        if str(error) != self._error:
            _LOG.warning("%s", error)
        self._error = str(error)


_state = _State()
PATHS = ("/healthz", "/readyz")
ROUTES = tuple(Route(path, answer) for path, answer in zip(PATHS, (alive, ready), strict=True))
