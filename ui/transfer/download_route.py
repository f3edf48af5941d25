"""Downloads outside Streamlit: a page issues a ticket, and this route streams the archive of the ticket.

Streamlit keeps its downloads in memory; this route streams an image from the registry at the browser's pace.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.sign_in.store import SignIn
from services.transfer.download import Archive, stream
from ui.runtime import connection
from ui.runtime.own_headers import sign_in_of

# Long enough to click the link, and to start again after a download that failed.
VALID_S = 600
# Threads that wait for registries. Not the server's own threads, which answer every other request.
_THREADS = CapacityLimiter(16)
# Far more than anyone clicks in that time; the oldest are dropped first.
MOST = 500


@dataclass(frozen=True)
class _Ticket:
    who: str
    login_server: str
    archive: Archive
    until: float


_tickets: dict[str, _Ticket] = {}
_lock = Lock()


def mint(who: str, login_server: str, archive: Archive) -> str:
    """The path that downloads `archive` as `who`, for `VALID_S` seconds. For pages alone: they run only for
    the signed-in identity.

    The path does not say what it is for; whoever has it may download this one archive.
    """
    ticket = secrets.token_urlsafe(24)
    with _lock:
        _drop_old()
        _tickets[ticket] = _Ticket(who, login_server, archive, monotonic() + VALID_S)
    return f"/download/{ticket}"


def _drop_old() -> None:
    now = monotonic()
    for ticket in [ticket for ticket, known in _tickets.items() if known.until <= now]:
        del _tickets[ticket]
    while len(_tickets) >= MOST:
        del _tickets[next(iter(_tickets))]


def _find(ticket: str, sign_in: SignIn | None) -> tuple[Archive, RegistryClient] | None:
    """The archive of a ticket, while it is valid and the console still has the identity that it was issued to; where
    people sign in, for that person alone."""
    with _lock:
        known = _tickets.get(ticket)
    if known is None or known.until <= monotonic():
        return None
    if sign_in and not connection.is_of(known.who, sign_in.account):
        return None
    try:
        return known.archive, connection.session(known.who).registry(known.login_server)
    except (LookupError, ServiceError):
        return None


def download(request: Request) -> Response:
    """GET /download/{ticket}: the archive, with its exact length."""
    found = _find(request.path_params["ticket"], sign_in_of(request.scope))
    if found is None:
        return PlainTextResponse(
            "This download is unknown or has expired. Choose Download image on the image's page again.",
            404,
            headers={"Cache-Control": "no-store"},
        )
    archive, client = found
    headers = {
        "Content-Length": str(archive.size),
        "Content-Disposition": f'attachment; filename="{archive.file_name}"',
        "Cache-Control": "no-store",
        # Keeps middleware from compressing it, and with that from dropping its length.
        "Content-Encoding": "identity",
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/x-tar")
    return StreamingResponse(_in_own_threads(_logged(client, archive)), headers=headers, media_type="application/x-tar")


async def _in_own_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await to_thread.run_sync(next, pieces, None, limiter=_THREADS)) is not None:
        yield piece


def _logged(client: RegistryClient, archive: Archive) -> Iterator[bytes]:
    """The stream. A failure is logged and closes the connection, so that no browser considers it complete."""
    try:
        yield from stream(client, archive)
    except ServiceError as error:
        logging.getLogger("acr_console").warning("a download failed: %s", error)
        raise


ROUTE = Route("/download/{ticket}", download)
