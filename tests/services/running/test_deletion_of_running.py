"""Nothing goes that a running image needs, over registries and clusters at random."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sandbox.server import Sandbox
from sandbox.storage.store import Store
from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.connection.session import AzureSession, connect_sandbox
from services.deletion.plan import Keeps, plan_deletion
from services.deletion.repository import plan_repository_deletion
from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents, read_contents
from services.pull_checks.matrix import Pulls
from services.pull_checks.matrix_reading import read_pulls
from services.running.answers import AnswerStore, FoundAnswers
from services.running.apps import KnownApps
from services.running.images import ClusterImages, RunningImage
from services.running.join import digests_in_use, place_images
from services.running.known import known_running, running_now
from services.running.unasked import MOST_AGE, MOST_AHEAD, clusters_that_may_pull, find_unasked
from tests.services.pull_checks.test_matrix import CLUSTER, registry
from tests.support import repository_samples
from tests.support.registries_at_random import Pushes, read, registries, write

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NUMBERS = iter(range(10**9))


def children(store: Store, name: str, repository: str) -> dict[str, set[str]]:
    """What each manifest points to, as the store has it."""
    bodies = {
        one.digest: json.loads(store.get_manifest_body(name, repository, one.digest) or b"{}")
        for one in store.list_manifests(name, repository)
    }
    return {digest: {child["digest"] for child in body.get("manifests", ())} for digest, body in bodies.items()}


def reachable(starts: set[str], edges: dict[str, set[str]]) -> set[str]:
    found, stack = set(starts), list(starts)
    while stack:
        for other in edges.get(stack.pop(), set()) - found:
            found.add(other)
            stack.append(other)
    return found


@given(drawn=registries(), data=st.data(), by_name=st.booleans(), unasked=st.booleans())
def test_nothing_reachable_from_what_runs_goes(
    store: Store, drawn: tuple[Pushes, ...], data: st.DataObject, by_name: bool, unasked: bool
) -> None:
    name = f"registry{next(NUMBERS)}"
    write(store, name, drawn)
    contents: RepositoryContents = data.draw(st.sampled_from(read(store, name)))
    digests = sorted(row.digest for row in contents.rows)
    tags = {tag.name: tag.digest for tag in contents.tags}
    image = f"{registry().login_server}/{contents.name}"
    references = [f"{image}@{digest}" for digest in digests] + [f"{image}:{tag}" for tag in tags] + [image, "x y"]
    drawn_images = st.builds(
        RunningImage,
        st.just("shop"),
        st.just("Deployment"),
        st.sampled_from("abc"),
        st.sampled_from(references),
        st.sampled_from(["", *digests]),
        st.integers(0, 2),
    )
    images = data.draw(st.lists(drawn_images, max_size=4))
    placed = place_images([ClusterImages(CLUSTER, NOW, tuple(images))], [registry()])
    running = RunningImages(digests_in_use(placed, contents), ("aks-x (not asked)",) if unasked else ())
    chosen = data.draw(st.lists(st.sampled_from(digests), min_size=1, unique=True))
    plan = plan_deletion(contents, chosen, registry=name, by_name=by_name, running=running)

    named = {one.reference.partition("@")[2] for one in images if one.reference != "x y"}
    pulled = {one.digest for one in images if one.reference != "x y"}
    by_tag = {digest for tag, digest in tags.items() if f"{image}:{tag}" in {one.reference for one in images}}
    latest = {tags.get("latest", "")} if image in {one.reference for one in images} else set()
    runs = (named | pulled | by_tag | latest) - {""}
    event(f"goes {min(len(plan.unblocked), 2)}, runs {min(len(runs), 2)}")
    assert not reachable(runs, children(store, name, contents.name)) & set(plan.digests)
    if unasked and not by_name:
        assert not plan.unblocked
    if unasked and by_name and plan.unblocked:
        assert any("aks-x" in warning for warning in plan.warnings)
    accepted = replace(running, accept_unasked=True)
    again = plan_deletion(contents, chosen, registry=name, by_name=False, running=accepted)
    assert not reachable(runs, children(store, name, contents.name)) & set(again.digests)


def test_by_name_what_runs_goes_only_where_the_person_says_so_and_it_is_named() -> None:
    name = "contoso"
    contents = repository_samples.contents(repository_samples.row(1, "v1"))
    (row,) = contents.rows
    running = RunningImages({row.digest: ("Deployment shop/web in aks-x",)})
    kept = plan_deletion(contents, [row.digest], registry=name, by_name=True, running=running)
    assert (kept.unblocked, kept.items[0].kept_by) == ((), Keeps.RUNS)
    assert "Deployment shop/web in aks-x" in kept.blockers[0]
    assert plan_repository_deletion(contents, name, running).blockers
    told = replace(running, delete_running=True)
    by_name = plan_deletion(contents, [row.digest], registry=name, by_name=True, running=told)
    assert by_name.digests == (row.digest,)
    assert "1 image of the plan runs: Deployment shop/web in aks-x." in by_name.warnings[0]
    again = plan_deletion(contents, [row.digest], registry=name, by_name=False, running=told)
    assert not again.unblocked  # A rule never does.
    whole = plan_repository_deletion(contents, name, told)
    assert any("Deployment shop/web in aks-x" in warning for warning in whole.warnings)


@pytest.fixture(scope="module")
def pulls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AzureSession, Pulls]]:
    with Sandbox.start(tmp_path_factory.mktemp("estate")) as sandbox:
        session = connect_sandbox(sandbox.ready)
        yield session, read_pulls(session)


def names(clusters: tuple[Cluster, ...]) -> set[str]:
    return {one.name for one in clusters}


def test_who_may_pull_is_asked_for_and_what_can_t_be_listed_is_unknown(pulls: tuple[AzureSession, Pulls]) -> None:
    found = pulls[1]
    by_name = {one.name: one for one in found.registries.values}
    assert names(clusters_that_may_pull(found, by_name["contosohub"])) >= {"aks-platform", "aks-batch"}
    assert "aks-dev" not in names(clusters_that_may_pull(found, by_name["contosohub"]))
    # The admin user's password needs no role.
    assert names(clusters_that_may_pull(found, by_name["contosobuild"])) == names(found.clusters.values)
    unasked = find_unasked(found, clusters_that_may_pull(found, by_name["contosohub"]), {}, NOW)
    assert {one.name for one in unasked} >= {"aks-platform", "contoso-restricted"}


def test_an_answer_counts_for_a_day_and_a_refusal_does_not(pulls: tuple[AzureSession, Pulls]) -> None:
    found = replace(pulls[1], clusters=Partial(pulls[1].clusters.values))
    hub = next(one for one in found.registries.values if one.name == "contosohub")
    fresh = {one.id.lower(): ClusterImages(one, NOW) for one in found.clusters.values}
    may_pull = clusters_that_may_pull(found, hub)
    assert find_unasked(found, may_pull, fresh, NOW + MOST_AGE) == ()
    assert find_unasked(found, may_pull, fresh, NOW - MOST_AHEAD) == ()
    # A clock that was ahead: it must not count as fresh until then.
    early = find_unasked(found, may_pull, fresh, NOW - MOST_AHEAD - timedelta(seconds=1))
    assert early and all("yet to come" in one.why for one in early)
    old = find_unasked(found, may_pull, fresh, NOW + MOST_AGE + timedelta(seconds=1))
    assert old[0].why == "asked 1 day ago"
    refused = ServiceError("Could not ask", "Run command is off.", "Switch it on.")
    failed = {key: replace(one, error=refused) for key, one in fresh.items()}
    may_pull = clusters_that_may_pull(found, hub)
    assert "could not be asked: Run command is off" in find_unasked(found, may_pull, failed, NOW)[0].label
    unlisted = replace(found, clusters=Partial(found.clusters.values, (Refusal("contoso-x", refused),)))
    assert [one.name for one in find_unasked(unlisted, may_pull, fresh, NOW)] == ["contoso-x"]


def test_by_a_secret_each_cluster_may_pull_and_who_ran_an_image_may_for_everyone(
    pulls: tuple[AzureSession, Pulls],
) -> None:
    found = pulls[1]
    hub = next(one for one in found.registries.values if one.name == "contosohub")
    dev = next(one for one in found.clusters.values if one.name == "aks-dev")
    none, apps = FoundAnswers(), KnownApps(Partial(()), NOW)
    assert "aks-dev" not in names(known_running(found, hub, none, apps, NOW).may_pull)
    by_secret = known_running(found, hub, none, apps, NOW, by_secret=True)
    assert "aks-dev" in names(by_secret.may_pull)
    assert "aks-dev (not asked)" in [one.label for one in by_secret.unasked]
    image = RunningImage("shop", "Deployment", "web", f"{hub.login_server}/app:v1", "", 1)
    old = FoundAnswers({dev.id.lower(): ClusterImages(dev, NOW - timedelta(days=6), (image,))})
    known = known_running(found, hub, old, apps, NOW)
    assert "aks-dev" in names(known.may_pull)
    assert "aks-dev (asked 6 days ago)" in [one.label for one in known.unasked]


def test_a_run_without_a_person_counts_by_a_secret_and_by_the_clock_that_is_given(
    pulls: tuple[AzureSession, Pulls], database: Engine
) -> None:
    session, found = pulls
    hub = next(one for one in found.registries.values if one.name == "contosohub")
    (contents,) = read_contents(session.registry(hub.login_server), ["jobs/mailer"], {}).values
    store = AnswerStore(lambda: database)
    for cluster in found.clusters.values:
        store.keep("azure tenant/me", ClusterImages(cluster, datetime.now(UTC)))

    def unasked(clock: datetime, *, by_secret: bool) -> str:
        now = running_now(session, store, "azure tenant/me", hub.login_server, lambda: clock, by_secret=by_secret)
        return " ".join(now(contents).unasked)

    assert "ago" not in unasked(datetime.now(UTC), by_secret=True)
    later = datetime.now(UTC) + timedelta(days=3)
    assert "aks-platform (asked 3 days ago)" in unasked(later, by_secret=False)
    assert "aks-dev" not in unasked(later, by_secret=False)
    assert "aks-dev (asked 3 days ago)" in unasked(later, by_secret=True)
