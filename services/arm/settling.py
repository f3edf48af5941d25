"""Waits until Azure has ended an operation on a resource that another process began."""

from collections.abc import Callable
from threading import Event
from typing import TypeVar

from services.connection.errors import ServiceError

Found = TypeVar("Found")

POLL_S = 2.0
# Half an hour: an operation that takes longer is left to whoever plans the change again.
MOST_POLLS = 900
_RUNNING = ("Creating", "Updating", "Deleting")


def wait_until_settled(
    read: Callable[[], Found | None],
    state_of: Callable[[Found], str],
    report: Callable[[str], None],
    stop: Event,
) -> Found | None:
    """What `read` returns once its provisioning state is of no operation that still runs, or it returns None: there is
    no such resource. As it is where `stop` is set.

    Raises ServiceError as `read` does, and StillRunning where the operation does not end.
    """
    for _ in range(MOST_POLLS):
        found = read()
        if found is None or state_of(found) not in _RUNNING or stop.is_set():
            return found
        report(f"waiting for what Azure has begun (state: {state_of(found)})")
        stop.wait(POLL_S)
    raise ServiceError(
        "The change could not be continued",
        "An operation that Azure has begun on the resource does not end.",
        "Look at the resource in Azure, and plan the change again once its operation has ended.",
        "StillRunning",
    )
