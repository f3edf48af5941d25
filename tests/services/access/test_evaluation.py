"""Who may do what: against a naive evaluator over worlds at random, and rule by rule."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.decisions import Decision, Verdict
from services.access.evaluation import blocks_grant, permission
from services.access.permissions import Permission
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment, scope_label
from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition
from services.registries.registry import Mode, Registry
from tests.support import access_worlds
from tests.support.access_worlds import EVERYONE, GROUPS, ME, NAME, OTHER, REGISTRY_ID, REPOSITORIES, R, World
from tests.support.shell_lines import registry as a_registry

YES, SOME, UNKNOWN, NO = Verdict.YES, Verdict.SOME, Verdict.UNKNOWN, Verdict.NO
MODES = st.sampled_from(Mode)
WANTED = st.sampled_from(Permission)
OF_A_REPOSITORY = st.sampled_from(sorted(access_worlds.NEEDS.keys() - {Permission.LIST_CATALOG}))
GUIDS = {role.name: guid for guid, role in BUILT_IN.items()}
GROUP = GROUPS[0]


def the_registry(mode: Mode = Mode.LEGACY) -> Registry:
    registry = a_registry(id=REGISTRY_ID, name="contosohub")
    return replace(registry, access=replace(registry.access, mode=mode))


@given(access_worlds.worlds(), MODES, WANTED, st.sampled_from(REPOSITORIES), st.booleans())
def test_a_yes_is_true_and_a_no_is_true_and_what_is_told_is_decided(
    world: World, mode: Mode, wanted: Permission, repository: str, groups_known: bool
) -> None:
    groups = world.told_groups() if groups_known else None
    decision = permission(world.records(), ME.upper(), the_registry(mode), wanted, repository, groups=groups)
    truth = access_worlds.may(world, mode, wanted, repository)
    assert decision.verdict is not SOME
    if decision.verdict is not UNKNOWN:
        assert decision.verdict is (YES if truth else NO)
    named = mode is Mode.ABAC and wanted in access_worlds.NEEDS and wanted is not Permission.LIST_CATALOG
    if world.all_told(repository, groups) and (named or not world.conditions):
        assert decision.verdict is not UNKNOWN
    check_what_is_said(decision)


@given(access_worlds.worlds(), st.sampled_from([Mode.ABAC, Mode.ABAC, Mode.LEGACY]), OF_A_REPOSITORY)
def test_without_a_repository_it_is_asked_of_all(world: World, mode: Mode, wanted: Permission) -> None:
    groups = world.told_groups()
    decision = permission(world.records(), ME, the_registry(mode), wanted, groups=groups)
    truths = {access_worlds.may(world, mode, wanted, repository) for repository in REPOSITORIES}
    if decision.verdict is YES:
        assert truths == {True}
    if decision.verdict is NO:
        assert truths == {False}
    if mode is Mode.ABAC and world.all_told("any", groups):
        assert decision.verdict is not UNKNOWN
    if decision.verdict is SOME:
        assert mode is Mode.ABAC
        assert any("@Request" in condition for condition in world.conditions)
        single = {
            permission(world.records(), ME, the_registry(mode), wanted, repository, groups=groups).verdict
            for repository in REPOSITORIES
        }
        assert single <= {YES, NO}
    check_what_is_said(decision)


@given(access_worlds.worlds(), MODES, WANTED, st.sampled_from(REPOSITORIES))
def test_denies_that_could_not_be_read_leave_no_yes(
    world: World, mode: Mode, wanted: Permission, repository: str
) -> None:
    records, groups = world.records(), world.told_groups()
    with_denies = permission(records, ME, the_registry(mode), wanted, repository, groups=groups)
    without = permission(replace(records, denies=None), ME, the_registry(mode), wanted, repository, groups=groups)
    assert without.verdict in (UNKNOWN, NO)
    if without.verdict is NO:
        assert with_denies.verdict is NO
    assert bool(without.unread) is any(reason.verdict is not NO for reason in without.reasons)


@given(access_worlds.worlds(), WANTED, st.sampled_from(REPOSITORIES))
def test_one_more_assignment_takes_nothing_away(world: World, wanted: Permission, repository: str) -> None:
    records = world.records()
    if not records.assignments:
        return
    fewer = replace(records, assignments=records.assignments[1:])
    groups = world.told_groups()
    for mode in Mode:
        before = permission(fewer, ME, the_registry(mode), wanted, repository, groups=groups)
        after = permission(records, ME, the_registry(mode), wanted, repository, groups=groups)
        assert (before.verdict is not YES) or after.verdict is YES


def check_what_is_said(decision: Decision) -> None:
    """The parts of a decision fit its verdict."""
    if decision.verdict in (YES, SOME):
        assert decision.granting
        assert not decision.unread
    if decision.verdict is UNKNOWN:
        assert decision.undetermined or decision.unread or any(denial.verdict is not YES for denial in decision.denials)
    if decision.verdict is NO and not decision.denials and len(decision.granting) == 0:
        assert all(reason.verdict is not YES for reason in decision.reasons)
    for reason in (*decision.reasons, *decision.ignored):
        assert bool(reason.why) is (reason.verdict is not YES)
        assert reason.label
        assert reason.inherited is (reason.assignment.scope.lower().rstrip("/") != REGISTRY_ID.lower())


def held(role: str, scope: str = REGISTRY_ID, principal: str = ME, kind: str = "ServicePrincipal", **more: Any) -> Any:
    guid = GUIDS.get(role, role)
    return RoleAssignment(f"{scope}/{guid}/{principal}", guid, scope, guid, principal, kind, **more)


def asked(
    *assignments: RoleAssignment,
    wanted: Permission = Permission.PULL,
    mode: Mode = Mode.LEGACY,
    repository: str | None = None,
    groups: Any = frozenset(),
    **records: Any,
) -> Decision:
    return permission(AccessRecords(assignments, **records), ME, the_registry(mode), wanted, repository, groups=groups)


def only(prefix: str) -> str:
    """The condition that the portal writes to let a reader pull below a prefix."""
    return (
        f"((!(ActionMatches{{'{R}repositories/content/read'}}) AND "
        f"!(ActionMatches{{'{R}repositories/metadata/read'}})) OR "
        f"(@Request[{NAME}] StringStartsWithIgnoreCase '{prefix}'))"
    )


READER = "Container Registry Repository Reader"


def test_nothing_assigned_is_no_without_a_reason() -> None:
    decision = asked(held("AcrPull", principal=OTHER))
    assert (decision.verdict, decision.reasons, decision.ignored) == (NO, (), ())


def test_a_reason_names_role_and_where_it_comes_from() -> None:
    group_scope = REGISTRY_ID.rpartition("/providers/")[0]
    direct, inherited = held("AcrPull"), held("Reader", group_scope)
    decision = asked(held("AcrDelete"), inherited, direct)
    assert decision.verdict is YES
    assert {reason.label for reason in decision.granting} == {
        "AcrPull, on the registry itself",
        "Reader, inherited from the resource group Hub-RG",
    }
    assert not decision.ignored


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("/", "the root of the directory"),
        ("/providers/Microsoft.Management/managementGroups/contoso", "the management group contoso"),
        ("/subscriptions/5ab1", "the subscription 5ab1"),
        ("/subscriptions/5ab1/resourcegroups/hub-rg", "the resource group hub-rg"),
        (REGISTRY_ID, "registries contosohub"),
    ],
)
def test_scopes_in_words(scope: str, words: str) -> None:
    assert scope_label(scope) == words


def test_an_abac_registry_ignores_acr_pull_and_says_so() -> None:
    decision = asked(held("AcrPull"), held("Owner", "/subscriptions/5ab1"), mode=Mode.ABAC)
    assert (decision.verdict, decision.reasons) == (NO, ())
    assert [reason.role for reason in decision.ignored] == ["Owner", "AcrPull"]
    assert all("ABAC mode" in reason.why for reason in decision.ignored)


def test_a_legacy_registry_ignores_the_repository_reader_and_says_so() -> None:
    decision = asked(held(READER))
    assert decision.verdict is NO
    assert ["Legacy mode" in reason.why for reason in decision.ignored] == [True]


def test_a_pull_in_abac_mode_takes_content_and_metadata() -> None:
    content, metadata = (
        RoleDefinition(kind, kind, "CustomRole", (PermissionBlock(data_actions=(f"{R}repositories/{kind}/read",)),))
        for kind in ("content", "metadata")
    )
    roles = {"content": content, "metadata": metadata}
    assert asked(held("content"), mode=Mode.ABAC, roles=roles).verdict is NO
    assert asked(held("metadata"), mode=Mode.ABAC, roles=roles).verdict is NO
    both = asked(held("content"), held("metadata"), mode=Mode.ABAC, roles=roles)
    assert both.verdict is YES
    assert {reason.role for reason in both.granting} == {"content", "metadata"}


def test_a_condition_opens_some_repositories_and_says_which_it_leaves_out() -> None:
    reader = held(READER, condition=only("backend/"))
    assert asked(reader, mode=Mode.ABAC).verdict is SOME
    assert asked(reader, mode=Mode.ABAC, repository="Backend/api").verdict is YES
    left_out = asked(reader, mode=Mode.ABAC, repository="backend-tools")
    assert left_out.verdict is NO
    assert [reason.why for reason in left_out.reasons] == ["Its condition does not allow this."]
    assert "under a condition" in left_out.reasons[0].label


def test_an_unconditional_grant_beside_a_conditional_one_is_for_all() -> None:
    decision = asked(held(READER, condition=only("a/")), held(READER, "/subscriptions/5ab1"), mode=Mode.ABAC)
    assert decision.verdict is YES


def test_a_condition_that_delegates_role_assignments_leaves_the_pull_alone() -> None:
    delegated = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
        "{7f951dda-4ed3-4680-a7ca-43fe172d538d, b93aa761-3e63-49ed-ac28-beffa264f7ac}))"
    )
    owner = held("Owner", condition=delegated)
    assert asked(owner).verdict is YES
    assigning = asked(owner, wanted=Permission.ASSIGN_ROLES)
    assert assigning.verdict is UNKNOWN
    assert "condition" in assigning.undetermined[0].why
    assert asked(owner, wanted=Permission.REMOVE_ROLES).verdict is YES


def test_a_condition_that_is_only_partly_read_is_not_some() -> None:
    condition = only("a/") + " AND @Environment[isPrivateLink] BoolEquals true"
    reader = held(READER, condition=condition)
    assert asked(reader, mode=Mode.ABAC).verdict is UNKNOWN
    assert asked(reader, mode=Mode.ABAC, repository="a/b").verdict is UNKNOWN
    assert asked(reader, mode=Mode.ABAC, repository="b").verdict is NO


def test_a_name_is_asked_of_what_has_one() -> None:
    """The list of repositories is no repository's, nor is anything in Legacy mode."""
    condition = f"@Request[{NAME}] StringEquals 'team/app'"
    importer = held("Container Registry Data Importer and Data Reader", condition=condition)
    listing = {"wanted": Permission.LIST_CATALOG, "repository": "team/app"}
    assert asked(importer, mode=Mode.ABAC, **listing).verdict is UNKNOWN
    assert asked(importer, mode=Mode.ABAC, repository="team/app").verdict is YES
    assert asked(importer, mode=Mode.LEGACY, repository="team/app").verdict is UNKNOWN


def test_a_group_can_not_be_told_until_its_members_are() -> None:
    of_group = held("AcrPull", principal=GROUP, kind="Group")
    untold = asked(of_group, groups=None)
    assert untold.verdict is UNKNOWN
    assert "is a member is unknown" in untold.undetermined[0].why
    assert asked(of_group, groups=[]).verdict is NO
    told = asked(of_group, groups=[GROUP.upper()])
    assert told.verdict is YES
    assert told.granting[0].label.endswith(f"held by the group {GROUP}")


def test_a_group_whose_condition_leaves_it_out_is_a_no_whoever_its_members() -> None:
    of_group = held(READER, principal=GROUP, kind="Group", condition=only("a/"))
    assert asked(of_group, mode=Mode.ABAC, repository="b", groups=None).verdict is NO
    assert asked(of_group, mode=Mode.ABAC, repository="a/b", groups=None).verdict is UNKNOWN


def test_a_principal_of_a_kind_that_is_not_told_may_be_a_group() -> None:
    assert asked(held("AcrPull", principal=OTHER, kind=""), groups=None).verdict is UNKNOWN
    assert asked(held("AcrPull", principal=OTHER, kind="User"), groups=None).verdict is NO


def test_what_a_group_may_give_as_well_is_not_shown_once_it_is_given() -> None:
    decision = asked(held("AcrPull"), held("AcrPull", principal=GROUP, kind="Group"), groups=None)
    assert decision.verdict is YES
    assert [reason.group for reason in decision.reasons] == [""]


def test_a_role_nobody_could_read_can_not_be_told() -> None:
    decision = asked(held("dddddddd-0000-0000-0000-000000000000"))
    assert decision.verdict is UNKNOWN
    assert "definition" in decision.undetermined[0].why
    assert decision.undetermined[0].role == "dddddddd-0000-0000-0000-000000000000"


def test_what_azure_says_of_a_role_goes_before_the_table() -> None:
    emptied = RoleDefinition(GUIDS["AcrPull"], "AcrPull", "BuiltInRole", ())
    assert asked(held("AcrPull"), roles={emptied.id: emptied}).verdict is NO


def deny(principals: tuple[PrincipalRef, ...], **more: Any) -> DenyAssignment:
    scope = more.pop("scope", "/subscriptions/5ab1")
    return DenyAssignment("d", "no pulls", scope, (PermissionBlock((R + "pull/*",)),), principals, **more)


def test_a_deny_goes_before_any_grant() -> None:
    everyone = (PrincipalRef(EVERYONE, "SystemDefined"),)
    denied = asked(held("Owner"), denies=(deny(everyone, system_protected=True),))
    assert denied.verdict is NO
    assert [(denial.deny.name, denial.verdict) for denial in denied.denials] == [("no pulls", YES)]
    assert denied.reasons[0].verdict is YES
    me = PrincipalRef(ME.upper(), "ServicePrincipal")
    assert asked(held("Owner"), denies=(deny(everyone, excluded=(me,)),)).verdict is YES
    assert asked(held("Owner"), denies=(deny((me,), this_scope_only=True),)).verdict is YES
    assert asked(held("Owner"), denies=(deny((me,), scope=REGISTRY_ID, this_scope_only=True),)).verdict is NO
    assert asked(held("Owner"), wanted=Permission.PUSH, denies=(deny((me,)),)).verdict is YES


def test_a_deny_that_is_sure_goes_before_one_that_is_not() -> None:
    sure, unsure = deny((PrincipalRef(ME, "User"),)), deny((PrincipalRef(GROUP, "Group"),))
    assert asked(held("Owner"), denies=(sure, unsure)).verdict is NO
    assert asked(held("Owner"), denies=(unsure, sure)).verdict is NO


def test_a_deny_under_a_condition_leaves_some() -> None:
    block = PermissionBlock(data_actions=(R + "repositories/*",))
    condition = f"@Request[{NAME}] StringStartsWith 'secret/'"
    hides = DenyAssignment("d", "d", REGISTRY_ID, (block,), (PrincipalRef(ME, "User"),), condition=condition)
    reader = held(READER)
    assert asked(reader, mode=Mode.ABAC, denies=(hides,)).verdict is SOME
    assert asked(reader, mode=Mode.ABAC, denies=(hides,), repository="secret/a").verdict is NO
    assert asked(reader, mode=Mode.ABAC, denies=(hides,), repository="open").verdict is YES
    of_group = held(READER, principal=GROUP, kind="Group")
    assert asked(of_group, mode=Mode.ABAC, denies=(hides,), groups=None).verdict is UNKNOWN


def test_what_can_not_be_told_goes_before_some() -> None:
    reader, of_group = held(READER, condition=only("a/")), held(READER, principal=GROUP, kind="Group")
    beside = asked(reader, of_group, mode=Mode.ABAC, groups=None)
    assert beside.verdict is UNKNOWN
    assert [reason.verdict for reason in beside.reasons] == [SOME, UNKNOWN]
    content = RoleDefinition(
        "content", "content", "CustomRole", (PermissionBlock(data_actions=(R + "*/content/read",)),)
    )
    metadata = held(READER, principal=GROUP, kind="Group")
    apart = asked(
        held("content", condition=only("a/")), metadata, mode=Mode.ABAC, groups=None, roles={"content": content}
    )
    assert apart.verdict is UNKNOWN


def test_a_deny_to_a_group_that_no_assignment_tells_of_can_not_be_told() -> None:
    to_group = deny((PrincipalRef(GROUP, "Group"),))
    assert asked(held("Owner"), denies=(to_group,)).verdict is UNKNOWN
    assert asked(held("Owner"), denies=(to_group,), groups=[GROUP]).verdict is NO
    but_group = deny((PrincipalRef(EVERYONE, "SystemDefined"),), excluded=(PrincipalRef(GROUP, "Group"),))
    assert asked(held("Owner"), denies=(but_group,)).verdict is UNKNOWN


def test_a_deny_whose_condition_leaves_this_out_is_none_whoever_it_is_for() -> None:
    block = PermissionBlock(data_actions=(R + "repositories/*",))
    condition = f"@Request[{NAME}] StringStartsWith 'secret/'"
    for who in (PrincipalRef(GROUP, "Group"), PrincipalRef(ME, "User")):
        hides = DenyAssignment("d", "d", REGISTRY_ID, (block,), (who,), condition=condition)
        found = asked(held(READER), mode=Mode.ABAC, denies=(hides,), repository="open/app")
        assert (found.verdict, found.denials) == (YES, ())


def test_a_scope_that_begins_like_another_is_not_above_it() -> None:
    assert asked(held("AcrPull", REGISTRY_ID[:-1])).verdict is NO
    assert asked(held("AcrPull", "/subscriptions/5ab")).verdict is NO
    assert asked(held("AcrPull", REGISTRY_ID + "/webhooks/hook")).verdict is NO


def test_own_permissions_say_who_may_attach() -> None:
    contributor = BUILT_IN[GUIDS["Contributor"]].blocks
    assert not blocks_grant(contributor, Permission.ASSIGN_ROLES, Mode.LEGACY)
    assert blocks_grant(contributor, Permission.PULL, Mode.LEGACY)
    assert not blocks_grant(contributor, Permission.PULL, Mode.ABAC)
    # What one role takes back, another gives: blocks are apart.
    admin = BUILT_IN[GUIDS["Role Based Access Control Administrator"]].blocks
    assert blocks_grant((*contributor, *admin), Permission.ASSIGN_ROLES, Mode.ABAC)
    assert not blocks_grant((), Permission.READ_REGISTRY, Mode.LEGACY)


LOOKS = {Permission.PULL, Permission.LIST_CATALOG, Permission.READ_METADATA}
WRITES = {Permission.PUSH, Permission.CHANGE_LOCKS}
DATA = LOOKS | WRITES | {Permission.DELETE}
SEES = {Permission.READ_REGISTRY}
ROLES = {Permission.ASSIGN_ROLES, Permission.REMOVE_ROLES}
MANAGES = SEES | {Permission.WRITE_REGISTRY, Permission.IMPORT_IMAGES, Permission.LIST_CREDENTIALS}
REPOSITORY = {Permission.PULL, Permission.READ_METADATA}
CONFIGURES = SEES | {Permission.WRITE_REGISTRY, Permission.LIST_CREDENTIALS}
IMPORTS = SEES | {Permission.IMPORT_IMAGES}
NOTHING: set[Permission] = set()

# Azure's built-in roles: what each gives in Legacy mode, and in ABAC mode.
# https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
TABLE = {
    "AcrPull": (LOOKS, NOTHING),
    "AcrPush": (LOOKS | {Permission.PUSH}, NOTHING),
    "AcrDelete": ({Permission.DELETE}, NOTHING),
    "AcrImageSigner": (NOTHING, NOTHING),
    "AcrQuarantineReader": (NOTHING, NOTHING),
    "AcrQuarantineWriter": (NOTHING, NOTHING),
    READER: (NOTHING, REPOSITORY),
    "Container Registry Repository Writer": (NOTHING, REPOSITORY | WRITES),
    "Container Registry Repository Contributor": (NOTHING, REPOSITORY | WRITES | {Permission.DELETE}),
    "Container Registry Repository Catalog Lister": (NOTHING, {Permission.LIST_CATALOG}),
    "Container Registry Contributor and Data Access Configuration Administrator": (CONFIGURES, CONFIGURES),
    "Container Registry Configuration Reader and Data Access Configuration Reader": (
        SEES | {Permission.LIST_CREDENTIALS},
        SEES | {Permission.LIST_CREDENTIALS},
    ),
    "Container Registry Tasks Contributor": (SEES, SEES),
    "Container Registry Data Importer and Data Reader": (IMPORTS | LOOKS, IMPORTS | LOOKS),
    "Container Registry Transfer Pipeline Contributor": (NOTHING, NOTHING),
    "Container Registry Cache Rule Administrator": (NOTHING, NOTHING),
    "Container Registry Cache Rule Reader": (NOTHING, NOTHING),
    "Container Registry Credential Set Administrator": (NOTHING, NOTHING),
    "Container Registry Credential Set Reader": (NOTHING, NOTHING),
    "Owner": (MANAGES | DATA | ROLES, MANAGES | ROLES),
    "Contributor": (MANAGES | DATA, MANAGES),
    "Reader": (SEES | LOOKS, SEES),
    "User Access Administrator": (SEES | LOOKS | ROLES, SEES | ROLES),
    "Role Based Access Control Administrator": (SEES | LOOKS | ROLES, SEES | ROLES),
}


def test_the_table_has_every_role() -> None:
    assert TABLE.keys() == {role.name for role in BUILT_IN.values()}


@pytest.mark.parametrize("role", TABLE)
def test_what_a_built_in_role_gives(role: str) -> None:
    for mode, expected in zip((Mode.LEGACY, Mode.ABAC), TABLE[role], strict=True):
        given = {
            wanted: asked(held(role), wanted=wanted, mode=mode, repository="team/app").verdict for wanted in Permission
        }
        assert given == {wanted: YES if wanted in expected else NO for wanted in Permission}, mode
