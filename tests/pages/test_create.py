"""The form for a new registry: what it says as one types, what it plans, and what became of it."""

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.arm.groups import GROUP_TYPE
from sandbox.arm.policies import policy
from sandbox.arm.providers import unregister
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.seeds.walkthrough import SUBSCRIPTION
from tests.support.app_test import Open, button, confirm_button, texts, wait_for_job
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import registries as registry_loaders
from ui.runtime import connection

ANSWERS = {"grouping": "New", "new_group": "contoso-new-rg", "new_name": "contosonew01", "new_location": "eastus"}


def said(at: AppTest) -> str:
    """All that is said, with the boxes of warnings and success."""
    assert not at.exception
    boxes = [*at.warning, *at.success]
    return "\n".join([texts(at), *(str(one.value) for one in boxes)]).replace("\\", "")


def ended(at: AppTest) -> AppTest:
    """After the creation that was begun is over."""
    wait_for_job(at, "Create registry")
    return at.run()


def test_what_is_still_needed_is_said(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session())
    assert "Required: resource group, name." in said(at)
    assert not [one for one in at.button if one.label == "Create registry"]


def test_the_url_fills_the_form_and_the_plan_follows(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    words = said(at)
    assert "contosonew01 is available. Its login server will be **contosonew01.azurecr.io**." in words
    assert "1. Create the resource group contoso-new-rg in eastus." in words
    assert "2. Create the Standard registry contosonew01 in contoso-new-rg, eastus, and read it back." in words
    assert "While empty, it costs **USD 20.00** in a month of 30 days." in words
    assert f"az group create --subscription {SUBSCRIPTION} --name contoso-new-rg --location eastus" in words
    assert "--name contosonew01 --sku Standard --location eastus --role-assignment-mode rbac" in words
    assert "targetScope = 'subscription'" in words
    assert 'resource "azurerm_container_registry" "registry"' in words
    assert "Not in Standard: geo-replication · private endpoints" in words
    assert not confirm_button(at, "Create registry").disabled


def test_a_registry_is_made_and_can_be_opened(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    confirm_button(at, "Create registry").click()
    ended(at.run())
    words = said(at)
    assert "Resource group contoso-new-rg: created and verified" in words
    assert "Registry contosonew01: created and verified" in words
    assert own.sandbox.ready["registries"]["contosonew01"] in words
    assert "already in use" not in words
    inventory = registry_loaders.inventory(connection.who())
    assert inventory.finished.wait(30)
    assert {one.name for one in inventory.value.registries.values} == {"casaacr01", "contosonew01"}
    assert not [one for one in at.text_input if one.key == "new_name"]  # The form has collapsed.
    links = {one.proto.label for one in at.get("page_link")}
    assert {"Open contosonew01", "Push and import", "Attach a cluster", "Sign in"} <= links
    button(at, "Dismiss").click()
    assert "created and verified" not in said(at.run())
    assert "The registry contosonew01 is already in use." in said(at)
    assert confirm_button(at, "Create registry").disabled


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("acr", "Too short: a registry's name has at least 5 characters, this one has 3."),
        ("contoso-acr", "No dashes"),
        ("contoso_acr", "Letters (a to z) and digits only, not _."),
        ("casaacr01", "The registry casaacr01 is already in use."),
        ("ContosoAcr", "az accepts lower-case names only"),
    ],
)
def test_a_name_is_judged_as_it_is_typed(open_view: Open, own: OwnSandbox, name: str, says: str) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS | {"new_name": ""})
    at.text_input(key="new_name").set_value(name).run()
    assert says in said(at)


def test_a_group_that_is_there_is_chosen(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), new_name="contosonew01", new_location="eastus")
    at.selectbox(key="in_group").set_value("casacloud_rg1").run()
    words = said(at)
    assert "Create the resource group" not in words
    assert "az group create" not in words
    assert "az deployment group create" in words
    confirm_button(at, "Create registry").click()
    ended(at.run())
    assert "Registry contosonew01: created and verified" in said(at)
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, "contosonew01")
    assert document and "/casacloud_rg1/" in document["id"]


def test_a_policy_that_denies_is_in_the_plan(open_view: Open, own: OwnSandbox) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    own.sandbox.store.put_resource(policy(scope, "no-basic", "No Basic registries", {"sku": ["Premium"]}))
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    assert "Azure Policy denies it: No Basic registries" in said(at)


def test_a_group_made_for_a_registry_that_failed_is_told(open_view: Open, own: OwnSandbox) -> None:
    own.sandbox.store.put_resource(
        policy(f"/subscriptions/{SUBSCRIPTION}", "allowed-skus", "Allowed SKUs of registries", {"sku": ["Premium"]})
    )
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    confirm_button(at, "Create registry").click()
    ended(at.run())
    words = said(at)
    assert "Registry contosonew01: refused" in words
    assert "Allowed SKUs of registries" in words
    assert "The resource group contoso-new-rg was created for it and stays" in words
    assert f"az group delete --subscription {SUBSCRIPTION} --name contoso-new-rg" in words
    assert "contoso-new-rg" in [one["name"] for one in own.sandbox.store.list_resources(GROUP_TYPE)]


def test_a_provider_is_registered_by_its_own_button(open_view: Open, own: OwnSandbox) -> None:
    subscription = own.sandbox.store.get_resource(f"/subscriptions/{SUBSCRIPTION}")
    assert subscription
    unregister(subscription)
    own.sandbox.store.put_resource(subscription)
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    assert "Microsoft.ContainerRegistry is not registered in casacloud." in said(at)
    assert f"az provider register --subscription {SUBSCRIPTION} --namespace Microsoft.ContainerRegistry" in said(at)
    assert confirm_button(at, "Create registry").disabled
    assert not [request for request in own.sandbox.requests if request.path.endswith("/register")]
    confirm_button(at, "Register provider").click()
    assert "Microsoft.ContainerRegistry in casacloud: Registering." in said(at.run())
    assert not confirm_button(at, "Create registry").disabled


def test_a_private_registry_takes_premium(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    at.toggle(key="new_public").set_value(False).run()
    assert "Standard has no restriction of public access." in "".join(str(one.value) for one in at.error).replace(
        "\\", ""
    )
    at.radio(key="new_sku").set_value("Premium").run()
    assert "Nothing can reach it until it has a private endpoint" in said(at)
    assert "--public-network-enabled false" in said(at)


def test_tags_are_typed_one_a_line(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    at.text_area(key="new_tags").set_value("team=platform\ncostCenter=1100").run()
    assert "--tags team=platform costCenter=1100" in said(at)


def test_a_line_that_is_no_tag_is_said_and_nothing_is_planned(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    at.text_area(key="new_tags").set_value("team=platform\nenvironment").run()
    assert "'environment' is not a tag: write name=value." in said(at)
    assert not [one for one in at.button if one.label == "Create registry"]


def test_a_domain_of_its_own_shows_its_login_server(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    at.selectbox(key="new_domain").set_value("TenantReuse").run()
    assert "Its login server will be **contosonew01-" in said(at)
    assert "--dnl-scope TenantReuse" in said(at)


def test_what_is_typed_is_text_and_not_markdown(open_view: Open, own: OwnSandbox) -> None:
    hostile = "![x](http://example.com/x.png) `$(rm)` **b**"
    typed = {"new_group": hostile, "new_name": hostile}
    at = open_view("create.py", as_session=own.session(), **ANSWERS | typed)
    assert not at.exception
    for element in (*at.markdown, *at.error, *at.warning, *at.info, *at.caption):
        assert "![x]" not in element.value
        assert "**b**" not in element.value
    assert confirm_button(at, "Create registry").disabled
    assert "--name '![x](http://example.com/x.png) `$(rm)` **b**'" in "".join(str(code.value) for code in at.code)


def test_what_the_url_names_and_is_not_there_is_not_chosen(open_view: Open, own: OwnSandbox) -> None:
    wrong = {"new_location": "atlantis", "new_sku": "Classic", "new_subscription": "none", "new_mode": "x"}
    at = open_view("create.py", as_session=own.session(), **ANSWERS | wrong)
    assert "Required: location." in said(at)
    assert at.radio(key="new_sku").value == "Standard"


def test_a_read_only_console_makes_nothing(open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.elements.writing.may_write", lambda **_: False)
    at = open_view("create.py", as_session=own.session(), **ANSWERS)
    assert confirm_button(at, "Create registry").disabled


def test_locations_that_can_not_be_read_are_an_error_and_no_form(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/providers/Microsoft.ContainerRegistry$", "status": 403})
    at = open_view("create.py", as_session=own.session())
    assert "Could not read where Microsoft.ContainerRegistry is offered" in said(at)
    assert not [one for one in at.text_input if one.key == "name"]


def group_dialog(at: AppTest, name: str, location: str | None) -> AppTest:
    """The dialog of a group alone, with its fields filled in."""
    button(at, "Create resource group").click().run()
    next(one for one in at.text_input if one.placeholder.startswith("contoso-registries")).set_value(name)
    at.selectbox[-1].set_value(location)
    button(at, "Create resource group").click()
    return at.run()


def test_a_group_alone_is_created_as_in_the_guide(open_view: Open, own: OwnSandbox) -> None:
    at = group_dialog(open_view("create.py", as_session=own.session()), "casacloud_rg9", "eastus")
    assert f"az group create --subscription {SUBSCRIPTION} --name casacloud_rg9 --location eastus" in said(at)
    assert button(at, "Cancel")
    next(one for one in at.text_input if one.placeholder.startswith("contoso-registries")).set_value("casacloud_rg9")
    at.selectbox[-1].set_value("eastus")
    button(at, "Create resource group").click()
    confirm_button(at, "Create resource group").click()
    assert "Resource group casacloud_rg9: created and verified." in said(at.run())
    assert "casacloud_rg9" in [one["name"] for one in own.sandbox.store.list_resources(GROUP_TYPE)]


def test_a_group_that_exists_is_not_created_again(open_view: Open, own: OwnSandbox) -> None:
    at = group_dialog(open_view("create.py", as_session=own.session()), "CasaCloud_rg1", "eastus")
    assert "The resource group casacloud_rg1 already exists" in "".join(one.value for one in at.error).replace("\\", "")
    assert confirm_button(at, "Create resource group").disabled
