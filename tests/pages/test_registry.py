import pytest

from services.connection.session import AzureSession
from services.registries.findings import Risk, findings_of, passed_checks
from services.registries.reading import list_registries
from services.registry_lifecycle.settings import recommended, settings_of, with_settings
from services.registry_lifecycle.settings_change import unavailable_settings
from tests.support.app_test import Open, actions, button, facts, texts
from tests.support.own_sandbox import OwnSandbox

GUIDE_ID = (
    "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f/resourceGroups/resource-group-4"
    "/providers/Microsoft.ContainerRegistry/registries/casaacr01"
)


def test_the_guides_registry_shows_its_id_and_login_server(open_view: Open, session: AzureSession) -> None:
    at = open_view("registry.py", registry="casaacr01")
    codes = [code.value for code in at.code]
    assert GUIDE_ID in codes
    registry = next(found for found in list_registries(session).values if found.name == "casaacr01")
    assert registry.login_server in codes
    assert "Sign in" in actions(at)
    access = open_view("registry.py", registry="casaacr01", show="Access")
    assert {"sign-in", "tokens", "assign", "access"} <= {link.proto.page for link in access.main.get("page_link")}


def test_each_finding_comes_with_its_reason_and_its_line(open_view: Open, session: AzureSession) -> None:
    registry = max(list_registries(session).values, key=lambda registry: len(findings_of(registry)))
    at = open_view("registry.py", registry=registry.name)
    words = texts(at).replace("\\", "").replace("\u2060", "")
    for finding in findings_of(registry):
        assert finding.reason in words
        assert finding.fix in [code.value for code in at.code]


def test_every_registry_of_the_estate_opens(open_view: Open, session: AzureSession) -> None:
    for registry in list_registries(session).values:
        at = open_view("registry.py", registry=registry.name)
        assert not at.exception
        assert at.title[0].value == registry.name


def test_a_registry_that_is_gone_is_an_error_panel(open_view: Open) -> None:
    at = open_view("registry.py", registry="gone")
    assert not at.exception
    # A subscription of the estate refuses: the registry may be in that.
    assert "Unknown whether there is a registry gone" in texts(at).replace("\\", "")


def test_no_registry_in_the_url_says_where_to_choose_one(open_view: Open) -> None:
    assert "Choose a registry" in texts(open_view("registry.py"))


TABS = ("Overview", "Images", "Access", "Network", "Cost", "Settings")


@pytest.mark.parametrize("show", TABS)
def test_every_tab_of_every_registry_opens(open_view: Open, session: AzureSession, show: str) -> None:
    for registry in list_registries(session).values:
        at = open_view("registry.py", registry=registry.name, show=show)
        assert not at.exception


FIXES = {
    "Admin user on": ("Disable admin user", "Admin user"),
    "ARM tokens accepted": ("Refuse ARM tokens", "ARM tokens"),
    "Anonymous pull": ("Disable anonymous pull", "Anonymous pull"),
    "No retention policy": ("Enable retention policy", "Untagged manifests"),
    "Open to all networks": ("Restrict networks", "Networks"),
}


@pytest.mark.parametrize("title", FIXES)
def test_a_finding_opens_the_setting_that_fixes_it_filled_in(
    open_view: Open, session: AzureSession, title: str
) -> None:
    """The plan has that one change, and it removes the finding. Nothing is sent until it is confirmed."""
    label, setting = FIXES[title]
    registry = next(
        one
        for one in list_registries(session).values
        for found in findings_of(one)
        if found.title == title and found.setting not in unavailable_settings(one)
    )
    at = open_view("registry.py", registry=registry.name)
    button(at, label).click().run()
    assert at.title[0].value.startswith("Settings of")
    planned = next(table.value for table in at.table if "After" in table.value)
    assert list(planned["Setting"]) == [setting]
    field = next(found.setting for found in findings_of(registry) if found.title == title)
    fixed = with_settings(registry, recommended(settings_of(registry), field))
    assert title not in {found.title for found in findings_of(fixed)}


def test_low_risk_findings_and_passed_checks_are_counts(open_view: Open, session: AzureSession) -> None:
    for registry in list_registries(session).values:
        at = open_view("registry.py", registry=registry.name)
        low = sum(found.risk is Risk.LOW for found in findings_of(registry))
        labels = [found.label for found in at.expander]
        assert any(label.startswith(f"{low} low-risk finding") for label in labels) is bool(low)
        assert any(label.startswith(f"{len(passed_checks(registry))} check") for label in labels)


def test_usage_that_was_not_read_is_unknown_and_no_check_passed(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": ".*/registries/casaacr01/listUsages", "status": 403})
    at = open_view("registry.py", own.session(), registry="casaacr01")
    words = texts(at)
    assert "Not checked: **Included storage**" in words
    assert "Within the included storage" not in words
    lines = [found.value for found in at.markdown]
    assert lines[lines.index(":small[Stored]") + 1] == "**–**"


def test_a_bill_that_was_not_read_is_unknown(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": ".*/Microsoft.CostManagement/query", "status": 403}, {"path": ".*usageDetails", "status": 403})
    at = open_view("registry.py", own.session(), registry="casaacr01", show="Cost")
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["So far this month"] == "–"
    assert figures["At list prices"] != "–"
    assert any("could not be read" in found.label for found in at.expander)


def test_the_cost_is_that_of_the_registry_alone(open_view: Open, session: AzureSession) -> None:
    def cost_of(name: str) -> str:
        at = open_view("registry.py", session, registry=name, show="Cost")
        return next(metric.value for metric in at.metric if metric.label == "So far this month")

    assert cost_of("contosohub") != cost_of("contosobuild")
    assert "–" not in (cost_of("contosohub"), cost_of("contosobuild"))


def test_settings_of_a_registry_are_lines(open_view: Open) -> None:
    shown = facts(open_view("registry.py", registry="contosohub", show="Settings"))
    assert shown["Encryption key"].replace("\\", "") == "Microsoft-managed"
    assert "contoso" in shown["Subscription"]
