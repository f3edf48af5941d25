"""What it takes to simulate a retention policy over a large registry whose contents have been read."""

import json
from datetime import UTC, datetime

from benchmarks.at_hand import as_json
from benchmarks.contents_at_hand import contents_at_hand
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.parallel import Partial
from services.deletion.running_images import RunningImages
from services.policies.decisions import LastPulls
from services.policies.policy import DeleteRule, KeepRule, Policy, UntaggedRule
from services.policies.simulation import simulate

MANIFESTS, REPOSITORIES = 200_000, 200
ROUNDS = 3
POLICY = Policy(
    "bench",
    (
        KeepRule("newest", newest=5),
        KeepRule("releases", tags=("v1*",), last_of_minor=True),
        KeepRule("signed", signed=True),
        DeleteRule("old", at_least=10, older_than_days=30, not_pulled_for_days=90),
        UntaggedRule("leftovers", older_than_days=7),
    ),
)


def measure() -> list[Row]:
    registry = Partial(contents_at_hand(MANIFESTS, REPOSITORIES))
    now = datetime(2028, 1, 1, tzinfo=UTC)
    pulls = {one.name: LastPulls({}, datetime(2026, 1, 1, tzinfo=UTC)) for one in registry.values}
    listing = as_json(registry.values)

    def simulated() -> None:
        found = simulate(
            POLICY,
            registry,
            now,
            registry="bench",
            running=lambda one: RunningImages.of([one.rows[-1].digest]),
            pulls=pulls,
            unknown_pulls=LastPulls(),
        )
        assert found.manifests == MANIFESTS
        assert found.deleted > MANIFESTS / 2
        assert found.freed
        assert found.by_rule

    def parsed() -> None:
        assert sum(len(json.loads(page)["manifests"]) for page in listing) == MANIFESTS

    pairs = by_turns(lambda: seconds(simulated), lambda: seconds(parsed), ROUNDS)
    return [
        at_most(
            f"A retention policy simulated over {REPOSITORIES} repositories, {MANIFESTS:,} manifests at hand: "
            "time, × json.loads of the same",
            median_ratio(pairs),
            3,
        )
    ]
