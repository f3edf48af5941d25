"""The manifests of a repository of a hundred thousand, listed: what that costs the processor beyond the JSON itself."""

import json
import time

from benchmarks import processes
from benchmarks.clients import BareClient, console_client
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.data_plane import path_of
from services.images.repositories import PAGE, manifest_rows

REGISTRY, MANIFESTS = "bench", 100_000
ROUNDS = 5


def measure() -> list[Row]:
    with processes.sandbox(f"{REGISTRY}:1:{MANIFESTS}") as ready:
        client = console_client(ready, REGISTRY)
        (name,) = client.sdk.list_repository_names()
        pages = _pages(BareClient(ready, REGISTRY), name)

        def rows() -> None:
            assert len(manifest_rows(client, name).values) == MANIFESTS

        def parsed() -> None:
            # All of it is held, as whatever makes one list of it must.
            held = [json.loads(page) for page in pages]
            assert sum(len(page["manifests"]) for page in held) == MANIFESTS

        pairs = by_turns(lambda: seconds(rows, time.process_time), lambda: seconds(parsed, time.process_time), ROUNDS)
    return [
        at_most(
            f"{MANIFESTS:,} manifests of one repository, listed: processor time, × json.loads of the same bytes, held",
            median_ratio(pairs),
            6,
        )
    ]


def _pages(client: BareClient, repository: str) -> list[bytes]:
    pages = []
    following: str | None = path_of("/acr/v1/{repository}/_manifests", {"n": PAGE}, repository=repository)
    while following:
        response = client.get(following)
        pages.append(response.content)
        following = response.links.get("next", {}).get("url")
    return pages
