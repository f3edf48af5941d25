"""What deleting costs beyond the requests themselves, and how long a plan of thousands takes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks import processes
from benchmarks.clients import BareClient, console_client
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.data_plane import path_of
from services.connection.parallel import WORKERS
from services.images.repositories import all_tags, get_repository
from services.images.tagging import apply_untag, plan_untag

REGISTRY, TAGS, LATENCY_MS, ROUNDS = "bench", 2000, 20, 3


def measure() -> list[Row]:
    with processes.sandbox(f"{REGISTRY}:1:{2 * ROUNDS * TAGS}", latency_ms=LATENCY_MS) as ready:
        client, bare = console_client(ready, REGISTRY), BareClient(ready, REGISTRY)
        (name,) = client.sdk.list_repository_names()
        repository = get_repository(client, name)
        tags = {tag.name: tag for tag in all_tags(client, name).values}
        shares = iter([list(tags)[at : at + TAGS] for at in range(0, len(tags), TAGS)])

        def ours() -> None:
            plan = plan_untag(REGISTRY, repository, {tag: tags[tag] for tag in next(shares)}, {})
            assert len(apply_untag(client, plan).values) == TAGS

        def floor() -> None:
            _remove_bare(bare, name, next(shares))

        # Tokens and connections are there before anything is timed.
        client.tokens.hold_for_reading([name])
        bare.send("GET", path_of("/acr/v1/{name}", name=name))
        pairs = by_turns(lambda: seconds(ours), lambda: seconds(floor), ROUNDS)
    return [
        at_most(
            f"{TAGS:,} tags removed at {LATENCY_MS} ms, looked at before and after: time, × the same requests bare",
            median_ratio(pairs),
            1.3,
        )
    ]


def _remove_bare(bare: BareClient, repository: str, tags: Sequence[str]) -> None:
    """The same three requests for each tag, by as many threads, and nothing made of them."""

    def remove(tag: str) -> int:
        path = path_of("/acr/v1/{repository}/_tags/{tag}", repository=repository, tag=tag)
        return sum(bare.send(method, path).status_code for method in ("GET", "DELETE", "GET"))

    with ThreadPoolExecutor(WORKERS) as pool:
        assert set(pool.map(remove, tags)) == {200 + 202 + 404}
