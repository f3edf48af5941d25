"""Work that a thread of each console process looks for again and again, for as long as the process runs."""

import logging
import threading
from collections.abc import Callable

from services.connection.errors import ServiceError

_LOG = logging.getLogger("acr_console")


def look_until(
    stopped: threading.Event, every_s: float, look: Callable[[threading.Event], object], problem: str
) -> None:
    """Calls `look(stopped)` now and each `every_s` until `stopped` is set. One look that fails, whatever by, is logged
    as `problem` ("Daily snapshots cannot be taken"), once as long as it is the same, and the next comes."""
    last = ""
    while not stopped.is_set():
        why = ""
        try:
            look(stopped)
        except ServiceError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - the thread must live on; the log has the traceback
            why = f"The console failed ({type(error).__name__})."
            if why != last:
                _LOG.exception("%s", problem)
        if why and why != last:
            _LOG.warning("%s. %s", problem, why)
        last = why
        stopped.wait(every_s)
