"""Two replicas of a team's console behind a balancer: two people, and a replica that is killed."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Row, func, select
from websockets.exceptions import InvalidStatus

from sandbox.storage.store import Locks, timestamp
from services.connection.changes import Outcome
from services.database.tables import audit, job_items, jobs
from services.jobs.audit import verify
from tests.support import balancer
from tests.support.console import choose, settled
from tests.support.databases import own_database
from tests.support.image_archives import FULL_NAME, Layout
from tests.support.people import (
    AUDITOR,
    DEVELOPER,
    ENGINEER,
    cookie_of,
    open_identity,
    registries,
    said_on_websocket,
    signed_in,
)
from tests.support.replicas import Replicas, replicas
from ui.runtime.gate import COOKIE

pytestmark = pytest.mark.browser

REGISTRY, REPOSITORY, MANY = "contosoci", "ci/many", 500
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# A replica is killed between these two.
SOME, MOST = 60, 400


@pytest.fixture(scope="module")
def team(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Both replicas, for the tests that kill neither."""
    with own_database(postgres_server) as url, replicas(tmp_path_factory.mktemp("replicas"), url) as team:
        yield team


def replica_of(page: Page) -> int:
    """At which one the balancer has this browser."""
    return int(next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == balancer.COOKIE))


def on_both_replicas(browser: Browser, team: Replicas, path: str) -> dict[str, Page]:
    """The two people, each at a replica of their own."""
    pages = {who: signed_in(browser, team, who, path) for who in (ENGINEER, DEVELOPER)}
    assert {replica_of(page) for page in pages.values()} == {0, 1}
    return pages


def test_two_people_see_their_own_registries_at_two_replicas(browser: Browser, team: Replicas) -> None:
    pages = on_both_replicas(browser, team, "/inventory")
    for _ in range(2):
        assert registries(pages[DEVELOPER], "1 registry") == ["contosopayments"]
        assert len(registries(pages[ENGINEER], "13 registries")) == 13
        for page in pages.values():  # By now from what the processes keep, and each at the other's replica.
            cookies = [{"name": balancer.COOKIE, "value": str(1 - replica_of(page)), "url": team.address}]
            page.context.add_cookies(cookies)  # type: ignore[arg-type]
            page.reload()
    for page in pages.values():
        page.context.close()


def test_behind_a_balancer_people_may_change_what_azure_lets_them(browser: Browser, team: Replicas) -> None:
    image = "/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0"
    for page in (signed_in(browser, team, ENGINEER, image) for _replica in range(2)):
        expect(page.get_by_role("button", name="Add tag")).to_be_enabled(timeout=30_000)
        expect(page.get_by_text("Read-only")).to_have_count(0)
        page.context.close()


def test_at_one_replica_no_manifest_is_read_that_another_person_has_read_at_the_other(
    browser: Browser, team: Replicas
) -> None:
    reads = []
    for who in (ENGINEER, AUDITOR):
        team.sandbox.clear_requests()
        page = signed_in(browser, team, who, "/storage?registry=contosohub")
        expect(page.get_by_text("Stored").first).to_be_visible(timeout=30_000)
        settled(page)
        found = [one.path for one in team.sandbox.requests if one.method == "GET"]
        reads.append(
            (
                replica_of(page),
                sum("/_manifests" in path for path in found),
                sum("/manifests/" in path for path in found),
            )
        )
        page.context.close()
    (first, _, read), (second, listed, again) = reads
    assert first != second
    assert read > 10
    assert listed > 0
    assert again == 0


def test_a_sign_out_at_one_replica_ends_the_tabs_at_the_other(browser: Browser, team: Replicas) -> None:
    page = signed_in(browser, team, ENGINEER)
    stolen, here = cookie_of(page), replica_of(page)
    page.context.add_cookies([{"name": balancer.COOKIE, "value": str(1 - here), "url": team.address}])
    other = page.context.new_page()
    other.goto(f"{team.address}/skus")
    settled(other)
    open_identity(page)
    page.context.add_cookies([{"name": balancer.COOKIE, "value": str(here), "url": team.address}])
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(other.get_by_role("heading", name="Your sign-in has ended")).to_be_visible(timeout=15_000)
    page.context.close()
    for replica in (0, 1):
        cookies = {"Cookie": f"{COOKIE}={stolen}; {balancer.COOKIE}={replica}"}
        answer = requests.get(
            f"{team.address}/skus", headers={"Accept": "text/html", **cookies}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 303
        assert said_on_websocket(team, cookies)[1] == 4401


@pytest.mark.parametrize("replica", [0, 1])
def test_what_is_forged_is_refused_through_the_balancer(browser: Browser, team: Replicas, replica: int) -> None:
    at = f"; {balancer.COOKIE}={replica}"
    forged = {"X-Acr-Console-Account": "tenant/anyone", "X-Ms-Client-Principal-Name": ENGINEER}
    for headers in ({}, forged, {"Cookie": f"{COOKIE}=made-up{at}", **forged}):
        told, code = said_on_websocket(team, headers)
        assert code == 4401
        assert told.strip() == 'auth_redirect {\n  url: "/auth/ended"\n}'
    page = signed_in(browser, team, DEVELOPER)
    own = {"Cookie": f"{COOKIE}={cookie_of(page)}{at}"}
    told, code = said_on_websocket(team, {**own, **forged})
    assert code is None
    assert DEVELOPER in told
    assert ENGINEER not in told
    with pytest.raises(InvalidStatus) as refused:
        said_on_websocket(team, own, origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403
    page.context.close()


def many_manifests(team: Replicas) -> None:
    """A repository of its own with 500 images, each with a tag."""
    store, at = team.sandbox.store, timestamp(datetime(2026, 1, 1, tzinfo=UTC))
    with store.transaction():
        for number in range(MANY):
            config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{number:064x}"}
            body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {**config, "size": 2}, "layers": []}
            digest = store.add_manifest(REGISTRY, REPOSITORY, json.dumps(body).encode(), MANIFEST, at)
            store.add_tag(REGISTRY, REPOSITORY, f"v{number}", digest, at)


def awaited(what: Callable[[], int], within_s: float = 60) -> int:
    """What it counts, once that is not 0."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.05)  # Between two looks at a process that says it nowhere else.
    raise AssertionError("It did not happen")


def items(team: Replicas) -> Sequence[Row[str, str | None]]:
    """Digest and outcome of each, in the order of the plan."""
    columns = select(job_items.c.digest, job_items.c.outcome).order_by(job_items.c.position)
    with team.database.connect() as db:
        return db.execute(columns).all()


def recorded(team: Replicas) -> int:
    with team.database.connect() as db:
        return db.execute(select(func.count(job_items.c.outcome))).scalar_one()


def test_a_replica_that_is_killed_has_its_deletion_ended_by_the_other(
    browser: Browser, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with own_database(postgres_server) as url, replicas(tmp_path_factory.mktemp("killed"), url) as team:
        many_manifests(team)
        cleanup = f"/cleanup?registry={REGISTRY}&repository={REPOSITORY}&tags=*&days=0"
        page = signed_in(browser, team, ENGINEER, cleanup)
        page.get_by_text("Delete all the same").click()
        go = page.get_by_role("button", name=f"Delete {MANY} manifests")
        expect(go).to_be_visible()  # Another plan, whose name is typed into an empty field.
        settled(page)
        page.get_by_label("Type the name to confirm").fill(REPOSITORY)
        page.keyboard.press("Enter")
        expect(go).to_be_enabled(timeout=30_000)
        team.sandbox.set_latency(150)
        go.click()
        killed = kill_replica_of(page, team, SOME)
        assert recorded(team) < MOST

        # Meanwhile, before the other process notices: what nobody has begun with becomes another than was planned.
        store, now = team.sandbox.store, timestamp(datetime.now(UTC))
        locked, deleted, tagged = (row[0] for row in items(team)[-3:])
        store.set_manifest_locks(REGISTRY, REPOSITORY, locked, Locks(delete=False), now)
        store.delete_manifest(REGISTRY, REPOSITORY, deleted, now)
        store.add_tag(REGISTRY, REPOSITORY, "wanted", tagged, now)
        team.sandbox.set_latency(0)

        # The same tab goes on by itself, at the other replica.
        awaited(lambda: _ended(team))
        fates = {row.digest: row.outcome for row in items(team)}
        counts = Counter(fates.values())
        expect(page.get_by_text(f"{counts[Outcome.DELETED]} deleted").first).to_be_visible(timeout=30_000)
        expect(page.get_by_text("2 refused").first).to_be_visible()
        assert replica_of(page) != killed

        gone = {Outcome.DELETED, Outcome.ALREADY_DONE}
        there = {manifest.digest for manifest in store.list_manifests(REGISTRY, REPOSITORY)}
        assert there == {locked, tagged}
        assert {digest for digest, outcome in fates.items() if outcome == Outcome.REFUSED} == there
        assert {digest for digest, outcome in fates.items() if outcome in gone} == fates.keys() - there
        assert fates[deleted] == Outcome.ALREADY_DONE
        assert len(fates) == MANY

        assert_ended_by_another_process(team)
        page.context.close()


def kill_replica_of(page: Page, team: Replicas, results: int) -> int:
    """Kills the replica of this browser once so many results are recorded; returns its number."""
    awaited(lambda: recorded(team) >= results)
    number = replica_of(page)
    team.processes[number].kill()
    team.processes[number].wait(10)
    return number


def assert_ended_by_another_process(team: Replicas) -> None:
    """The one job was begun, taken over and ended as the same person."""
    with team.database.connect() as db:
        job = db.execute(select(jobs)).one()
        said = [json.loads(text) for text in db.execute(select(audit.c.entry).order_by(audit.c.number)).scalars()]
    assert job.attempt == 2
    assert not job.error
    assert [(one["what"], one["who"]) for one in said if one.get("job") == job.id] == [
        ("began", job.who), ("taken over", job.who), ("ended", job.who)
    ]  # fmt: skip
    assert not verify(team.database).fault


def test_a_replica_that_is_killed_has_its_push_ended_by_the_other(
    browser: Browser, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pushed")
    archives = folder / "archives"  # On a disk that both replicas see.
    archives.mkdir()
    made = Layout()
    index = made.index(*(made.image(seed=f"{number}", layers=9) for number in range(4)))
    (archives / "large.tar").write_bytes(made.named(index, "docker.io/contoso/large:v1", key=FULL_NAME).tar())
    with (
        own_database(postgres_server) as url,
        replicas(folder, url, ACR_CONSOLE_ARCHIVES=str(archives)) as team,
    ):
        page = signed_in(browser, team, ENGINEER, f"/push?registry={REGISTRY}")
        page.get_by_text("On the server").click()
        choose(page, "Archive on the server", "large.tar", page.get_by_text("large is new. v1 is a new tag."))
        settled(page)
        team.sandbox.set_latency(150)
        page.get_by_role("button", name="Push image").click()
        killed = kill_replica_of(page, team, 5)
        assert recorded(team) < len(items(team))
        store = team.sandbox.store
        assert [tag.name for tag in store.list_tags(REGISTRY, "large")] == []
        team.sandbox.set_latency(0)

        awaited(lambda: _ended(team))
        expect(page.get_by_text("Pushed and verified").first).to_be_visible(timeout=30_000)
        assert replica_of(page) != killed
        assert {tag.name: tag.digest for tag in store.list_tags(REGISTRY, "large")} == {"v1": index["digest"]}
        assert {outcome for _digest, outcome in items(team)} <= {Outcome.CREATED, Outcome.ALREADY_DONE}
        blobs = {f"sha256:{name.rpartition('/')[2]}" for name in made.members if name.startswith("blobs/")}
        assert {digest for digest, _outcome in items(team)} == blobs
        for digest in blobs:
            manifest = store.get_manifest(REGISTRY, "large", digest)
            assert manifest or store.blobs.size(REGISTRY, "large", digest) is not None
        assert_ended_by_another_process(team)
        page.context.close()


def _ended(team: Replicas) -> int:
    with team.database.connect() as db:
        return db.execute(select(func.count(jobs.c.ended))).scalar_one()
