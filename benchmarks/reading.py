"""The contents of a whole registry, against the same answers read bare, and against the SDK in a loop."""

import json
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from azure.containerregistry import ContainerRegistryClient

from benchmarks import processes
from benchmarks.clients import BareClient, console_client, sdk_client
from benchmarks.results import Row, at_least, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.data_plane import path_of
from services.connection.parallel import WORKERS
from services.images.repositories import PAGE, repository_names
from services.images.repository_contents import read_contents

REGISTRY, REPOSITORIES, MANIFESTS = "bench", 40, 20
LATENCY_MS = 20
ROUNDS = 9
NAME = f"{REPOSITORIES} repositories of {MANIFESTS} manifests at {LATENCY_MS} ms, every manifest read"


def measure() -> list[Row]:
    with processes.sandbox(f"{REGISTRY}:{REPOSITORIES}:{MANIFESTS}", latency_ms=LATENCY_MS) as ready:
        bare = BareClient(ready, REGISTRY)

        def contents() -> None:
            client = console_client(ready, REGISTRY)
            names = [name for page in repository_names(client) for name in page]
            read = read_contents(client, names, {})
            assert read.complete and sum(len(one.manifests) for one in read.values) == REPOSITORIES * MANIFESTS

        def floor() -> None:
            bare.reconnect()
            assert read_bare(bare) == REPOSITORIES * MANIFESTS

        contents()
        floor()
        pairs = by_turns(lambda: seconds(contents), lambda: seconds(floor), ROUNDS)
        # One loop of the SDK's is a thousand waits in a row: as steady as many of ours.
        factor = seconds(lambda: _read_by_sdk(sdk_client(ready, REGISTRY))) / median(ours for ours, _ in pairs)
    return [
        at_most(f"{NAME}, signing in included: time, × the same URLs with requests and json", median_ratio(pairs), 1.5),
        at_least(f"{NAME}, signing in included: × as fast as the SDK in a loop", factor, 15),
    ]


def read_bare(client: BareClient) -> int:
    """The same URLs by as many threads, parsed and counted, and nothing made of them."""
    names = json.loads(client.get(path_of("/acr/v1/_catalog", {"n": PAGE})).content)["repositories"]

    def digests(name: str) -> list[tuple[str, str]]:
        listed = json.loads(client.get(path_of("/acr/v1/{r}/_manifests", {"n": PAGE}, r=name)).content)["manifests"]
        json.loads(client.get(path_of("/acr/v1/{r}/_tags", {"n": PAGE}, r=name)).content)
        json.loads(client.get(path_of("/acr/v1/{r}", r=name)).content)
        return [(name, entry["digest"]) for entry in listed]

    def manifest(of: tuple[str, str]) -> int:
        name, digest = of
        return int(json.loads(client.get(path_of("/v2/{r}/manifests/{d}", r=name, d=digest)).content)["schemaVersion"])

    with ThreadPoolExecutor(WORKERS) as pool:
        found = [one for of_one in pool.map(digests, names) for one in of_one]
        return sum(1 for _ in pool.map(manifest, found))


def _read_by_sdk(client: ContainerRegistryClient) -> None:
    read = 0
    for name in client.list_repository_names():
        client.get_repository_properties(name)
        list(client.list_tag_properties(name))
        for listed in client.list_manifest_properties(name):
            client.get_manifest(name, listed.digest)
            read += 1
    assert read == REPOSITORIES * MANIFESTS
