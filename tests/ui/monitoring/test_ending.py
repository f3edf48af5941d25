"""A console that is told to end gives its jobs up at once, whatever else it waits for: another continues them."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from sqlalchemy import func, select

from sandbox.server import Sandbox
from services.connection.session import connect_sandbox
from services.database.engine import open_database
from services.database.tables import job_items
from services.deletion.job_records import as_details, as_items
from services.images.tagging import read_untag_plan
from services.jobs.jobs import begin, take_over
from tests.support.console import console_process

LEASE = timedelta(seconds=600)  # Nobody waits for it to run out.
LATENCY = {"ACR_CONSOLE_SANDBOX_LATENCY_MS": "500", "ACR_CONSOLE_LEASE_S": "600"}
REGISTRY, REPOSITORY = "contosoci", "ci/runner"


@contextmanager
def slow_download(address: str) -> Iterator[None]:
    """A browser that has asked for a large file and reads none of it: the server waits for it before it ends."""
    static = Path(streamlit.__file__).parent / "static"
    largest = max(static.rglob("*.js"), key=lambda file: file.stat().st_size)
    assert largest.stat().st_size > 2_000_000, "more than what lies between the two"
    url = urlsplit(address)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", url.port or 0))
        path = largest.relative_to(static).as_posix()
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield


def within(seconds: float, found: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found():
            return True
        time.sleep(0.1)  # Between two looks at another process.
    return False


def test_a_job_is_given_up_at_sigterm_while_a_download_is_open(database_url: str, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", "estate") as sandbox:
        session = connect_sandbox(sandbox.ready)
        who = f"{session.endpoints.resource_manager} {session.identity.key}"
        login_server = sandbox.ready["registries"][REGISTRY]
        tags = [tag.name for tag in sandbox.store.list_tags(REGISTRY, REPOSITORY)]
        plan = read_untag_plan(session.registry(login_server), REGISTRY, REPOSITORY, tags)
    engine = open_database(database_url)
    # As if the process that began it had ended.
    job = begin(
        engine, who, "remove tags", login_server, REPOSITORY, as_items(plan), as_details(plan), timedelta(seconds=-1)
    )

    def recorded() -> int:
        with engine.connect() as db:
            return int(db.execute(select(func.count(job_items.c.outcome))).scalar_one())

    with console_process(tmp_path, ACR_CONSOLE_DATABASE=database_url, **LATENCY) as (address, process):
        assert within(30, lambda: recorded() > 0)
        assert take_over(engine, who, LEASE, [job.action]) is None
        with slow_download(address):
            os.kill(process.pid, signal.SIGTERM)
            assert within(
                10, lambda: (taken := take_over(engine, who, LEASE, [job.action])) is not None and taken.id == job.id
            )
            assert process.poll() is None
    assert 0 < recorded() < len(plan.items)
    engine.dispose()
