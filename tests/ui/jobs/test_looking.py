"""The looks of a console process for what is due: they go on after any failure, which is logged once."""

import logging
import threading
from collections.abc import Iterator

import pytest

from services.connection.errors import ServiceError
from ui.jobs.looking import look_until

DOWN = ServiceError("The database does not answer", "It is down.", "Start it.", "NoDatabase")


def test_looks_go_on_after_any_failure_and_each_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    results: Iterator[Exception | None] = iter([DOWN, DOWN, ValueError("x"), ValueError("x"), None, DOWN])
    seen = []

    def look(given: threading.Event) -> None:
        assert given is stopped
        result = next(results, None)
        seen.append(result)
        if len(seen) == 7:
            stopped.set()
        if result:
            raise result

    with caplog.at_level(logging.INFO, "acr_console"):
        look_until(stopped, 0, look, "Snapshots cannot be taken")
    assert len(seen) == 7
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    down = "Snapshots cannot be taken. The database does not answer: It is down. (NoDatabase)"
    assert warned == [down, "Snapshots cannot be taken. The console failed (ValueError).", down]
    # The traceback of what the console itself did wrong.
    assert [record.exc_info is not None for record in caplog.records if record.levelno == logging.ERROR] == [True]


def test_a_process_that_ends_looks_no_more() -> None:
    stopped = threading.Event()
    stopped.set()
    look_until(stopped, 60, lambda _stopped: pytest.fail("looked"), "Nothing")
