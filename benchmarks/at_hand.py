"""What it takes to work out figures of a large registry whose contents have been read."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from benchmarks.contents_at_hand import contents_at_hand
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.parallel import Partial
from services.deletion.cleanup_rules import Rule, choose
from services.deletion.plan import plan_deletion
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_bytes, registry_storage

MANIFESTS, REPOSITORIES = 10_000, 20
ROUNDS = 9


def measure() -> list[Row]:
    registry = Partial(contents_at_hand(MANIFESTS, REPOSITORIES))
    (repository,) = contents_at_hand(MANIFESTS, 1)
    now = datetime(2028, 1, 1, tzinfo=UTC)
    listing = as_json(registry.values)

    def plan() -> None:
        chosen = choose(repository, Rule("v*", timedelta(days=30), leftovers=True), now)
        planned = plan_deletion(repository, chosen.digests, registry="contoso", by_name=False)
        assert len(planned.unblocked) == len(repository.rows) == MANIFESTS
        assert freed_bytes([repository, *registry.values], {repository.name: planned.digests})

    def storage() -> None:
        assert registry_storage(registry)

    def parsed() -> None:
        assert sum(len(json.loads(page)["manifests"]) for page in listing) == MANIFESTS

    return [
        at_most(f"{name}, {MANIFESTS:,} manifests at hand: time, × json.loads of the same", ratio, bar)
        for name, work, bar in (
            ("Storage", storage, 1),
            ("Choosing, planning and counting a deletion", plan, 2),
        )
        for ratio in [median_ratio(by_turns(lambda work=work: seconds(work), lambda: seconds(parsed), ROUNDS))]
    ]


def as_json(repositories: Iterable[RepositoryContents]) -> list[str]:
    """Each repository's manifests and its list of them, as JSON: about as many bytes as the registry sends."""
    return [
        json.dumps(
            {
                "rows": [asdict(row) for row in repository.rows],
                "manifests": [asdict(manifest) for manifest in repository.manifests.values()],
            },
            default=str,
        )
        for repository in repositories
    ]
