"""What is soft deleted is listed, planned and restored: by digest byte-equal, whatever shape the images have."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.store import Locks
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.deletion.plan import plan_deletion
from services.deletion.run import apply_deletion
from services.images.manifests import Manifest
from services.images.repository_contents import RepositoryContents, read_contents
from services.restore.deleted import deleted_repositories, expires, read_all_deleted, read_deleted
from services.restore.plan import RestorePlan, Why, read_restore_plan
from services.restore.run import RestoreResult, apply_restore
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox, keep_deleted, own_sandbox
from tests.support.registries_at_random import Pushes, registries, write


@pytest.fixture
def kept(own: OwnSandbox) -> Iterator[OwnSandbox]:
    keep_deleted(own, 14)
    yield own


def delete(own: OwnSandbox, digest: str) -> None:
    own.client.send("DELETE", f"/v2/{APP}/manifests/{digest}")


def read(own: OwnSandbox, name: str = APP) -> RepositoryContents:
    (contents,) = read_contents(own.client, [name], {}).values
    return contents


def planned(own: OwnSandbox, *wanted: tuple[str, str], known: dict[str, Manifest] | None = None) -> RestorePlan:
    return read_restore_plan(own.client, REGISTRY, APP, wanted, known or {})


def bodies(own: OwnSandbox, name: str = APP) -> dict[str, bytes | None]:
    store = own.sandbox.store
    return {
        one.digest: store.get_manifest_body(REGISTRY, name, one.digest) for one in store.list_manifests(REGISTRY, name)
    }


def outcomes(result: Partial[RestoreResult]) -> dict[str, str]:
    found = {one.item.name: str(one.outcome) for one in result.values}
    return found | {refusal.what: refusal.error.code for refusal in result.refused}


def test_a_deleted_image_is_listed_planned_and_restored_with_its_tag(kept: OwnSandbox) -> None:
    digest, raw = kept.push("v1", "latest")
    delete(kept, digest)
    assert deleted_repositories(kept.client).values == (APP,)
    found = read_deleted(kept.client, APP)
    assert [one.digest for one in found.manifests] == [digest]
    assert {one.tag for one in found.tags_of(digest)} == {"v1", "latest"}
    plan = planned(kept, (digest, "v1"))
    assert not plan.blockers and not plan.moved
    assert plan.commands == (f"az acr manifest restore --registry {REGISTRY} --name {APP}:v1 --digest {digest}",)
    assert outcomes(apply_restore(kept.client, plan)) == {"v1": "restored"}
    assert bodies(kept) == {digest: raw} and kept.tags() == {"v1": digest}
    again = planned(kept, (digest, "latest"))
    assert outcomes(apply_restore(kept.client, again)) == {"latest": "restored"}
    assert kept.tags() == {"v1": digest, "latest": digest}


@pytest.mark.parametrize("known", [True, False])
def test_an_index_comes_back_with_its_platforms_known_or_not(kept: OwnSandbox, known: bool) -> None:
    index = kept.push_index("v1")
    before, manifests = bodies(kept), read(kept).manifests
    kept.client.send("DELETE", f"/acr/v1/{APP.replace('/', '%2F')}")
    plan = planned(kept, (index, "v1"), known=manifests if known else None)
    assert [item.why for item in plan.items] == ([Why.CHILD, Why.CHILD] if known else []) + [Why.CHOSEN]
    assert bool(plan.unknown) is not known
    assert not apply_restore(kept.client, plan).refused
    assert bodies(kept) == before and kept.tags() == {"v1": index}


def test_what_refers_to_an_image_comes_after_it_known_or_not(kept: OwnSandbox) -> None:
    digest, _ = kept.push("v1")
    signature = kept.attach(digest)
    before, manifests = bodies(kept), read(kept).manifests
    delete(kept, digest)
    assert set(outcomes(apply_restore(kept.client, planned(kept, (digest, "v1"), known=manifests)))) == {
        "v1",
        signature,
    }
    assert bodies(kept) == before
    delete(kept, digest)
    plan = planned(kept, (signature, ""), (digest, "v1"))
    assert plan.items[0].digest == signature  # Refused first, then tried again.
    assert outcomes(apply_restore(kept.client, plan)) == {"v1": "restored", signature: "restored"}
    assert bodies(kept) == before


def test_a_tag_that_exists_is_said_and_moves(kept: OwnSandbox) -> None:
    old, _ = kept.push("v1", number=1)
    delete(kept, old)
    new, _ = kept.push("v1", number=2)
    plan = planned(kept, (old, "v1"))
    assert plan.moved[0].current_digest == new and "moves" in plan.warnings[0]
    assert plan.commands[0].endswith("--force")
    assert outcomes(apply_restore(kept.client, plan)) == {"v1": "restored"}
    assert kept.tags()["v1"] == old and read_deleted(kept.client, APP).latest("v1").digest == new  # type: ignore[union-attr]


def test_a_tag_that_came_since_the_plan_is_left(kept: OwnSandbox) -> None:
    old, _ = kept.push("v1", number=1)
    delete(kept, old)
    plan = planned(kept, (old, "v1"))
    new, _ = kept.push("v1", number=2)
    assert outcomes(apply_restore(kept.client, plan)) == {"v1": "ChangedMeanwhile"}
    assert kept.tags() == {"v1": new}


def test_what_expired_or_is_there_or_is_locked_is_blocked(kept: OwnSandbox) -> None:
    digest, _ = kept.push("v1")
    assert "not among what can be restored" in planned(kept, ("sha256:" + "0" * 64, "v9")).blockers[0]
    assert "nothing is left to restore" in planned(kept, (digest, "v1")).blockers[0]
    old, _ = kept.push("v2", number=2)
    delete(kept, old)
    kept.move("v2", digest)
    kept.lock_tag("v2", write=False)
    assert "locked" in planned(kept, (old, "v2")).blockers[0]
    kept.sandbox.store.set_repository_locks(REGISTRY, APP, Locks(write=False))
    assert "repository" in planned(kept, (old, "v3")).blockers[0]


def test_an_index_without_one_of_its_platforms_is_not_called_restored(kept: OwnSandbox) -> None:
    index = kept.push_index("v1")
    child = read(kept).manifests[index].children[0].digest
    kept.sandbox.store.delete_manifest(REGISTRY, APP, child, kept.sandbox.state.stamp())
    delete(kept, index)
    (result,) = apply_restore(kept.client, planned(kept, (index, "v1"))).values
    assert (result.outcome, result.missing) == (Outcome.NOT_CONFIRMED, (child,))
    assert child in result.cause


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_refusal_is_of_that_item_and_nothing_is_called_restored(kept: OwnSandbox, status: int) -> None:
    digest, _ = kept.push("v1")
    delete(kept, digest)
    plan = planned(kept, (digest, "v1"))
    kept.break_({"method": "POST", "path": "/_deleted/", "status": status, "retry_after": 999})
    result = apply_restore(kept.client, plan)
    assert not result.values and result.refused[0].what == "v1"
    kept.break_()
    assert not kept.tags()


def test_a_lost_answer_is_read_back(kept: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, raw = kept.push("v1")
    delete(kept, digest)
    plan = planned(kept, (digest, "v1"))
    send = kept.client.send

    def lose(*what: Any, **more: Any) -> None:
        send(*what, **more)
        raise ServiceResponseError("the connection broke")

    monkeypatch.setattr(kept.client, "send", lose)
    assert outcomes(apply_restore(kept.client, plan)) == {"v1": "restored"}
    assert bodies(kept) == {digest: raw}


def test_after_a_stop_the_rest_is_untried(kept: OwnSandbox) -> None:
    digests = [kept.push(f"v{number}", number=number)[0] for number in range(3)]
    for digest in digests:
        delete(kept, digest)
    stop = Event()
    plan = planned(kept, *((digest, f"v{number}") for number, digest in enumerate(digests)))
    result = apply_restore(kept.client, plan, on_result=lambda *_: stop.set(), stop=stop)
    assert (len(result.values), result.untried) == (1, 2)


def test_without_the_action_nothing_is_listed_and_nothing_restored(kept: OwnSandbox) -> None:
    digest, _ = kept.push("v1")
    delete(kept, digest)
    kept.break_({"path": "/_deleted/", "status": 403})
    with pytest.raises(ServiceError):
        read_deleted(kept.client, APP)
    kept.break_({"path": "/_deleted/.*_tags", "status": 403})
    found = read_all_deleted(kept.client)
    assert not found.values and [refusal.what for refusal in found.refused]


def test_what_is_deleted_expires_by_the_days_of_the_policy() -> None:
    deleted = datetime(2026, 11, 1, tzinfo=UTC)
    assert expires(deleted, 14) == datetime(2026, 11, 15, tzinfo=UTC)
    assert expires(deleted, None) is None and expires(None, 14) is None


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=list(HealthCheck), deadline=None)
@given(drawn=registries(locks=False), data=st.data())
def test_what_was_deleted_comes_back_byte_equal(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Pushes, ...], data: st.DataObject
) -> None:
    with own_sandbox(tmp_path_factory.mktemp("own")) as own:
        keep_deleted(own, 14)
        write(own.sandbox.store, REGISTRY, drawn)
        name = data.draw(st.sampled_from(own.sandbox.store.list_repositories(REGISTRY)))
        contents = read(own, name)
        before, tags = bodies(own, name), own.tags(name)
        chosen = data.draw(st.lists(st.sampled_from(sorted(before)), min_size=1, unique=True))
        plan = plan_deletion(contents, chosen, registry=REGISTRY, by_name=True)
        apply_deletion(own.client, plan, {})
        gone = before.keys() - bodies(own, name).keys()
        deleted = read_deleted(own.client, name)
        assert {one.digest for one in deleted.manifests} == gone
        wanted = [(one.digest, one.tag) for one in deleted.tags] + [(one.digest, "") for one in deleted.manifests]
        known = contents.manifests if data.draw(st.booleans()) else {}
        restore = read_restore_plan(own.client, REGISTRY, name, wanted, known)
        result = apply_restore(own.client, restore)
        assert not result.refused
        assert bodies(own, name) == before
        assert own.tags(name) == tags
