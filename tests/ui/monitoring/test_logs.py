"""With ACR_CONSOLE_LOG=json every line of a console's log is an entry, and none has a secret."""

import json
import logging
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import requests
from cryptography.fernet import Fernet

from tests.support.console import console, console_process, free_port
from ui.monitoring.logs import FIELDS, JsonLines

PASSWORD = "database-passw0rd"


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("acr_console", logging.WARNING, "f", 1, message, args, None)
    record.__dict__.update(extra)
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_an_entry_has_its_fields_and_no_others() -> None:
    found = line("The job %s", "1", job="1", cookie="C00KIE", status=0)
    assert found.keys() == {"time", "level", "logger", "message", "job", "status"}
    assert (found["message"], found["level"], found["status"]) == ("The job 1", "warning", 0)
    assert str(found["time"]).endswith("+00:00")
    assert {"request", "path", "status", "ms", "job"} <= {*FIELDS}


def test_a_text_of_several_lines_is_one_line() -> None:
    assert line('"\n{"level": "forged"}')["message"] == '"\n{"level": "forged"}'


def test_an_error_has_its_traceback() -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "m", (), sys.exc_info())
    assert "ZeroDivisionError: by zero" in json.loads(JsonLines().format(record))["error"]


def test_uvicorn_s_own_entries_of_requests_are_never_written() -> None:
    script = """
        import logging, streamlit.logger
        from ui.monitoring.logs import set_up_logs
        set_up_logs("json")
        streamlit.logger._loggers.clear()  # As where Streamlit gets them only after the application was imported.
        for name in ("uvicorn.access", "uvicorn.error"):
            streamlit.logger.get_logger(name).info("GET /auth/callback?code=C0DE")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=True
    )
    (entry,) = [json.loads(one) for one in done.stderr.splitlines()]
    assert entry["logger"] == "uvicorn.error"


def entries_of(folder: Path) -> tuple[list[dict[str, object]], str]:
    """The entries of a console's log, each line of which is one; and the log as it is."""
    log = (folder / "console.log").read_text()
    lines = [one for one in log.splitlines() if one.strip()]
    # What Streamlit's command greets with goes to the standard output, and is no log.
    assert all(one.startswith(("  ", "{")) for one in lines), log
    return [json.loads(one) for one in lines if one.startswith("{")], log


def test_every_line_of_a_process_is_an_entry(tmp_path: Path) -> None:
    away = f"postgresql+psycopg://console:{PASSWORD}@127.0.0.1:1/console"
    with console(tmp_path, ACR_CONSOLE_LOG="json", ACR_CONSOLE_DATABASE=away) as address:
        request = urllib.request.Request(
            f"{address}/registry?code=C0DE", headers={"Cookie": "__Host-acr-console=C00KIE", "Accept": "text/html"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            request_id = answer.headers["X-Request-Id"]
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=30)
            raise AssertionError("there is no database")
        except urllib.error.HTTPError as refused:
            reason = refused.read().decode()
    entries, log = entries_of(tmp_path)
    by_path = {one["path"]: one for one in entries if "path" in one}
    assert by_path["/registry"]["request"] == request_id
    assert by_path["/registry"]["status"] == 200
    assert by_path["/readyz"]["status"] == 503
    assert "could not be reached" in reason
    assert {"uvicorn.error", "acr_console.requests"} <= {one["logger"] for one in entries}
    assert "uvicorn.access" not in {one["logger"] for one in entries}, "it has the query strings"
    assert [one for one in entries if one["logger"] == "acr_console" and "NoDatabase" in one["message"]]
    assert not [secret for secret in (PASSWORD, "C0DE", "C00KIE") if secret in log + reason]


def test_where_people_sign_in_the_probes_are_open_and_no_code_is_written(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "ACR_CONSOLE_LOG": "json",
        "ACR_CONSOLE_SIGN_IN": "entra",
        "ACR_CONSOLE_PUBLIC_URL": f"http://localhost:{port}",
        "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "ACR_CONSOLE_DATABASE": f"sqlite:///{tmp_path / 'team.db'}",
    }
    paths = ("/healthz", "/readyz", "/_stcore/metrics", "/auth/callback?code=C0DE&state=ST4TE")
    with console_process(tmp_path, port=port, **settings) as (address, _process):
        found = [requests.get(f"{address}{path}", timeout=30).status_code for path in paths]
    assert found == [200, 200, 401, 400]
    entries, log = entries_of(tmp_path)
    assert {"/_stcore/metrics", "/auth/callback"} <= {one.get("path") for one in entries}
    assert not [secret for secret in ("C0DE", "ST4TE", settings["ACR_CONSOLE_KEYS"]) if secret in log]
