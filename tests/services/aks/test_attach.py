"""A cluster attached to a registry and detached from it: against the sandbox, with the answers that go wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sandbox.identity.rbac import ASSIGNMENTS, DENIALS, access_of
from sandbox.seeds.resources import assignment
from services.access.decisions import Verdict
from services.access.repository_scope import RepositoryChoice, condition_for
from services.access.role_assignment_reading import read_principal
from services.access.role_definitions import ACR_PULL, REPOSITORY_READER
from services.aks.attach import AttachPlan, apply_attach, plan_attach, read_attach_plan
from services.aks.clusters import Cluster, IdentityModel, list_clusters
from services.aks.detach import apply_detach, read_detach_plan
from services.aks.puller import PullerAccess
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.roles.planned_assignment import WAITS_S, assignment_name
from tests.support.own_sandbox import OwnSandbox

KUBELET = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
OTHER_IDENTITY = "aaaaaaaa-0000-0000-0000-0000000000ff"
CREATED = "2026-01-01T00:00:00Z"
ABAC = {"roleAssignmentMode": "AbacRepositoryPermissions"}


@pytest.fixture
def cluster(own: OwnSandbox) -> Cluster:
    return list_clusters(own.session(), list_subscriptions(own.session()).values).values[0]


def planned(own: OwnSandbox, cluster: Cluster, **more: Any) -> AttachPlan:
    return read_attach_plan(own.session(), cluster, own.registry(), **more)


def of_kubelet(own: OwnSandbox) -> list[dict[str, Any]]:
    """Every assignment of the kubelet identity, as the sandbox has them."""
    found = own.sandbox.store.list_resources(ASSIGNMENTS)
    return [one for one in found if one["properties"]["principalId"] == KUBELET]


def assign(own: OwnSandbox, role: str, scope: str, principal: str = KUBELET, condition: str | None = None) -> None:
    own.sandbox.store.put_resource(assignment(scope, role, principal, "ServicePrincipal", CREATED, condition=condition))


def refusing(code: str, status: int, **more: Any) -> dict[str, Any]:
    body = json.dumps({"error": {"code": code, "message": "as Azure words it"}})
    return {"method": "PUT", "path": "roleAssignments", "status": status, "body": body, **more}


def never(_seconds: float) -> None:
    raise AssertionError("it must not wait")


def test_it_is_the_least_role_of_the_mode_for_the_object_id(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    assert (plan.role, plan.principal_id, plan.assignment.scope) == (ACR_PULL, KUBELET, own.registry().id)
    assert plan.principal_id != cluster.puller.client_id
    assert (plan.may, plan.blockers, plan.granted, plan.nothing_to_do) == (True, (), (), False)
    abac = read_attach_plan(own.session(), cluster, own.make_registry("contosoabac", **ABAC))
    assert (abac.role, abac.condition) == (REPOSITORY_READER, "")


def test_it_is_written_once_and_read_back(own: OwnSandbox, cluster: Cluster) -> None:
    done = apply_attach(own.session(), planned(own, cluster), sleep=never)
    assert done.outcome == "created"
    (document,) = of_kubelet(own)
    assert document["properties"]["principalType"] == "ServicePrincipal"
    assert document["properties"]["description"] == "Attached by ACR Console for aks1"
    assert done.assignment and done.assignment.id == document["id"]
    again = planned(own, cluster)
    assert again.nothing_to_do
    assert [reason.role for reason in again.granted] == ["AcrPull"]
    assert apply_attach(own.session(), again, sleep=never).outcome == "already done"
    assert sum(own.writes().values()) == 1


def test_the_same_grant_has_the_same_name_whatever_the_case() -> None:
    name = assignment_name("/subscriptions/S/a/", "P", ACR_PULL)
    assert name == assignment_name("/Subscriptions/s/A", "p", ACR_PULL.upper())
    assert name != assignment_name("/subscriptions/s/a", "p", REPOSITORY_READER)


def test_what_is_inherited_is_enough(own: OwnSandbox, cluster: Cluster) -> None:
    assign(own, "Reader", own.registry().id.partition("/providers/")[0])
    plan = planned(own, cluster)
    assert plan.nothing_to_do
    assert "inherited from the resource group resource-group-4" in plan.granted[0].label
    assert apply_attach(own.session(), plan).outcome == "already done"
    assert not own.writes()


def test_acr_pull_does_not_do_on_a_registry_in_abac_mode(own: OwnSandbox, cluster: Cluster) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    assign(own, "AcrPull", registry.id)
    plan = read_attach_plan(own.session(), cluster, registry)
    assert not plan.nothing_to_do
    assert apply_attach(own.session(), plan).outcome == "created"
    assert len(of_kubelet(own)) == 2


def test_chosen_repositories_are_a_condition(own: OwnSandbox, cluster: Cluster) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    choice = RepositoryChoice(("team/app",), ("backend/",))
    plan = read_attach_plan(own.session(), cluster, registry, choice)
    assert apply_attach(own.session(), plan).outcome == "created"
    (document,) = of_kubelet(own)
    assert document["properties"]["conditionVersion"] == "2.0"
    assert read_attach_plan(own.session(), cluster, registry, choice).nothing_to_do
    assert read_attach_plan(own.session(), cluster, registry, RepositoryChoice(("backend/api",))).nothing_to_do
    # Azure keeps one assignment of a role to a principal at a scope: another condition would replace this one.
    for other in (RepositoryChoice(("team/other",)), RepositoryChoice()):
        more = read_attach_plan(own.session(), cluster, registry, other)
        assert not more.nothing_to_do
        assert "under another condition" in more.blockers[0]
        with pytest.raises(ServiceError, match="another condition"):
            apply_attach(own.session(), more)
    assert len(of_kubelet(own)) == 1


@pytest.mark.parametrize(
    "choice", [RepositoryChoice(("a' OR 'b",)), RepositoryChoice((), ("backend",)), RepositoryChoice((), ("/",))]
)
def test_a_choice_of_what_is_no_name_is_refused(own: OwnSandbox, cluster: Cluster, choice: RepositoryChoice) -> None:
    with pytest.raises(ServiceError, match="no name for a repository"):
        read_attach_plan(own.session(), cluster, own.make_registry("contosoabac", **ABAC), choice)


def test_a_legacy_registry_can_not_be_opened_in_part(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster, choice=RepositoryChoice(("team/app",)))
    assert "for all" in plan.blockers[0]


def test_who_may_not_assign_roles_is_told_before_and_sends_nothing(own: OwnSandbox, cluster: Cluster) -> None:
    plan = read_attach_plan(own.session(as_reader=True), cluster, own.registry())
    assert plan.may is False
    with pytest.raises(ServiceError, match="may not assign roles"):
        apply_attach(own.session(as_reader=True), plan, sleep=never)
    assert not own.writes()


def test_the_same_assignment_that_appears_meanwhile_is_success(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)

    def race(state: str) -> None:
        if state == "assigning the role":
            assign(own, "AcrPull", plan.assignment.scope)

    done = apply_attach(own.session(), plan, race, sleep=never)
    assert done.outcome == "already done"
    assert [status for (_, _, status) in own.writes()] == [409]
    (document,) = of_kubelet(own)
    assert done.assignment and done.assignment.name == document["name"] != plan.assignment.name


def test_one_that_appears_meanwhile_for_other_repositories_is_no_success(own: OwnSandbox, cluster: Cluster) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    other = read_attach_plan(own.session(), cluster, registry, RepositoryChoice(("team/other",)))
    plan = read_attach_plan(own.session(), cluster, registry)

    def race(state: str) -> None:
        if state == "assigning the role":
            assign(own, "Container Registry Repository Reader", plan.assignment.scope, condition=other.condition)

    with pytest.raises(ServiceError, match="under the condition") as raised:
        apply_attach(own.session(), plan, race, sleep=never)
    assert raised.value.code == "ChangedMeanwhile"


def test_an_identity_that_the_directory_does_not_know_yet_is_waited_for(own: OwnSandbox, cluster: Cluster) -> None:
    plan, slept = planned(own, cluster), list[float]()
    own.break_(refusing("PrincipalNotFound", 400, times=2))
    assert apply_attach(own.session(), plan, sleep=slept.append).outcome == "created"
    assert slept == list(WAITS_S[:2])
    assert len(of_kubelet(own)) == 1


def test_it_is_waited_for_two_minutes_and_no_longer(own: OwnSandbox, cluster: Cluster) -> None:
    plan, slept = planned(own, cluster), list[float]()
    own.break_(refusing("PrincipalNotFound", 400))
    with pytest.raises(ServiceError, match="PrincipalNotFound") as raised:
        apply_attach(own.session(), plan, sleep=slept.append)
    assert sum(slept) == 120
    assert "two minutes" in raised.value.remedy
    assert not of_kubelet(own)


def test_who_is_refused_all_the_same_stops_at_once(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    own.break_(refusing("AuthorizationFailed", 403))
    with pytest.raises(ServiceError, match="AuthorizationFailed") as raised:
        apply_attach(own.session(), plan, sleep=never)
    assert "administrator" in raised.value.remedy
    assert list(own.writes().values()) == [1]


def test_an_answer_that_is_lost_once_is_asked_for_again_and_is_no_second_assignment(
    own: OwnSandbox, cluster: Cluster
) -> None:
    plan = planned(own, cluster)
    own.break_({"method": "PUT", "path": "roleAssignments", "status": 504, "late": True, "times": 1})
    assert apply_attach(own.session(), plan, sleep=never).outcome == "created"
    assert len(of_kubelet(own)) == 1


def test_answers_that_stay_lost_after_the_deed_are_no_failure(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    own.break_(refusing("GatewayTimeout", 400, late=True))
    done = apply_attach(own.session(), plan, sleep=never)
    assert done.outcome == "created"
    assert len(of_kubelet(own)) == 1


def test_where_nobody_can_tell_it_says_so(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    nothing_read = {"method": "GET", "path": "roleAssignments", "status": 403, "body": "{}"}

    def then_break(late: bool) -> Callable[[str], None]:
        write = refusing("Lost", 400, late=True)
        return lambda state: own.break_(*((write,) if late else ()), nothing_read) if "assigning" in state else None

    with pytest.raises(ServiceError) as raised:
        apply_attach(own.session(), plan, then_break(late=True), sleep=never)
    assert "is not known" in raised.value.remedy
    own.break_()
    apply_detach(own.session(), read_detach_plan(own.session(), cluster, own.registry()))
    assert apply_attach(own.session(), plan, then_break(late=False), sleep=never).outcome == "not confirmed"
    own.break_()
    apply_detach(own.session(), read_detach_plan(own.session(), cluster, own.registry()))

    def exists_already(state: str) -> None:
        if "assigning" in state:
            own.break_(refusing("RoleAssignmentExists", 409), nothing_read)

    assert apply_attach(own.session(), plan, exists_already, sleep=never).outcome == "not confirmed"


def test_a_write_that_failed_and_was_not_done_is_a_failure(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    own.break_(refusing("BadRequest", 400))
    with pytest.raises(ServiceError, match="BadRequest"):
        apply_attach(own.session(), plan, sleep=never)
    assert not of_kubelet(own)


def test_a_registry_that_changed_its_mode_since_is_not_written_to(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    document = own.sandbox.store.get_resource(plan.registry.id)
    assert document
    document["properties"]["roleAssignmentMode"] = ABAC["roleAssignmentMode"]
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="ABAC mode now"):
        apply_attach(own.session(), plan, sleep=never)
    assert not own.writes()


def test_a_cluster_that_pulls_as_another_identity_since_is_not_attached(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    document = own.sandbox.store.get_resource(cluster.id)
    assert document
    document["properties"]["identityProfile"]["kubeletidentity"]["objectId"] = OTHER_IDENTITY
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="another identity") as raised:
        apply_attach(own.session(), plan, sleep=never)
    assert raised.value.code == "ChangedMeanwhile"
    assert not own.writes()


def deny_pulls(own: OwnSandbox, scope: str) -> None:
    """Takes every action and data action at a scope from the kubelet identity, whatever role it has."""
    name = "0f3c1f0e-0000-0000-0000-00000000de4e"
    own.sandbox.store.put_resource(
        {
            "id": f"{scope}/providers/{DENIALS}/{name}",
            "type": DENIALS,
            "name": name,
            "properties": {
                "denyAssignmentName": "no pulls",
                "permissions": [{"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}],
                "scope": scope,
                "doNotApplyToChildScopes": False,
                "principals": [{"id": KUBELET, "type": "ServicePrincipal"}],
                "excludePrincipals": [],
                "isSystemProtected": True,
            },
        }
    )


@pytest.mark.parametrize("has_role", [False, True])
def test_a_deny_assignment_is_a_blocker_and_no_role_is_enough(
    own: OwnSandbox, cluster: Cluster, has_role: bool
) -> None:
    if has_role:
        assign(own, "AcrPull", own.registry().id)
    deny_pulls(own, own.registry().id.partition("/providers/")[0])
    plan = planned(own, cluster)
    assert not plan.nothing_to_do
    assert any("The deny assignment no pulls" in blocker for blocker in plan.blockers)
    with pytest.raises(ServiceError, match="The deny assignment no pulls"):
        apply_attach(own.session(), plan, sleep=never)
    assert not own.writes()


def test_a_deny_assignment_since_the_plan_stops_it(own: OwnSandbox, cluster: Cluster) -> None:
    plan = planned(own, cluster)
    deny_pulls(own, own.registry().id)
    with pytest.raises(ServiceError, match="The deny assignment no pulls"):
        apply_attach(own.session(), plan, sleep=never)
    assert not own.writes()


@pytest.mark.parametrize(
    ("names", "enough"),
    [(("team/app",), True), (("team/app", "team/other"), False), (("team/other", "team/app"), False)],
)
def test_a_role_for_one_of_several_repositories_is_not_enough(
    own: OwnSandbox, cluster: Cluster, names: tuple[str, ...], enough: bool
) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    condition = condition_for(RepositoryChoice(("team/app",)))
    group = registry.id.partition("/providers/")[0]
    assign(own, "Container Registry Repository Reader", group, condition=condition)
    plan = read_attach_plan(own.session(), cluster, registry, RepositoryChoice(names))
    assert plan.nothing_to_do is enough
    assert apply_attach(own.session(), plan).outcome == ("already done" if enough else "created")


def test_a_managed_identity_of_another_tenant_is_refused(own: OwnSandbox, cluster: Cluster) -> None:
    nobody = PullerAccess(KUBELET, read_principal(own.session(), own.registry(), KUBELET))
    plan = plan_attach(cluster, own.registry(), nobody, None, registry_tenant="another")
    assert "no role in another tenant" in plan.blockers[0]
    assert plan.may is None
    same = plan_attach(cluster, own.registry(), nobody, None, registry_tenant=cluster.tenant_id.upper())
    assert not same.blockers


def with_service_principal(cluster: Cluster) -> Cluster:
    return replace(
        cluster, kubelet=None, identity_model=IdentityModel.SERVICE_PRINCIPAL, service_principal_id="the-app"
    )


def test_a_service_principal_needs_its_object_id_and_never_takes_its_client_id(
    own: OwnSandbox, cluster: Cluster
) -> None:
    of_application = with_service_principal(cluster)
    assert "az ad sp show" in planned(own, of_application).blockers[0]
    assert "client id" in planned(own, of_application, principal_id="the-app").blockers[0]
    assert "client id" in planned(own, cluster, principal_id=cluster.puller.client_id).blockers[0]
    assert not planned(own, of_application, principal_id=KUBELET).blockers


def test_detaching_removes_just_its_own_and_says_what_is_left(own: OwnSandbox, cluster: Cluster) -> None:
    registry, session = own.registry(), own.session()
    apply_attach(session, planned(own, cluster))
    assign(own, "AcrPull", registry.id.partition("/providers/")[0])
    plan = read_detach_plan(session, cluster, registry)
    assert [reason.inherited for reason in plan.left.granting] == [True]
    done = apply_detach(session, plan)
    assert done.outcome == "deleted"
    assert done.left and [reason.inherited for reason in done.left.granting] == [True]
    assert [one["properties"]["scope"] for one in of_kubelet(own)] == [registry.id.partition("/providers/")[0]]
    assert "nothing to detach" in read_detach_plan(session, cluster, registry).blockers[0]
    assert apply_detach(session, plan).outcome == "already done"


def test_of_two_attachments_one_has_to_be_chosen(own: OwnSandbox, cluster: Cluster) -> None:
    registry, session = own.registry(), own.session()
    assign(own, "AcrPull", registry.id)
    assign(own, "Container Registry Repository Reader", registry.id)
    both = read_detach_plan(session, cluster, registry)
    assert both.assignment is None
    with pytest.raises(ServiceError, match="to choose from"):
        apply_detach(session, both)
    pull = next(one["id"] for one in of_kubelet(own) if ACR_PULL in one["properties"]["roleDefinitionId"])
    done = apply_detach(session, read_detach_plan(session, cluster, registry, pull))
    assert done.left and done.left.verdict is Verdict.NO
    assert len(of_kubelet(own)) == 1


def test_detaching_tells_the_truth_where_answers_are_lost(own: OwnSandbox, cluster: Cluster) -> None:
    session = own.session()
    apply_attach(session, planned(own, cluster))
    plan = read_detach_plan(session, cluster, own.registry())
    failing = {**refusing("BadRequest", 400), "method": "DELETE"}
    own.break_(failing)
    with pytest.raises(ServiceError, match="BadRequest"):
        apply_detach(session, plan)
    assert len(of_kubelet(own)) == 1
    own.break_({**failing, "late": True})
    assert apply_detach(session, plan).outcome == "deleted"
    assert not of_kubelet(own)


def test_who_may_not_remove_assignments_sends_nothing(own: OwnSandbox, cluster: Cluster) -> None:
    apply_attach(own.session(), planned(own, cluster))
    plan = read_detach_plan(own.session(as_reader=True), cluster, own.registry())
    with pytest.raises(ServiceError, match="may not remove"):
        apply_detach(own.session(as_reader=True), plan)
    assert len(of_kubelet(own)) == 1


def test_after_it_the_kubelet_identity_gets_a_token_to_pull(own: OwnSandbox, cluster: Cluster) -> None:
    assert not can_pull(own, cluster)
    apply_attach(own.session(), planned(own, cluster))
    assert can_pull(own, cluster)
    apply_detach(own.session(), read_detach_plan(own.session(), cluster, own.registry()))
    assert not can_pull(own, cluster)


def can_pull(own: OwnSandbox, cluster: Cluster) -> bool:
    """As the evaluator of the sandbox says, which is not the console's."""
    return access_of(own.sandbox.store, cluster.puller.object_id).allows(
        own.registry().id, "Microsoft.ContainerRegistry/registries/pull/read"
    )
