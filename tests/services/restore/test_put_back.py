"""What a deletion deleted is brought back from the manifests kept before it, where the registry has their layers."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database import contents as contents_module
from services.database.contents import ContentStore
from services.database.tables import contents, jobs, kept_manifests
from services.deletion.job_records import as_details, as_items
from services.deletion.plan import plan_deletion
from services.deletion.run import apply_deletion
from services.images.manifests import Manifest, parse_manifest
from services.images.repository_contents import read_contents
from services.jobs.changes import Answer
from services.jobs.jobs import Job, begin
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.restore.job_runs import put_back_items, run_put_back
from services.restore.kept import KEPT, KeptManifest, keep_manifests, kept_manifests_of
from services.restore.put_back import (
    PutBackItem,
    PutBackPlan,
    RegistryState,
    apply_put_back,
    plan_put_back,
    read_put_back_plan,
)
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, digest_of
from tests.support.killed import Change, Planned, assert_the_same_wherever_it_is_killed
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

WHO = "who"


def digest(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def bodies(own: OwnSandbox) -> dict[str, bytes | None]:
    store = own.sandbox.store
    return {
        one.digest: store.get_manifest_body(REGISTRY, APP, one.digest) for one in store.list_manifests(REGISTRY, APP)
    }


def job_deleting(own: OwnSandbox, engine: Engine, *digests: str, known: dict[str, Manifest]) -> Job:
    """A deletion of these, recorded, with its manifests kept and deleted."""
    (found,) = read_contents(own.client, [APP], known).values
    plan = plan_deletion(found, digests, registry=REGISTRY, by_name=True)
    assert not plan.blockers
    job = begin(
        engine, WHO, "delete manifests", own.client.login_server, APP, as_items(plan), as_details(plan),
        timedelta(minutes=5),
    )  # fmt: skip
    keep_manifests(engine, own.client, job, known)
    assert not apply_deletion(own.client, plan, known).refused
    return job


def deleted_of(job: Job) -> list[tuple[str, str]]:
    return [(item.digest, tag) for item in job.items for tag in item.tags or ("",)]


def planned(own: OwnSandbox, engine: Engine, job: Job) -> tuple[PutBackPlan, dict[str, KeptManifest]]:
    kept = dict(kept_manifests_of(engine, job.id, [item.digest for item in job.items]))
    return read_put_back_plan(own.client, REGISTRY, APP, job.id, deleted_of(job), kept), kept


def brought_back(own: OwnSandbox, plan: PutBackPlan, kept: dict[str, KeptManifest]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    apply_put_back(own.client, plan, kept, lambda item, result: found.update({item.digest: result}), Event())
    return found


@pytest.mark.parametrize("in_database", [True, False])
def test_an_index_comes_back_byte_equal_with_its_platforms_and_tags(
    own: OwnSandbox, database: Engine, in_database: bool
) -> None:
    children = [own.send_image(title=title) for title in ("amd64", "arm64")]
    own.send_image("stays", title="has the same layers")
    listed = [
        {"mediaType": OCI_MANIFEST, "digest": one, "size": 1, "platform": {"os": "linux", "architecture": name}}
        for one, name in zip(children, ("amd64", "arm64"), strict=True)
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}
    at = own.send(json.dumps(index).encode(), OCI_INDEX, "v1", "latest")
    before, tags = bodies(own), own.tags()
    if in_database:
        store = ContentStore(lambda: database)
        store.add({one: raw for one, raw in before.items() if raw})
    job = job_deleting(own, database, at, known={} if not in_database else {
        one: parse_manifest(raw, OCI_INDEX if one == at else OCI_MANIFEST) for one, raw in before.items() if raw
    })  # fmt: skip
    assert set(own.tags()) == {"stays"}
    plan, kept = planned(own, database, job)
    assert not plan.warnings and not plan.blockers
    assert set(brought_back(own, plan, kept).values()) == {Outcome.RESTORED}
    assert bodies(own) == before and own.tags() == tags
    again, _ = planned(own, database, job)
    assert again.blockers == ("It is there: nothing is left to bring back.",)


def test_what_the_registry_has_removed_is_said_and_not_tried(own: OwnSandbox, database: Engine) -> None:
    at = own.send_image("v1", config=b'{"its": "own"}')
    own.send_image("stays")
    job = job_deleting(own, database, at, known={})
    plan, kept = planned(own, database, job)
    assert plan.blockers == ("The registry has removed 1 of its 2 layers.",)
    assert brought_back(own, plan, kept) == {}


def test_a_tag_that_is_on_another_image_stays_there(own: OwnSandbox, database: Engine) -> None:
    at, other = own.send_image("v1", "v2"), own.send_image(title="other")
    job = job_deleting(own, database, at, known={})
    own.move("v1", other)
    plan, kept = planned(own, database, job)
    assert plan.warnings == ("1 tag not put back: v1. It is on another image now, and stays there.",)
    own.move("v2", other)  # After it was planned.
    (result,) = brought_back(own, plan, kept).values()
    assert isinstance(result, ServiceError) and result.code == "ChangedMeanwhile"
    assert own.tags() == {"v1": other, "v2": other}


def test_a_lost_answer_and_a_refusal_are_told_apart(own: OwnSandbox, database: Engine) -> None:
    at = own.send_image("v1")
    own.send_image("stays", title="other")
    job = job_deleting(own, database, at, known={})
    plan, kept = planned(own, database, job)
    own.break_({"path": f"/v2/{APP}/manifests/", "method": "PUT", "status": 403})
    (result,) = brought_back(own, plan, kept).values()
    assert isinstance(result, ServiceError) and result.status == 403
    own.break_()
    assert brought_back(own, plan, kept) == {at: Outcome.RESTORED}
    assert brought_back(own, plan, kept) == {at: Outcome.ALREADY_DONE}


def test_what_was_not_kept_or_is_kept_no_more_is_said(own: OwnSandbox, database: Engine) -> None:
    at = own.send_image("v1")
    own.send_image("stays", title="other")
    job = job_deleting(own, database, at, known={})
    plan, kept = planned(own, database, job)
    (result,) = brought_back(own, plan, {}).values()
    assert isinstance(result, ServiceError) and result.code == "NotKept"
    with database.begin() as db:
        db.execute(update(contents).values(raw=b"tampered with"))
    assert planned(own, database, job)[0].blockers == ("Its manifest was not kept.",)
    assert kept


def test_kept_manifests_outlive_what_is_shared_until_they_are_old(
    own: OwnSandbox, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_module, "_ROWS_A_LOOK", 1)
    at = own.send_image("v1")
    own.send_image("stays", title="other")
    job = job_deleting(own, database, at, known={})
    for letter in (b"a", b"b", b"c"):
        ContentStore(lambda: database, most_bytes=500).add({digest(letter * 400): letter * 400})
    assert set(kept_manifests_of(database, job.id, [at])) == {at}
    with database.begin() as db:
        db.execute(update(kept_manifests).values(kept=datetime.now(UTC) - KEPT - timedelta(days=1)))
    later = job_deleting(own, database, own.send_image("v2", title="later"), known={})
    assert not kept_manifests_of(database, job.id, [at])
    with database.begin() as db:
        db.execute(delete(jobs).where(jobs.c.id == later.id))
        assert db.execute(select(func.count()).select_from(kept_manifests)).scalar_one() == 0


def image(number: int, layers: list[int]) -> Manifest:
    body = {
        "schemaVersion": 2,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(1000 + number), "size": 1},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(2000 + layer), "size": 1} for layer in layers],
    }
    return parse_manifest(json.dumps(body).encode(), OCI_MANIFEST)


def index_of(*children: Manifest) -> Manifest:
    listed = [{"mediaType": one.media_type, "digest": one.digest, "size": 1} for one in children]
    return parse_manifest(json.dumps({"schemaVersion": 2, "manifests": listed}).encode(), OCI_INDEX)


@given(st.data())
def test_nothing_is_pushed_before_what_it_needs_or_without_it(data: st.DataObject) -> None:
    made: list[Manifest] = [image(number, data.draw(st.lists(st.integers(0, 5), max_size=3))) for number in range(4)]
    for _ in range(3):
        made.append(index_of(*data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3))))
    by_digest = {one.digest: one for one in made}
    subset = st.sets(st.sampled_from(sorted(by_digest)))
    live, kept = data.draw(subset), data.draw(subset)
    missing = frozenset(digest_of(2000 + layer) for layer in data.draw(st.sets(st.integers(0, 5))))
    deleted = [(one, f"t{number}") for number, one in enumerate(data.draw(st.permutations(sorted(by_digest))))]
    plan = plan_put_back(
        REGISTRY, APP, "job", deleted, {one: by_digest[one] for one in kept},
        RegistryState(frozenset(live), {}, missing),
    )  # fmt: skip
    there = set(live)
    for item in plan.unblocked:
        manifest = by_digest[item.digest]
        assert item.digest in kept
        assert all(child.digest in there for child in manifest.children)
        assert item.digest in live or not missing & {layer.digest for layer in manifest.layers}
        there.add(item.digest)
    assert {item.digest for item in plan.items} == set(by_digest)
    blocked: set[PutBackItem] = set(plan.items) - set(plan.unblocked)
    for item in blocked:
        one = by_digest[item.digest]
        assert (
            item.digest not in kept
            or missing & {layer.digest for layer in one.layers}
            or any(child.digest not in there for child in one.children)
        )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_wherever_it_is_killed_another_process_ends_with_the_same(own: OwnSandbox, database: Engine) -> None:
    images: list[str] = []

    def reset(own: OwnSandbox) -> None:
        images[:] = [own.send_image("v1", "latest"), own.send_image("v2", title="two")]
        own.send_image("stays", title="other")

    def plan(own: OwnSandbox) -> Planned:
        job = job_deleting(own, database, *images, known={})
        made, _ = planned(own, database, job)
        assert len(made.unblocked) == 2
        return put_back_items(made), details_of(PutBackPlan, made)

    def run(session: AzureSession, job: Job, running: RunningJob, _report: object) -> Answer:
        client = session.registry(own.client.login_server)
        return run_put_back(client, database, job, running, lambda _result: None)

    change = Change("Bring back images", run, reset, plan, lambda own: (bodies(own), own.tags()))
    assert_the_same_wherever_it_is_killed(database, own, change)
