"""Work that is done as soon as the process gets SIGTERM, not only once its last connection is closed."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType


@contextmanager
def at_termination(act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` in a thread of its own when SIGTERM comes, before the handler that was there; and at the end, if none
    came. The server waits for open downloads and websockets before it ends: minutes in which others could continue.
    """
    terminated: SimpleQueue[bool] = SimpleQueue()  # Its `put` may interrupt itself, as a signal may come at any time.

    def wait() -> None:
        terminated.get()
        act()

    waiting = threading.Thread(target=wait, name="termination", daemon=True)
    waiting.start()
    with _handling(signal.SIGTERM, lambda: terminated.put(True)):
        try:
            yield
        finally:
            terminated.put(False)
            waiting.join()


@contextmanager
def _handling(number: signal.Signals, note: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # Only that one may set handlers.
        yield
        return
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        note()
        if callable(before):
            before(received, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)
