"""Who may do what on a registry, in which order, and why: against the evaluator, a naive one, and the estate."""

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import CONSOLE
from sandbox.identity.rbac import principal_and_groups, registry_permissions
from sandbox.seeds import company
from sandbox.server import Sandbox
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import read_access
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment, keys_down_to
from services.access.role_definitions import PermissionBlock, RoleDefinition
from services.access_review.reading import asked_of, count_tokens, read_groups, read_groups_everywhere
from services.access_review.who_can import ASKED, Danger, Rights, roleless_access, what_can, who_can, who_may
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.registries.reading import list_registries
from services.registries.registry import Mode, Registry
from tests.services.access.test_evaluation import MODES, deny, held, only, the_registry
from tests.support import access_worlds
from tests.support.access_worlds import GROUPS, ME, OTHER, REGISTRY_ID, World
from tests.support.canned import ARM, Answer, Canned

SUBSCRIPTION = "/subscriptions/5ab1"
GROUP_SCOPE = f"{SUBSCRIPTION}/resourceGroups/Hub-RG"
READER = "Container Registry Repository Reader"
YES, SOME, UNKNOWN, NO = Verdict.YES, Verdict.SOME, Verdict.UNKNOWN, Verdict.NO


def listed(*assignments: RoleAssignment, registry: Registry | None = None, **more: Any) -> list[Rights]:
    groups = more.pop("groups", None)
    return list(who_can(AccessRecords(assignments, **more), registry or the_registry(), groups=groups))


@given(access_worlds.worlds(), MODES, st.sampled_from(ASKED))
def test_who_may_is_everybody_whom_the_review_does_not_rule_out(world: World, mode: Mode, wanted: Permission) -> None:
    records, registry, groups = world.records(), the_registry(mode), {ME: world.told_groups()}
    found = who_may(records, registry, wanted, groups=groups)
    reviewed = {one.principal_id: one.on(wanted) for one in who_can(records, registry, groups=groups)}
    assert dict(found) == {one: decision for one, decision in reviewed.items() if decision.verdict is not NO}
    certain = [decision.verdict in (YES, SOME) for _, decision in found]
    assert certain == sorted(certain, reverse=True)


@given(access_worlds.worlds(), MODES, st.sampled_from([None, *access_worlds.REPOSITORIES]), st.randoms())
def test_everybody_with_an_assignment_that_reaches_is_listed_once_with_the_evaluator_s_verdicts(
    world: World, mode: Mode, repository: str | None, shuffle: random.Random
) -> None:
    records, registry = world.records(), the_registry(mode)
    found = who_can(records, registry, repository, groups={ME: world.told_groups()})
    above = set(keys_down_to(REGISTRY_ID))
    reaching = {
        one.principal_id
        for one in world.assignments
        if "managementGroups" in one.scope or one.scope == "/" or one.scope.lower().rstrip("/") in above
    }
    assert sorted(one.principal_id for one in found) == sorted(reaching)
    for one in found:
        known = world.told_groups() if one.principal_id == ME else None
        assert [decision.permission for decision in one.decisions] == list(ASKED)
        for decision in one.decisions:
            told = permission(records, one.principal_id, registry, decision.permission, repository, groups=known)
            assert told.verdict is decision.verdict
        if one.principal_id == ME and repository:
            for decision in one.decisions:
                if decision.verdict in (YES, NO):
                    truth = access_worlds.may(world, mode, decision.permission, repository)
                    assert decision.verdict is (YES if truth else NO)
    # The order is of what is known, not of how it was read.
    mixed = list(records.assignments)
    shuffle.shuffle(mixed)
    again = who_can(replace(records, assignments=tuple(mixed)), registry, repository, groups={ME: world.told_groups()})
    assert [one.principal_id for one in again] == [one.principal_id for one in found]


def has(one: Rights, danger: Danger) -> int:
    """2 for certain, 1 where it may be, 0 where not."""
    return next((2 if found.sure else 1 for found in one.dangers if found.danger is danger), 0)


@given(access_worlds.worlds(), MODES)
def test_who_could_do_more_harm_comes_first(world: World, mode: Mode) -> None:
    found = who_can(world.records(), the_registry(mode), groups={ME: world.told_groups()})
    for earlier, later in pairwise(found):
        of_both = [(has(earlier, danger), has(later, danger)) for danger in Danger]
        differing = next(((one, other) for one, other in of_both if one != other), None)
        if differing:
            assert differing[0] > differing[1]
            continue
        rank = {YES: 3, SOME: 2, UNKNOWN: 1, NO: 0}
        for wanted in (
            Permission.ASSIGN_ROLES,
            Permission.LIST_CREDENTIALS,
            Permission.WRITE_REGISTRY,
            Permission.DELETE,
            Permission.PUSH,
            Permission.CHANGE_LOCKS,
            Permission.PULL,
            Permission.LIST_CATALOG,
        ):
            one, other = rank[earlier.on(wanted).verdict], rank[later.on(wanted).verdict]
            assert one >= other
            if one != other:
                break


def test_the_order_of_a_registry_with_one_of_each() -> None:
    def somebody(number: int) -> str:
        return f"eeeeeeee-0000-0000-0000-{number:012}"

    delegating = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
        "{7f951dda-4ed3-4680-a7ca-43fe172d538d}))"
    )
    configures = "Container Registry Configuration Reader and Data Access Configuration Reader"
    found = listed(
        held("AcrPull", principal=somebody(1)),
        held("AcrDelete", principal=somebody(2)),
        held("AcrPush", principal=somebody(3)),
        held("AcrPush", SUBSCRIPTION, principal=somebody(4)),
        held(configures, principal=somebody(5)),
        held("Contributor", principal=somebody(6)),
        held("Contributor", SUBSCRIPTION, principal=somebody(7)),
        held("Role Based Access Control Administrator", principal=somebody(8), condition=delegating),
        held("Role Based Access Control Administrator", principal=somebody(9)),
        held("Owner", GROUP_SCOPE, principal=somebody(10)),
        held("Owner", "/", principal=somebody(11)),
        held("AcrImageSigner", principal=somebody(12)),
    )
    assert [int(one.principal_id[-12:]) for one in found] == [11, 10, 9, 8, 7, 6, 4, 5, 2, 3, 1, 12]
    dangers = {int(one.principal_id[-12:]): [danger.danger for danger in one.dangers] for one in found}
    assert dangers[11] == [Danger.ASSIGNS, Danger.TURNS_ADMIN_ON, Danger.TOKENS, Danger.EVERY_ACTION, Danger.WIDE]
    assert dangers[10] == [Danger.ASSIGNS, Danger.TURNS_ADMIN_ON, Danger.TOKENS, Danger.EVERY_ACTION]
    assert dangers[9] == [Danger.ASSIGNS]
    assert dangers[7] == [Danger.TURNS_ADMIN_ON, Danger.TOKENS, Danger.EVERY_ACTION, Danger.WIDE]
    assert dangers[4] == [Danger.WIDE]
    assert dangers[5] == dangers[3] == dangers[2] == dangers[1] == dangers[12] == []
    assert [found.sure for one in found for found in one.dangers if one.principal_id == somebody(8)] == [False]
    assert not found[-1].any
    assert found[-2].any


def test_who_reads_the_admin_password_counts_while_the_admin_user_is_on() -> None:
    configures = held("Container Registry Configuration Reader and Data Access Configuration Reader")
    off = the_registry()
    on = replace(off, access=replace(off.access, admin_user=True))
    assert listed(configures, registry=off)[0].dangers == ()
    (danger,) = listed(configures, registry=on)[0].dangers
    assert (danger.danger, danger.sure) == (Danger.PASSWORD, True)
    assert "can pull, push and delete" in danger.why
    owner = listed(held("Contributor"), registry=on)[0]
    assert Danger.TURNS_ADMIN_ON not in [found.danger for found in owner.dangers]


def test_in_abac_mode_a_contributor_has_no_image_and_a_way_to_all_of_them() -> None:
    (one,) = listed(held("Contributor"), registry=the_registry(Mode.ABAC))
    assert {wanted: one.on(wanted).verdict for wanted in (Permission.PULL, Permission.PUSH)} == {
        Permission.PULL: NO,
        Permission.PUSH: NO,
    }
    assert "turn the admin user on" in one.dangers[0].why


def test_a_custom_role_with_every_action_is_one_too() -> None:
    custom = RoleDefinition(
        "own", "Contoso Deployer", "CustomRole", (PermissionBlock(("Microsoft.ContainerRegistry/*",)),)
    )
    data = RoleDefinition("data", "Contoso Data", "CustomRole", (PermissionBlock((), (), ("*",)),))
    (one,) = listed(held("own"), roles={"own": custom})
    assert Danger.EVERY_ACTION in [found.danger for found in one.dangers]
    assert one.on(Permission.PULL).sentences == ("Contoso Deployer (custom role), on the registry itself.",)
    for mode, dangerous in ((Mode.ABAC, True), (Mode.LEGACY, False)):
        (one,) = listed(held("data"), roles={"data": data}, registry=the_registry(mode))
        assert (Danger.EVERY_ACTION in [found.danger for found in one.dangers]) is dangerous


def test_who_makes_tokens_is_looked_at_for_certain_where_nothing_limits_it() -> None:
    actions = tuple(f"{access_worlds.R}{kind}/write" for kind in ("tokens", "scopeMaps"))
    maker = RoleDefinition("own", "Contoso Token Maker", "CustomRole", (PermissionBlock(actions),))
    (sure,) = listed(held("own"), roles={"own": maker})[0].dangers
    assert (sure.danger, sure.sure) == (Danger.TOKENS, True)
    assert sure.why.startswith("Contoso Token Maker lets it create tokens")
    conditional = held("own", condition="@Environment[isPrivateLink] BoolEquals true")
    everything = DenyAssignment("d", "d", REGISTRY_ID, (PermissionBlock(("*",)),), (PrincipalRef(ME, "User"),))
    for assignment, denies in ((conditional, ()), (held("own"), (everything,)), (held("own"), None)):
        (unsure,) = listed(assignment, roles={"own": maker}, denies=denies)[0].dangers
        assert (unsure.danger, unsure.sure) == (Danger.TOKENS, False)


def test_what_is_said_of_a_decision_is_all_that_bears_on_it() -> None:
    (me,) = [
        one
        for one in listed(
            held("AcrPull", condition=only("a/")),
            held("dddddddd-0000-0000-0000-000000000000"),
            registry=the_registry(Mode.ABAC),
            denies=None,
        )
        if one.principal_id == ME
    ]
    assert me.on(Permission.PULL).verdict is UNKNOWN
    assert me.on(Permission.PULL).sentences == (
        "dddddddd-0000-0000-0000-000000000000, on the registry itself: The definition of its role could not be read.",
        "AcrPull, on the registry itself, under a condition. Ignored: a registry in ABAC mode asks for data actions, "
        "and this role gives none of them.",
        "The deny assignments could not be read: one may deny it.",
    )


def test_what_is_denied_is_no_and_names_the_deny_assignment() -> None:
    (one,) = listed(held("AcrPull"), denies=(deny((PrincipalRef(ME, "User"),)),))
    decision = one.on(Permission.PULL)
    assert decision.verdict is NO
    assert decision.sentences == ("AcrPull, on the registry itself.", "The deny assignment no pulls denies it.")


def test_a_group_is_listed_itself_and_its_members_have_what_it_has_once_they_are_known() -> None:
    of_group, of_me = held("AcrPush", principal=GROUPS[0], kind="Group"), held("AcrPull")
    untold = {one.principal_id: one for one in listed(of_group, of_me)}
    assert untold[GROUPS[0]].on(Permission.PUSH).verdict is YES
    assert untold[ME].on(Permission.PUSH).verdict is UNKNOWN
    told = {one.principal_id: one for one in listed(of_group, of_me, groups={ME: frozenset({GROUPS[0]})})}
    assert told[ME].on(Permission.PUSH).verdict is YES
    assert told[ME].on(Permission.PUSH).sentences == (
        f"AcrPush, on the registry itself, held by the group {GROUPS[0]}.",
    )
    assert [one.principal_id for one in told[ME].held] == [ME, GROUPS[0]]


def test_a_group_s_own_condition_is_some_of_it_and_no_riddle() -> None:
    reader = held(READER, principal=GROUPS[0], kind="Group", condition=only("a/"))
    (one,) = listed(reader, registry=the_registry(Mode.ABAC))
    assert one.on(Permission.PULL).verdict is SOME
    another = held(READER, principal=GROUPS[1], kind="Group")
    both = {one.principal_id: one for one in listed(reader, another, registry=the_registry(Mode.ABAC))}
    assert both[GROUPS[0]].on(Permission.PULL).verdict is UNKNOWN


def test_an_object_id_is_the_same_in_other_case() -> None:
    found = listed(held("AcrPull"), held("AcrPush", principal=ME.upper()))
    assert len(found) == 1
    assert found[0].on(Permission.PUSH).verdict is YES


def test_doors_need_no_role() -> None:
    registry = the_registry()
    assert roleless_access(registry, 0) == roleless_access(registry, None) == ()
    opened = replace(registry, access=replace(registry.access, admin_user=True, anonymous_pull=True))
    titles = [door.title for door in roleless_access(opened, 2)]
    assert titles == ["Admin user is on", "Anonymous pull is on", "2 repository tokens"]
    assert roleless_access(registry, 1)[0].title == "1 repository token"


def test_one_principal_on_all_registries_the_gravest_first_and_unread_ones_last() -> None:
    here, there = the_registry(), replace(the_registry(Mode.ABAC), id=REGISTRY_ID + "2", name="contosotwo")
    elsewhere = replace(here, id="/subscriptions/x/r", name="contosoaway", subscription_id="x", subscription="away")
    records = AccessRecords(
        (held("AcrPull", GROUP_SCOPE), held("Owner", REGISTRY_ID + "2"), held("Owner", principal=OTHER))
    )
    found = what_can({here.subscription_id: records}, [here, elsewhere, there], ME)
    assert [one.registry.name for one in found] == ["contosotwo", "contosohub", "contosoaway"]
    assert found[0].on(Permission.ASSIGN_ROLES).verdict is YES
    assert found[0].on(Permission.PULL).verdict is NO
    assert found[1].on(Permission.PULL).granting[0].inherited
    assert (found[2].decisions, found[2].unread) == ((), "The role assignments of away could not be read.")
    assert found[2].any is False


@pytest.fixture(scope="module")
def registries(session: AzureSession) -> Partial[Registry]:
    return list_registries(session)


def test_the_estate_s_holders_have_what_its_registries_grant_them(
    sandbox: Sandbox, session: AzureSession, registries: Partial[Registry]
) -> None:
    access = {
        one.subscription.id: one.records for one in read_access(session, list_subscriptions(session).values).values
    }
    granted = {
        Permission.PULL: "pull",
        Permission.PUSH: "push",
        Permission.DELETE: "delete",
        Permission.LIST_CATALOG: "catalog",
        Permission.CHANGE_LOCKS: "metadata_write",
    }
    compared = 0
    for registry in registries.values:
        document = sandbox.store.find_resource(REGISTRY_TYPE, registry.name)
        assert document
        records = access[registry.subscription_id]
        holders = {one.principal_id for one in records.assignments}
        groups = {one.lower(): frozenset(principal_and_groups(sandbox.store, one) - {one}) for one in holders}
        for one in who_can(records, registry, "team/payments/api", groups=groups):
            told = registry_permissions(sandbox.store, document, one.principal_id, "team/payments/api")
            for wanted, action in granted.items():
                if wanted is Permission.PULL:
                    assert (one.on(wanted).verdict is YES) is ({"pull", "metadata_read"} <= told)
                else:
                    assert (one.on(wanted).verdict is YES) is (action in told), (registry.name, one.principal_id)
                compared += 1
    assert compared > 200


def test_the_estate_s_most_dangerous_come_first(session: AzureSession, registries: Partial[Registry]) -> None:
    """The administrator's contributor role comes by a group, which Azure tells."""
    access = {
        one.subscription.id: one.records for one in read_access(session, list_subscriptions(session).values).values
    }
    hub = next(one for one in registries.values if one.name == "contosohub")
    records = access[hub.subscription_id]
    asked = asked_of(records.assignments)
    assert company.ENGINEERS not in asked
    groups = read_groups(session, hub, asked)
    assert groups.complete
    found = who_can(records, hub, groups=dict(groups.values))
    assert [one.principal_id for one in found[:2]] == [company.ADMIN, CONSOLE.object_id]
    assert [one.principal_id for one in found if one.dangers] == [company.ADMIN, CONSOLE.object_id, company.ENGINEERS]


def test_groups_are_told_by_subscription_and_what_refuses_is_named(session: AzureSession) -> None:
    subscriptions = list_subscriptions(session).values
    found = read_groups_everywhere(session, subscriptions, company.LEAD.upper())
    by_name = {one.name: one.id for one in subscriptions}
    told = dict(found.values)
    assert told[by_name["contoso-platform"]] == {company.ENGINEERS}
    assert told[by_name["contoso-apps"]] == {company.DEVELOPERS}
    assert [refusal.what for refusal in found.refused] == ["contoso-restricted"]


def test_what_is_no_object_id_is_not_asked(session: AzureSession) -> None:
    found = read_groups_everywhere(session, list_subscriptions(session).values, "x') or assignedTo('y")
    assert found.values == ()
    assert {refusal.error.code for refusal in found.refused} == {"InvalidObjectId"}


def test_tokens_are_counted_over_all_pages(wire: Canned, azure: AzureSession) -> None:
    url = f"{ARM}{REGISTRY_ID}/tokens"
    page = {"value": [{"name": "ci"}, {"name": "edge"}], "nextLink": f"{url}?page=2"}
    wire.on("GET", url, Answer(200, page), Answer(200, {"value": [{"name": "old"}]}))
    registry = replace(the_registry(), subscription_id="5ab1", resource_group="Hub-RG")
    assert count_tokens(azure, registry) == 3
    wire.on("GET", url, Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}}))
    with pytest.raises(ServiceError, match="tokens of contosohub"):
        count_tokens(azure, registry)
