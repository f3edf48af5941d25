"""How large an answer may be, how long it may keep its reader waiting, and how many pages a list may have.

A read timeout bounds the wait for the next byte alone: a server that sends a byte every 20 s would never be given up.
So the socket counts the time it waits, from the status line on, and the reader the bytes that come out of compression.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ssl import SSLContext, SSLSocket
from time import monotonic
from typing import Any

import requests
from urllib3.util import create_urllib3_context

from services.connection.errors import LimitExceeded


@dataclass(frozen=True)
class Limits:
    """Of one answer: `largest` in bytes, uncompressed, None for any size; `wait_s` seconds of waiting for the network.

    Each `renewed_by` bytes earn the whole `wait_s` anew; None: it is for the whole answer.
    """

    largest: int | None
    wait_s: float
    renewed_by: int | None = None


# A thousand manifests are half a megabyte, all roles of a subscription a few.
LARGEST_ANSWER = 32 * 1024 * 1024
# The slowest that Azure answers is a query of costs, which takes half a minute.
ANSWER = Limits(LARGEST_ANSWER, 120)
# A layer may be of any size, and take hours, as long as it comes: here at 4 KiB a second.
DOWNLOAD = Limits(None, 60, 256 * 1024)


class Patience:
    """What is left of an answer's limits while it is read. Time that its reader takes elsewhere does not count."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._waited = 0.0
        self._came = 0

    @property
    def left(self) -> float:
        """Seconds. Raises LimitExceeded (TooSlow) where none are."""
        left = self.limits.wait_s - self._waited
        if left <= 0:
            raise self.too_slow()
        return left

    def waited(self, seconds: float, came: int) -> None:
        """Counts a wait that ended with that many bytes."""
        self._waited += seconds
        self._came += came
        if self.limits.renewed_by is not None and self._came >= self.limits.renewed_by:
            self._waited, self._came = 0.0, 0

    def too_slow(self) -> LimitExceeded:
        limits = self.limits
        cause = f"The answer was not complete after {limits.wait_s:g} s."
        if limits.renewed_by is not None:
            cause = f"Less than {limits.renewed_by / 1024:g} KiB came in {limits.wait_s:g} s."
        remedy = "The server, or a proxy before it, sends too slowly: check the network, then try again."
        return LimitExceeded(cause, remedy, "TooSlow")

    def too_large(self) -> LimitExceeded:
        return LimitExceeded(
            f"The answer is larger than {(self.limits.largest or 0) / 2**20:g} MiB.",
            "Azure sends none that large: something between here and the server may change it. Check the proxy.",
            "TooLarge",
        )


# Of the answer that this thread reads now: a pooled socket does not know whose answer it brings.
_reading: ContextVar[Patience | None] = ContextVar("reading", default=None)


@contextmanager
def reading_with(patience: Patience) -> Iterator[None]:
    """What this thread reads from its sockets meanwhile is one answer, at that patience."""
    before = _reading.set(patience)
    try:
        yield
    finally:
        _reading.reset(before)


class _LimitedSocket(SSLSocket):
    """Waits no longer than the answer's patience lasts. Raises LimitExceeded, which all layers above let pass."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        patience = _reading.get()
        if patience is None:
            return super().recv_into(buffer, nbytes, flags)
        usual, left = self.gettimeout(), patience.left
        shortened = usual is None or left < usual
        if shortened:
            self.settimeout(left)
        began = monotonic()
        try:
            came = super().recv_into(buffer, nbytes, flags)
        except TimeoutError:
            if shortened:
                raise patience.too_slow() from None
            raise
        finally:
            if shortened:
                self.settimeout(usual)
        patience.waited(monotonic() - began, came)
        return came


def limited_tls() -> SSLContext:
    """urllib3's own TLS context, with sockets that heed `reading_with`."""
    context = create_urllib3_context()
    context.sslsocket_class = _LimitedSocket
    return context


def limit_body(response: requests.Response) -> None:
    """Has the body of an answer be read within the limits that are set now, whoever reads it, and when."""
    raw: Any = response.raw
    if patience := _reading.get():
        # All ways to a body lead through this method: requests' and azure-core's, decompressed and raw.
        raw.stream = _limited(raw, patience)


def _limited(raw: Any, patience: Patience) -> Callable[..., Iterator[bytes]]:
    stream, largest = raw.stream, patience.limits.largest

    def limited(amount: int = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        pieces, size = stream(amount, decode_content=decode_content), 0
        while True:
            with reading_with(patience):
                piece = next(pieces, None)
            if piece is None:
                return
            size += len(piece)
            if largest is not None and size > largest:
                raw.close()
                raise patience.too_large()
            yield piece

    return limited


_PAGE_REMEDY = "The server, or a proxy before it, answers wrongly: try again, then report it to Microsoft."


class PageLinks:
    """The next pages that one list has named so far; `most`: how many pages it may have.

    A server may send its reader round in a circle, or on without end.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def follow(self, link: str) -> str:
        """`link`, where it may be asked for. Raises LimitExceeded: PagesRepeat, TooManyPages."""
        if link in self._seen:
            raise LimitExceeded("The list names a page that was read already as its next.", _PAGE_REMEDY, "PagesRepeat")
        self._seen.add(link)
        if len(self._seen) > self._most:
            raise LimitExceeded(f"The list has more than {self._most:,} pages.", _PAGE_REMEDY, "TooManyPages")
        return link
