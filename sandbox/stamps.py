"""Times of the data plane: strictly increasing, whatever the clock does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

TICKS = 10_000_000  # ACR writes seven fraction digits
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stamps:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """Now, or one tick after the last answer if that is later."""
        now = (self._clock() - EPOCH) // timedelta(microseconds=1) * 10
        self._last = max(self._last + 1, now)
        seconds, fraction = divmod(self._last, TICKS)
        moment = EPOCH + timedelta(seconds=seconds)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:07}Z"
