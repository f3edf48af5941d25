"""The integration checker: who pulls, the answer with its reasons, attaching and detaching, and who may not."""

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.identity.principals import READER
from sandbox.seeds.company import BATCH
from sandbox.server import Sandbox
from services.aks.puller import object_id_of
from services.connection.session import AzureSession, connect_sandbox
from tests.support.app_test import Open, button, confirm_button, keyed, reopen, texts
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import clusters
from ui.runtime import connection

KUBELET, CONTROL_PLANE = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6", "a7283972-89ef-4ce1-a630-3925cb926d3c"


def ended(at: AppTest) -> AppTest:
    """Once all checks have run."""
    assert not at.exception
    if not at.query_params.get("registry"):
        return at
    who = connection.who()
    repository, reference, principal = (
        "".join(one.value for one in at.text_input if one.key == key)
        for key in ("repository", "reference", "principal")
    )
    reading = clusters.pulls(who)
    pulls = reading.value
    if not pulls.clusters.values:
        return at
    if not keyed(at.selectbox, "cluster").value:
        return at
    cluster = next(one for one in pulls.clusters.values if one.name == keyed(at.selectbox, "cluster").value)
    named = "".join(at.query_params["registry"])
    registry = next(one for one in pulls.registries.values if one.name == named)
    if not principal and not cluster.puller.object_id:
        principal = object_id_of(cluster, pulls.memberships)
    checks = clusters.pull_checks(who, cluster.id, registry.id, repository, reference, principal, reading.at)
    assert checks.finished.wait(30)
    return at.run()


@pytest.fixture
def check(open_view: Open):  # type: ignore[no-untyped-def]
    def opened(session: AzureSession, **query: str) -> AppTest:
        connection.use(session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        at = open_view("integration_checker.py", as_session=session, **query)
        return ended(at)

    return opened


PAIR = {"cluster": "aks1", "registry": "casaacr01"}


def alerts(at: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*at.success, *at.error, *at.warning, *at.info)).replace("\\", "")


def test_nothing_chosen_says_so(check: Any, own: OwnSandbox) -> None:
    own.make_registry("contosoother")
    shown = texts(check(own.session()))
    assert "Choose a registry" in shown


def test_both_identities_and_which_one_pulls(check: Any, own: OwnSandbox) -> None:
    at = check(own.session(), **PAIR)
    assert "**aks1 can't pull from casaacr01**: the kubelet identity aks1-agentpool of aks1 lacks AcrPull" in alerts(at)
    assert "Who can fix it:** you, with **Attach registry**" in alerts(at)
    assert not re.search(r"\bC\d", texts(at))
    shown = texts(at)
    assert "The kubelet identity aks1-agentpool of aks1 lacks AcrPull on casaacr01." in shown.replace("\\", "")
    assert KUBELET in shown and CONTROL_PLANE in shown
    (identities,) = (table.value for table in at.main.table)
    assert list(identities.columns) == ["Kubelet identity", "Control plane identity"]
    rows = {str(name): [str(cell).replace("\\", "") for cell in row] for name, row in identities.iterrows()}
    assert rows["Name"] == ["aks1-agentpool", "aks1"]
    assert rows["Roles on casaacr01"] == ["None", "None"]
    assert [("yes" in cell, "no" in cell) for cell in rows["Pulls images"]] == [(True, False), (False, True)]
    assert "az role assignment create --assignee d55c1efa-7418-42a5-9dc4-34467aba4ca0 --role AcrPull" in shown


def test_a_grant_to_the_control_plane_is_named_for_the_mistake_it_is(check: Any, session: AzureSession) -> None:
    at = check(session, cluster="aks-payments", registry="contosohub")
    mistake = "AcrPull on the registry is assigned to the control plane's identity, which never pulls images"
    assert mistake in alerts(at)
    assert mistake not in "\n".join(str(one.value) for one in at.main.markdown).replace("\\", "")
    roles = next(row for name, row in at.main.table[0].value.iterrows() if str(name).startswith("Roles on"))
    assert list(roles) == ["None", "AcrPull"]


def test_a_service_principal_s_object_id_is_read_from_the_directory(check: Any, session: AzureSession) -> None:
    at = check(session, cluster="aks-batch", registry="contosohub")
    assert "principal" not in at.session_state
    assert "aks-batch can probably pull from contosohub.** Unknown: Kubelet identity exists" in alerts(at)
    assert "AcrPull, inherited from the resource group" in texts(at).replace("\\", "")


def test_where_the_directory_refuses_it_the_object_id_can_be_given(check: Any, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"path": "/servicePrincipals$", "status": 403}]')
    with Sandbox.start(tmp_path / "sandbox", "estate", faults=faults) as sandbox:
        at = check(connect_sandbox(sandbox.ready), cluster="aks-batch", registry="contosohub")
        assert "Unknown whether aks-batch can pull from contosohub**. Image pull permission unknown:" in alerts(at)
        at.text_input(key="principal").set_value(BATCH).run()
        at = ended(at)
        assert "AcrPull, inherited from the resource group" in texts(at).replace("\\", "")


def test_a_pod_s_event_names_its_cause_and_the_check_that_confirms_it(check: Any, own: OwnSandbox) -> None:
    at = check(own.session(), **PAIR)
    event = "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized"
    at.text_area[0].set_value(event).run()
    assert not at.exception
    shown = texts(at).replace("\\", "")
    assert "no role lets it pull from this repository" in shown
    assert "Confirmed by a check." in shown
    assert "Image pull permission: failed" in shown
    at.text_area[0].set_value("Back-off pulling image").run()
    assert "No known error in this text" in alerts(at)


EVENT = 'Failed to pull image "{}/nodejstemplate:v9": not found'


def links(at: AppTest) -> dict[str, str]:
    return {str(link.label).replace("\\", ""): str(link.proto.query_string) for link in at.main.get("page_link")}


def test_an_event_of_a_known_registry_leads_to_its_check_before_any_check_ran(check: Any, own: OwnSandbox) -> None:
    at = check(own.session())
    at.text_area[0].set_value(EVENT.format(own.registry().login_server)).run()
    assert "Not checked yet:** Image, Platform" in texts(at)
    query = links(at)["Check nodejstemplate in casaacr01"]
    assert "registry=casaacr01" in query and "reference=v9" in query


@pytest.mark.parametrize("refused", [False, True])
def test_an_event_of_another_registry_says_what_is_known_of_it(check: Any, own: OwnSandbox, refused: bool) -> None:
    if refused:
        own.break_({"path": "/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    at = check(own.session())
    at.text_area[0].set_value(EVENT.format("contoso.azurecr.io")).run()
    shown = texts(at).replace("\\", "")
    assert ("Unknown registry: contoso.azurecr.io" in shown) is refused
    assert ("No registry that this identity sees has the login server" in shown) is not refused


def test_a_cluster_that_is_not_there_is_said_and_the_nearest_offered(check: Any, own: OwnSandbox) -> None:
    at = check(own.session(), cluster="aks11")
    assert "There is no cluster aks11 here" in texts(at)
    button(at, "Open aks1").click().run()
    assert keyed(at.selectbox, "cluster").value == "aks1"
    assert "There is no cluster" not in texts(at)


def test_a_cluster_is_unknown_where_the_list_failed(check: Any, own: OwnSandbox) -> None:
    own.break_({"path": "/managedClusters$", "status": 403})
    shown = texts(check(own.session(), **PAIR))
    assert "Unknown whether there is a cluster aks1" in shown
    assert "There is no cluster" not in shown


def test_no_event_is_confirmed_by_a_check_that_did_not_run(check: Any, own: OwnSandbox) -> None:
    own.make_registry("contosoother")
    missing = "Error: manifest unknown: manifest tagged by v9"

    def said(at: AppTest, event: str) -> str:
        at.text_area[0].set_value(event).run()
        assert not at.exception
        shown = texts(at).replace("\\", "")
        assert "Confirmed by" not in shown
        return shown

    nothing_chosen, pair = check(own.session()), check(own.session(), **PAIR)
    not_checked = "Not checked yet:** Image, Platform: "
    assert f"{not_checked}choose a cluster and a registry" in said(nothing_chosen, missing)
    assert f"{not_checked}enter the repository and the tag" in said(pair, missing)
    elsewhere = 'Failed to pull image "contoso.azurecr.io/app:v1": 401 Unauthorized'
    shown = said(pair, elsewhere)
    assert "not of the event's image" in shown
    assert "Image pull permission: failed" not in shown
    assert "No registry that this identity sees has the login server" in shown
    assert "`kubectl describe node`: the condition DiskPressure" in said(pair, "no space left on device")


def attach(at: AppTest) -> AppTest:
    button(at, "Attach registry").click()
    at.run()
    reopen(at, "Attach registry")
    confirm_button(at, "Attach registry").click()
    return at.run()


def test_attaching_lets_it_pull_and_detaching_takes_it_back(check: Any, own: OwnSandbox) -> None:
    at = attach(check(own.session(), **PAIR))
    assert not at.exception
    at = again(at)
    assert "**aks1 can pull from casaacr01**" in alerts(at)
    assert "AcrPull, on the registry itself" in texts(at).replace("\\", "")
    button(at, "Detach registry").click()
    at.run()
    assert "Afterwards no known role lets the cluster pull." in texts(at)
    reopen(at, "Detach registry")
    confirm_button(at, "Detach registry").click()
    at.run()
    assert "aks1 can't pull from casaacr01" in alerts(again(at))


def again(at: AppTest) -> AppTest:
    """After a write all is read anew."""
    assert clusters.pulls(connection.who()).finished.wait(30)
    return ended(at.run())


def test_what_is_there_already_is_not_written_again(check: Any, own: OwnSandbox) -> None:
    at = again(attach(check(own.session(), **PAIR)))
    writes = own.writes()
    button(at, "Attach registry").click()
    at.run()
    assert "Nothing to do: it can already pull through AcrPull, on the registry itself." in alerts(at)
    assert confirm_button(at, "Attach registry").disabled
    assert own.writes() == writes


def test_who_may_not_assign_roles_gets_a_request_for_who_may(check: Any, own: OwnSandbox) -> None:
    at = check(own.session(as_reader=True), **PAIR)
    button(at, "Attach registry").click()
    at.run()
    assert "You may not assign roles on this registry" in alerts(at)
    assert confirm_button(at, "Attach registry").disabled
    shown = texts(at)
    assert "Please assign AcrPull on the registry casaacr01 to the kubelet identity of the cluster aks1" in shown
    assert "az role assignment create" in shown and "--role AcrPull" in shown
    assert "azurerm_role_assignment" in shown
    assert "Microsoft.Authorization/roleAssignments@2022-04-01" in shown
    assert READER.object_id not in shown


def test_who_may_not_assign_roles_reads_who_can_by_name(check: Any, own: OwnSandbox) -> None:
    role = "Owner, User Access Administrator or Role Based Access Control Administrator on casaacr01"
    shown = texts(check(own.session(as_reader=True), **PAIR)).replace("\\", "")
    assert f"{role}; here: **console**." in shown
    own.break_({"path": "/subscriptions/[^/]+/providers/Microsoft.Authorization/roleAssignments$", "status": 403})
    clusters.pulls.clear(connection.who())
    shown = texts(check(own.session(as_reader=True), **PAIR)).replace("\\", "")
    assert f"{role}; unknown who that is here: role assignments could not be read." in shown


def test_a_write_that_azure_refuses_is_a_panel(check: Any, own: OwnSandbox) -> None:
    own.break_({"method": "PUT", "path": "/roleAssignments/", "status": 403})
    at = attach(check(own.session(), **PAIR))
    assert not at.exception
    assert "Could not attach casaacr01 to aks1" in texts(at)
    assert "Give an administrator the request" in texts(at)


def test_role_assignments_that_refuse_are_a_panel_and_never_a_green_answer(check: Any, own: OwnSandbox) -> None:
    own.break_({"method": "GET", "path": "/casaacr01/providers/Microsoft.Authorization/roleAssignments", "status": 403})
    at = check(own.session(), **PAIR)
    assert "Could not list the role assignments at casaacr01" in texts(at)
    assert not at.success
    assert "Unknown whether aks1 can pull from casaacr01**. Image pull permission unknown: Could not list" in alerts(at)


def start_test_pull(at: AppTest) -> AppTest:
    button(at, "Run test pull").click()
    at.run()
    script = next(code.value for code in at.code if "# acr-console: pull" in code.value)
    image = script.partition("# acr-console: pull ")[2].split()[0]
    assert image.endswith("/nodejstemplate:v1.0.0")
    reopen(at, "Run test pull")
    confirm_button(at, "Run test pull").click()
    at.run()
    cluster = next(one for one in clusters.pulls(connection.who()).value.clusters.values if one.name == "aks1")
    assert at.session_state["runs: test pulls"][f"{cluster.id} {image}"].reading.finished.wait(30)
    return at.run()


def test_a_pod_in_the_cluster_proves_what_the_checks_say(check: Any, own: OwnSandbox) -> None:
    image = {"repository": "nodejstemplate", "reference": "v1.0.0"}
    at = start_test_pull(check(own.session(), **PAIR, **image))
    assert not at.exception
    assert "close: not pulled" in texts(at)
    assert any(code.value.startswith("ErrImagePull: ") and "401 Unauthorized" in code.value for code in at.code)
    at = start_test_pull(again(attach(at)))
    assert "check: pulled" in texts(at)
    assert "close: not pulled" not in texts(at)


def test_who_may_not_run_commands_is_told_so(check: Any, own: OwnSandbox) -> None:
    at = start_test_pull(check(own.session(as_reader=True), **PAIR, repository="nodejstemplate", reference="v1.0.0"))
    assert not at.exception
    assert "runcommand/action" in texts(at) + alerts(at)


def test_the_verdict_says_who_can_fix_a_check(check: Any, own: OwnSandbox) -> None:
    at = check(own.session(), **PAIR, repository="nodejstemplate", reference="v9")
    assert "Also failed: Image" in alerts(at)
    own.break_({"path": "/roleAssignments", "status": 403})
    clusters.pulls.clear(connection.who())
    at = check(own.session(), **PAIR, repository="nodejstemplate", reference="v9")
    assert "Who can fix it:** anyone who can push to this repository of casaacr01" in alerts(at)
