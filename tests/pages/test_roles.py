"""The roles' view: the question and its answer, what each role may do, the guide's tables."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.access.repository_scope import RepositoryChoice
from services.access.role_definitions import BUILT_IN
from services.commands.access import assign_role_by_object_id
from services.connection.session import AzureSession
from services.registries.reading import list_registries
from services.registries.registry import Mode
from services.roles.advice import USE_CASES, advise, use_case
from tests.support.app_test import Open, texts
from tests.support.own_sandbox import OwnSandbox

TABLE, GUIDE = "What each role may do", "The guide's tables"
PRINCIPAL = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"


def table(at: AppTest, column: str) -> Any:
    return next(one.value for one in at.dataframe if column in one.value.columns)


def recommended(at: AppTest) -> str:
    assert not at.exception
    return "".join(str(one.value) for one in at.success)


def warned(at: AppTest) -> str:
    return "\n".join(str(one.value) for one in at.warning)


def lines(at: AppTest) -> list[str]:
    (block,) = (one.value for one in at.code if "role assignment create" in one.value)
    return str(block).split("\n")


@pytest.mark.parametrize("mode", Mode)
def test_every_role_has_a_row_and_a_row_of_squares(open_view: Open, mode: Mode) -> None:
    at = open_view("roles.py", show=TABLE, mode=mode.value)
    rows = table(at, "Caution").set_index("Role")
    assert set(rows.index) == {role.name for role in BUILT_IN.values()}
    pulls = "✓" if mode is Mode.LEGACY else "–"
    assert rows.loc["AcrPull", "Pull"] == rows.loc["Reader", "Pull"] == rows.loc["Owner", "Pull"] == pulls
    assert rows.loc["Contributor", "Assign roles"] == "–"
    assert rows.loc["Owner", "Assign roles"] == "⚠"
    assert rows.loc["Owner", "Sign in"] == ("✓ yes" if mode is Mode.LEGACY else "◐ identity only")
    assert ("Ignored" in rows.loc["AcrPull", "Use"]) is (mode is Mode.ABAC)
    (chart,) = (json.loads(found.proto.spec) for found in at.get("plotly_chart"))
    (without,) = (one for one in at.expander if f"without any of these rights in {mode} mode" in one.label)
    assert len(chart["data"][0]["text"]) + int(without.label.split()[0]) == len(BUILT_IN)
    assert ("AcrPull" in without.markdown[0].value) is (mode is Mode.ABAC)


def test_roles_are_found_by_word_and_by_what_they_give(open_view: Open) -> None:
    at = open_view("roles.py", show=TABLE)
    at.text_input(key="search").set_value("QUARANTINE").run()
    assert "AcrQuarantineReader" in set(table(at, "Caution")["Role"])
    assert "AcrPull" not in set(table(at, "Caution")["Role"])
    at.text_input(key="search").set_value("acrdelete").run()
    assert "**AcrDelete**: Can delete from every repository of a Legacy registry. It can't read" in (
        texts(at).replace("\\", "")
    )
    at.text_input(key="search").set_value("").run()
    at.multiselect(key="gives").set_value(["read the admin password", "delete"]).run()
    assert set(table(at, "Caution")["Role"]) == {"Owner", "Contributor"}
    at.text_input(key="search").set_value("nothing of that name").run()
    assert "No role matches" in texts(at)


def test_the_guide_s_table_is_marked_where_it_differs_today(open_view: Open) -> None:
    at = open_view("roles.py", show=GUIDE)
    rows = table(at, "Can sign in").set_index(["Role", "Mode"])
    assert len(rows) == 8
    assert rows.loc[("AcrPull", "Legacy"), "Can pull"] == "✓ yes"
    assert rows.loc[("AcrPull", "ABAC"), "Can pull"] == "≠ – no (guide: yes)"
    assert rows.loc[("Owner/Contributor", "ABAC"), "Can sign in"] == "≠ ◐ identity only (guide: yes)"
    assert "data actions" in rows.loc[("AcrPush", "ABAC"), "Why"]
    assert not rows.loc[("AcrPush", "Legacy"), "Why"]
    said = texts(at).replace("\\", "")
    assert "can't read: to find what to delete" in said
    assert "Reader can sign in and pull in Legacy mode" in said
    uses = table(at, "Guide").set_index("Use case")
    assert uses.loc["Runtime service (pull only)", "Least in Legacy mode"] == "AcrPull"
    assert uses.loc["Runtime service (pull only)", "Least in ABAC mode"] == "Container Registry Repository Reader"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.name)
def test_each_use_case_has_its_least_roles(open_view: Open, mode: Mode, case: Any) -> None:
    at = open_view("roles.py", use=case.name, mode=mode.value)
    advice = advise(case.wanted, mode)
    for one in advice.given:
        assert f"**{one.role.name}**" in recommended(at)
    assert len(lines(at)) == len(advice.given)
    assert "OBJECT_ID and REGISTRY_ID" in texts(at).replace("\\", "")
    assert at.selectbox(key="kind").value == case.principal_type
    assert len(table(at, "Why not")) == len(advice.others)


def test_a_registry_gives_the_mode_the_scope_and_the_lines_with_their_condition(
    open_view: Open, session: AzureSession
) -> None:
    registry = next(one for one in list_registries(session).values if one.name == "contosopayments")
    at = open_view(
        "roles.py",
        registry="contosopayments",
        use="Developer",
        repositories="team/payments/api, backend/",
        principal=PRINCIPAL,
    )
    assert "**Container Registry Repository Writer** and **Container Registry Repository Catalog Lister**" in (
        recommended(at)
    )
    writer, lister = lines(at)
    assert f"--assignee-object-id {PRINCIPAL} --assignee-principal-type Group" in writer
    assert f"--scope {registry.id}" in writer
    assert "StringStartsWithIgnoreCase '\"'\"'backend/'\"'\"'" in writer
    assert "content/write" in writer
    assert "--condition" not in lister
    at.selectbox(key="kind").set_value("User").run()
    assert "--assignee-principal-type User" in lines(at)[0]


def test_a_cluster_is_led_to_the_checker_and_gets_the_assignment_that_attaching_makes(open_view: Open) -> None:
    at = open_view("roles.py", registry="contosohub", use="AKS cluster", principal=PRINCIPAL)
    assert "kubelet identity" in texts(at)
    (link,) = (one.proto for one in at.main.get("page_link") if "Integration checker" in one.proto.label)
    assert "registry=contosohub" in link.query_string
    assert "--role AcrPull" in lines(at)[0]


def test_legacy_mode_says_that_it_can_not_limit(open_view: Open) -> None:
    at = open_view("roles.py", use="CI/CD pipeline", repositories="team/app")
    assert "always applies to all repositories" in warned(at)
    assert "for all repositories" in recommended(at)
    assert "--condition" not in lines(at)[0]
    at = open_view("roles.py", use="CI/CD pipeline", repositories="team/app", mode="ABAC")
    assert "can't limit" not in warned(at)
    assert "--condition" in lines(at)[0]


def test_what_leads_to_more_is_warned_of(open_view: Open) -> None:
    at = open_view("roles.py", use="Administrator")
    assert "repositories" not in recommended(at)
    assert "Read the admin password: Where the admin user is on" in warned(at)
    at = open_view("roles.py", use="Service that pulls")
    assert warned(at) == ""


def test_one_s_own_choice_is_asked_for_and_answered(open_view: Open) -> None:
    at = open_view("roles.py", use="Something else")
    assert "No permissions chosen" in texts(at)
    at.multiselect(key="do").set_value(["delete", "pull"]).run()
    assert "**AcrPull** and **AcrDelete**" in recommended(at)
    at.multiselect(key="do").set_value(["import images", "pull"]).run()
    assert "Data Importer" in recommended(at)
    at = open_view("roles.py", use="Something else", do="pull", mode="ABAC", repositories="team/app")
    assert "Repository Reader" in recommended(at)


def test_another_use_case_is_for_another_kind_of_principal(open_view: Open) -> None:
    at = open_view("roles.py")
    assert at.selectbox(key="kind").value == "ServicePrincipal"
    at.selectbox(key="use").set_value("Auditor").run()
    assert at.selectbox(key="kind").value == "Group"
    assert "**Reader**" in recommended(at)


@pytest.mark.parametrize(
    "typed", ["Team/App", "team/app' OR 'x", "backend//", "*", "https://contoso.azurecr.io/app", "/"]
)
def test_what_can_be_no_repository_is_an_error_and_no_line(open_view: Open, typed: str) -> None:
    at = open_view("roles.py", mode="ABAC", repositories=typed)
    assert not at.exception
    assert "no name for a repository" in texts(at)
    assert not [one for one in at.code if "role assignment" in one.value]


def test_what_is_no_object_id_is_said_and_left_out_of_the_line(open_view: Open) -> None:
    at = open_view("roles.py", registry="casaacr01", principal="**dev**@contoso.example; rm -rf")
    assert not at.exception
    assert "Not an object id" in texts(at)
    assert "rm -rf" not in lines(at)[0]
    assert "OBJECT_ID" in lines(at)[0]


def test_the_registry_s_own_view_leads_here(open_view: Open) -> None:
    at = open_view("registry.py", registry="contosopayments", show="Access")
    (link,) = (one.proto for one in at.main.get("page_link") if one.proto.label == "Roles")
    assert "registry=contosopayments" in link.query_string


def test_roles_that_can_not_be_read_are_the_console_s_own_and_it_is_said(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/roleDefinitions", "status": 403, "body": "no"})
    at = open_view("roles.py", as_session=own.session())
    assert "Could not list the roles of" in texts(at)
    assert "from this console's own table" in texts(at)
    assert "**AcrPush**" in recommended(at)


def test_roles_that_azure_tells_go_before_the_table_and_it_is_said_how_many(open_view: Open) -> None:
    assert "roles are as Azure defines them for" in texts(open_view("roles.py")).replace("\\", "")


def test_the_line_is_the_assignment_that_the_view_advises() -> None:
    (given,) = advise(use_case("CI/CD pipeline").wanted, Mode.ABAC, RepositoryChoice(("team/app",))).given
    line = assign_role_by_object_id("o", given.role.name, "/s", None, condition=given.condition, principal_type="User")
    assert "--name" not in line
    assert line.endswith("--condition-version 2.0")
