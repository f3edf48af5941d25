"""The sandbox and the console as processes of their own, so that neither shares the client's interpreter."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_S = 120


@contextmanager
def sandbox(
    *bulk: str,
    latency_ms: float = 0,
    seed: str = "empty",
    data: Path | None = None,
    redirects: Iterable[str] = (),
    ready: Path | None = None,
) -> Iterator[Mapping[str, Any]]:
    """A sandbox with registries of these sizes (NAME:REPOSITORIES:MANIFESTS), and what `seed` or the folder `data` has;
    yields its ready file, which is written to `ready`. `redirects`: the redirect URIs of consoles that people sign in
    to."""
    with TemporaryDirectory() as folder:
        ready = ready or Path(folder) / "ready.json"
        options = ["--data", str(data or f"{folder}/data"), "--seed", seed, "--latency-ms", str(latency_ms)]
        options += ["--ready-file", str(ready), *(word for size in bulk for word in ("--bulk", size))]
        options += [word for uri in redirects for word in ("--redirect-uri", uri)]
        with _running(["-m", "sandbox", *options], {}, Path(folder), ready.exists):
            yield json.loads(ready.read_text())


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(frozen=True)
class Console:
    """A console that runs."""

    address: str
    process_id: int

    def resident_bytes(self) -> int:
        """The memory the process holds, as `ps` tells it on every system."""
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process_id)], check=True, capture_output=True, text=True
        )
        return int(told.stdout) * 1024


@contextmanager
def console(script: str, seed: str, port: int = 0, **more: str) -> Iterator[Console]:
    """`streamlit run` of `script` on `port` or a free one, on a sandbox of its own with this seed; `more` settings, in
    which {address} is the console's and {folder} one that goes away with it."""
    with TemporaryDirectory() as folder:
        port = port or free_port()
        address = f"http://localhost:{port}"
        settings = {
            "ACR_CONSOLE_CONNECTION": "sandbox",
            "ACR_CONSOLE_SANDBOX_DATA": f"{folder}/data",
            "ACR_CONSOLE_SANDBOX_SEED": seed,
            **{name: value.format(address=address, folder=folder) for name, value in more.items()},
        }
        command = ["-m", "streamlit", "run", script, "--server.port", str(port)]
        with _running(command, settings, Path(folder), lambda: _answers(f"{address}/_stcore/health")) as process:
            yield Console(address, process.pid)


@contextmanager
def _running(
    command: list[str], settings: Mapping[str, str], folder: Path, is_up: Callable[[], bool]
) -> Iterator[subprocess.Popen[bytes]]:
    """`python command…` until the block ends; yields once `is_up`."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while not is_up():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
