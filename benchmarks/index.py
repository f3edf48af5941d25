"""The index: what building it takes over the bare requests, what a second look asks, its memory, its size on disk."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import processes
from benchmarks.at_hand import as_json
from benchmarks.clients import BareClient, console_client
from benchmarks.contents_at_hand import repository_at_hand
from benchmarks.reading import read_bare
from benchmarks.results import Row, at_most, under
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.data_plane import RegistryClient
from services.database.engine import open_database
from services.index.reading import RegistryIndexed, index_registry
from services.index.store import IndexStore, IndexTarget, ReadRepository

REGISTRY, REPOSITORIES, MANIFESTS = "bench", 40, 100
LATENCY_MS = 20
ROUNDS = 3
# By registry, its repositories, each with so many manifests.
GROWING, LARGEST = {"benchfew": 6, "benchmany": 24}, 2000
# Repositories in the large database.
FILLED = 100
RELEASES = 200  # Of a repository: a thousand manifests.
TARGET = IndexTarget("/subscriptions/s/registries/bench", REGISTRY, "bench.azurecr.io", None)


def measure() -> list[Row]:
    return [*_building(), *_memory(), *_disk()]


def _building() -> list[Row]:
    with (
        processes.sandbox(f"{REGISTRY}:{REPOSITORIES}:{MANIFESTS}", latency_ms=LATENCY_MS) as ready,
        TemporaryDirectory() as folder,
    ):
        bare = BareClient(ready, REGISTRY)
        number = 0

        def store() -> IndexStore:
            nonlocal number
            number += 1
            return IndexStore(open_database(f"sqlite:///{folder}/{number}.db"), "bench")

        def first() -> None:
            found = index_registry(store(), console_client(ready, REGISTRY), TARGET)
            assert found.complete and found.changed == REPOSITORIES

        def floor() -> None:
            bare.reconnect()
            assert read_bare(bare) == REPOSITORIES * MANIFESTS

        first()
        floor()
        pairs = by_turns(lambda: seconds(first), lambda: seconds(floor), ROUNDS)
        kept = store()
        index_registry(kept, console_client(ready, REGISTRY), TARGET)
        requests = _counted(console_client(ready, REGISTRY), lambda client: index_registry(kept, client, TARGET))
    name = f"{REPOSITORIES} repositories of {MANIFESTS} manifests at {LATENCY_MS} ms"
    return [
        at_most(f"First index of {name}: time, × the same URLs with requests and json", median_ratio(pairs), 1.3),
        at_most(
            f"Second index of {name}, nothing changed: requests, × one for the catalogue and one a repository",
            requests / (1 + REPOSITORIES),
            1,
        ),
    ]


def _counted(client: RegistryClient, work: Callable[[RegistryClient], RegistryIndexed]) -> int:
    asked = 0

    def before_read() -> None:
        nonlocal asked
        asked += 1

    assert work(client.paced(before_read)).changed == 0
    return asked


def _memory() -> list[Row]:
    with processes.sandbox(*(f"{name}:{repositories}:{LARGEST}" for name, repositories in GROWING.items())) as ready:
        few, many = (_grown(ready, name) for name in GROWING)
    name = f"{GROWING['benchmany']} repositories of {LARGEST:,} manifests"
    return [
        under(f"Index of {name}: memory of the process above idle, MiB", many / 2**20, 300),
        at_most(f"… × that of {GROWING['benchfew']} such repositories", many / few, 1.5),
    ]


def _grown(ready: Mapping[str, Any], registry: str) -> int:
    command = [sys.executable, "-m", "benchmarks.index_once", registry]
    told = subprocess.run(
        command, input=json.dumps(dict(ready)), check=True, capture_output=True, text=True, cwd=processes.ROOT
    )
    return int(told.stdout)


def _disk() -> list[Row]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "index.db"
        store = IndexStore(open_database(f"sqlite:///{file}"), "bench")
        registry = store.add_registry(TARGET)
        filled = listed = 0
        for number in range(FILLED):
            contents = repository_at_hand(f"team/app-{number:05}", RELEASES)
            fresh = tuple(contents.manifests.values())
            read = ReadRepository(
                contents.repository, contents.tags, contents.rows, contents.manifests, fresh, datetime.now(UTC)
            )
            store.write_repository(registry, read)
            filled += len(contents.rows)
            listed += sum(len(gzip.compress(page.encode())) for page in as_json([contents]))
        store.engine.dispose()  # The last to close the file moves what is in its log there.
        size = file.stat().st_size
    name = f"{filled:,} manifests in {FILLED} repositories (SQLite)"
    return [at_most(f"Index of {name}: disk, × gzip of the lists and manifests", size / listed, 4)]
