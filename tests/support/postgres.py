"""A PostgreSQL of a test's own on loopback, from the system's packages."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.console import free_port

# Debian keeps the server's programs beside the path.
_PROGRAMS = [shutil.which("initdb"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)]
MISSING = "PostgreSQL is not installed (apt-get install postgresql); .ci/run installs it"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = next((program for program in _PROGRAMS if program), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Starts a server with its data in a folder of its own; yields its URL."""
    found = programs()
    assert found, MISSING
    # Not within pytest's folder, which is open to its own user alone.
    with TemporaryDirectory(prefix="acr-console-postgres-", ignore_cleanup_errors=True) as folder:
        data, port = Path(folder), free_port()
        as_user: list[str] = []
        if os.geteuid() == 0:  # The server refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(data, user.pw_uid, user.pw_gid)
            as_user = ["runuser", "-u", "postgres", "--"]
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {data} -c fsync=off"
        _run([*as_user, str(found / "initdb"), "-D", str(data), "-A", "trust", "-U", "console"])
        control = [*as_user, str(found / "pg_ctl"), "-D", str(data), "-w"]
        _run([*control, "-l", str(data / "log"), "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://console@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
