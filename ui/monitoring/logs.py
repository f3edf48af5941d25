"""The log as JSON, a line an entry, for a collector. Without it the log is text, as Streamlit and uvicorn write it."""

import json
import logging
import threading
from datetime import UTC, datetime

import streamlit.logger

# What an entry may have besides its message. Nothing else of a record is written.
FIELDS = ("request", "method", "path", "status", "ms", "account", "sign_in", "job", "entries", "head")
# Whose entries of the level INFO are written; of others those that warn. The Azure SDKs would write every request.
_WRITTEN_WHOLE = ("acr_console", "services", "ui", "uvicorn")
# uvicorn's own entries of requests have the query strings: codes of sign-ins, and more.
_QUERIES = "uvicorn.access"


class JsonLines(logging.Formatter):
    """Each record as a line of JSON: time (UTC), level, logger, message, `FIELDS`, and an error with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: value for name in FIELDS if (value := getattr(record, name, None)) not in (None, "")}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def set_up_logs(form: str) -> None:
    """Makes the log JSON where `form` is json. Called before anything is logged: from then on every line is one."""
    if form != "json":
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in [*logging.root.manager.loggerDict]:
        _write_to_root(logging.getLogger(name))
    for name in _WRITTEN_WHOLE:
        logging.getLogger(name).setLevel(logging.INFO)
    # Streamlit calls it for each of its loggers, also for those of modules that it imports later.
    streamlit.logger.setup_formatter = _write_to_root
    logging.captureWarnings(True)
    threading.excepthook = _log_end_of_thread


def _write_to_root(logger: logging.Logger) -> None:
    """Streamlit and uvicorn give their loggers handlers of their own, which write text."""
    for handler in [*logger.handlers]:
        logger.removeHandler(handler)
    logger.propagate = logger.name != _QUERIES


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread else "unknown"
        error = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        logging.getLogger("acr_console").error("The thread %s ended by an error", name, exc_info=error)
