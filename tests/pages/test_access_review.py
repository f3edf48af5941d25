"""Who may do what in the estate, as the page tells it."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.identity.principals import CONSOLE, principal
from sandbox.seeds import company
from sandbox.seeds.resources import assignment
from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from tests.support.app_test import Open, button, keyed, select_rows, texts
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.access_review import principals
from ui.loaders import clusters
from ui.runtime import connection

KUBELET = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
GRAPH_REFUSES = (
    '{"error": {"code": "Authorization_RequestDenied", '
    '"message": "Insufficient privileges to complete the operation."}}'
)


@pytest.fixture
def access(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    def opened(as_session: AzureSession | None = None, **query: str) -> AppTest:
        connection.use(as_session or session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        at = open_view("access_review.py", as_session=as_session, **query)
        assert not at.exception
        return at

    return opened


def table(at: AppTest) -> Any:
    return at.dataframe[0].value


def test_a_registry_s_principals_by_name_those_who_could_do_harm_first(access: Any) -> None:
    rows = table(access(registry="contosohub"))
    assert list(rows["Principal"][:3]) == ["Platform administrator", "console", "platform-engineers"]
    assert list(rows["Privileged"][0])[:2] == ["assigns roles", "can turn the admin user on"]
    by_name = rows.set_index("Principal")
    assert by_name.loc["contoso-pusher", ["Pull", "Push", "Delete"]].tolist() == ["✓", "✓", "✗"]
    assert by_name.loc["contoso-scanner", "Delete"] == "✓"
    assert "Contoso Image Cleaner, this registry" in by_name.loc["contoso-scanner", "Granted by"]
    assert by_name.loc[f"{company.GONE[:8]}… (not in the directory)", "Kind"] == "not in the directory"
    assert by_name.loc["aks-platform-agentpool", "Cluster identity"] == "kubelet identity of aks-platform"


def select(at: AppTest, row: int) -> AppTest:
    select_rows(at, 0, row)
    at.run()
    assert not at.exception
    return at


def test_filters_leave_whom_was_asked_for(access: Any) -> None:
    at = access(registry="contosohub")
    at.toggle(key="first").set_value(True).run()
    assert list(table(at)["Principal"]) == ["Platform administrator", "console", "platform-engineers"]
    at.toggle(key="first").set_value(False).run()
    keyed(at.pills, "may").set_value(["Delete"]).run()
    assert set(table(at)["Delete"]) == {"✓"}
    at.multiselect(key="kind").set_value(["service principal"]).run()
    assert list(table(at)["Principal"]) == ["console", "contoso-scanner"]
    at.text_input(key="search").set_value("Image Cleaner").run()
    assert list(table(at)["Principal"]) == ["contoso-scanner"]
    at.text_input(key="search").set_value("nobody of that name").run()
    assert "No principal matches" in texts(at)


def test_a_chosen_filter_is_bold(access: Any) -> None:
    options = keyed(access(registry="contosohub", may="Push").button_group, "may").options
    assert ":violet[**Push**]" in options and ":violet[Pull]" in options


def test_who_may_delete_is_one_question_with_names_and_assignments(access: Any) -> None:
    at = access(registry="contosohub", may="Delete")
    rows = table(at).set_index("Principal")
    assert "**4 principals** with access to contosohub can delete" in texts(at).replace("\\", "")
    assert list(rows.index) == ["Platform administrator", "console", "platform-engineers", "contoso-scanner"]
    assert rows.loc["contoso-scanner", "Granted by"] == "Contoso Image Cleaner, this registry"
    assert not {"Pull", "Push", "List"} & set(rows.columns)


def test_a_row_says_why_and_leads_to_all_registries_of_that_principal(access: Any) -> None:
    at = select(access(registry="contosohub"), 0)
    said = texts(at).replace("\\", "")
    assert "User Access Administrator, inherited from the root of the directory." in said
    assert (
        "Contributor, inherited from the subscription contoso-platform, held by the group platform-engineers." in said
    )
    warned = at.warning[0].value.replace("\\", "")
    assert "It can assign roles here, and so give itself anything." in warned
    button(at, "Show all its registries").click()
    at.run()
    assert not at.exception
    assert at.query_params["principal"] == company.ADMIN
    assert at.query_params["show"] == "One principal"
    rows = table(at).set_index("Registry")
    assert rows.loc["contosohub", "Push"] == "✓"
    assert rows.loc["contosopayments", ["Pull", "Assign"]].tolist() == ["✗", "✓"]


def test_a_repository_turns_some_into_yes_or_no(access: Any) -> None:
    whole = table(access(registry="contosopayments")).set_index("Principal")
    assert whole.loc["payments-kubelet", "Pull"] == "◐"
    inside = table(access(registry="contosopayments", repository="team/payments/api")).set_index("Principal")
    assert inside.loc["payments-kubelet", "Pull"] == "✓"
    outside = table(access(registry="contosopayments", repository="team/other")).set_index("Principal")
    assert outside.loc["payments-kubelet", "Pull"] == "✗"


def test_what_could_not_be_read_is_said(access: Any) -> None:
    labels = [one.label.replace("\\", "") for one in access(registry="contosohub").expander]
    assert any("1 subscription (contoso-restricted)" in label for label in labels)


def test_without_a_registry_it_asks_for_one(access: Any) -> None:
    for tab in ("This registry", "Switch to ABAC"):
        assert "Choose a registry" in texts(access(show=tab))
    assert "No principal chosen" in texts(access(show="One principal"))


def test_one_principal_everywhere_with_the_groups_that_azure_tells(access: Any) -> None:
    at = access(show="One principal", principal=company.LEAD.upper())
    assert "**Payments lead**, user" in texts(at)
    rows = table(at).set_index("Registry")
    assert rows.loc["contosohub", "Push"] == "✓"
    assert "by group platform-engineers" in rows.loc["contosohub", "Granted by"]
    assert rows.loc["contosopayments", "Assign"] == "✓"
    assert rows.loc["casaacr01", "Pull"] == "✗"


def test_what_a_group_holds_and_what_can_not_be_told_of_it(access: Any) -> None:
    at = access(show="One principal", principal=company.ENGINEERS)
    assert "This is a group." in at.info[0].value
    rows = table(at).set_index("Registry")
    assert (rows.loc["contosohub", "Delete"], rows.loc["contosodev", "Pull"]) == ("✓", "?")


@pytest.mark.parametrize("principal", ["payments-lead@contoso.example", "x') or assignedTo('y"])
def test_what_is_no_object_id_is_said_and_not_asked(access: Any, principal: str) -> None:
    at = access(show="One principal", principal=principal)
    assert "Not an object id" in at.error[0].value
    assert not at.dataframe


def test_somebody_without_any_role_may_nothing(access: Any) -> None:
    rows = table(access(show="One principal", principal="12345678-1234-1234-1234-123456789012"))
    assert set(rows["Pull"]) == {"✗"}


def test_the_dry_run_has_clusters_first_and_the_lines_in_order(access: Any) -> None:
    at = access(registry="contosohub", show="Switch to ABAC")
    numbers = {metric.label: metric.value for metric in at.metric}
    assert numbers["Clusters that stop"] == "≥ 2"  # What one cluster does is unknown.
    assert numbers["Principals losing access"] == "10"
    stopping = [one.value.replace("\\", "") for one in at.error]
    assert [text.partition("**")[2].partition("**")[0] for text in stopping] == ["aks-batch", "aks-platform"]
    assert list(table(at)["Principal"][:2]) == ["aks-platform-agentpool", "contoso-batch"]
    lines = "\n".join(str(code.value) for code in at.code)
    assert (
        lines.index("az role assignment create") < lines.index("rbac-abac") < lines.index("az role assignment delete")
    )
    assert "# Container Registry Repository Writer for contoso-pusher" in lines
    assert company.GONE not in lines.partition("rbac-abac")[0]
    assert "1 principal is not in the directory" in texts(at)


def roles_to_assign(at: AppTest) -> int:
    """The number, which is a lower bound while it is unknown what some principals lose."""
    return next(int(metric.value.removeprefix("≥ ")) for metric in at.metric if metric.label == "Roles to assign")


def test_who_is_said_to_use_images_gets_roles_too(access: Any) -> None:
    at = access(registry="contosohub", show="Switch to ABAC")
    before = roles_to_assign(at)
    at.multiselect(key="all").set_value([company.ENGINEERS]).run()
    assert not at.exception
    assert roles_to_assign(at) == before + 2
    rows = table(at).set_index("Principal")
    assert list(rows.loc["platform-engineers", "Assign first"]) == [
        "Repository Contributor",
        "Repository Catalog Lister",
    ]
    # Its member keeps what the group is given.
    assert list(rows.loc["Platform administrator", "Still loses"]) == []
    assert list(rows.loc["console", "Still loses"])


def test_a_registry_in_abac_mode_has_nothing_to_switch(access: Any) -> None:
    assert "Already in ABAC mode" in texts(access(registry="contosopayments", show="Switch to ABAC"))


def test_a_directory_that_refuses_costs_the_names_and_clusters_name_their_own(access: Any, own: OwnSandbox) -> None:
    document = assignment(own.registry().id, "AcrPull", KUBELET, "ServicePrincipal", own.sandbox.state.stamp())
    own.sandbox.store.put_resource(document)
    own.break_({"path": "/graph/v1.0/", "status": 403, "body": GRAPH_REFUSES})
    at = access(as_session=own.session(), registry=REGISTRY)
    assert any("1 directory (names of principals) could not be read" in one.label for one in at.expander)
    assert "Insufficient privileges to complete the operation." in texts(at).replace("\\", "")
    assert "the kubelet identity of aks1" in list(table(at)["Principal"])
    assert f"{CONSOLE.object_id[:8]}… (name not read)" in list(table(at)["Principal"])


def test_denies_and_tokens_that_refuse_are_said_and_nothing_is_told_for_certain(access: Any, own: OwnSandbox) -> None:
    own.break_({"path": "/denyAssignments$", "status": 403}, {"path": "/tokens$", "status": 403})
    at = access(as_session=own.session(), registry=REGISTRY)
    assert "Repository tokens could not be counted" in texts(at)
    assert "Could not list the deny assignments" in texts(at)
    assert "✓" not in set(table(at)["Pull"])
    assert "maybe assigns roles" in table(at)["Privileged"][0]


def test_ways_in_without_a_role_are_named(access: Any, own: OwnSandbox) -> None:
    own.make_registry("contosoopen", adminUserEnabled=True, anonymousPullEnabled=True)
    at = access(as_session=own.session(), registry="contosoopen")
    (warned,) = (one.value for one in at.warning)
    assert "Admin user is on" in warned and "Anonymous pull is on" in warned
    assert "reads the admin password" in table(at)["Privileged"][0]
    switch = access(as_session=own.session(), registry="contosoopen", show="Switch to ABAC")
    assert "no cluster needs a role to pull" in texts(switch)


def test_a_subscription_that_refuses_makes_no_empty_table(access: Any, own: OwnSandbox) -> None:
    own.break_({"path": "/roleAssignments$", "status": 403})
    for tab, words in (("This registry", "who may do what is unknown"), ("Switch to ABAC", "Do not switch")):
        at = access(as_session=own.session(), registry=REGISTRY, show=tab)
        assert words in texts(at)
        assert not at.dataframe


def test_a_name_is_shown_as_text(access: Any, own: OwnSandbox) -> None:
    pusher = "99999999-0000-0000-0000-000000000001"
    own.sandbox.store.put_resource(principal(pusher, "# **bold** [x](http://x.example)", "servicePrincipal"))
    document = assignment(own.registry().id, "AcrPush", pusher, "ServicePrincipal", own.sandbox.state.stamp())
    own.sandbox.store.put_resource(document)
    at = access(as_session=own.session(), show="One principal", principal=pusher)
    assert "\\*\\*bold\\*\\*" in texts(at)


@pytest.mark.usefixtures("impatient")
def test_a_slow_directory_holds_up_nothing(access: Any, own: OwnSandbox) -> None:
    own.break_({"path": "/graph/v1.0/", "delay_ms": 4000})
    at = access(as_session=own.session(), registry=REGISTRY)
    assert f"{CONSOLE.object_id[:8]}… (name is being read)" in list(table(at)["Principal"])
    assert not any("names of principals" in one.label for one in at.expander)


def test_many_principals_are_asked_about_only_when_wanted(access: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(principals, "ASKED_AT_ONCE", 3)
    at = access(registry="contosohub")
    assert "Until then, what principals have through groups is unknown." in texts(at)
    pusher = table(at).set_index("Principal").loc["contoso-pusher"]
    assert (pusher["Push"], pusher["Delete"]) == ("✓", "?")
    button(at, "Read groups").click()
    at.run()
    assert table(at).set_index("Principal").loc["contoso-pusher", "Delete"] == "✗"


def test_a_reader_sees_who_may_what_on_what_it_may_read(access: Any, reader_session: AzureSession) -> None:
    at = access(as_session=reader_session, registry="casaacr01")
    rows = table(at).set_index("Principal")
    assert rows.loc["reader", ["Pull", "Push"]].tolist() == ["✓", "✗"]
    assert rows.loc["console", "Assign"] == "✓"


def test_a_console_without_registries_says_so(access: Any, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "empty", "empty") as sandbox:
        assert "No registries found" in texts(access(as_session=connect_sandbox(sandbox.ready)))
