"""A repository is deleted as planned, with all that is in it, and what the registry says of it is what az prints."""

import json

import pytest

from sandbox.storage.store import Locks
from services.connection.errors import ServiceError
from services.deletion.repository import (
    RepositoryDeletionPlan,
    apply_repository_deletion,
    as_az_prints,
    plan_repository_deletion,
)
from services.deletion.running_images import RunningImages
from services.images.repository_contents import read_contents
from tests.support.documents import digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox


def planned(own: OwnSandbox, name: str = APP, *running: str) -> RepositoryDeletionPlan:
    (contents,) = read_contents(own.client, [name], {}).values
    return plan_repository_deletion(contents, REGISTRY, RunningImages.of(running))


def refused(own: OwnSandbox, plan: RepositoryDeletionPlan) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        apply_repository_deletion(own.client, plan)
    return caught.value


def test_the_guides_repository_goes_as_in_the_guide(own: OwnSandbox) -> None:
    plan = planned(own, "nodejstemplate")
    assert len(plan.digests) == 3
    assert [tag for tag, _ in plan.tags] == ["v1.0.0"]
    deleted = apply_repository_deletion(own.client, plan)
    assert json.loads(as_az_prints(deleted)) == {"manifestsDeleted": list(plan.digests), "tagsDeleted": ["v1.0.0"]}
    assert deleted.reported
    assert own.sandbox.store.list_repositories(REGISTRY) == []


def test_a_lock_on_anything_in_it_keeps_all(own: OwnSandbox) -> None:
    digest, _ = own.push("v1", "v2")
    own.lock_tag("v1", write=False)
    own.lock_tag("v2", list=False)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, digest, Locks(delete=False), own.sandbox.state.stamp())
    plan = planned(own)
    assert plan.blockers == (
        "The tag v1 is locked against writing, and so against deletion: unlock it first.",
        f"The manifest {digest} is locked against deletion: unlock it first.",
    )
    assert refused(own, plan).code == "Refused"
    assert not own.writes()


def test_what_runs_keeps_it(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    assert planned(own, APP, digest, digest_of(9)).blockers == (f"{digest} runs in a cluster.",)


@pytest.mark.parametrize("change", ["pushed", "tagged", "moved"])
def test_what_came_meanwhile_keeps_it(own: OwnSandbox, change: str) -> None:
    first, _ = own.push("v1")
    second, _ = own.push(number=2)
    plan = planned(own)
    if change == "pushed":
        own.push(number=3)
    else:
        own.move("v1" if change == "moved" else "v2", second)
    error = refused(own, plan)
    assert error.code == "ChangedMeanwhile"
    assert ("manifests have come" if change == "pushed" else "tags have come or moved") in error.cause
    assert own.tags()["v1"] in (first, second)
    assert not own.writes()


def test_what_went_meanwhile_does_not_matter(own: OwnSandbox) -> None:
    own.push("v1")
    second, _ = own.push("v2", number=2)
    plan = planned(own)
    own.remove("v2")
    own.sandbox.store.delete_manifest(REGISTRY, APP, second, own.sandbox.state.stamp())
    deleted = apply_repository_deletion(own.client, plan)
    assert deleted.tags == ("v1",)


def test_a_lock_that_no_list_shows_is_the_registrys_own_refusal(own: OwnSandbox) -> None:
    own.push("v1")
    hidden, _ = own.push(number=2)
    own.sandbox.store.set_manifest_locks(
        REGISTRY, APP, hidden, Locks(delete=False, list=False), own.sandbox.state.stamp()
    )
    plan = planned(own)
    assert (plan.hidden, plan.blockers) == (1, ())
    assert refused(own, plan).code == "REGISTRY_DISALLOWED_OPERATION"
    assert own.tags()


def test_a_lost_answer_is_read_back(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "reset": True, "late": True, "times": 1}, {"method": "DELETE", "reset": True})
    deleted = apply_repository_deletion(own.client, plan)
    assert (deleted.manifests, deleted.tags, deleted.reported) == ((digest,), ("v1",), False)
    assert own.tags() == {}


@pytest.mark.parametrize(
    "body",
    ["", "{}", "null", '""', "<html>", '{"manifestsDeleted": null}', '{"manifestsDeleted": "abc", "tagsDeleted": [5]}'],
)
def test_an_answer_that_lists_nothing_is_no_list_of_nothing(own: OwnSandbox, body: str) -> None:
    digest, _ = own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "status": 202, "body": body, "late": True, "times": 1})
    deleted = apply_repository_deletion(own.client, plan)
    assert (deleted.manifests, deleted.tags, deleted.reported) == ((digest,), ("v1",), False)
    assert deleted.outcome_of(digest) == "deleted"
    assert own.tags() == {}


def test_what_somebody_else_deleted_in_the_last_moment_is_already_deleted(own: OwnSandbox) -> None:
    """So is what our own first request deleted, whose answer was lost: the second is told that there is none."""
    own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "reset": True, "late": True, "times": 1})
    deleted = apply_repository_deletion(own.client, plan)
    assert (deleted.manifests, deleted.tags, deleted.outcome) == ((), (), "already done")
    assert {deleted.outcome_of(digest) for digest in plan.digests} == {"already done"}
    assert own.tags() == {}


def test_what_the_registry_does_not_list_as_deleted_was_already(own: OwnSandbox) -> None:
    first, _ = own.push("v1")
    second, _ = own.push("v2", number=2)
    plan = planned(own)
    own.sandbox.store.delete_manifest(REGISTRY, APP, second, own.sandbox.state.stamp())
    deleted = apply_repository_deletion(own.client, plan)
    assert [deleted.outcome_of(digest) for digest in (first, second)] == ["deleted", "already done"]


def test_what_is_accepted_and_still_there_is_not_called_deleted(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "status": 202})
    error = refused(own, plan)
    assert (error.code, "still there with 1 manifests" in error.cause) == ("NotConfirmed", True)


def test_what_is_accepted_and_can_not_be_read_back_is_not_called_deleted(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "status": 202}, {"method": "GET", "path": f"/acr/v1/{APP}$", "status": 403})
    error = refused(own, plan)
    assert error.code == "NotConfirmed"
    assert "could not be read back" in error.title
    assert "not known" in error.remedy


def test_hidden_manifests_are_counted_before_the_repository_is_deleted(own: OwnSandbox) -> None:
    own.push("v1")
    hidden, _ = own.push(number=2)
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, hidden, Locks(list=False), own.sandbox.state.stamp())
    assert planned(own).warnings == ("1 manifest is deleted with it that no list shows.",)


def test_a_lock_of_the_repository_itself_keeps_it(own: OwnSandbox) -> None:
    own.push("v1")
    own.lock_repository(delete=False)
    assert planned(own).blockers == (f"The repository {APP} is locked against deletion: unlock it first.",)


def test_a_request_that_never_came_through_deletes_nothing(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    plan = planned(own)
    own.break_({"method": "DELETE", "reset": True})
    assert refused(own, plan).code == "ConnectionLost"
    assert own.tags() == {"v1": digest}


def test_who_may_not_delete_is_told(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own)
    with pytest.raises(ServiceError) as caught:
        apply_repository_deletion(own.as_reader(), plan)
    assert caught.value.status == 401
    assert own.tags()
