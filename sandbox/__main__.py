"""`python -m sandbox`: the embedded Azure on its own, for az, skopeo, docker and tests."""

from __future__ import annotations

import argparse
import json
import math
import re
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.faults import parse_rules
from sandbox.large.size import parse_size
from sandbox.seeds import SEEDS
from sandbox.seeds.bulk import bulk
from sandbox.server import OtherSeed, Sandbox, utcnow
from sandbox.storage.store import DataDirectoryInUse

# What `--bulk` adds in minutes, and keeps in a few gigabytes.
MOST_MANIFESTS = 1_000_000
LONGEST = 24 * 60 * 60 * 1000


def main() -> int:
    arguments = _arguments()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        arguments.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"sandbox: --data: {error}", file=sys.stderr)
        return 2
    try:
        sandbox = Sandbox.start(
            arguments.data,
            seed=arguments.seed,
            port=arguments.port,
            latency_ms=arguments.latency_ms,
            faults=arguments.faults,
            propagation_s=arguments.propagation_s,
        )
    except (OtherSeed, DataDirectoryInUse, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    with sandbox:
        for uri in arguments.redirect_uri:
            sandbox.register_console(uri)
        for name, repositories, manifests in arguments.bulk:
            if sandbox.store.find_resource(REGISTRY_TYPE, name) is None:
                bulk(sandbox.store, name, repositories, manifests, tags=True, now=utcnow())
                sandbox.state.open_registry(name)
        if arguments.ready_file:
            try:
                _write(arguments.ready_file, json.dumps(sandbox.ready, indent=2))
            except OSError as error:
                print(f"sandbox: --ready-file: {error}", file=sys.stderr)
                return 2
        count = len(sandbox.ready["registries"])
        print(f"Sandbox on {sandbox.state.authority_url} with {count} registries; data in {arguments.data}", flush=True)
        ended.wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="python -m sandbox", description="An embedded Azure on loopback.")
    parser.add_argument("--data", type=Path, default=Path(".sandbox"), help="directory kept between runs")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", choices=SEEDS, default="estate", help="what a new directory starts with")
    seeds.add_argument(
        "--estate",
        type=_estate,
        dest="seed",
        metavar="REGISTRIES:REPOSITORIES:MANIFESTS",
        help="start a new directory with an estate of this size: manifests are made when they are asked for",
    )
    parser.add_argument("--port", type=_port, default=0, help="management port; 0: that of last time, or any")
    parser.add_argument("--latency-ms", type=_duration, default=0, help="added to every answer")
    parser.add_argument(
        "--propagation-s", type=_duration, default=0, help="how long registries don't know a new role assignment"
    )
    parser.add_argument("--ready-file", type=_new_file, help="where to write addresses and credentials, as JSON")
    parser.add_argument(
        "--redirect-uri", action="append", default=[], metavar="URL", help="of a console that people sign in to"
    )
    parser.add_argument("--faults", type=_faults, help="rules of requests to break (see sandbox/faults.py)")
    parser.add_argument(
        "--bulk",
        type=_bulk,
        action="append",
        default=[],
        metavar="NAME:REPOSITORIES:MANIFESTS",
        help="add a Premium registry of this size",
    )
    return parser.parse_args()


class _Parser(argparse.ArgumentParser):
    """One line says what is wrong; the usage is in --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sandbox: {message}\n")


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _duration(text: str) -> float:
    try:
        duration = float(text)
    except ValueError:
        duration = math.nan
    if not (math.isfinite(duration) and 0 <= duration <= LONGEST):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: a number from 0 to {LONGEST}")
    return duration


def _faults(text: str) -> Path:
    """A file that does not exist yet breaks nothing: a test may write it later."""
    file = Path(text)
    try:
        if file.exists():
            parse_rules(file.read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error
    return file


def _new_file(text: str) -> Path:
    file = Path(text)
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a directory")
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {file.parent}")
    return file


def _estate(text: str) -> str:
    try:
        return parse_size(text).seed
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from error


def _bulk(text: str) -> tuple[str, int, int]:
    name, *numbers = text.split(":")
    if not re.fullmatch("[A-Za-z0-9]{5,50}", name) or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:REPOSITORIES:MANIFESTS")
    repositories, manifests = map(int, numbers)
    if repositories * manifests > MOST_MANIFESTS:
        raise argparse.ArgumentTypeError(f"{text!r} has more than {MOST_MANIFESTS:,} manifests")
    return name, repositories, manifests


def _write(file: Path, text: str) -> None:
    """All or nothing, and for this user only: it holds the demonstration's secrets."""
    temporary = file.with_name(file.name + ".new")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(file)


if __name__ == "__main__":
    sys.exit(main())
