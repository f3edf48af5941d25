"""What an orchestrator is told: of the process, and of the database; never of Azure."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from starlette.requests import Request

from services.connection.errors import ServiceError
from services.database.engine import open_database
from ui.monitoring import probes

REQUEST = Request({"type": "http", "method": "GET", "path": "/readyz", "headers": []})


@pytest.fixture(autouse=True)
def nothing_logged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_state", probes._State())


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Engine]], tuple[int, dict[str, str]]]:
    def asked(opened: Callable[[], Engine]) -> tuple[int, dict[str, str]]:
        monkeypatch.setattr(probes, "database", opened)
        answer = asyncio.run(probes.ready(REQUEST))
        return answer.status_code, json.loads(answer.body)

    return asked


Ask = Callable[[Callable[[], Engine]], tuple[int, dict[str, str]]]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql+psycopg://console:very-secret@127.0.0.1:{listening.getsockname()[1]}/console"


def test_a_process_that_answers_is_alive() -> None:
    answer = probes.alive(REQUEST)
    assert (answer.status_code, json.loads(answer.body)) == (200, {"status": "ok"})


def test_it_is_ready_while_the_database_answers(database: Engine, ask: Ask) -> None:
    assert ask(lambda: database) == (200, {"status": "ready"})


def break_database(engine: Engine) -> None:
    """As if the file had been overwritten, or the server's database removed."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
        file.write_bytes(b"no database at all, and long enough to be taken for a header" * 20)
    else:
        admin = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as db:
            db.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
        admin.dispose()


def test_a_database_that_went_away_is_the_reason_and_logged_once(
    database: Engine, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(lambda: database)[0] == 200
    break_database(database)
    for _ in range(3):
        status, body = ask(lambda: database)
        assert (status, body["status"]) == (503, "not ready")
        assert body["reason"] in ("The file is damaged, or no database.", "The database server could not be reached.")
    assert len([one for one in caplog.messages if one.startswith("Not ready")]) == 1
    assert len([one for one in caplog.messages if "NoDatabase" in one]) == 1


def test_a_database_that_hangs_is_not_waited_for(silent_server: str, ask: Ask) -> None:
    begun = time.monotonic()
    for _ in range(3):  # More than there are threads for it.
        assert ask(lambda: open_database(silent_server)) == (
            503,
            {"status": "not ready", "reason": "The database did not answer within 1 s."},
        )
    assert time.monotonic() - begun < 8


def test_the_reason_names_no_host_account_or_password(ask: Ask) -> None:
    status, body = ask(lambda: open_database("postgresql+psycopg://auditor:very-secret@127.0.0.1:1/ledger"))
    assert (status, body["reason"]) == (503, "The database server could not be reached.")


def test_a_setting_that_is_no_url_is_the_reason(ask: Ask) -> None:
    assert ask(lambda: open_database("very-secret"))[1]["reason"] == "ACR_CONSOLE_DATABASE is no database URL."


def test_it_says_when_it_is_ready_again(database: Engine, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> Engine:
        raise ServiceError("The database is away", "It is.", "Wait.", "NoDatabase")

    assert [ask(one)[0] for one in (away, away, lambda: database)] == [503, 503, 200]
    assert caplog.messages == ["The database is away: It is. (NoDatabase)", "Not ready: It is.", "Ready again"]
