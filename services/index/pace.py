"""A budget of reads: so many a minute, spread evenly, so that who works on the registry meanwhile is not throttled.

A registry allows 10,000 reads a minute, and one identity 5,000 (Basic and Standard; Premium twice as many):
https://learn.microsoft.com/azure/container-registry/container-registry-skus#api-request-rate-limits
"""

import time
from collections.abc import Callable
from threading import Event, Lock

# Half of what an identity may read on Basic and Standard.
READS_A_MINUTE = 2500
# A registry of Premium allows 20,000 for all who read it.
MOST_READS_A_MINUTE = 20_000
# Reads that may go at once after a pause.
_AT_ONCE = 100


class Pace:
    """At most `reads_a_minute`, over all threads. `stop`: ends the waits."""

    def __init__(self, reads_a_minute: int, stop: Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = 60 / reads_a_minute
        self._stop = stop
        self._clock = clock
        self._lock = Lock()
        self._next = clock() - _AT_ONCE * self._every_s

    def take(self) -> None:
        """Returns when the next read may begin, or once `stop` is set."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now - _AT_ONCE * self._every_s)
            self._next = at + self._every_s
        if at > now:
            self._stop.wait(at - now)
