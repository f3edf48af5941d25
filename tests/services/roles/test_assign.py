"""Any role for any principal on a registry: what is planned, what is written once, and the answers that go wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import CONSOLE, READER
from sandbox.identity.rbac import ASSIGNMENTS, registry_permissions
from sandbox.seeds.resources import assignment
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.repository_scope import ALL, RepositoryChoice
from services.access.rights import takes_condition
from services.access.role_assignment_reading import PrincipalAccess
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import (
    ACR_PULL,
    BUILT_IN,
    CATALOG_LISTER,
    REPOSITORY_READER,
    PermissionBlock,
    RoleDefinition,
)
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry
from services.roles.assign import (
    NOTHING_HELD,
    AssignmentPlan,
    apply_assignment,
    gives,
    plan_assignment,
    read_assignment_plan,
)
from services.roles.planned_assignment import WAITS_S, assignment_name
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry as a_registry

SOMEONE = "5c1d0000-0000-4000-8000-00000000abcd"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
WRITER = "2a1e307c-b015-4ebd-883e-5b7698a07328"
CONTRIBUTOR = "2efddaa5-3f1f-4df3-97df-af3f13818f4c"
DATA_ROLES = (REPOSITORY_READER, WRITER, CONTRIBUTOR)
CREATED = "2026-01-01T00:00:00Z"
ABAC = {"roleAssignmentMode": "AbacRepositoryPermissions"}
ALL_RIGHTS = (PermissionBlock(("*",)),)


def planned(
    own: OwnSandbox, role: str = ACR_PUSH, registry: Registry | None = None, principal: str = SOMEONE, **more: Any
) -> AssignmentPlan:
    where = registry or own.registry()
    return read_assignment_plan(own.session(), where, BUILT_IN[role], principal, more.pop("kind", "User"), **more)


def of_someone(own: OwnSandbox) -> list[dict[str, Any]]:
    found = own.sandbox.store.list_resources(ASSIGNMENTS)
    return [one for one in found if one["properties"]["principalId"] == SOMEONE]


def assign(own: OwnSandbox, role: str, scope: str, principal: str = SOMEONE, condition: str | None = None) -> None:
    own.sandbox.store.put_resource(assignment(scope, role, principal, "User", CREATED, condition=condition))


def refusing(code: str, status: int, **more: Any) -> dict[str, Any]:
    body = json.dumps({"error": {"code": code, "message": "as Azure words it"}})
    return {"method": "PUT", "path": "roleAssignments", "status": status, "body": body, **more}


def never(_seconds: float) -> None:
    raise AssertionError("it must not wait")


@pytest.mark.parametrize("kind", ["User", "Group", "ServicePrincipal"])
def test_it_is_written_once_with_its_kind_and_read_back(own: OwnSandbox, kind: str) -> None:
    plan = planned(own, kind=kind)
    assert (plan.may, plan.blockers, plan.warnings, plan.nothing_to_do) == (True, (), (), False)
    done = apply_assignment(own.session(), plan, sleep=never)
    assert done.outcome == "created"
    (document,) = of_someone(own)
    assert done.assignment and done.assignment.id == document["id"]
    assert document["name"] == assignment_name(own.registry().id, SOMEONE, ACR_PUSH)
    assert document["properties"]["principalType"] == kind
    again = planned(own, kind=kind)
    assert again.nothing_to_do and not again.warnings
    assert apply_assignment(own.session(), again, sleep=never).outcome == "already done"
    assert apply_assignment(own.session(), plan, sleep=never).outcome == "already done"
    assert sum(own.writes().values()) == 1


def test_what_it_gives_is_what_a_holder_gets_from_the_registry(own: OwnSandbox) -> None:
    """The plan's words against the evaluator of the sandbox, which is not the console's."""
    actions = {
        Permission.PUSH: "push",
        Permission.DELETE: "delete",
        Permission.CHANGE_LOCKS: "metadata_write",
        Permission.LIST_CATALOG: "catalog",
        Permission.READ_METADATA: "metadata_read",
    }
    for name, setting in (("contosolegacy", {}), ("contosoabac", ABAC)):
        registry = own.make_registry(name, **setting)
        document = own.sandbox.store.find_resource(REGISTRY_TYPE, name)
        assert document
        for role in (ACR_PULL, ACR_PUSH, OWNER, *DATA_ROLES, CATALOG_LISTER):
            plan = planned(own, role, registry)
            apply_assignment(own.session(), plan, sleep=never)
            held = registry_permissions(own.sandbox.store, document, SOMEONE, "team/app")
            assert {one for one in actions if one in plan.gives} == {
                one for one, action in actions.items() if action in held
            }, (name, plan.role.name)
            (written,) = of_someone(own)
            own.sandbox.store.delete_resource(written["id"])


@pytest.mark.parametrize(
    ("mode", "role", "warning"),
    [
        (Mode.ABAC, ACR_PULL, "AcrPull gives nothing. Use Container Registry Repository Reader"),
        (Mode.ABAC, ACR_PUSH, "AcrPush gives nothing. Use Container Registry Repository Writer."),
        (Mode.ABAC, OWNER, "Owner does not give: pull, push, delete, list repositories"),
        (Mode.LEGACY, REPOSITORY_READER, "in Legacy mode Container Registry Repository Reader gives nothing."),
        (Mode.LEGACY, OWNER, "Owner gives every action on the registry"),
        (Mode.LEGACY, OWNER, "can assign every role on the registry to anyone"),
        (Mode.LEGACY, "f094fb07-0703-4400-ad6a-e16dd8000e14", "gives nothing of what this console knows"),
    ],
)
def test_what_a_role_does_not_give_or_gives_too_much_is_said_before(mode: Mode, role: str, warning: str) -> None:
    plan = plan_assignment(a_registry(mode=mode), BUILT_IN[role], SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS)
    assert any(warning in one for one in plan.warnings), plan.warnings
    assert not plan.blockers


def test_a_role_that_does_in_its_mode_has_no_warning() -> None:
    for mode, role in ((Mode.LEGACY, ACR_PULL), (Mode.LEGACY, ACR_PUSH), (Mode.ABAC, WRITER)):
        plan = plan_assignment(a_registry(mode=mode), BUILT_IN[role], SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS)
        assert (plan.warnings, plan.blockers) == ((), ())


def test_who_reads_passwords_of_the_admin_user_is_warned_of_where_it_is_on() -> None:
    reader = BUILT_IN["69b07be0-09bf-439a-b9a6-e73de851bd59"]
    for on in (True, False):
        registry = a_registry(mode=Mode.LEGACY, admin_user=on)
        plan = plan_assignment(registry, reader, SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS)
        assert any("reads its passwords" in one for one in plan.warnings) is on


@pytest.mark.parametrize("principal", ["", "someone", "a' or 'b", f"{{{SOMEONE}}}", SOMEONE.replace("-", "")])
def test_what_is_no_object_id_is_not_asked_for_nor_written(own: OwnSandbox, principal: str) -> None:
    plan = planned(own, principal=principal)
    assert "is a GUID" in plan.blockers[0]
    assert not [sent for sent in own.sandbox.requests if "roleAssignments" in sent.path]
    with pytest.raises(ServiceError, match="is a GUID"):
        apply_assignment(own.session(), plan, sleep=never)
    assert not own.writes()


def test_a_client_id_that_is_known_is_refused_with_whose_it_is(own: OwnSandbox) -> None:
    plan = planned(own, client_ids={SOMEONE: "the cluster aks1"}, principal=SOMEONE.upper())
    assert "the client id of the cluster aks1" in plan.blockers[0]
    with pytest.raises(ServiceError, match="client id"):
        apply_assignment(own.session(), plan, sleep=never)
    assert not own.writes()


SOME = RepositoryChoice(("team/app",), ("backend/",))


@pytest.mark.parametrize("role", DATA_ROLES)
def test_chosen_repositories_bind_all_that_the_role_gives(own: OwnSandbox, role: str) -> None:
    """A condition that forgot an action would give it on every repository."""
    registry = own.make_registry("contosoabac", **ABAC)
    plan = planned(own, role, registry, choice=SOME)
    assert not plan.blockers
    assert apply_assignment(own.session(), plan, sleep=never).outcome == "created"
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, "contosoabac")
    assert document
    for repository, inside in (("team/app", True), ("backend/api", True), ("team/other", False), ("backend", False)):
        held = registry_permissions(own.sandbox.store, document, SOMEONE, repository)
        assert bool(held) is inside, (repository, held)
    assert planned(own, role, registry, choice=SOME).nothing_to_do
    for other in (ALL, RepositoryChoice(("team/other",))):
        more = planned(own, role, registry, choice=other)
        assert "under another condition" in more.blockers[0]
        with pytest.raises(ServiceError, match="another condition"):
            apply_assignment(own.session(), more, sleep=never)
    assert len(of_someone(own)) == 1


@given(
    st.sampled_from(DATA_ROLES),
    st.sets(st.sampled_from(["a", "a/b", "team/app", "x"]), max_size=2),
    st.sets(st.sampled_from(["a/", "team/"]), max_size=1),
    st.sampled_from(["a", "a/b", "a/b/c", "team/app", "team/application", "x", "y", "teams/app"]),
)
def test_a_conditional_grant_lets_just_what_was_chosen(
    role: str, names: set[str], prefixes: set[str], repository: str
) -> None:
    registry = a_registry(mode=Mode.ABAC)
    choice = RepositoryChoice(tuple(sorted(names)), tuple(sorted(prefixes)))
    grant = plan_assignment(registry, BUILT_IN[role], SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS, choice).assignment
    held = AccessRecords(
        (RoleAssignment("/a", grant.name, grant.scope, role, SOMEONE, "User", condition=grant.condition),)
    )
    chosen = choice == ALL or repository in names or any(repository.startswith(prefix) for prefix in prefixes)
    for wanted in gives(BUILT_IN[role], Mode.ABAC):
        told = permission(held, SOMEONE, registry, wanted, repository, groups=())
        assert told.verdict is (Verdict.YES if chosen else Verdict.NO), wanted


def test_only_roles_of_repositories_data_can_be_given_in_part() -> None:
    assert {role.name for role in BUILT_IN.values() if takes_condition(role)} == {
        BUILT_IN[role].name for role in DATA_ROLES
    }
    for role in (CATALOG_LISTER, OWNER, ACR_PULL):
        plan = plan_assignment(
            a_registry(mode=Mode.ABAC), BUILT_IN[role], SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS, SOME
        )
        assert "can't be given for some repositories only" in plan.blockers[0]
    for wild in ("Microsoft.ContainerRegistry/registries/*", "Microsoft.ContainerRegistry/registries/repositories/*"):
        assert not takes_condition(RoleDefinition("r", "Wild", "CustomRole", (PermissionBlock(data_actions=(wild,)),)))
    legacy = plan_assignment(
        a_registry(mode=Mode.LEGACY), BUILT_IN[WRITER], SOMEONE, "User", NOTHING_HELD, ALL_RIGHTS, SOME
    )
    assert "Legacy mode can't be opened" in legacy.blockers[0]


def test_what_is_held_already_by_another_way_is_said_and_does_not_stop_it(own: OwnSandbox) -> None:
    group = own.registry().id.partition("/providers/")[0]
    assign(own, "Contributor", group)
    plan = planned(own)
    assert "may do all of this already: Contributor, inherited from the resource group" in plan.warnings[0]
    assert not plan.blockers and not plan.nothing_to_do


def test_who_may_not_assign_roles_is_told_before_and_sends_nothing(own: OwnSandbox) -> None:
    plan = read_assignment_plan(own.session(as_reader=True), own.registry(), BUILT_IN[ACR_PULL], SOMEONE, "User")
    assert plan.may is False
    with pytest.raises(ServiceError, match="may not assign roles"):
        apply_assignment(own.session(as_reader=True), plan, sleep=never)
    assert not own.writes()


def test_nobody_makes_themselves_an_owner_who_may_not_assign_roles(own: OwnSandbox) -> None:
    plan = read_assignment_plan(
        own.session(as_reader=True), own.registry(), BUILT_IN[OWNER], READER.object_id, "ServicePrincipal"
    )
    unread = replace(plan, may=None, blockers=())
    with pytest.raises(ServiceError, match="may not assign roles"):
        apply_assignment(own.session(as_reader=True), unread, sleep=never)
    assert not own.writes()


def racing(own: OwnSandbox, role: str, scope: str, condition: str | None = None) -> Callable[[str], None]:
    """Somebody else assigns the same just before the console writes."""

    def race(state: str) -> None:
        if state == "assigning the role":
            assign(own, role, scope, condition=condition)

    return race


def test_the_same_assignment_that_appears_meanwhile_is_success_and_no_second_one(own: OwnSandbox) -> None:
    plan = planned(own)
    done = apply_assignment(own.session(), plan, racing(own, "AcrPush", plan.assignment.scope), sleep=never)
    assert done.outcome == "already done"
    assert [status for (_, _, status) in own.writes()] == [409]
    (document,) = of_someone(own)
    assert done.assignment and done.assignment.name == document["name"] != plan.assignment.name


def test_one_that_appears_meanwhile_for_other_repositories_is_no_success(own: OwnSandbox) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    other = planned(own, WRITER, registry, choice=RepositoryChoice(("team/other",))).assignment.condition
    plan = planned(own, WRITER, registry)
    race = racing(own, "Container Registry Repository Writer", plan.assignment.scope, other)
    with pytest.raises(ServiceError, match="under the condition") as raised:
        apply_assignment(own.session(), plan, race, sleep=never)
    assert raised.value.code == "ChangedMeanwhile"
    assert len(of_someone(own)) == 1


def test_an_identity_that_the_directory_does_not_know_yet_is_waited_for(own: OwnSandbox) -> None:
    plan, slept = planned(own), list[float]()
    own.break_(refusing("PrincipalNotFound", 400, times=2))
    assert apply_assignment(own.session(), plan, sleep=slept.append).outcome == "created"
    assert slept == list(WAITS_S[:2])
    assert len(of_someone(own)) == 1


def test_it_is_waited_for_two_minutes_and_no_longer(own: OwnSandbox) -> None:
    plan, slept = planned(own), list[float]()
    own.break_(refusing("PrincipalNotFound", 400))
    with pytest.raises(ServiceError, match="PrincipalNotFound") as raised:
        apply_assignment(own.session(), plan, sleep=slept.append)
    assert sum(slept) == 120
    assert "two minutes" in raised.value.remedy and "object id" in raised.value.remedy
    assert not of_someone(own)


def test_who_is_refused_all_the_same_stops_at_once(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_(refusing("AuthorizationFailed", 403))
    with pytest.raises(ServiceError, match="AuthorizationFailed") as raised:
        apply_assignment(own.session(), plan, sleep=never)
    assert "administrator" in raised.value.remedy
    assert list(own.writes().values()) == [1]


def test_the_wrong_kind_is_said_to_be_that(own: OwnSandbox) -> None:
    plan = planned(own, principal=CONSOLE.object_id, kind="Group")
    with pytest.raises(ServiceError, match="UnmatchedPrincipalType") as raised:
        apply_assignment(own.session(), plan, sleep=never)
    assert "choose the other kind" in raised.value.remedy


@pytest.mark.parametrize("lost", [{"status": 504, "times": 1}, {"reset": True, "times": 1}])
def test_an_answer_that_is_lost_after_the_deed_is_no_second_assignment(own: OwnSandbox, lost: dict[str, Any]) -> None:
    plan = planned(own)
    own.break_({"method": "PUT", "path": "roleAssignments", "late": True, **lost})
    assert apply_assignment(own.session(), plan, sleep=never).outcome == "created"
    assert len(of_someone(own)) == 1


def test_answers_that_stay_lost_after_the_deed_are_no_failure(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_(refusing("GatewayTimeout", 400, late=True))
    assert apply_assignment(own.session(), plan, sleep=never).outcome == "created"
    assert len(of_someone(own)) == 1


def test_a_write_that_failed_and_was_not_done_is_a_failure(own: OwnSandbox) -> None:
    plan = planned(own)
    own.break_(refusing("BadRequest", 400))
    with pytest.raises(ServiceError, match="BadRequest"):
        apply_assignment(own.session(), plan, sleep=never)
    assert not of_someone(own)


def test_where_nobody_can_tell_it_says_so(own: OwnSandbox) -> None:
    plan = planned(own)
    nothing_read = {"method": "GET", "path": "roleAssignments", "status": 403, "body": "{}"}
    lost = (refusing("Lost", 400, late=True), nothing_read)
    with pytest.raises(ServiceError) as raised:
        apply_assignment(
            own.session(), plan, lambda state: own.break_(*lost) if "assigning" in state else None, sleep=never
        )
    assert "is not known" in raised.value.remedy
    assert len(of_someone(own)) == 1
    own.break_()
    own.sandbox.store.delete_resource(of_someone(own)[0]["id"])
    done = apply_assignment(
        own.session(), plan, lambda state: own.break_(nothing_read) if "assigning" in state else None, sleep=never
    )
    assert (done.outcome, done.assignment) == ("not confirmed", None)


def test_a_registry_that_changed_its_mode_since_is_not_written_to(own: OwnSandbox) -> None:
    plan = planned(own)
    document = own.sandbox.store.get_resource(plan.registry.id)
    assert document
    document["properties"]["roleAssignmentMode"] = ABAC["roleAssignmentMode"]
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="ABAC mode now"):
        apply_assignment(own.session(), plan, sleep=never)
    assert not own.writes()


def test_what_could_not_be_read_is_said() -> None:
    plan = plan_assignment(
        a_registry(mode=Mode.LEGACY),
        BUILT_IN[ACR_PULL],
        SOMEONE,
        "User",
        PrincipalAccess(AccessRecords(()), frozenset()),
        None,
    )
    assert plan.may is None
    assert "could not be read" in plan.warnings[0]
