"""The lease of a row that a process works on: renewed while it does, so that another takes over what has ended."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from sqlalchemy import Connection, Engine

from services.connection.errors import ServiceError
from services.database.engine import writing

# How soon the end of this process reaches its work.
_LOOK_S = 1.0


@contextmanager
def keep_lease(
    engine: Engine,
    what: str,
    renew: Callable[[Connection], bool],
    lease: timedelta,
    stop: threading.Event,
    ends: threading.Event,
) -> Iterator[None]:
    """Renews the lease of `what` each third of it by `renew`, which returns whether this process still has it. Sets
    `stop` where another has taken it, where it could not be renewed in time, and where this process `ends`."""
    over = threading.Event()

    def keep() -> None:
        renewed = monotonic()
        while not over.wait(min(lease.total_seconds() / 3, _LOOK_S)):
            if ends.is_set():
                stop.set()
            if monotonic() - renewed < lease.total_seconds() / 3:
                continue
            try:
                with writing(engine, f"The lease of {what} could not be renewed") as db:
                    if not renew(db):
                        stop.set()
                renewed = monotonic()
            except ServiceError:
                if monotonic() - renewed > lease.total_seconds() * 2 / 3:
                    stop.set()

    threading.Thread(target=keep, name=f"lease of {what}", daemon=True).start()
    try:
        yield
    finally:
        over.set()
