"""A whole registry into one table, against the same answers read bare, and against the SDK in a loop."""

import json
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks import processes
from benchmarks.clients import BareClient, console_client, sdk_client
from benchmarks.results import Row, at_least, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.data_plane import path_of
from services.connection.parallel import WORKERS
from services.images.repositories import PAGE, registry_table, repository_names

REGISTRY, REPOSITORIES, MANIFESTS = "bench", 200, 50
LATENCY_MS = 20
ROUNDS = 9
NAME = f"{REPOSITORIES} repositories of {MANIFESTS} manifests at {LATENCY_MS} ms, into a table"


def measure() -> list[Row]:
    with processes.sandbox(f"{REGISTRY}:{REPOSITORIES}:{MANIFESTS}", latency_ms=LATENCY_MS) as ready:
        bare = BareClient(ready, REGISTRY)

        def whole() -> None:
            client = console_client(ready, REGISTRY)
            names = [name for page in repository_names(client) for name in page]
            rows, read = registry_table(client, names)
            assert read.complete and len(rows) == REPOSITORIES * MANIFESTS

        def floor() -> None:
            bare.reconnect()
            assert _read_bare(bare) == REPOSITORIES * MANIFESTS

        def sdk() -> None:
            client = sdk_client(ready, REGISTRY)
            names = list(client.list_repository_names())
            assert sum(len(list(client.list_manifest_properties(name))) for name in names) == REPOSITORIES * MANIFESTS

        whole()
        floor()
        pairs = by_turns(lambda: seconds(whole), lambda: seconds(floor), ROUNDS)
        # One loop of the SDK's is a thousand waits in a row: as steady as many of ours.
        factor = seconds(sdk) / median(ours for ours, _ in pairs)
    return [
        at_most(f"{NAME}, signing in included: time, × the same URLs with requests and json", median_ratio(pairs), 1.5),
        at_least(f"{NAME}, signing in included: × as fast as the SDK in a loop", factor, 15),
    ]


def _read_bare(client: BareClient) -> int:
    """The same URLs by as many threads, parsed and counted, and nothing made of them."""
    names = json.loads(client.get(path_of("/acr/v1/_catalog", {"n": PAGE})).content)["repositories"]

    def manifests(name: str) -> int:
        path = path_of("/acr/v1/{repository}/_manifests", {"n": PAGE}, repository=name)
        return len(json.loads(client.get(path).content)["manifests"])

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(manifests, names))
