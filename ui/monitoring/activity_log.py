"""What is done with the activity log while the console runs: its head is logged, and what is old is removed."""

import logging
import threading

from services.connection.errors import ServiceError
from services.jobs.audit import read_head
from services.jobs.retention import remove_old_entries
from ui.runtime.database import database

EVERY_S = 3600
_LOG = logging.getLogger("acr_console.activity")


def look_after_until(stopped: threading.Event, every_s: float = EVERY_S) -> None:
    """Now and each hour until `stopped` is set, in a thread of its own.

    The head (the last hash, and how many entries led to it) shows, once it is in another system, that the log was cut
    off or written anew. One look that fails, whatever by, is logged, and the next comes.
    """
    while not stopped.is_set():
        try:
            if removed := remove_old_entries(database()):
                _LOG.info("Activity log: %s old entries removed", removed)
            number, head = read_head(database())
            _LOG.info("Activity log: head of the chain", extra={"entries": number, "head": head})
        except ServiceError as error:
            _LOG.warning("%s", error)
        except Exception:  # noqa: BLE001 - the thread must live on; the log has the traceback
            _LOG.exception("The activity log could not be looked after")
        stopped.wait(every_s)
