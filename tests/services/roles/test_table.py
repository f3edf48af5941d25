"""What each role may do in either mode, written down from Azure's documentation and not from the console's table."""

from dataclasses import replace

import pytest

from services.access.permissions import Permission
from services.access.rights import DANGERS, OtherRight, Right, SignIn, weight
from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition
from services.registries.registry import Mode
from services.roles.descriptions import WORDS
from services.roles.table import GUIDE, RoleRow, compare_guide, defined_by_azure, guide_uses, role_table

P, E = Permission, OtherRight
LEGACY, ABAC = Mode.LEGACY, Mode.ABAC

PULLS: set[Right] = {P.PULL, P.LIST_CATALOG, P.READ_METADATA}
DATA: set[Right] = {*PULLS, P.PUSH, P.CHANGE_LOCKS, P.DELETE}
READS_OTHERS: set[Right] = {E.READ_ROLES, E.READ_CACHE_RULES, E.READ_CREDENTIAL_SETS}
SEES: set[Right] = {P.READ_REGISTRY, E.READ_SETTINGS, E.READ_USAGE, *READS_OTHERS}
ASSIGNS: set[Right] = {P.ASSIGN_ROLES, P.REMOVE_ROLES}
SETS_UP: set[Right] = {
    P.READ_REGISTRY,
    P.WRITE_REGISTRY,
    P.LIST_CREDENTIALS,
    E.READ_SETTINGS,
    E.READ_ROLES,
    E.CHANGE_SETTINGS,
    E.CHANGE_MONITORING,
    E.DELETE_REGISTRY,
    E.MAKE_TOKENS,
    E.RENEW_PASSWORD,
}
MANAGES: set[Right] = {
    *SETS_UP,
    *SEES,
    P.IMPORT_IMAGES,
    E.RUN_TASKS,
    E.CHANGE_CACHE_RULES,
    E.CHANGE_CREDENTIAL_SETS,
    E.TRANSFER,
}
IN_QUARANTINE: set[Right] = {E.READ_QUARANTINE, E.CHANGE_QUARANTINE}
IMPORTER: set[Right] = {*PULLS, P.IMPORT_IMAGES, P.READ_REGISTRY}
READER_OF_REPOSITORIES: set[Right] = {P.PULL, P.READ_METADATA}
WRITER: set[Right] = {*READER_OF_REPOSITORIES, P.PUSH, P.CHANGE_LOCKS}
NOTHING: set[Right] = set()


def same(rights: set[Right]) -> tuple[set[Right], set[Right]]:
    return rights, rights


# What each gives in Legacy mode, and in ABAC mode.
FACTS: dict[str, tuple[set[Right], set[Right]]] = {
    "AcrPull": (PULLS, NOTHING),
    "AcrPush": ({*PULLS, P.PUSH}, NOTHING),
    "AcrDelete": ({P.DELETE}, NOTHING),
    "AcrImageSigner": ({E.SIGN}, NOTHING),
    "AcrQuarantineReader": same({E.READ_QUARANTINE}),
    "AcrQuarantineWriter": same(IN_QUARANTINE),
    "Container Registry Repository Reader": (NOTHING, READER_OF_REPOSITORIES),
    "Container Registry Repository Writer": (NOTHING, WRITER),
    "Container Registry Repository Contributor": (NOTHING, {*WRITER, P.DELETE}),
    "Container Registry Repository Catalog Lister": (NOTHING, {P.LIST_CATALOG}),
    "Container Registry Contributor and Data Access Configuration Administrator": same(SETS_UP),
    "Container Registry Configuration Reader and Data Access Configuration Reader": same(
        {P.READ_REGISTRY, E.READ_SETTINGS, P.LIST_CREDENTIALS, E.CHANGE_MONITORING}
    ),
    "Container Registry Tasks Contributor": same({P.READ_REGISTRY, E.RUN_TASKS}),
    "Container Registry Data Importer and Data Reader": same(IMPORTER),
    "Container Registry Transfer Pipeline Contributor": same({E.TRANSFER}),
    "Container Registry Cache Rule Administrator": same({E.READ_CACHE_RULES, E.CHANGE_CACHE_RULES}),
    "Container Registry Cache Rule Reader": same({E.READ_CACHE_RULES}),
    "Container Registry Credential Set Administrator": same({E.READ_CREDENTIAL_SETS, E.CHANGE_CREDENTIAL_SETS}),
    "Container Registry Credential Set Reader": same({E.READ_CREDENTIAL_SETS}),
    "Owner": (
        {*DATA, *MANAGES, *ASSIGNS, *IN_QUARANTINE, E.SIGN, E.MAKE_ROLES},
        {*MANAGES, *ASSIGNS, E.MAKE_ROLES},
    ),
    "Contributor": ({*DATA, *MANAGES, *IN_QUARANTINE, E.SIGN}, MANAGES),
    "Reader": ({*SEES, *PULLS, E.READ_QUARANTINE}, SEES),
    "User Access Administrator": (
        {*SEES, *PULLS, E.READ_QUARANTINE, *ASSIGNS, E.MAKE_ROLES},
        {*SEES, *ASSIGNS, E.MAKE_ROLES},
    ),
    "Role Based Access Control Administrator": ({*SEES, *PULLS, E.READ_QUARANTINE, *ASSIGNS}, {*SEES, *ASSIGNS}),
}


def rows(mode: Mode, *told: RoleDefinition) -> dict[str, RoleRow]:
    return {row.role.name: row for row in role_table(mode, {role.id: role for role in told})}


@pytest.mark.parametrize("mode", Mode)
def test_every_role_gives_what_the_facts_say_and_nothing_else(mode: Mode) -> None:
    found = rows(mode)
    assert {name: set(row.rights) for name, row in found.items()} == {
        name: given[mode is ABAC] for name, given in FACTS.items()
    }


def test_roles_on_images_are_ignored_in_the_other_mode_and_no_others() -> None:
    ignored = {mode: {name for name, row in rows(mode).items() if row.ignored} for mode in Mode}
    assert ignored[ABAC] == {"AcrPull", "AcrPush", "AcrDelete", "AcrImageSigner"}
    assert ignored[LEGACY] == {name for name in FACTS if name.startswith("Container Registry Repository ")}


def test_signing_in_takes_a_right_on_data_in_legacy_mode_and_proves_who_one_is_in_abac_mode() -> None:
    legacy, abac = rows(LEGACY), rows(ABAC)
    for name, (in_legacy, in_abac) in FACTS.items():
        assert legacy[name].sign_in is (SignIn.YES if in_legacy & DATA else SignIn.NO), name
        assert abac[name].sign_in is (SignIn.YES if in_abac & DATA else SignIn.IDENTITY), name
    assert legacy["AcrDelete"].sign_in is SignIn.YES
    assert legacy["Container Registry Tasks Contributor"].sign_in is SignIn.NO
    assert abac["Owner"].sign_in is SignIn.IDENTITY


def test_what_azure_says_goes_before_the_table() -> None:
    pull = next(role for role in BUILT_IN.values() if role.name == "AcrPull")
    changed = RoleDefinition(pull.id, "AcrPull", "BuiltInRole", (PermissionBlock(("*/delete",)),))
    assert P.PULL in rows(LEGACY)["AcrPull"].rights
    assert set(rows(LEGACY, changed)["AcrPull"].rights) == {P.DELETE, P.REMOVE_ROLES, E.DELETE_REGISTRY}
    assert defined_by_azure({changed.id: changed, "custom": changed}) == 1


def test_every_role_has_words_and_every_trap_is_told_where_it_is_one() -> None:
    assert WORDS.keys() == BUILT_IN.keys()
    for mode in Mode:
        for row in rows(mode).values():
            assert row.words.use
            if row.ignored:
                assert f"In {mode} mode it is ignored" in row.words.trap or "Content trust" in row.words.trap
            if mode is LEGACY and row.rights >= PULLS and "*/read" in row.role.blocks[0].actions:
                assert "*/read" in row.words.trap
            if P.LIST_CREDENTIALS in row.rights and row.role.name.startswith("Container Registry"):
                assert "admin password" in row.words.trap


def test_what_the_guide_says_is_so_in_legacy_mode_and_in_abac_mode_differs_with_a_reason() -> None:
    for row in GUIDE:
        cells, why = compare_guide(row, LEGACY)
        assert not any(cell.differs for cell in cells)
        assert why == ""
        cells, why = compare_guide(row, ABAC)
        assert [cell.differs for cell in cells] == [True, row.push, row.pull]
        assert row.roles[0] in why
        assert "data actions" in why
    assert "ignored" in compare_guide(GUIDE[0], ABAC)[1]
    assert "manage the registry only" in compare_guide(GUIDE[-1], ABAC)[1]
    assert GUIDE[-1].name == "Owner/Contributor"


def test_a_definition_that_changed_is_a_difference_too() -> None:
    pull = next(role for role in BUILT_IN.values() if role.name == "AcrPull")
    emptied = RoleDefinition(pull.id, "AcrPull", "BuiltInRole", ())
    cells, why = compare_guide(GUIDE[0], LEGACY, {emptied.id: emptied})
    assert [cell.differs for cell in cells] == [True, False, True]
    assert "definition today" in why


def test_a_role_that_azure_calls_anew_is_the_same_role() -> None:
    told = {guid: replace(role, name=f"New {role.name}") for guid, role in BUILT_IN.items()}
    for row in GUIDE:
        for mode in Mode:
            assert compare_guide(row, mode, told) == compare_guide(row, mode)
    assert guide_uses(told)[0].today[LEGACY] == ("New AcrPush",)


def test_the_guide_s_use_cases_have_the_least_roles_of_today() -> None:
    pipeline, service, admin = guide_uses()
    assert (pipeline.guide, pipeline.today[LEGACY]) == ("AcrPush", ("AcrPush",))
    assert pipeline.today[ABAC] == ("Container Registry Repository Writer",)
    assert (service.guide, service.today[LEGACY]) == ("AcrPull", ("AcrPull",))
    assert service.today[ABAC] == ("Container Registry Repository Reader",)
    assert admin.guide == "Contributor"
    assert set(admin.today.values()) == {
        ("Container Registry Contributor and Data Access Configuration Administrator",)
    }
    assert "gives more" in admin.note


def test_what_leads_to_more_weighs_more_than_all_that_does_not() -> None:
    harmless = [weight(right) for right in (*Permission, *OtherRight) if right not in DANGERS]
    assert min(weight(right) for right in DANGERS) > sum(harmless)
    assert weight(P.PUSH) > weight(P.PULL)
