"""What it takes to work out figures of a large registry whose contents have been read."""

from statistics import median

from benchmarks.contents_at_hand import contents_at_hand
from benchmarks.results import Row, under
from benchmarks.rounds import seconds
from services.fanout import Partial
from services.storage import registry_storage

MANIFESTS = 10_000
ROUNDS = 5


def measure() -> list[Row]:
    contents = Partial(contents_at_hand(MANIFESTS))
    took = median(seconds(lambda: registry_storage(contents)) for _ in range(ROUNDS))
    return [under(f"Storage of {MANIFESTS:,} manifests, data at hand: seconds", took, 1)]
