"""A process of the console that is killed at a point of its work: from then on it sends and records nothing more.

Its threads go on, as those of a process in its last instant: what they try raises `Killed`.
"""

from threading import Event, Lock
from typing import Any

from azure.core.pipeline.transport import HttpTransport
from sqlalchemy import Engine, event

from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from services.connection.transport import BoundedTransport, pooled
from services.database.engine import open_database


class Killed(BaseException):
    """What the process was doing when it was killed."""


class Process:
    """A process with a session at `sandbox` and an engine of its own at the database.

    It is killed as it sends its request number `requests` (from 1), or after the answer to it, which then is lost
    (`answered`); or after its transaction number `commits`. `killed` says whether it came so far.
    """

    def __init__(
        self, sandbox: Sandbox, database_url: str, *, requests: int = 0, answered: bool = False, commits: int = 0
    ) -> None:
        self.killed = Event()
        self._requests, self._answered, self._commits = requests, answered, commits
        self._sent = self._committed = 0
        self._lock = Lock()
        alive = connect_sandbox(sandbox.ready)
        self.session = AzureSession(
            alive.credential, alive.endpoints, _Transport(self, pooled(BoundedTransport, alive.endpoints.ca_file))
        )
        self.engine = open_database(database_url)
        self._watch(self.engine)

    def _watch(self, engine: Engine) -> None:
        @event.listens_for(engine, "begin")
        def begin(_connection: Any) -> None:
            if self.killed.is_set():
                raise Killed

        @event.listens_for(engine, "commit")
        def commit(connection: Any) -> None:
            if connection.get_execution_options().get("reading"):
                return
            if self.killed.is_set():
                raise Killed
            with self._lock:
                self._committed += 1
                if self._committed == self._commits:
                    self.killed.set()  # This one is written, and none after it.

    def send(self, send: Any) -> Any:
        with self._lock:
            self._sent += 1
            dies = self._sent == self._requests
            if dies and not self._answered:
                self.killed.set()
        if self.killed.is_set():
            raise Killed
        answer = send()
        if dies:
            self.killed.set()
        if self.killed.is_set():
            raise Killed
        return answer


class _Transport(HttpTransport[Any, Any]):
    def __init__(self, process: Process, transport: HttpTransport[Any, Any]) -> None:
        self._process, self._transport = process, transport

    def send(self, request: Any, **options: Any) -> Any:
        return self._process.send(lambda: self._transport.send(request, **options))

    def open(self) -> None:
        self._transport.open()

    def close(self) -> None:
        self._transport.close()

    def sleep(self, seconds: float) -> None:
        self._transport.sleep(seconds)  # type: ignore[attr-defined]

    def __enter__(self) -> "_Transport":
        return self

    def __exit__(self, *_: object) -> None:
        """Stays open, as all that the console has."""
