"""Role assignments taken back: what is left, what it may cost the caller, and the answers that go wrong."""

import json
from typing import Any

import pytest

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import CONSOLE, principal
from sandbox.identity.rbac import ASSIGNMENTS
from sandbox.seeds.resources import assignment
from services.access.decisions import Verdict
from services.access.permissions import Permission
from services.access.role_assignment_reading import list_assignments_at, read_principal
from services.access.role_assignments import RoleAssignment
from services.connection.errors import ServiceError
from services.roles.unassign import RemovalPlan, apply_removal, on_registry_itself, plan_removal, read_removal_plan
from tests.support.own_sandbox import REGISTRY, OwnSandbox

SOMEONE = "5c1d0000-0000-4000-8000-00000000abcd"
TEAM = "5c1d0000-0000-4000-8000-00000000beef"
CREATED = "2026-01-01T00:00:00Z"
ADMINISTRATOR = "Role Based Access Control Administrator"


def assign(own: OwnSandbox, role: str, scope: str, holder: str = SOMEONE, kind: str = "User") -> str:
    document = assignment(scope, role, holder, kind, CREATED)
    own.sandbox.store.put_resource(document)
    return str(document["id"])


def found(own: OwnSandbox, assignment_id: str) -> RoleAssignment:
    listed = list_assignments_at(own.session(), own.registry()).values
    return next(one for one in listed if one.id.lower() == assignment_id.lower())


def planned(own: OwnSandbox, assignment_id: str, *, as_reader: bool = False) -> RemovalPlan:
    return read_removal_plan(own.session(as_reader=as_reader), own.registry(), found(own, assignment_id))


def there(own: OwnSandbox, assignment_id: str) -> bool:
    return own.sandbox.store.get_resource(assignment_id) is not None


def failing(code: str, status: int, **more: Any) -> dict[str, Any]:
    body = json.dumps({"error": {"code": code, "message": "as Azure words it"}})
    return {"method": "DELETE", "path": "roleAssignments", "status": status, "body": body, **more}


def registry_id(own: OwnSandbox) -> str:
    """As the store has it: the console may not see it."""
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert document
    return str(document["id"])


def only_on_the_registry(own: OwnSandbox, role: str) -> str:
    """The console's rights are this role on the registry, Reader above, and no more."""
    for document in own.sandbox.store.list_resources(ASSIGNMENTS):
        if document["properties"]["principalId"] == CONSOLE.object_id:
            own.sandbox.store.delete_resource(document["id"])
    scope = registry_id(own)
    assign(own, "Reader", scope.partition("/resourceGroups/")[0], CONSOLE.object_id, "ServicePrincipal")
    return assign(own, role, scope, CONSOLE.object_id, "ServicePrincipal")


def test_those_on_the_registry_and_those_above_are_listed_apart(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    above = assign(own, "AcrPull", own.registry().id.partition("/providers/")[0])
    below = {
        one.id: on_registry_itself(own.registry(), one)
        for one in list_assignments_at(own.session(), own.registry()).values
    }
    assert (below[here], below[above]) == (True, False)


def test_just_the_one_is_removed_and_what_still_gives_the_same_is_said(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    above = assign(own, "AcrPull", own.registry().id.partition("/providers/")[0])
    plan = planned(own, here)
    assert (plan.may, plan.blockers, plan.own_last) == (True, (), False)
    left = {decision.permission: decision for decision in plan.left}
    assert left[Permission.PUSH].verdict is Verdict.NO
    assert left[Permission.PULL].verdict is Verdict.YES
    assert "inherited from the resource group" in left[Permission.PULL].granting[0].label
    done = apply_removal(own.session(), plan)
    assert done.outcome == "deleted"
    assert done.left and {one.permission: one.verdict for one in done.left} == {
        one.permission: one.verdict for one in plan.left
    }
    assert (there(own, here), there(own, above)) == (False, True)
    assert apply_removal(own.session(), plan).outcome == "already done"
    assert [method for method, _, _ in own.writes()] == ["DELETE"]


def test_what_is_inherited_is_not_removed_here(own: OwnSandbox) -> None:
    above = assign(own, "AcrPull", own.registry().id.partition("/providers/")[0])
    plan = planned(own, above)
    assert "inherited from the resource group resource-group-4" in plan.blockers[0]
    with pytest.raises(ServiceError, match="inherited"):
        apply_removal(own.session(), plan, own_last_too=True)
    assert there(own, above) and not own.writes()


def test_who_may_not_remove_assignments_sends_nothing(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    plan = planned(own, here, as_reader=True)
    assert plan.may is False
    with pytest.raises(ServiceError, match="may not remove"):
        apply_removal(own.session(as_reader=True), plan)
    assert there(own, here) and not own.writes()


@pytest.mark.parametrize("role", ["Owner", ADMINISTRATOR, "User Access Administrator"])
def test_one_s_own_last_right_to_assign_roles_goes_only_when_that_is_confirmed(own: OwnSandbox, role: str) -> None:
    last = only_on_the_registry(own, role)
    plan = planned(own, last)
    assert plan.own_last and not plan.blockers
    assert any("By this assignment alone you may assign roles here" in one for one in plan.warnings)
    with pytest.raises(ServiceError, match="did not confirm"):
        apply_removal(own.session(), plan)
    assert there(own, last) and not own.writes()
    assert apply_removal(own.session(), plan, own_last_too=True).outcome in ("deleted", "not confirmed")
    assert not there(own, last)


def test_it_is_not_the_last_while_another_gives_it_and_is_when_that_goes_meanwhile(own: OwnSandbox) -> None:
    first = only_on_the_registry(own, ADMINISTRATOR)
    second = assign(own, "User Access Administrator", own.registry().id, CONSOLE.object_id, "ServicePrincipal")
    plan = planned(own, first)
    assert not plan.own_last
    own.sandbox.store.delete_resource(second)
    with pytest.raises(ServiceError, match="did not confirm"):
        apply_removal(own.session(), plan)
    assert there(own, first)


def test_a_right_that_one_has_by_a_group_is_one_s_own(own: OwnSandbox) -> None:
    only_on_the_registry(own, "AcrPull")
    own.sandbox.store.put_resource(principal(TEAM, "admins", "group", members=[CONSOLE.object_id]))
    by_group = assign(own, ADMINISTRATOR, own.registry().id, TEAM, "Group")
    assert planned(own, by_group).own_last
    own.sandbox.store.put_resource(principal(TEAM, "admins", "group", members=[]))
    assign(own, "Owner", own.registry().id, CONSOLE.object_id, "ServicePrincipal")
    assert not planned(own, by_group).own_last


def test_another_s_right_and_a_role_that_assigns_nothing_are_no_last_right(own: OwnSandbox) -> None:
    only_on_the_registry(own, ADMINISTRATOR)
    assert not planned(own, assign(own, ADMINISTRATOR, own.registry().id)).own_last
    mine = assign(own, "AcrPush", own.registry().id, CONSOLE.object_id, "ServicePrincipal")
    assert not planned(own, mine).own_last


@pytest.mark.parametrize(
    ("holder", "kind", "last"),
    [(CONSOLE.object_id, "ServicePrincipal", True), (TEAM, "Group", True), (SOMEONE, "User", False)],
)
def test_where_one_s_own_roles_can_not_be_read_what_may_be_one_s_own_counts_as_such(
    own: OwnSandbox, holder: str, kind: str, last: bool
) -> None:
    registry = own.registry()
    one = found(own, assign(own, ADMINISTRATOR, registry.id, holder, kind))
    held = read_principal(own.session(), registry, holder)
    plan = plan_removal(registry, one, held, None, CONSOLE.object_id, None)
    assert plan.own_last is last
    assert plan.may is None and "could not be read" in plan.warnings[0]


def test_answers_that_are_lost_are_told_by_another_look(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    plan = planned(own, here)
    own.break_(failing("BadRequest", 400))
    with pytest.raises(ServiceError, match="BadRequest"):
        apply_removal(own.session(), plan)
    assert there(own, here)
    own.break_(failing("AuthorizationFailed", 403))
    with pytest.raises(ServiceError, match="AuthorizationFailed"):
        apply_removal(own.session(), plan)
    own.break_(failing("BadRequest", 400, late=True))
    assert apply_removal(own.session(), plan).outcome == "deleted"
    assert not there(own, here)


def test_where_nobody_can_tell_it_says_so(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    plan = planned(own, here)
    nothing_read = {"method": "GET", "path": "roleAssignments", "status": 403, "body": "{}"}

    def then_break(*rules: dict[str, Any]) -> Any:
        return lambda state: own.break_(*rules) if state == "removing the assignment" else None

    with pytest.raises(ServiceError) as raised:
        apply_removal(own.session(), plan, then_break(failing("Lost", 400), nothing_read))
    assert "is not known" in raised.value.remedy
    own.break_()
    done = apply_removal(own.session(), plan, then_break(nothing_read))
    assert (done.outcome, done.left) == ("not confirmed", None)


def test_an_assignment_that_is_another_one_by_now_is_left(own: OwnSandbox) -> None:
    here = assign(own, "AcrPush", own.registry().id)
    plan = planned(own, here)
    document = own.sandbox.store.get_resource(here)
    assert document
    role = document["properties"]["roleDefinitionId"].rpartition("/")[0]
    document["properties"]["roleDefinitionId"] = f"{role}/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="has changed since it was shown"):
        apply_removal(own.session(), plan)
    assert there(own, here)
