"""The head of the activity log is logged as long as the console lives."""

import logging
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.jobs.audit import add_entry, read_head
from ui.monitoring import activity_log


class Looks(threading.Event):
    """Set after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == 3600
        self._left -= 1
        if not self._left:
            self.set()
        return self.is_set()


@pytest.fixture(autouse=True)
def info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO, "acr_console.activity")
    yield


def test_the_head_is_logged_each_hour(
    database: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(activity_log, "database", lambda: database)
    with database.begin() as db:
        add_entry(db, "who", "signed in", "")
    activity_log.look_after_until(Looks(2))
    heads = [(vars(one)["entries"], vars(one)["head"]) for one in caplog.records]
    assert heads == [read_head(database)] * 2


def test_a_database_that_is_away_is_logged_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> Engine:
        raise ServiceError("The database is away", "It is.", "Wait.", "NoDatabase")

    monkeypatch.setattr(activity_log, "database", away)
    activity_log.look_after_until(Looks(2))
    assert caplog.messages == ["The database is away: It is. (NoDatabase)"] * 2


def test_an_error_of_one_look_ends_no_further_look(
    database: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_engine: Engine) -> int:
        raise ValueError("Expecting value")

    monkeypatch.setattr(activity_log, "database", lambda: database)
    monkeypatch.setattr(activity_log, "remove_old_entries", fails)
    activity_log.look_after_until(Looks(2))
    assert [bool(one.exc_info) for one in caplog.records] == [True, True]
