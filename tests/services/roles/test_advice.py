"""The least role: it suffices, no smaller one does, and nothing of it can be left out."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.identity.principals import READER
from sandbox.identity.rbac import Access as SandboxAccess
from sandbox.identity.rbac import Assignment
from sandbox.identity.roles import RoleDefinition as SandboxRole
from sandbox.seeds.resources import assignment
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.repository_scope import ALL, RepositoryChoice, choice_from, condition_for
from services.access.rights import ALL_RIGHTS, BY_REPOSITORY, DANGERS, OtherRight, Right, right_need, rights_of
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition
from services.aks.attach import role_for
from services.connection.data_plane_tokens import Need
from services.connection.errors import ServiceError
from services.connection.session import connect_sandbox
from services.registries.registry import Mode, Registry
from services.roles.advice import USE_CASES, Advice, UseCase, advise, use_case
from tests.support.access_worlds import CONTROL, ME, NEEDS, REGISTRY_ID, R
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry as a_registry

P, E = Permission, OtherRight
LEGACY, ABAC = Mode.LEGACY, Mode.ABAC
CHOSEN, ELSEWHERE = "team/app", "team/other"
ONE = RepositoryChoice((CHOSEN,))
CHOICES = {
    ALL: (CHOSEN, ELSEWHERE),
    ONE: (CHOSEN,),
    RepositoryChoice((), ("team/app/",)): ("team/app/api",),
    RepositoryChoice((CHOSEN,), ("backend/",)): (CHOSEN, "backend/x/y"),
}
MODES = st.sampled_from(Mode)
SOME_CHOICE = st.sampled_from(list(CHOICES))
WANTED = st.frozensets(st.sampled_from(Permission), min_size=1, max_size=6)
ANYTHING = st.frozensets(st.sampled_from(ALL_RIGHTS), min_size=1, max_size=4)
WRITER, LISTER = "Container Registry Repository Writer", "Container Registry Repository Catalog Lister"
CONTRIBUTOR = "Container Registry Repository Contributor"


def the_registry(mode: Mode) -> Registry:
    registry = a_registry(id=REGISTRY_ID)
    return replace(registry, access=replace(registry.access, mode=mode))


def assigned(given: Iterable[tuple[RoleDefinition, str]]) -> AccessRecords:
    return AccessRecords(
        tuple(
            RoleAssignment(str(n), str(n), REGISTRY_ID, role.id, ME, "ServicePrincipal", condition=condition)
            for n, (role, condition) in enumerate(given)
        )
    )


def of(advice: Advice) -> list[tuple[RoleDefinition, str]]:
    return [(one.role, one.condition) for one in advice.given]


def lets(records: AccessRecords, mode: Mode, wanted: Permission, repository: str) -> bool:
    verdict = permission(records, ME, the_registry(mode), wanted, repository, groups=()).verdict
    assert verdict in (Verdict.YES, Verdict.NO)
    return verdict is Verdict.YES


def suffices(given: Iterable[tuple[RoleDefinition, str]], mode: Mode, wanted: Iterable[Permission], at: str) -> bool:
    records = assigned(given)
    return all(lets(records, mode, one, at) for one in wanted)


def by_the_sandbox(given: Iterable[tuple[RoleDefinition, str]], mode: Mode, wanted: Permission, at: str) -> bool:
    """As the sandbox's own evaluator says, which reads roles and conditions by code of its own."""
    definitions = {
        role.id: SandboxRole(
            role.id,
            role.name,
            "",
            role.blocks[0].actions,
            role.blocks[0].not_actions,
            role.blocks[0].data_actions,
            role.blocks[0].not_data_actions,
        )
        for role, _ in given
    }
    held = tuple(Assignment(REGISTRY_ID, ME, role.id, condition or None) for role, condition in given)
    access = SandboxAccess(held, definitions, frozenset({ME}))
    if wanted in CONTROL:
        return access.allows(REGISTRY_ID, CONTROL[wanted])
    names = {"Microsoft.ContainerRegistry/registries/repositories:name": at}
    return all(
        access.allows(REGISTRY_ID, R + action, data=mode is ABAC, attributes=names)
        for action in NEEDS[wanted][mode is ABAC]
    )


@given(WANTED, MODES, SOME_CHOICE)
def test_what_is_recommended_suffices(wanted: frozenset[Permission], mode: Mode, choice: RepositoryChoice) -> None:
    advice = advise(wanted, mode, choice)
    assert not advice.lacks
    for repository in CHOICES[choice]:
        assert suffices(of(advice), mode, wanted, repository)
        assert all(by_the_sandbox(of(advice), mode, one, repository) for one in wanted)


@given(WANTED, MODES, SOME_CHOICE)
def test_nothing_of_it_can_be_left_out(wanted: frozenset[Permission], mode: Mode, choice: RepositoryChoice) -> None:
    advice = advise(wanted, mode, choice)
    for left_out in advice.given:
        rest = [(one.role, one.condition) for one in advice.given if one is not left_out]
        assert not suffices(rest, mode, wanted, CHOICES[choice][0])
        assert not all(by_the_sandbox(rest, mode, one, CHOICES[choice][0]) for one in wanted)


def rights(roles: Iterable[RoleDefinition], mode: Mode) -> frozenset[Right]:
    """All that roles give where there are no conditions, worked out by the actions that each thing takes."""
    return frozenset(
        right
        for right in ALL_RIGHTS
        if (need := right_need(right, mode))
        and all(any(role.grants(action, data=need.data) for role in roles) for action in need.actions)
    )


SINGLES_AND_PAIRS = tuple(chain(combinations(BUILT_IN.values(), 1), combinations(BUILT_IN.values(), 2)))
RIGHTS = {mode: {roles: rights(roles, mode) for roles in SINGLES_AND_PAIRS} for mode in Mode}


@given(WANTED, MODES)
def test_no_listed_role_or_pair_that_gives_less_suffices(wanted: frozenset[Permission], mode: Mode) -> None:
    given = rights([one.role for one in advise(wanted, mode).given], mode)
    smaller = [roles for roles, theirs in RIGHTS[mode].items() if theirs < given]
    for roles in smaller:
        assert not suffices([(role, "") for role in roles], mode, wanted, CHOSEN)


@given(ANYTHING, MODES)
def test_no_listed_role_or_pair_that_suffices_leads_to_less_more(wanted: frozenset[Right], mode: Mode) -> None:
    """Nor, where as much that is dangerous is given, gives fewer things to change, and so with things to read."""
    advice = advise(wanted, mode)
    given = rights([one.role for one in advice.given], mode)
    assert given >= wanted - set(advice.lacks)
    assert set(advice.excess) == given - wanted
    for theirs in RIGHTS[mode].values():
        if theirs >= wanted - set(advice.lacks):
            assert order(given - wanted) <= order(theirs - wanted)


def order(excess: Iterable[Right]) -> tuple[int, int, int]:
    """How many that lead to more, that change something, and that read."""
    excess = set(excess)
    reads = {one for one in excess if one.name.startswith(("READ_", "PULL", "LIST_CATALOG"))}
    return len(excess & DANGERS.keys()), len(excess - reads - DANGERS.keys()), len(reads)


@given(WANTED, SOME_CHOICE)
def test_what_reaches_beyond_the_chosen_repositories_is_said(
    wanted: frozenset[Permission], choice: RepositoryChoice
) -> None:
    """Above all a role that writes: its condition has to name what it writes too."""
    for mode in Mode:
        advice = advise(wanted, mode, choice)
        records = assigned(of(advice))
        for outside in ("team/other", "team/app2", "team/appendix/x", "backend"):
            beyond = {one for one in BY_REPOSITORY if lets(records, mode, one, outside)}
            assert beyond == (set(advice.beyond) if choice != ALL else beyond)
            assert all(by_the_sandbox(of(advice), mode, one, outside) is (one in beyond) for one in BY_REPOSITORY)


@given(WANTED, MODES, SOME_CHOICE)
def test_of_every_other_role_it_is_true_why_not(
    wanted: frozenset[Permission], mode: Mode, choice: RepositoryChoice
) -> None:
    advice = advise(wanted, mode, choice)
    other_mode = LEGACY if mode is ABAC else ABAC
    for other in advice.others:
        alone = [(other.role, "")]
        assert other.suffices is suffices(alone, mode, wanted, CHOSEN)
        assert {one for one in wanted if not lets(assigned(alone), mode, one, CHOSEN)} == set(other.lacks)
        assert other.ignored is not any(lets(assigned(alone), mode, one, CHOSEN) for one in wanted)
        if other.ignored:
            assert any(lets(assigned(alone), other_mode, one, CHOSEN) for one in wanted)
        assert other.words(mode).endswith(".")
    told = {other.role.id for other in advice.others} | {one.role.id for one in advice.given}
    useful = {role.id for role in BUILT_IN.values() if rights_of(role, mode) & wanted}
    assert useful <= told


# Case: the roles in Legacy mode, and in ABAC mode.
EXPECTED = {
    "CI/CD pipeline": (["AcrPush"], [WRITER]),
    "Service that pulls": (["AcrPull"], ["Container Registry Repository Reader"]),
    "AKS cluster": (["AcrPull"], ["Container Registry Repository Reader"]),
    "Developer": (["AcrPush"], [WRITER, LISTER]),
    "Administrator": (["Container Registry Contributor and Data Access Configuration Administrator"],) * 2,
    "Clean-up job": (["AcrPull", "AcrDelete"], [CONTRIBUTOR]),
    "Auditor": (["Reader"], ["Reader"]),
}


def names(advice: Advice) -> list[str]:
    return [one.role.name for one in advice.given]


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.name)
def test_each_use_case_has_the_roles_that_people_who_know_would_give(case: UseCase) -> None:
    assert names(advise(case.wanted, LEGACY)) == EXPECTED[case.name][0]
    for choice in CHOICES:
        assert names(advise(case.wanted, ABAC, choice)) == EXPECTED[case.name][1]


def test_a_deleter_that_can_not_read_is_not_enough_for_a_clean_up() -> None:
    advice = advise(use_case("Clean-up job").wanted, LEGACY)
    assert names(advise(frozenset({P.DELETE}), LEGACY)) == ["AcrDelete"]
    (contributor,) = (one for one in advice.others if one.role.name == "Contributor")
    assert "Enough, but gives more" in contributor.words(LEGACY)
    assert P.LIST_CREDENTIALS in contributor.more
    assert P.PUSH in advise(use_case("Clean-up job").wanted, ABAC).excess


def test_an_auditor_is_told_what_reader_and_the_reader_of_settings_give_too_much() -> None:
    legacy, abac = (advise(use_case("Auditor").wanted, mode) for mode in Mode)
    assert P.PULL in legacy.excess
    assert P.PULL not in abac.excess
    for advice in (legacy, abac):
        (settings,) = (one for one in advice.others if "Configuration Reader" in one.role.name)
        assert settings.more == (P.LIST_CREDENTIALS, OtherRight.CHANGE_MONITORING)


def test_legacy_mode_limits_nothing_by_repository_and_the_lister_is_never_limited() -> None:
    legacy = advise(use_case("Developer").wanted, LEGACY, ONE)
    assert [one.condition for one in legacy.given] == [""]
    assert P.PUSH in legacy.beyond
    abac = advise(use_case("Developer").wanted, ABAC, ONE)
    assert [bool(one.condition) for one in abac.given] == [True, False]
    assert abac.beyond == ()
    importer = advise(frozenset({P.IMPORT_IMAGES, P.PULL}), ABAC, ONE)
    assert P.PULL in importer.beyond


def test_the_condition_names_every_data_action_of_its_role() -> None:
    (given,) = advise(use_case("Clean-up job").wanted, ABAC, ONE).given
    for action in given.role.blocks[0].data_actions:
        assert f"!(ActionMatches{{'{action}'}})" in given.condition
    assert given.condition == condition_for(ONE, given.role.blocks[0].data_actions)
    assert "write" not in condition_for(ONE)


def test_a_cluster_is_advised_what_attaching_it_would_assign() -> None:
    reader = next(role for role in BUILT_IN.values() if role.name == "Container Registry Repository Reader")
    turned = replace(reader, blocks=(replace(reader.blocks[0], data_actions=reader.blocks[0].data_actions[::-1]),))
    for roles in ({}, {reader.id: turned}):
        for mode in Mode:
            (given,) = advise(use_case("AKS cluster").wanted, mode, ONE, roles).given
            assert given.role.id == role_for(mode)
            assert given.condition == (condition_for(ONE) if mode is ABAC else "")


def test_a_role_that_can_not_be_limited_gives_way_to_more_that_can() -> None:
    both = frozenset({P.PULL, P.LIST_CATALOG})
    importer = next(role for role in BUILT_IN.values() if "Importer" in role.name)
    without_import = {importer.id: replace(importer, blocks=(replace(importer.blocks[0], actions=()),))}
    assert names(advise(both, ABAC, roles=without_import)) == [importer.name]
    limited = advise(both, ABAC, ONE, without_import)
    assert names(limited) == ["Container Registry Repository Reader", LISTER]
    assert limited.beyond == ()


def test_what_two_roles_give_only_together_is_too_much_too() -> None:
    told = {role.id: replace(role, blocks=()) for role in BUILT_IN.values()}
    for name, actions in (
        ("Container Registry Repository Reader", ("repositories/metadata/read",)),
        (LISTER, ("catalog/read", "repositories/content/read")),
    ):
        role = next(role for role in BUILT_IN.values() if role.name == name)
        told[role.id] = replace(role, blocks=(PermissionBlock(data_actions=tuple(R + one for one in actions)),))
    wanted = frozenset({P.READ_METADATA, P.LIST_CATALOG})
    advice = advise(wanted, ABAC, roles=told)
    assert names(advice) == ["Container Registry Repository Reader", LISTER]
    assert advice.excess == (P.PULL,)
    assert advise(wanted, ABAC, ONE, told).beyond == ()


def test_what_azure_says_of_a_role_decides() -> None:
    reader = next(role for role in BUILT_IN.values() if role.name == "Container Registry Repository Reader")
    emptied = {reader.id: replace(reader, blocks=())}
    assert names(advise(frozenset({P.PULL}), ABAC, roles=emptied)) == [WRITER]
    nobody = {role.id: replace(role, blocks=()) for role in BUILT_IN.values()}
    advice = advise(frozenset({P.PULL, P.PUSH}), ABAC, roles=nobody)
    assert (advice.given, advice.lacks) == ((), (P.PULL, P.PUSH))


def test_nothing_wanted_takes_no_role() -> None:
    advice = advise(frozenset(), LEGACY)
    assert (advice.given, advice.excess, advice.lacks) == ((), (), ())


def test_what_only_a_custom_role_gives_is_lacking() -> None:
    assert advise(frozenset({E.SIGN}), ABAC).lacks == (E.SIGN,)


def test_what_can_be_no_repository_is_refused_in_either_mode() -> None:
    for mode in Mode:
        with pytest.raises(ServiceError, match="no name for a repository"):
            advise(frozenset({P.PULL}), mode, RepositoryChoice(("team/app' OR '",)))


def test_what_is_typed_is_names_and_prefixes() -> None:
    assert choice_from("") == choice_from(" , ") == ALL
    assert choice_from(" team/app, backend/ ,x") == RepositoryChoice(("team/app", "x"), ("backend/",))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", ["CI/CD pipeline", "Service that pulls", "Developer", "Clean-up job"])
def test_a_registry_s_token_grants_what_was_asked_for(own: OwnSandbox, mode: Mode, name: str) -> None:
    setting = "AbacRepositoryPermissions" if mode is ABAC else "LegacyRegistryPermissions"
    registry = own.make_registry("contosonew", roleAssignmentMode=setting)
    for document in own.sandbox.store.list_resources("Microsoft.Authorization/roleAssignments"):
        if document["properties"]["principalId"] == READER.object_id:
            own.sandbox.store.delete_resource(document["id"])
    advice = advise(use_case(name).wanted, mode, ONE)
    for one in advice.given:
        own.sandbox.store.put_resource(
            assignment(
                registry.id,
                one.role.name,
                READER.object_id,
                "ServicePrincipal",
                own.sandbox.state.stamp(),
                condition=one.condition or None,
            )
        )
    tokens = connect_sandbox(own.sandbox.ready, as_reader=True).registry(registry.login_server).tokens
    actions = {
        "pull": P.PULL,
        "push": P.PUSH,
        "delete": P.DELETE,
        "metadata_read": P.READ_METADATA,
        "metadata_write": P.CHANGE_LOCKS,
    }
    asked = frozenset(actions)
    given = use_case(name).wanted | set(advice.excess)
    expected = {action for action, right in actions.items() if right in given}
    assert tokens.granted(Need(CHOSEN, asked)) == expected
    assert tokens.granted(Need(ELSEWHERE, asked)) == {one for one in asked if actions[one] in advice.beyond}
