"""The dry run of Legacy to ABAC: who would lose what, what to assign first, and that this is enough."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import principal_and_groups, registry_permissions
from sandbox.seeds import company
from sandbox.seeds.resources import assignment
from sandbox.server import Sandbox
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.memberships import Memberships
from services.access.permissions import Permission
from services.access.role_assignment_reading import read_access
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import (
    BUILT_IN,
    CATALOG_LISTER,
    REPOSITORY_CONTRIBUTOR,
    REPOSITORY_READER,
    REPOSITORY_WRITER,
    PermissionBlock,
    RoleDefinition,
)
from services.access_review.abac_switch import Effect, SwitchPlan, plan_switch
from services.access_review.abac_switch_steps import steps_of
from services.access_review.role_successors import WITH_IMAGES, NewAssignment, Use
from services.access_review.who_can import who_can
from services.aks.clusters import Cluster, list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from services.connection.session import connect_sandbox
from services.registries.reading import list_registries
from services.registries.registry import Mode
from tests.services.access.test_evaluation import deny, held, only, the_registry
from tests.support import access_worlds
from tests.support.access_worlds import GROUPS, ME, OTHER, REGISTRY_ID, World
from tests.support.pull_samples import a_cluster

YES, SOME, UNKNOWN, NO = Verdict.YES, Verdict.SOME, Verdict.UNKNOWN, Verdict.NO
P = Permission
# As the sandbox calls it.
SAME = {
    P.PULL: "pull",
    P.LIST_CATALOG: "catalog",
    P.READ_METADATA: "metadata_read",
    P.PUSH: "push",
    P.CHANGE_LOCKS: "metadata_write",
    P.DELETE: "delete",
}
GROUP_SCOPE = "/subscriptions/5ab1/resourceGroups/Hub-RG"
READS = {P.PULL, P.LIST_CATALOG, P.READ_METADATA}
WRITES = {P.PUSH, P.CHANGE_LOCKS}


def as_written(new: NewAssignment) -> RoleAssignment:
    return RoleAssignment(new.name, new.name, REGISTRY_ID, new.role, new.principal_id, new.kind)


def afterwards(records: AccessRecords, plan: SwitchPlan) -> AccessRecords:
    """What there is once everything that the plan says has been run."""
    replaced = {new.replaces for new in plan.assignments}
    kept = [one for one in records.assignments if one.id not in replaced]
    return replace(records, assignments=(*kept, *map(as_written, plan.assignments)))


USES = st.sampled_from(Use)


@given(access_worlds.worlds(), st.booleans(), USES, USES)
def test_what_it_loses_is_the_difference_of_decisions_and_what_remains_is_what_the_plan_does_not_keep(
    world: World, groups_known: bool, mine: Use, others: Use
) -> None:
    records = world.records()
    groups = {ME: world.told_groups()} if groups_known else {}
    uses = {ME: mine, OTHER: others, GROUPS[0]: others}
    plan = plan_switch(records, the_registry(), groups=groups, uses=uses)
    later = afterwards(records, plan)
    named = {effect.principal_id: effect for effect in plan.effects}
    for principal in {one.principal_id for one in who_can(records, the_registry())}:
        effect = named.pop(principal, None)
        known = groups.get(principal)
        for wanted in WITH_IMAGES:
            had, has, will = (
                permission(read, principal, the_registry(mode), wanted, groups=known).verdict
                for read, mode in ((records, Mode.LEGACY), (records, Mode.ABAC), (later, Mode.ABAC))
            )
            if effect is None:
                # Whom the plan does not name, the switch leaves as it is.
                assert (had, has) in {(NO, NO), (YES, YES), (UNKNOWN, YES)}
                continue
            assert (wanted in effect.loses) is (had is YES and has in (NO, SOME))
            assert (wanted in effect.gains) is (had is NO and has is not NO)
            assert (wanted in effect.remains) is (had is YES and will is not YES)
            unsure = (had is UNKNOWN and has is not YES) or (had is YES and has is UNKNOWN)
            assert (wanted in effect.unsure) is unsure
            if wanted in effect.more:
                assert (had, has) == (NO, NO)
    assert named == {}


@given(access_worlds.worlds())
def test_after_the_suggested_assignments_everybody_named_has_all_it_had(world: World) -> None:
    """By the evaluator for everybody, and by the naive one for ME, who may be in groups and denied."""
    records = world.records()
    everybody = {one.principal_id for one in world.assignments}
    plan = plan_switch(
        records,
        the_registry(),
        groups={ME: world.told_groups()},
        uses=dict.fromkeys(everybody, Use.ALL),
    )
    later = afterwards(records, plan)
    roles = {**world.roles, **{new.role: BUILT_IN[new.role] for new in plan.assignments}}
    real = replace(world, assignments=later.assignments, roles=roles)
    for effect in plan.effects:
        assert not effect.to_decide or world.denies
        if not world.denies:
            assert effect.remains == ()
        for before in effect.before:
            if before.verdict is YES and before.permission not in effect.remains:
                known = world.told_groups() if effect.principal_id == ME else None
                now = permission(later, effect.principal_id, the_registry(Mode.ABAC), before.permission, groups=known)
                assert now.verdict is YES
                if effect.principal_id == ME:
                    for repository in access_worlds.REPOSITORIES:
                        assert access_worlds.may(real, Mode.ABAC, before.permission, repository)


@given(access_worlds.worlds())
def test_a_principal_is_given_each_role_once_and_only_what_it_needs(world: World) -> None:
    everybody = {one.principal_id for one in world.assignments}
    plan = plan_switch(world.records(), the_registry(), uses=dict.fromkeys(everybody, Use.ALL))
    given_roles = [(new.principal_id.lower(), new.role) for new in plan.assignments]
    assert len(given_roles) == len(set(given_roles))
    assert len({new.name for new in plan.assignments}) == len(given_roles)
    for effect in plan.effects:
        roles = {new.role for new in effect.assignments}
        assert len(roles & {REPOSITORY_READER, REPOSITORY_WRITER, REPOSITORY_CONTRIBUTOR}) <= 1


def planned(*assignments: RoleAssignment, clusters: Any = (), **more: Any) -> SwitchPlan:
    parts = {name: more.pop(name) for name in ("roles", "denies") if name in more}
    return plan_switch(AccessRecords(assignments, **parts), the_registry(), clusters, **more)


def lines_of(plan: SwitchPlan) -> list[str]:
    """The lines of the first step, without their comments."""
    return [line for line in steps_of(plan)[0].lines if not line.startswith("#")]


def only_one(plan: SwitchPlan) -> Effect:
    (effect,) = plan.effects
    return effect


@pytest.mark.parametrize(
    ("role", "loses", "assigned", "more"),
    [
        ("AcrPull", READS, {REPOSITORY_READER, CATALOG_LISTER}, set()),
        ("AcrPush", READS | {P.PUSH}, {REPOSITORY_WRITER, CATALOG_LISTER}, {P.CHANGE_LOCKS}),
        ("AcrDelete", {P.DELETE}, {REPOSITORY_CONTRIBUTOR}, {P.PULL, P.READ_METADATA, P.PUSH, P.CHANGE_LOCKS}),
    ],
)
def test_each_role_of_registries_has_its_successor(role: str, loses: set[P], assigned: set[str], more: set[P]) -> None:
    effect = only_one(planned(held(role)))
    assert set(effect.loses) == loses
    assert {new.role for new in effect.assignments} == assigned
    assert set(effect.more) == more
    assert (effect.remains, effect.general, effect.to_decide) == ((), (), ())


@pytest.mark.parametrize(
    ("role", "loses"),
    [("Reader", READS), ("Contributor", READS | WRITES | {P.DELETE}), ("Owner", READS | WRITES | {P.DELETE})],
)
def test_what_a_general_role_is_used_for_is_asked(role: str, loses: set[P]) -> None:
    undecided = only_one(planned(held(role, GROUP_SCOPE)))
    assert set(undecided.loses) == set(undecided.general) == set(undecided.to_decide) == loses
    assert undecided.assignments == ()
    pulls = only_one(planned(held(role, GROUP_SCOPE), uses={ME: Use.PULL}))
    assert {new.role for new in pulls.assignments} == {REPOSITORY_READER, CATALOG_LISTER}
    assert set(pulls.to_decide) == loses - READS
    everything = only_one(planned(held(role, GROUP_SCOPE), uses={ME: Use.ALL}))
    assert everything.to_decide == ()
    if role != "Reader":
        pushes = only_one(planned(held(role), uses={ME: Use.PUSH}))
        assert {new.role for new in pushes.assignments} == {REPOSITORY_WRITER, CATALOG_LISTER}
        assert pushes.to_decide == (P.DELETE,)


def test_a_pusher_that_is_contributor_too_is_asked_about_the_rest_only() -> None:
    effect = only_one(planned(held("AcrPush"), held("Contributor", GROUP_SCOPE)))
    assert {new.role for new in effect.assignments} == {REPOSITORY_WRITER, CATALOG_LISTER}
    assert effect.to_decide == (P.DELETE,)


def test_a_custom_role_of_registries_needs_no_question() -> None:
    cleaner = RoleDefinition(
        "own",
        "Contoso Image Cleaner",
        "CustomRole",
        (PermissionBlock((f"{access_worlds.R}pull/read", f"{access_worlds.R}artifacts/delete", "*/read")),),
    )
    effect = only_one(planned(held("own"), roles={"own": cleaner}))
    assert {new.role for new in effect.assignments} == {REPOSITORY_CONTRIBUTOR, CATALOG_LISTER}
    assert effect.general == ()


def test_an_inherited_role_is_replaced_on_the_registry_alone() -> None:
    plan = planned(held("AcrPull", "/subscriptions/5ab1"), held("AcrPull"))
    assert plan.assignments[0].kind == "ServicePrincipal"
    assert all(f"--scope {plan.registry.id} " in f"{line} " for line in lines_of(plan))
    assert [one.scope for one in plan.old] == [REGISTRY_ID]
    assert only_one(planned(held("AcrPull", "/subscriptions/5ab1"))).assignments
    assert planned(held("AcrPull", "/subscriptions/5ab1")).old == ()


def test_who_has_its_new_role_already_is_not_named() -> None:
    ready = [held("Container Registry Repository Reader"), held("Container Registry Repository Catalog Lister")]
    assert planned(held("AcrPull"), *ready).effects == ()
    half = only_one(planned(held("AcrPull"), ready[0]))
    assert half.loses == (P.LIST_CATALOG,)
    assert [new.role for new in half.assignments] == [CATALOG_LISTER]


def test_a_new_role_that_stands_here_under_a_condition_is_removed_first() -> None:
    reader = held("Container Registry Repository Reader", condition=only("a/"))
    plan = planned(held("AcrPull"), reader)
    new = next(new for new in plan.assignments if new.role == REPOSITORY_READER)
    assert new.replaces == reader.id
    assert lines_of(plan)[0] == f"az role assignment delete --ids {reader.id}"
    assert only_one(plan).remains == ()


def test_roles_that_are_ignored_today_count_after_the_switch() -> None:
    effect = only_one(planned(held("Container Registry Repository Writer")))
    assert set(effect.gains) == {P.PULL, P.READ_METADATA} | WRITES
    assert (effect.loses, effect.assignments) == ((), ())


def test_a_deny_of_data_actions_can_not_be_made_good() -> None:
    block = PermissionBlock(data_actions=(access_worlds.R + "repositories/content/read",))
    hides = DenyAssignment("d", "no content", REGISTRY_ID, (block,), (PrincipalRef(ME, "User"),))
    effect = only_one(planned(held("AcrPull"), denies=(hides,)))
    assert effect.remains == (P.PULL,)
    assert effect.then[0].denials[0].deny.name == "no content"
    denied_now = planned(held("AcrPull"), denies=(deny((PrincipalRef(ME, "User"),)),))
    assert denied_now.effects == ()


def test_denies_that_could_not_be_read_leave_the_suggestion_and_take_the_certainty() -> None:
    effect = only_one(planned(held("AcrPull"), denies=None))
    assert {new.role for new in effect.assignments} == {REPOSITORY_READER, CATALOG_LISTER}
    assert effect.loses == ()
    assert set(effect.unsure) == READS


def test_a_role_that_nobody_could_read_is_unsure_and_nothing_is_suggested() -> None:
    effect = only_one(planned(held("dddddddd-0000-0000-0000-000000000000")))
    assert set(effect.unsure) == set(WITH_IMAGES)
    assert effect.assignments == ()


def test_a_member_keeps_what_its_group_is_given() -> None:
    of_group = held("AcrPull", principal=GROUPS[0], kind="Group")
    plan = planned(of_group, held("AcrImageSigner"), groups={ME: frozenset({GROUPS[0]})})
    by_id = {effect.principal_id: effect for effect in plan.effects}
    assert set(by_id[ME].loses) == READS
    assert by_id[ME].assignments == ()
    assert by_id[ME].remains == ()
    assert [new.kind for new in by_id[GROUPS[0]].assignments] == ["Group", "Group"]
    assert all("--assignee-principal-type Group" in line for line in lines_of(plan))


def cluster_of(object_id: str, name: str = "aks1") -> Cluster:
    found = a_cluster()
    assert found.kubelet
    return replace(found, name=name, kubelet=replace(found.kubelet, object_id=object_id))


def test_clusters_that_stop_come_first_and_so_do_those_that_pull_for_them() -> None:
    clusters = [
        cluster_of("ffffffff-0000-0000-0000-000000000001", "aks-other"),
        cluster_of(OTHER, "aks-ready"),
        cluster_of(ME, "aks-stops"),
        replace(cluster_of("", "aks-batch"), kubelet=None, service_principal_id="client"),
    ]
    records = [
        held("AcrPush", principal="99999999-0000-0000-0000-000000000001"),
        held("AcrPull"),
        held("AcrPull", principal=OTHER),
        held("Container Registry Repository Reader", principal=OTHER),
        held("Container Registry Repository Catalog Lister", principal=OTHER),
    ]
    plan = planned(*records, clusters=clusters)
    assert [(one.cluster.name, one.stops, one.unsure, one.kept) for one in plan.clusters] == [
        ("aks-stops", True, False, True),
        ("aks-batch", False, True, False),
        ("aks-ready", False, False, True),
    ]
    assert [effect.principal_id for effect in plan.effects] == [ME, "99999999-0000-0000-0000-000000000001"]
    assert plan.effects[0].pulls_for == ("aks-stops",)
    told = planned(*records, clusters=clusters, memberships=Memberships(object_ids={"client": ME}))
    assert [one.cluster.name for one in told.clusters if one.stops] == ["aks-batch", "aks-stops"]
    open_to_all = the_registry()
    open_to_all = replace(open_to_all, access=replace(open_to_all.access, anonymous_pull=True))
    assert plan_switch(AccessRecords(tuple(records)), open_to_all, clusters).clusters == ()


def test_what_a_puller_has_by_a_group_of_the_directory_is_lost_too() -> None:
    records = (held("AcrDelete"), held("AcrPull", principal=GROUPS[0], kind="Group"))
    clusters, memberships = [cluster_of(ME)], Memberships({ME: frozenset({GROUPS[0]})})
    (pulling,) = planned(*records, clusters=clusters, memberships=memberships).clusters
    assert pulling.stops
    effects = planned(*records, clusters=clusters, memberships=memberships).effects
    (effect,) = (one for one in effects if one.principal_id == ME)
    assert Permission.PULL in effect.loses
    unread = Memberships({ME: ServiceError("Could not read the groups", "No.", "Ask.")}, names={GROUPS[0]: "nodes"})
    (unknown,) = planned(*records, clusters=clusters, memberships=unread).clusters
    assert (unknown.stops, unknown.unsure) == (False, True)
    assert unknown.missing == ("members of nodes could not be read",)
    (asked,) = planned(*records, clusters=clusters, memberships=unread, groups={ME: frozenset({GROUPS[0]})}).clusters
    assert asked.stops


def test_the_steps_are_in_the_order_that_locks_nobody_out() -> None:
    plan = planned(held("AcrPull"), held("Reader", GROUP_SCOPE, OTHER, "User"), clusters=[cluster_of(ME)])
    steps = steps_of(plan)
    assert [step.title for step in steps] == [
        "Assign the new roles",
        "Switch the mode",
        "Refresh credentials",
        "Verify",
        "Remove the old roles",
    ]
    assert steps[1].lines == ("az acr update --name contosohub --role-assignment-mode rbac-abac",)
    assert "401" in steps[1].words
    assert "kubelet" in steps[2].words
    assert steps[3].lines[1].startswith("az aks check-acr --name aks1")
    assert steps[4].lines == (f"az role assignment delete --ids {held('AcrPull').id}",)
    nothing = steps_of(planned())
    assert (nothing[0].words, nothing[0].lines, nothing[4].lines) == ("No new role is needed.", (), ())


def test_the_estate_s_hub_switched_for_real_takes_what_was_foretold(tmp_path: Path) -> None:
    """The sandbox is the second opinion: before, after, and with what the plan assigns."""
    with Sandbox.start(tmp_path / "sandbox", "estate") as sandbox:
        session = connect_sandbox(sandbox.ready)
        registry = next(one for one in list_registries(session).values if one.name == "contosohub")
        access = {
            one.subscription.id: one.records for one in read_access(session, list_subscriptions(session).values).values
        }
        records = access[registry.subscription_id]
        holders = {one.principal_id.lower() for one in records.assignments}
        groups = {one: frozenset(principal_and_groups(sandbox.store, one) - {one}) for one in holders}
        memberships = Memberships(object_ids={company.BATCH_APP: company.BATCH})
        plan = plan_switch(
            records,
            registry,
            list_clusters(session, list_subscriptions(session).values).values,
            groups=groups,
            uses=dict.fromkeys(holders, Use.ALL),
            memberships=memberships,
        )
        assert [one.cluster.name for one in plan.clusters if one.stops] == ["aks-batch", "aks-platform"]
        assert all(one.kept for one in plan.clusters if one.stops)
        assert plan.effects[0].pulls_for

        def granted(principal: str) -> frozenset[str]:
            document = sandbox.store.find_resource(REGISTRY_TYPE, registry.name)
            assert document
            return registry_permissions(sandbox.store, document, principal, "web/storefront")

        before = {effect.principal_id: granted(effect.principal_id) for effect in plan.effects}
        document = sandbox.store.find_resource(REGISTRY_TYPE, registry.name)
        assert document
        document["properties"]["roleAssignmentMode"] = "AbacRepositoryPermissions"
        sandbox.store.put_resource(document)
        for effect in plan.effects:
            lost = before[effect.principal_id] - granted(effect.principal_id)
            assert {SAME[wanted] for wanted in effect.loses} == lost, effect.principal_id
        for new in plan.assignments:
            sandbox.store.put_resource(
                assignment(registry.id, new.role, new.principal_id, new.kind, sandbox.state.stamp())
                | {"name": new.name}
            )
        for effect in plan.effects:
            assert granted(effect.principal_id) >= before[effect.principal_id]
            more = {SAME[wanted] for wanted in effect.more}
            assert granted(effect.principal_id) == before[effect.principal_id] | more


@pytest.mark.parametrize("name", ["a\nrm -rf x", "$(touch gone)", "`touch gone`; touch gone", "x !$ > y", "größe (1)"])
def test_a_name_from_the_directory_becomes_no_command(name: str) -> None:
    first = steps_of(planned(held("AcrPull")), lambda _: name)[0].lines[0]
    assert first.startswith("# Container Registry Repository Reader for ")
    assert re.fullmatch(r"# [\w .@-]+", first)


def test_for_whom_the_directory_does_not_have_nothing_is_suggested_and_the_loss_is_told() -> None:
    effect = only_one(planned(held("AcrPull"), gone={ME}))
    assert (set(effect.loses), set(effect.remains), effect.assignments) == (READS, READS, ())
