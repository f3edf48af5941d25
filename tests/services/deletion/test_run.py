"""What a plan names is deleted, checked again and read back; what changed meanwhile is not, and each item's fate is
told as the registry has it."""

import hashlib
import json
from dataclasses import replace
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Locks
from services.connection.errors import ServiceError
from services.connection.parallel import WORKERS, Partial, parallel_map
from services.deletion import run
from services.deletion.plan import DeletionItem, DeletionPlan, Why, plan_deletion
from services.deletion.records import WITH_SUBJECT
from services.deletion.run import DeletionResult, apply_deletion
from services.deletion.running_images import RunningImages
from services.images.manifests import Manifest
from services.images.repository_contents import RepositoryContents, read_contents
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox, own_sandbox
from tests.support.registries_at_random import Pushes, registries, write


def put(own: OwnSandbox, body: dict[str, object], *tags: str) -> str:
    """A manifest of any shape in team/app."""
    raw = json.dumps({"schemaVersion": 2, **body}).encode()
    media_type = str(body["mediaType"])
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, raw, media_type, own.sandbox.state.stamp())
    for tag in tags:
        own.move(tag, digest)
    return digest


def index(own: OwnSandbox, *children: str, tags: tuple[str, ...] = ()) -> str:
    found = [{"mediaType": OCI_MANIFEST, "digest": child, "size": 1} for child in children]
    return put(own, {"mediaType": OCI_INDEX, "manifests": found}, *tags)


def signature(own: OwnSandbox, subject: str) -> str:
    body = {
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(77), "size": 2},
        "layers": [],
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
    }
    return put(own, body)


def read(own: OwnSandbox) -> RepositoryContents:
    (contents,) = read_contents(own.client, [APP], {}).values
    return contents


def planned(own: OwnSandbox, *chosen: str, by_name: bool = False) -> DeletionPlan:
    return plan_deletion(read(own), chosen, registry=REGISTRY, by_name=by_name)


def left(own: OwnSandbox) -> set[str]:
    return {manifest.digest for manifest in own.sandbox.store.list_manifests(REGISTRY, APP)}


def outcomes(result: Partial[DeletionResult]) -> dict[str, str]:
    found = {done.digest: WITH_SUBJECT if done.with_subject else done.outcome for done in result.values}
    return found | {refusal.what: refusal.error.code for refusal in result.refused}


def test_an_index_goes_with_its_platforms_and_what_refers_to_them(own: OwnSandbox) -> None:
    amd64, _ = own.push(number=1)
    arm64, _ = own.push(number=2)
    other, _ = own.push("other", number=3)
    top = index(own, amd64, arm64, tags=("v1", "latest"))
    signed = signature(own, top)
    plan = planned(own, top)
    assert set(plan.digests) == {top, amd64, arm64, signed}
    assert plan.tags == ("latest", "v1")
    result = apply_deletion(own.client, plan, {})
    assert outcomes(result) == {top: "deleted", amd64: "deleted", arm64: "deleted", signed: WITH_SUBJECT}
    assert left(own) == {other}
    assert own.tags() == {"other": other}


def test_an_index_is_asked_for_before_its_platforms(own: OwnSandbox) -> None:
    amd64, _ = own.push(number=1)
    own.push("other", number=3)
    top = index(own, amd64, tags=("v1",))
    apply_deletion(own.client, planned(own, amd64, top), {})
    asked = [request.path for request in own.sandbox.requests if request.method == "DELETE"]
    assert [path[-71:] for path in asked] == [top, amd64]


def test_a_registry_that_leaves_referrers_behind_is_asked_for_those_of_the_plan(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, _ = own.push("v1")
    own.push("v2", number=2)
    signed = signature(own, digest)
    body = own.sandbox.store.get_manifest_body(REGISTRY, APP, signed)
    plan = planned(own, digest)
    delete = own.sandbox.store.delete_manifest

    def left_behind(registry: str, repository: str, deleted: str, at: str) -> None:
        delete(registry, repository, deleted, at)
        if deleted == digest:
            own.sandbox.store.add_manifest(REGISTRY, APP, body, OCI_MANIFEST, at)

    monkeypatch.setattr(own.sandbox.store, "delete_manifest", left_behind)
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "deleted", signed: "deleted"}
    assert not {digest, signed} & left(own)


def test_the_last_manifest_takes_the_repository_along(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    plan = planned(own, digest)
    assert plan.empties_repository
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "deleted"}
    assert own.sandbox.store.get_repository(REGISTRY, APP) is None


def test_a_platform_of_an_index_in_use_goes_only_by_name_and_the_plan_says_what_breaks(own: OwnSandbox) -> None:
    amd64, _ = own.push(number=1)
    top = index(own, amd64, tags=("v1",))
    by_rule = planned(own, amd64)
    assert not by_rule.unblocked
    assert f"The index {top} (v1) stays, and needs it." in by_rule.items[0].blocker
    plan = planned(own, amd64, by_name=True)
    assert plan.broken == (top,)
    assert outcomes(apply_deletion(own.client, plan, {})) == {amd64: "deleted"}


# What changes between plan and apply


def refused(result: Partial[DeletionResult]) -> ServiceError:
    (refusal,) = result.refused
    return refusal.error


def test_a_tag_that_came_keeps_the_manifest(own: OwnSandbox) -> None:
    digest, _ = own.push("pr-1")
    own.push("v1", number=2)
    plan = planned(own, digest)
    own.move("release", digest)
    error = refused(apply_deletion(own.client, plan, {}))
    assert error.code == "ChangedMeanwhile"
    assert "Its tags were pr-1 when it was planned, and now are pr-1, release." in error.cause
    assert digest in left(own)


def test_an_index_that_came_keeps_its_platform(own: OwnSandbox) -> None:
    digest, _ = own.push()
    own.push("v1", number=2)
    plan = planned(own, digest)
    top = index(own, digest, tags=("v2",))
    error = refused(apply_deletion(own.client, plan, {}))
    assert error.code == "ChangedMeanwhile"
    assert f"The index {top} (v2) stays, and needs it." in error.cause
    assert digest in left(own)


def test_an_index_that_came_keeps_a_platform_chosen_by_name_too(own: OwnSandbox) -> None:
    digest, _ = own.push()
    plan = planned(own, digest, by_name=True)
    top = index(own, digest, tags=("v2",))
    error = refused(apply_deletion(own.client, plan, {}))
    assert f"An index has come that needs it: {top}." in error.cause
    assert digest in left(own)


def test_a_lock_that_came_keeps_the_manifest_and_what_hangs_on_it(own: OwnSandbox) -> None:
    amd64, _ = own.push(number=1)
    other, _ = own.push("other", number=3)
    top = index(own, amd64, tags=("v1",))
    plan = planned(own, top, other)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, top, Locks(delete=False), own.sandbox.state.stamp())
    result = apply_deletion(own.client, plan, {})
    assert outcomes(result) == {other: "deleted", top: "ChangedMeanwhile", amd64: "ChangedMeanwhile"}
    assert left(own) == {top, amd64}


def test_a_signature_that_came_keeps_what_it_signs(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.push("v2", number=2)
    plan = planned(own, digest)
    signed = signature(own, digest)
    error = refused(apply_deletion(own.client, plan, {}))
    assert f"Since it was planned, {signed} refers to it, and would be deleted with it." in error.cause
    assert {digest, signed} <= left(own)


def test_what_somebody_else_deleted_is_gone_already(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.push("v2", number=2)
    plan = planned(own, digest)
    own.sandbox.store.delete_manifest(REGISTRY, APP, digest, own.sandbox.state.stamp())
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "already done"}


def test_a_repository_that_is_gone_is_told_item_by_item(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    plan = planned(own, digest)
    own.sandbox.store.delete_repository(REGISTRY, APP)
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "already done"}


def test_before_every_batch_the_repository_is_read_again(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that comes while the first batch runs needs an image of the second; no look at that image shows it."""
    monkeypatch.setattr(run, "BATCH", 2)
    own.push("keep", number=9)
    digests = [own.push(number=number)[0] for number in range(1, 7)]
    plan = planned(own, *digests)
    came: list[str] = []

    def one(_item: DeletionItem, _fate: object) -> None:
        if not came:
            came.append(index(own, plan.digests[-1], tags=("v2",)))

    result = apply_deletion(own.client, plan, {}, on_result=one)
    assert [refusal.what for refusal in result.refused] == [plan.digests[-1]]
    assert f"The index {came[0]} (v2) stays, and needs it." in refused(result).cause
    assert len(result.values) == 5


def index_of_one(own: OwnSandbox) -> tuple[DeletionPlan, str, str]:
    """The plan of an index and its one platform, and their digests."""
    own.push("keep", number=9)
    platform, _ = own.push(number=1)
    top = index(own, platform, tags=("v1",))
    return planned(own, top), top, platform


def test_a_tag_set_just_before_its_turn_keeps_a_manifest(own: OwnSandbox) -> None:
    plan, top, platform = index_of_one(own)
    result = apply_deletion(own.client, plan, {}, on_result=lambda *_: own.move("new", platform))
    assert outcomes(result) == {top: "deleted", platform: "ChangedMeanwhile"}
    assert "Its tags were none when it was planned, and now are new." in refused(result).cause
    assert own.tags()["new"] == platform


@pytest.mark.parametrize("locks", [Locks(delete=False), Locks(write=False)])
def test_a_lock_set_just_before_its_turn_keeps_a_manifest(own: OwnSandbox, locks: Locks) -> None:
    plan, top, platform = index_of_one(own)

    def lock(*_: object) -> None:
        own.sandbox.store.set_manifest_locks(REGISTRY, APP, platform, locks, own.sandbox.state.stamp())

    result = apply_deletion(own.client, plan, {}, on_result=lock)
    assert outcomes(result) == {top: "deleted", platform: "ChangedMeanwhile"}
    assert "It has been locked since it was planned." in refused(result).cause
    assert [path[-71:] for _, path, _ in own.writes()] == [top]


def test_platforms_stay_while_the_deletion_of_their_index_is_not_confirmed(own: OwnSandbox) -> None:
    """The registry accepted it, and still has the index: without its platform it could not be pulled."""
    plan, top, platform = index_of_one(own)
    own.break_({"method": "DELETE", "path": top, "status": 202})
    result = apply_deletion(own.client, plan, {})
    assert outcomes(result) == {top: "not confirmed", platform: "Refused"}
    assert {top, platform} <= left(own)


def test_what_was_deleted_with_a_subject_that_somebody_else_deleted_is_already_deleted(own: OwnSandbox) -> None:
    own.push("keep", number=9)
    digest, _ = own.push("v1")
    signed = signature(own, digest)
    plan = planned(own, digest)
    own.sandbox.store.delete_manifest(REGISTRY, APP, digest, own.sandbox.state.stamp())
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "already done", signed: "already done"}


def test_what_was_pasted_as_running_is_not_deleted_when_an_index_over_it_comes(own: OwnSandbox) -> None:
    own.push("keep", number=9)
    running, _ = own.push("prod", number=1)
    chosen, _ = own.push(number=2)
    plan = plan_deletion(read(own), [chosen], registry=REGISTRY, by_name=True, running=RunningImages.of({running}))
    assert plan.digests == (chosen,)
    top = index(own, running, tags=("v2",))
    again = plan_deletion(
        read(own), [top, chosen], registry=REGISTRY, by_name=True, running=RunningImages.of({running})
    )
    assert again.digests == (chosen,)


def test_an_index_that_runs_and_comes_later_keeps_its_platform(own: OwnSandbox) -> None:
    own.push("keep", number=9)
    platform, _ = own.push(number=2)
    top = index(own, platform)
    own.sandbox.store.delete_manifest(REGISTRY, APP, top, own.sandbox.state.stamp())
    plan = plan_deletion(read(own), [platform], registry=REGISTRY, by_name=True, running=RunningImages.of({top}))
    assert plan.digests == (platform,)
    assert index(own, platform) == top
    error = refused(apply_deletion(own.client, plan, {}))
    assert f"What it belongs to, {top}, runs in a cluster." in error.cause
    assert {top, platform} <= left(own)


@pytest.mark.parametrize("what", ["_manifests$", "_tags$"])
def test_nothing_is_deleted_where_the_repository_can_not_be_read_again(own: OwnSandbox, what: str) -> None:
    own.push("keep", number=9)
    plan = planned(own, own.push("v1")[0])
    own.break_({"method": "GET", "path": f"/acr/v1/{APP}/{what}", "status": 403})
    with pytest.raises(ServiceError) as raised:
        apply_deletion(own.client, plan, {})
    assert raised.value.status == 403
    assert not own.writes()


def test_after_a_stop_the_next_batch_is_not_even_read(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 1)
    own.push("keep", number=9)
    plan = planned(own, *(own.push(number=number)[0] for number in range(1, 4)))
    stop, asked = Event(), list[int]()

    def one(*_: object) -> None:
        stop.set()
        asked.append(len(own.sandbox.requests))

    assert apply_deletion(own.client, plan, {}, on_result=one, stop=stop).untried == 2
    assert asked == [len(own.sandbox.requests)]


def test_what_a_look_before_a_batch_refuses_is_reported_once(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 1)
    own.push("keep", number=9)
    plan = planned(own, *(own.push(number=number)[0] for number in range(1, 5)))
    own.move("new", plan.digests[-1])
    reported: list[str] = []
    result = apply_deletion(own.client, plan, {}, on_result=lambda item, _: reported.append(item.digest))
    assert sorted(reported) == sorted(plan.digests)
    assert outcomes(result)[plan.digests[-1]] == "ChangedMeanwhile"


def test_an_item_that_is_no_digest_is_refused(own: OwnSandbox) -> None:
    """By a tag the registry would delete the manifest with all its tags."""
    own.push("v1", "v2")
    own.push("keep", number=9)
    plan = DeletionPlan(REGISTRY, APP, (DeletionItem("v1", Why.CHOSEN, "", (), 0),), by_name=True)
    assert refused(apply_deletion(own.client, plan, {})).code == "InvalidDigest"
    assert not own.writes()


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt(), ZeroDivisionError()])
def test_after_an_error_of_who_is_told_nothing_more_is_deleted(own: OwnSandbox, error: BaseException) -> None:
    own.push("keep", number=1000)
    digests = [own.push(number=number)[0] for number in range(1, 4 * WORKERS + 1)]
    plan = planned(own, *digests)
    own.break_({"method": "DELETE", "delay_ms": 20})
    reported: list[str] = []

    def one(item: DeletionItem, _fate: object) -> None:
        reported.append(item.digest)
        if len(reported) == 2:
            raise error

    with pytest.raises(type(error)):
        apply_deletion(own.client, plan, {}, on_result=one)
    asked = len(own.sandbox.requests)
    parallel_map(str, range(2 * WORKERS), server=own.client.login_server)
    assert len(own.sandbox.requests) == asked
    assert set(reported) == set(digests) - left(own)
    assert len(reported) < len(digests)


# What fails on the way


def test_a_lost_answer_is_read_back(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.push("v2", number=2)
    plan = planned(own, digest)
    own.break_({"method": "DELETE", "reset": True, "late": True, "times": 1}, {"method": "DELETE", "reset": True})
    assert outcomes(apply_deletion(own.client, plan, {})) == {digest: "deleted"}
    assert digest not in left(own)


def test_what_hangs_on_an_index_that_could_not_be_deleted_stays(own: OwnSandbox) -> None:
    amd64, _ = own.push(number=1)
    top = index(own, amd64, tags=("v1",))
    plan = planned(own, top)
    own.break_({"method": "DELETE", "path": top, "status": 403})
    result = apply_deletion(own.client, plan, {})
    assert [refusal.error.status for refusal in result.refused] == [403, None]
    assert f"It is deleted only after {top}, which still exists." in result.refused[1].error.cause
    assert left(own) == {top, amd64}


def test_a_stop_leaves_the_rest_untried_and_whole(own: OwnSandbox) -> None:
    digests = [own.push(f"v{number}", number=number)[0] for number in range(1, 61)]
    plan = planned(own, *digests)
    stop = Event()
    told: list[str] = []

    def one(item: DeletionItem, _fate: object) -> None:
        told.append(item.digest)
        stop.set()

    result = apply_deletion(own.client, plan, {}, on_result=one, stop=stop)
    assert result.untried == 60 - len(told) > 0
    assert left(own) == set(digests) - set(told)
    assert {done.digest for done in result.values} == set(told)


def test_a_refused_item_is_never_asked_for(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.lock_tag("v1", delete=False)
    plan = planned(own, digest, by_name=True)
    assert [item.blocker for item in plan.items] == ["The tag v1 is locked against deletion: unlock it first."]
    assert apply_deletion(own.client, plan, {}) == Partial(())
    assert not own.writes()


def test_hundreds_of_items_through_faults_of_every_kind(own: OwnSandbox) -> None:
    """Nothing is lost, doubled or wrongly reported: a tenth of all requests fails, in each of the ways there are. Five
    items for each case of a property: 500, or 5,000 in `make test-long`."""
    items = 5 * settings.default.max_examples
    keep, _ = own.push("keep", number=items + 1)
    digests = [own.push(f"pr-{number}", number=number)[0] for number in range(1, items + 1)]
    known: dict[str, Manifest] = {}
    (contents,) = read_contents(own.client, [APP], known).values
    plan = plan_deletion(contents, digests, registry=REGISTRY, by_name=False)
    shares = {"probability": 0.025}
    own.break_(
        {"status": 429, "retry_after": 0, "seed": 1, **shares},
        {"status": 500, "seed": 2, **shares},
        {"reset": True, "late": True, "seed": 3, **shares},
        {"delay_ms": 200, "status": 503, "seed": 4, **shares},
    )
    told: list[str] = []
    result = apply_deletion(own.client, plan, known, on_result=lambda item, _fate: told.append(item.digest))
    own.break_()
    assert sorted(told) == sorted(digests)
    assert not result.untried
    outcomes_of = {done.digest: done.outcome for done in result.values}
    assert set(outcomes_of.values()) <= {"deleted", "already done", "not confirmed"}
    # Where five tries in a row fail it is not known what became of an item, and it is told so: of all others it is.
    unknown = {digest for digest, outcome in outcomes_of.items() if outcome == "not confirmed"}
    unknown |= {refusal.what for refusal in result.refused if "not known" in refusal.error.remedy}
    gone, refused = outcomes_of.keys() - unknown, {refusal.what for refusal in result.refused} - unknown
    assert outcomes_of.keys().isdisjoint(refusal.what for refusal in result.refused)
    assert gone.isdisjoint(left(own))
    assert {keep, *refused} <= left(own)
    assert gone | refused | unknown == set(digests)
    # Each try fails in one case of ten, and there are five: next to none is left.
    assert len(refused | unknown) < items / 100


def test_what_refers_to_something_attached_that_stays_is_no_change(own: OwnSandbox) -> None:
    """A tag such as sha256-… attaches an image; the registry takes neither it nor what refers to it along."""
    chosen, _ = own.push(number=1)
    attached, raw = own.push(f"sha256-{chosen.removeprefix('sha256:')}", number=2)
    subject = {"mediaType": OCI_MANIFEST, "digest": attached, "size": len(raw)}
    config = {"mediaType": OCI_CONFIG, "digest": digest_of(3), "size": 100}
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], "subject": subject}
    signature = json.dumps(body).encode()
    own.sandbox.store.add_manifest(REGISTRY, APP, signature, OCI_MANIFEST, own.sandbox.state.stamp())
    own.move("latest", f"sha256:{hashlib.sha256(signature).hexdigest()}")
    (contents,) = read_contents(own.client, [APP], {}).values
    plan = plan_deletion(contents, [chosen], registry=REGISTRY, by_name=False)
    assert plan.digests == (chosen,)
    result = apply_deletion(own.client, plan, {})
    assert [(done.digest, done.outcome) for done in result.values] == [(chosen, "deleted")]
    assert not result.refused


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=list(HealthCheck))
@given(drawn=registries(), data=st.data())
def test_over_http_goes_what_was_planned(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    with own_sandbox(tmp_path_factory.mktemp("own")) as own:
        write(own.sandbox.store, REGISTRY, drawn)
        names = own.sandbox.store.list_repositories(REGISTRY)
        contents = data.draw(st.sampled_from(read_contents(own.client, names, {}).values))
        digests = [row.digest for row in contents.rows]
        chosen = data.draw(st.lists(st.sampled_from(digests), min_size=1, unique=True))
        plan = plan_deletion(contents, chosen, registry=REGISTRY, by_name=data.draw(st.booleans()))
        result = apply_deletion(own.client, plan, {})
        now = {item.digest for item in own.sandbox.store.list_manifests(REGISTRY, contents.name)}
        assert set(digests) - now == set(plan.digests) == {done.digest for done in result.values}
        assert not result.refused


def test_what_has_begun_to_run_since_a_rule_s_plan_is_refused_at_the_next_batch(
    own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 1)
    digests = [own.push(f"v{number}", number=number)[0] for number in range(3)]
    own.push("kept", number=9)
    plan = planned(own, *digests)
    last = plan.digests[-1]
    reads = iter([RunningImages(), *[RunningImages({last: ("Deployment shop/web in aks1",)})] * 9])
    result = apply_deletion(own.client, plan, {}, running_now=lambda _contents: next(reads))
    assert [one.digest for one in result.values] == list(plan.digests[:-1])
    error = refused(result)
    assert error.code == "ChangedMeanwhile"
    assert "Deployment shop/web in aks1" in error.cause
    assert last in left(own)


def test_what_is_unknown_since_a_rule_s_plan_is_refused_unless_it_was_accepted(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.push("kept", number=9)
    unknown = RunningImages(unasked=("aks1 (not asked)",))
    plan = planned(own, digest)
    error = refused(apply_deletion(own.client, plan, {}, running_now=lambda _contents: unknown))
    assert "Unknown whether it runs in aks1 (not asked)." in error.cause
    accepted = replace(unknown, accept_unasked=True)
    plan = plan_deletion(read(own), [digest], registry=REGISTRY, by_name=False, running=accepted)
    assert outcomes(apply_deletion(own.client, plan, {}, running_now=lambda _contents: unknown)) == {digest: "deleted"}


def test_by_name_what_runs_is_the_person_s_own_decision(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.push("kept", number=9)
    runs = RunningImages({digest: ("Deployment shop/web in aks1",)})
    plan = planned(own, digest, by_name=True)
    assert outcomes(apply_deletion(own.client, plan, {}, running_now=lambda _contents: runs)) == {digest: "deleted"}
