"""Assigning and removing roles on a registry's page: the URL, the plan, the deed, and who may not."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.identity.principals import CONSOLE, READER
from sandbox.identity.rbac import ASSIGNMENTS
from sandbox.seeds.resources import assignment
from tests.support.app_test import REFUSED, Open, button, confirm_button, reopen, select_rows, texts
from tests.support.own_sandbox import OwnSandbox
from ui.elements import write_permission
from ui.roles import holders as role_holders

SOMEONE = "5c1d0000-0000-4000-8000-00000000abcd"
KUBELET, KUBELET_CLIENT = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6", "d55c1efa-7418-42a5-9dc4-34467aba4ca0"
CREATED = "2026-01-01T00:00:00Z"
ABAC = {"roleAssignmentMode": "AbacRepositoryPermissions"}


def alerts(at: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*at.success, *at.error, *at.warning, *at.info)).replace("\\", "")


def plan(at: AppTest) -> AppTest:
    button(at, "Plan assignment").click()
    at.run()
    assert not at.exception
    return at


def test_the_title_has_the_registry_s_name_where_the_url_has_its_login_server(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("assign.py", registry=own.registry().login_server)
    assert at.title[0].value == "Assign role on casaacr01"


def assigned(at: AppTest) -> AppTest:
    reopen(at, "Plan assignment")
    confirm_button(at, "Assign role").click()
    at.run()
    assert not at.exception
    return at


def of_someone(own: OwnSandbox, who: str = SOMEONE) -> list[dict[str, Any]]:
    return [one for one in own.sandbox.store.list_resources(ASSIGNMENTS) if one["properties"]["principalId"] == who]


def holders(at: AppTest) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = at.dataframe[0].value.to_dict("records")
    return rows


WANTED = {"registry": "casaacr01", "role": "AcrPush", "principal": SOMEONE, "kind": "User"}


def test_a_link_fills_the_form_and_the_role_is_written_once(open_view: Open, own: OwnSandbox) -> None:
    at = plan(open_view("assign.py", as_session=own.session(), **WANTED))
    shown = texts(at).replace("\\", "")
    assert (
        "**AcrPush** for the user **5c1d0000… (not in the directory)** on **casaacr01**, for all repositories." in shown
    )
    assert "It gives: pull, push, list repositories, read tags and attributes." in shown
    assert "az role assignment create" in shown and "--assignee-principal-type User" in shown
    assert not own.writes()
    at = assigned(at)
    assert "AcrPush on casaacr01: created and verified" in alerts(at)
    (document,) = of_someone(own)
    assert document["properties"]["principalType"] == "User"
    assert {"AcrPush", SOMEONE} <= {row[name] for row in holders(at) for name in ("Role", "Object id")}
    at = plan(at)
    assert "Nothing to do" in alerts(at)
    assert confirm_button(at, "Assign role").disabled
    assert sum(own.writes().values()) == 1


def test_a_role_may_be_named_by_its_guid_in_the_url_and_the_url_says_its_name(open_view: Open, own: OwnSandbox) -> None:
    wanted = {**WANTED, "role": "7F951DDA-4ed3-4680-a7ca-43fe172d538d"}
    at = open_view("assign.py", as_session=own.session(), **wanted)
    assert not at.exception
    assert at.query_params["role"] in ("AcrPull", ["AcrPull"])
    assert at.query_params["principal"] in (SOMEONE, [SOMEONE])
    unknown = open_view("assign.py", as_session=own.session(), **{**WANTED, "role": "Emperor"})
    assert "no role emperor for registries" in alerts(unknown)
    assert button(unknown, "Plan assignment").disabled


def test_a_role_that_the_mode_ignores_is_warned_of(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosoabac", **ABAC)
    at = open_view("assign.py", as_session=own.session(), **{**WANTED, "registry": "contosoabac", "role": "AcrPull"})
    assert "In ABAC mode AcrPull gives: nothing." in texts(at)
    assert "AcrPull gives nothing. Use Container Registry Repository Reader" in alerts(plan(at))


def test_chosen_repositories_become_a_condition_and_are_never_dropped(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosoabac", **ABAC)
    some = {"role": "Container Registry Repository Writer", "repositories": "team/app, backend/"}
    at = plan(open_view("assign.py", as_session=own.session(), **{**WANTED, "registry": "contosoabac", **some}))
    assert "for team/app, and all below backend/." in texts(at).replace("\\", "")
    assigned(at)
    (document,) = of_someone(own)
    assert "content/write" in document["properties"]["condition"]
    for where in ({"registry": "contosoabac", "role": "AcrPull"}, {"registry": "casaacr01"}):
        at = plan(open_view("assign.py", as_session=own.session(), **{**WANTED, **some, **where}))
        assert "for some repositories only" in alerts(at)
        assert confirm_button(at, "Assign role").disabled


def test_a_client_id_of_a_cluster_is_refused_and_its_object_id_named(open_view: Open, own: OwnSandbox) -> None:
    at = plan(open_view("assign.py", as_session=own.session(), **{**WANTED, "principal": KUBELET_CLIENT}))
    assert "That is the client id of the kubelet identity of aks1, whose object id is" in alerts(at)
    assert confirm_button(at, "Assign role").disabled
    at = open_view("assign.py", as_session=own.session(), **{**WANTED, "principal": KUBELET})
    assert "**aks1-agentpool**  \nkubelet identity of aks1" in texts(at).replace("\\", "")


def search(at: AppTest, text: str) -> list[dict[str, Any]]:
    at.text_input(key="principal to search").set_value(text).run()
    assert not at.exception
    rows: list[dict[str, Any]] = at.dataframe[0].value.to_dict("records")
    return rows


def test_a_principal_is_chosen_by_name_and_its_kind_is_the_directory_s(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01", role="AcrPush")
    assert button(at, "Plan assignment").disabled
    rows = search(at, "conso")
    assert [(row["Name"], row["Kind"], row["Object id"]) for row in rows] == [
        ("console", "service principal", CONSOLE.object_id)
    ]
    (by_cluster, control_plane) = search(at, "aks1")
    assert {by_cluster["Kind"], control_plane["Kind"]} == {
        "kubelet identity of aks1",
        "control plane's identity of aks1",
    }
    # A client id leads to the object id that the role is assigned to.
    (kubelet,) = search(at, KUBELET_CLIENT)
    assert (kubelet["Name"], kubelet["Object id"]) == ("aks1-agentpool", KUBELET)


def test_where_the_directory_refuses_an_object_id_can_be_used(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/graph/", "status": 403})
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01", role="AcrPush")
    at.text_input(key="principal to search").set_value("console").run()
    shown = texts(at)
    assert "Paste an object id" in shown
    assert "nobody" not in shown
    assert any("could not be read" in one.label for one in at.expander)
    at.text_input(key="principal to search").set_value(SOMEONE).run()
    button(at, "Use this object id").click().run()
    assert at.query_params["principal"] in (SOMEONE, [SOMEONE])
    assert "5c1d0000… (name not read)" in texts(at).replace("\\", "")
    assert not button(at, "Plan assignment").disabled


def test_nobody_found_is_said(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01")
    at.text_input(key="principal to search").set_value("zz").run()
    assert "The directory has nobody" in alerts(at)


def test_who_may_not_assign_roles_gets_a_request_for_who_may(open_view: Open, own: OwnSandbox) -> None:
    at = plan(open_view("assign.py", as_session=own.session(as_reader=True), **WANTED))
    assert "You may not assign roles on this registry" in alerts(at)
    assert confirm_button(at, "Assign role").disabled
    shown = texts(at)
    assert "azurerm_role_assignment" in shown and "roleAssignments@2022-04-01" in shown
    assert READER.object_id not in "".join(code.value for code in at.code)


def test_a_write_that_azure_refuses_is_a_panel(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"method": "PUT", "path": "/roleAssignments/", "status": 403})
    at = assigned(plan(open_view("assign.py", as_session=own.session(), **WANTED)))
    assert "Could not assign AcrPush on casaacr01" in texts(at)
    assert "Give an administrator the request" in texts(at)
    assert not of_someone(own)


def test_what_is_no_repository_s_name_is_a_panel(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosoabac", **ABAC)
    hostile = {"registry": "contosoabac", "role": "Container Registry Repository Reader", "repositories": "a' OR 'b"}
    at = plan(open_view("assign.py", as_session=own.session(), **{**WANTED, **hostile}))
    assert "That is no name for a repository" in texts(at)
    assert "Assign role" not in [one.label for one in at.button]


def test_roles_and_clusters_that_can_not_be_read_leave_the_built_in_ones(open_view: Open, own: OwnSandbox) -> None:
    own.break_(
        {"method": "GET", "path": "/roleDefinitions$", "status": 403},
        {"method": "GET", "path": "managedClusters", "status": 403},
    )
    at = plan(open_view("assign.py", as_session=own.session(), **WANTED))
    assert "Could not list the roles of" in texts(at)
    assert "**AcrPush** for the user" in texts(at)
    assert not confirm_button(at, "Assign role").disabled


def test_assignments_that_can_not_be_read_are_a_panel_and_no_empty_table(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"method": "GET", "path": "/casaacr01/providers/Microsoft.Authorization/roleAssignments", "status": 403})
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01")
    assert not at.exception
    assert "Could not list the role assignments of casaacr01" in texts(at)
    assert not at.dataframe
    assert "No role is assigned" not in alerts(at)


def select(at: AppTest, held_by: str, role: str) -> None:
    """AppTest forgets the selected row with each run, as it closes dialogs."""
    number = next(n for n, row in enumerate(holders(at)) if (row["Object id"], row["Role"]) == (held_by, role))
    select_rows(at, 0, number)


def removing(at: AppTest, held_by: str, role: str) -> AppTest:
    """The dialog is open, and will be in the next run too."""
    select(at, held_by, role)
    at.run()
    select(at, held_by, role)
    button(at, f"Remove {role}").click()
    at.run()
    assert not at.exception
    select(at, held_by, role)
    reopen(at, f"Remove {role}")
    return at


def test_a_role_is_removed_and_what_still_gives_the_same_is_shown_first(open_view: Open, own: OwnSandbox) -> None:
    scope = own.registry().id
    for role, where in (("AcrPush", scope), ("AcrPull", scope.partition("/providers/")[0])):
        own.sandbox.store.put_resource(assignment(where, role, SOMEONE, "User", CREATED))
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01")
    at = removing(at, SOMEONE, "AcrPush")
    shown = texts(at).replace("\\", "")
    assert "No longer: push" in shown
    assert "Still (AcrPull, inherited from the resource group resource-group-4): pull" in shown
    assert "az role assignment delete --ids" in shown
    confirm_button(at, "Remove assignment").click()
    at.run()
    assert not at.exception
    assert "AcrPush on casaacr01: deleted and verified. The principal may still, through other roles: pull" in alerts(
        at
    )
    (left,) = of_someone(own)
    assert left["properties"]["scope"] != scope
    assert ("AcrPush", SOMEONE) not in {(row["Role"], row["Object id"]) for row in holders(at)}


def test_what_is_inherited_is_shown_with_where_from_and_has_no_button(open_view: Open, own: OwnSandbox) -> None:
    scope = own.registry().id.partition("/providers/")[0]
    own.sandbox.store.put_resource(assignment(scope, "AcrPull", SOMEONE, "User", CREATED))
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01")
    row = next(row for row in holders(at) if row["Object id"] == SOMEONE)
    assert row["Scope"] == "resource group resource-group-4"
    select(at, SOMEONE, "AcrPull")
    at.run()
    assert not [one for one in at.button if one.label.startswith("Remove")]
    assert "it can only be removed there" in texts(at)


def test_one_s_own_last_right_needs_the_registry_s_name(open_view: Open, own: OwnSandbox) -> None:
    scope = own.registry().id
    for document in own.sandbox.store.list_resources(ASSIGNMENTS):
        if document["properties"]["principalId"] == CONSOLE.object_id:
            own.sandbox.store.delete_resource(document["id"])
    for role, where in (("Reader", scope.partition("/resourceGroups/")[0]), ("Owner", scope)):
        own.sandbox.store.put_resource(assignment(where, role, CONSOLE.object_id, "ServicePrincipal", CREATED))
    at = open_view("assign.py", as_session=own.session(), registry="casaacr01")
    assert "console (you)" in {row["Principal"] for row in holders(at)}
    at = removing(at, CONSOLE.object_id, "Owner")
    assert "By this assignment alone you may assign roles here" in alerts(at)
    assert confirm_button(at, "Remove assignment").disabled
    at.text_input(key="confirm casaacr01").set_value("casaacr01")
    at.run()
    assert not confirm_button(at, "Remove assignment").disabled
    assert len(of_someone(own, CONSOLE.object_id)) == 2


def test_registries_of_the_estate_open(open_view: Open) -> None:
    for name in ("contosohub", "contosopayments", "contosodev"):
        at = open_view("assign.py", registry=name)
        assert not at.exception
        assert len(holders(at)) > 1


def test_no_registry_chosen_says_so(open_view: Open) -> None:
    assert "Choose a registry" in texts(open_view("assign.py"))


def test_a_console_that_listens_elsewhere_only_plans(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = plan(open_view("assign.py", as_session=own.session(), **WANTED))
    assert "Read-only" in alerts(at)
    assert confirm_button(at, "Assign role").disabled
    own.sandbox.store.put_resource(assignment(own.registry().id, "AcrPush", SOMEONE, "User", CREATED))
    role_holders.assignments.clear()
    at = removing(open_view("assign.py", as_session=own.session(), registry="casaacr01"), SOMEONE, "AcrPush")
    assert "Read-only" in alerts(at)
    assert confirm_button(at, "Remove assignment").disabled
