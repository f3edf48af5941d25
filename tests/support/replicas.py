"""A team's console as it is hosted: two processes on one PostgreSQL, behind a balancer, and the Azure that they ask."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine

from sandbox.server import Sandbox
from tests.support.balancer import balancer
from tests.support.console import console_process, free_port


@dataclass(frozen=True)
class Replicas:
    """`address` is the balancer's. `own` and `processes` are the replicas', by the balancer's numbers."""

    address: str
    own: tuple[str, ...]
    processes: tuple[subprocess.Popen[bytes], ...]
    sandbox: Sandbox
    database: Engine


@contextmanager
def replicas(folder: Path, database_url: str, **settings: str) -> Iterator[Replicas]:
    """Two replicas on the estate, on this database."""
    port = free_port()
    address = f"http://localhost:{port}"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox.start(folder / "sandbox", "estate"))
        sandbox.register_console(f"{address}/auth/callback")
        ready = folder / "ready.json"
        ready.write_text(json.dumps(sandbox.ready))
        hosted = {
            "ACR_CONSOLE_SANDBOX_READY_FILE": str(ready),
            "ACR_CONSOLE_SIGN_IN": "entra",
            "ACR_CONSOLE_PUBLIC_URL": address,
            "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
            "ACR_CONSOLE_DATABASE": database_url,
            "ACR_CONSOLE_CHECK_S": "1",
            "ACR_CONSOLE_LEASE_S": "3",
            "STREAMLIT_SERVER_COOKIE_SECRET": "the same in both replicas",
            **settings,
        }
        running = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            running.append(stack.enter_context(console_process(folder / name, **hosted)))
        ports = [int(own.rpartition(":")[2]) for own, _process in running]
        stack.enter_context(balancer(ports, port))
        engine = create_engine(database_url)
        stack.callback(engine.dispose)
        owns, processes = zip(*running, strict=True)
        yield Replicas(address, owns, processes, sandbox, engine)
