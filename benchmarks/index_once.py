"""One index of a registry in a process of its own, for `benchmarks.index`: `python -m benchmarks.index_once REGISTRY`.

Reads the sandbox's ready file from standard input, prints the bytes of memory above what the idle process held at most.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.clients import console_client
from benchmarks.push_once import peak
from services.database.engine import open_database
from services.index.reading import index_registry
from services.index.store import IndexStore, IndexTarget


def main(registry: str) -> None:
    client = console_client(json.load(sys.stdin), registry)
    with TemporaryDirectory() as folder:
        store = IndexStore(open_database(f"sqlite:///{Path(folder) / 'index.db'}"), "bench")
        idle = peak()
        found = index_registry(
            store, client, IndexTarget(f"/registries/{registry}", registry, client.login_server, None)
        )
        assert found.complete and found.changed
        print(peak() - idle)


if __name__ == "__main__":
    main(sys.argv[1])
