"""What it takes to work out figures of a large registry whose contents have been read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.contents_at_hand import contents_at_hand
from benchmarks.results import Row, under
from benchmarks.rounds import seconds
from services.connection.parallel import Partial
from services.deletion.cleanup_rules import Rule, choose
from services.deletion.plan import plan_deletion
from services.images.storage import freed_bytes, registry_storage

MANIFESTS, REPOSITORIES = 10_000, 20
ROUNDS = 5


def measure() -> list[Row]:
    registry = Partial(contents_at_hand(MANIFESTS, REPOSITORIES))
    (repository,) = contents_at_hand(MANIFESTS, 1)
    now = datetime(2028, 1, 1, tzinfo=UTC)

    def plan() -> None:
        chosen = choose(repository, Rule("v*", timedelta(days=30), leftovers=True), now)
        planned = plan_deletion(repository, chosen.digests, by_name=False)
        assert len(planned.going) == len(repository.rows) == MANIFESTS
        assert freed_bytes([repository, *registry.values], {repository.name: planned.digests})

    return [
        under(
            f"Storage of {MANIFESTS:,} manifests, data at hand: seconds",
            _seconds(lambda: registry_storage(registry)),
            1,
        ),
        under(
            f"Choosing, planning and counting a deletion of {MANIFESTS:,} manifests, data at hand: seconds",
            _seconds(plan),
            1,
        ),
    ]


def _seconds(work: Callable[[], object]) -> float:
    return median(seconds(work) for _ in range(ROUNDS))
