"""What it takes to parse what large clusters answer, and to join it with what their registry has."""

import json
from datetime import UTC, datetime

from benchmarks.access import bench_cluster, bench_registry
from benchmarks.at_hand import as_json
from benchmarks.contents_at_hand import contents_at_hand
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.connection.parallel import Partial
from services.running.images import ClusterImages, RunningImage, merge_images
from services.running.join import digests_in_use, group_by_repository, place_images
from services.running.listing import parse_listing, render_images

CLUSTERS, PODS = 100, 5_000
MANIFESTS, REPOSITORIES = 200_000, 200
ROUNDS = 3


def measure() -> list[Row]:
    here = bench_registry(0)
    contents = contents_at_hand(MANIFESTS, REPOSITORIES)
    listing = as_json(Partial(contents).values)
    names = [(one.name, [tag.name for tag in one.tags], [tag.digest for tag in one.tags]) for one in contents]

    def pod(number: int) -> RunningImage:
        """Each pod has an owner of its own: the most that a cluster lists."""
        name, tags, digests = names[number % REPOSITORIES]
        at = number // REPOSITORIES % len(tags)
        reference = f"{here.login_server}/{name}:{tags[at]}"
        return RunningImage(f"team-{number % 40}", "Deployment", f"app-{number}", reference, digests[at], 2)

    answers = [render_images(map(pod, range(at, at + PODS))) for at in range(0, CLUSTERS * PODS, PODS)]
    clusters = [bench_cluster(f"aks-{number}") for number in range(CLUSTERS)]
    now = datetime.now(UTC)

    def joined() -> None:
        asked = [
            ClusterImages(one, now, merge_images(parse_listing(logs, "").images))
            for one, logs in zip(clusters, answers, strict=True)
        ]
        by_repository = group_by_repository(place_images(asked, [here]))
        used = [digests_in_use(by_repository.get((here.login_server, one.name), ()), one) for one in contents]
        assert sum(map(len, used)) > MANIFESTS / 10
        assert sum(len(images) for images in by_repository.values()) == CLUSTERS * PODS

    def parsed() -> None:
        assert sum(len(json.loads(line)) == 6 for logs in answers for line in logs.splitlines()) == CLUSTERS * PODS
        assert sum(len(json.loads(page)["manifests"]) for page in listing) == MANIFESTS

    pairs = by_turns(lambda: seconds(joined), lambda: seconds(parsed), ROUNDS)
    return [
        at_most(
            f"Running images of {CLUSTERS} clusters with {PODS:,} pods each, parsed and joined with {MANIFESTS:,} "
            "manifests: time, × json.loads of the same",
            median_ratio(pairs),
            2,
        )
    ]
