"""The end of a registry, on a sandbox of the test's own."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.access.role_assignment_reading import read_caller_permissions
from services.aks.attach import apply_attach, read_attach_plan
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.images.repositories import get_repositories, repository_names
from services.pull_checks.matrix import Answer, Pair
from services.pull_checks.matrix_reading import read_pulls
from services.pull_checks.private_link import NetworkPath
from services.pull_checks.summary import PullSummary, summarize_pulls
from services.registries.registry import PrivateEndpoint, Registry, SoftDelete
from services.registry_lifecycle.removal import RemovalPlan, apply_removal, plan_removal
from tests.support.own_sandbox import OwnSandbox
from tests.support.pull_samples import a_cluster
from tests.support.shell_lines import registry as a_registry


def plan(own: OwnSandbox, registry: Registry | None = None) -> RemovalPlan:
    """As the console plans it, all of it read."""
    session, registry = own.session(), registry or own.registry()
    client = session.registry(registry.login_server)
    names = [name for page in repository_names(client) for name in page]
    pulls = read_pulls(session)
    return plan_removal(
        registry,
        names,
        get_repositories(client, names),
        summarize_pulls(pulls, registry),
        pulls.by_subscription[registry.subscription_id].records.assignments,
    )


def a_pair(name: str) -> Pair:
    return Pair(a_cluster(name=name), a_registry(), Answer.UNKNOWN, "Not read.", NetworkPath(True, "Open."))


def deletions(own: OwnSandbox) -> list[int]:
    return [request.status for request in own.sandbox.requests if request.method == "DELETE"]


def test_a_registry_is_deleted_with_all_that_the_plan_says(own: OwnSandbox) -> None:
    own.push("v1")
    planned = plan(own)
    assert planned.repositories == ("nodejstemplate", "team/app")
    assert (planned.tags, planned.manifests) == (2, 4)
    assert (planned.pulls, planned.assignments, planned.blockers) == (PullSummary(), (), ())
    states: list[str] = []
    assert apply_removal(own.session(), planned, states.append) == "deleted"
    assert states == ["checking again", "deleting", "verifying"]
    assert deletions(own) == [202]
    assert apply_removal(own.session(), planned) == "already done"
    assert deletions(own) == [202]


def test_who_pulls_from_it_and_what_is_assigned_at_it_is_said(own: OwnSandbox) -> None:
    session, registry = own.session(), own.registry()
    (cluster,) = list_clusters(session, list_subscriptions(session).values).values
    apply_attach(session, read_attach_plan(session, cluster, registry))
    planned = plan(own)
    assert planned.pulls is not None
    assert planned.pulls.label == "aks1"
    assert planned.assignments is not None
    assert [one.scope for one in planned.assignments] == [registry.id]
    said = " ".join(planned.warnings)
    assert "aks1 can pull from it" in said
    assert "Its role assignments are deleted with it" in said


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (SoftDelete(0, ""), ""),
        (SoftDelete(14, ""), "Images that its soft delete policy keeps are deleted with it too."),
        (SoftDelete(unread="Refused."), "Whether its soft delete policy keeps deleted images is unknown (Refused)"),
    ],
)
def test_what_soft_delete_keeps_is_deleted_too(policy: SoftDelete, says: str) -> None:
    registry = replace(a_registry(), soft_delete=policy)
    plan = plan_removal(registry, (), Partial(()), PullSummary(), ())
    found = [text for text in plan.warnings if "soft delete policy" in text]
    assert len(found) == bool(says) and all(text.startswith(says) for text in found)


def test_another_registry_of_a_longer_name_keeps_its_assignments(own: OwnSandbox) -> None:
    longer = own.make_registry("casaacr01b")
    session = own.session()
    (cluster,) = list_clusters(session, list_subscriptions(session).values).values
    apply_attach(session, read_attach_plan(session, cluster, longer))
    assert plan(own).assignments == ()
    assert plan(own).pulls == PullSummary()


def test_what_was_not_read_is_said(own: OwnSandbox) -> None:
    unread = replace(own.registry(), replicas=None)
    planned = plan_removal(unread, None, Partial(()), None, None)
    assert (planned.repositories, planned.tags, planned.pulls, planned.assignments) == (None, None, None, None)
    said = " ".join(planned.warnings)
    for words in ("could not be listed", "can pull from it is unknown", "role assignments are unknown"):
        assert words in said
    unknown = PullSummary((), (a_pair("aks1"), a_pair("aks2")), ("members of nodes could not be read",))
    said = " ".join(plan_removal(unread, (), Partial(()), unknown, ()).warnings)
    assert "Unknown whether aks1, aks2 can pull from it: members of nodes could not be read." in said
    lists = PullSummary((), (), ("clusters of contoso could not be read",), lists_unread=True)
    said = " ".join(plan_removal(unread, (), Partial(()), lists, ()).warnings)
    assert "Unknown whether other clusters can pull from it: clusters of contoso could not be read." in said
    half = plan_removal(own.registry(), ["a", "b"], Partial(()), PullSummary(), ())
    assert (half.tags, half.manifests) == (None, None)
    assert "Not every repository could be read" in " ".join(half.warnings)


def test_a_name_that_anybody_may_take_is_told_from_one_with_a_hash() -> None:
    def said(registry: Registry) -> str:
        return " ".join(plan_removal(registry, (), Partial(()), PullSummary(), ()).warnings)

    assert "Anyone can take the name contosoacr.azurecr.io" in said(a_registry())
    assert "Anyone can take the name" not in said(a_registry(login_server="contosoacr-h4sh.azurecr.io"))
    ends = (
        PrivateEndpoint(
            "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/acr-pe", "Approved"
        ),
    )
    assert "until they are deleted: acr-pe." in said(a_registry(private_endpoints=ends))


def test_one_that_is_being_deleted_is_not_deleted_again(own: OwnSandbox) -> None:
    unblocked = replace(own.registry(), provisioning_state="Deleting")
    with pytest.raises(ServiceError, match="being deleted already") as raised:
        apply_removal(own.session(), plan_removal(unblocked, (), Partial(()), PullSummary(), ()))
    assert raised.value.code == "Refused"
    assert deletions(own) == []


def test_a_repository_that_came_since_stops_it(own: OwnSandbox) -> None:
    planned = plan(own)
    own.push("v1", repository="team/new")
    with pytest.raises(ServiceError, match="the plan did not show: team/new") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert deletions(own) == []


def test_an_image_that_was_pushed_since_stops_it(own: OwnSandbox) -> None:
    planned = plan(own)
    own.push("v1", repository="nodejstemplate")
    with pytest.raises(ServiceError, match="4 manifests and 2 tags now: the plan showed 3 and 1") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert deletions(own) == []


@pytest.mark.parametrize("what", ["manifest", "tag"])
def test_a_manifest_or_a_tag_that_came_since_stops_it(own: OwnSandbox, what: str) -> None:
    digest, _ = own.push("v1")
    planned = plan(own)
    if what == "manifest":
        own.push(number=2)
    else:
        own.move("v2", digest)
    with pytest.raises(ServiceError, match="the plan showed") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert deletions(own) == []


def test_a_repository_that_can_not_be_read_again_stops_it(own: OwnSandbox) -> None:
    """What it has now is not known: it is not counted as nothing."""
    own.push("v1")
    planned = plan(own)
    own.push("v2", number=2)
    own.break_({"path": "/acr/v1/team/app$", "status": 403})
    with pytest.raises(ServiceError, match="could not be checked again"):
        apply_removal(own.session(), planned)
    assert deletions(own) == []


def test_what_is_gone_since_stops_nothing(own: OwnSandbox) -> None:
    own.push("v1")
    planned = plan(own)
    own.sandbox.store.delete_repository("casaacr01", "team/app")
    assert apply_removal(own.session(), planned) == "deleted"


def test_another_registry_of_the_same_name_is_left(own: OwnSandbox) -> None:
    planned = plan(own)
    document = own.sandbox.store.get_resource(planned.registry.id)
    assert document
    document["properties"]["creationDate"] = "2026-11-01T10:00:00.0000000Z"
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="another registry of that name, created 2026-11-01") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert deletions(own) == []


def test_where_the_repositories_can_not_be_listed_any_more_nothing_is_deleted(own: OwnSandbox) -> None:
    planned = plan(own)
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    with pytest.raises(ServiceError):
        apply_removal(own.session(), planned)
    assert deletions(own) == []


def test_a_reader_is_refused_and_told_so(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_removal(own.session(as_reader=True), plan(own))
    assert raised.value.code == "AuthorizationFailed"
    assert own.registry().name == "casaacr01"


def test_who_may_not_delete_is_told_before(own: OwnSandbox) -> None:
    registry = own.registry()
    reader = read_caller_permissions(own.session(as_reader=True), registry)
    refused = plan_removal(registry, (), Partial(()), PullSummary(), (), caller_permissions=reader)
    assert refused.blockers == ("You may not delete this registry (Microsoft.ContainerRegistry/registries/delete).",)
    allowed = read_caller_permissions(own.session(), registry)
    assert plan_removal(registry, (), Partial(()), PullSummary(), (), caller_permissions=allowed).blockers == ()


def test_a_lock_of_the_resource_is_the_reason(own: OwnSandbox) -> None:
    planned = plan(own)
    body = json.dumps({"error": {"code": "ScopeLocked", "message": "The scope cannot perform delete operation."}})
    own.break_({"method": "DELETE", "path": "/casaacr01$", "status": 409, "body": body})
    with pytest.raises(ServiceError, match="cannot perform delete") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.remedy == "A lock on the resource forbids it: have it removed first."
    assert own.registry().name == "casaacr01"


@pytest.mark.parametrize("how", [{"reset": True}, {"status": 504}])
def test_an_answer_that_is_lost_after_the_deed_is_no_failure(own: OwnSandbox, how: dict[str, Any]) -> None:
    planned = plan(own)
    own.break_({"method": "DELETE", "path": "/casaacr01$", "late": True, "times": 1, **how})
    assert apply_removal(own.session(), planned) == "deleted"


@pytest.mark.parametrize("status", [200, 204])
def test_what_azure_calls_done_and_is_still_there_is_a_failure(own: OwnSandbox, status: int) -> None:
    planned = plan(own)
    own.break_({"method": "DELETE", "path": "/casaacr01$", "status": status, "body": ""})
    with pytest.raises(ServiceError, match=r"still there \(state: Succeeded\)") as raised:
        apply_removal(own.session(), planned)
    assert raised.value.code == "StillThere"


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 404, "body": "no such page"}])
def test_what_can_not_be_read_back_is_not_confirmed(own: OwnSandbox, answer: dict[str, Any]) -> None:
    planned = plan(own)

    def broken(state: str) -> None:
        if state == "verifying":
            own.break_({"method": "GET", "path": "/casaacr01$", **answer})

    assert apply_removal(own.session(), planned, broken) == "not confirmed"


def test_where_nobody_can_tell_the_error_says_so(own: OwnSandbox) -> None:
    planned = plan(own)

    def broken(state: str) -> None:
        if state == "deleting":
            rule = {"path": "/casaacr01$", "status": 403}
            own.break_({"method": "DELETE", **rule}, {"method": "GET", **rule})

    with pytest.raises(ServiceError) as raised:
        apply_removal(own.session(), planned, broken)
    assert "Whether it was done is not known" in raised.value.remedy


def test_a_registry_whose_state_is_none_to_build_on_may_go_with_a_warning() -> None:
    def planned(state: str) -> RemovalPlan:
        return plan_removal(a_registry(provisioning_state=state), (), Partial(()), PullSummary(), ())

    assert planned("Failed").warnings[0] == "The last operation did not succeed (state: Failed)."
    assert planned("").warnings[0] == "State not reported."
    assert not planned("Failed").blockers
    assert not planned("").blockers
    assert planned("Deleting").blockers == ("It is being deleted already.",)
