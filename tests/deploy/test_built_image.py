"""The image that `make image-test` has built, started by buildah: what is in it, who it runs as, what it writes."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.console import free_port

IMAGE = os.environ.get("IMAGE", "")
pytestmark = pytest.mark.skipif(not IMAGE, reason="No image is built (make image-test)")
WRITABLE = ("/tmp", "/data", "/proc", "/sys", "/dev", "/run")
STARTS_WITHIN_S = 120


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(container: str, *command: str) -> str:
    return buildah("run", "--isolation", "chroot", container, "--", *command)


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    name = buildah("from", "--pull-never", IMAGE).strip()
    yield name
    buildah("rm", name)


def answer(url: str) -> tuple[int, str]:
    try:
        asked = urllib.request.Request(url, headers={"Accept": "text/html"})
        with urllib.request.urlopen(asked, timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_says_who_it_runs_as_and_how_it_is_watched(container: str) -> None:
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert "/healthz" in " ".join(config["Healthcheck"]["Test"])
    assert run(container, "id", "-u").strip() == "10001"


def test_it_has_the_console_and_neither_sandbox_nor_tests(container: str) -> None:
    there = run(container, "ls", "-A", "/srv/console").split()
    assert {"app.py", "pages", "services", "ui", "static", ".streamlit"} <= set(there)
    assert not {"sandbox", "tests", ".git", "deploy"} & set(there)


def test_it_answers_its_probes_and_writes_to_its_own_folders_alone(container: str) -> None:
    port = free_port()
    root = Path(buildah("mount", container).strip())
    before = time.time()
    process = subprocess.Popen(
        ["buildah", "run", "--isolation", "chroot", container, "--", "streamlit", "run", "app.py",
         "--server.port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        status = 0
        while status != 200 and process.poll() is None and time.monotonic() < until:
            try:
                status, _ = answer(f"http://127.0.0.1:{port}/healthz")
            except OSError:
                time.sleep(0.5)  # Between two looks at another process.
        assert status == 200
        assert answer(f"http://127.0.0.1:{port}/readyz")[0] == 200
        assert "/brand/console.js" in answer(f"http://127.0.0.1:{port}/")[1]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
    written = [
        f"/{path.relative_to(root)}"
        for folder, _folders, files in os.walk(root)
        for path in (Path(folder) / name for name in files)
        if not path.is_symlink() and path.stat().st_mtime >= before
    ]
    assert [path for path in written if path.startswith("/data/")]
    assert not [path for path in written if not path.startswith(WRITABLE)]
