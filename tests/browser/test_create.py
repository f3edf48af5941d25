"""The guide's first part in the browser, with its names: a resource group, a registry in it, the server's address."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, console, settled, window

pytestmark = pytest.mark.browser


def fits(page: Page) -> bool:
    settled(page)
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_from_create_a_resource_group_to_the_server_s_url(browser: Browser, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="empty") as address:
        page = window(browser, height=1500)
        main = page.get_by_test_id("stMain")
        page.goto(f"{address}/inventory")
        settled(page)
        expect(main.get_by_text("No registries found", exact=True)).to_be_visible()
        main.get_by_role("button", name="Create registry", exact=True).click()
        expect(page.get_by_role("heading", name="Create registry")).to_be_visible()
        settled(page)

        # az group create -l eastus -n casacloud_rg1
        main.get_by_label("Name of the new group").fill("casacloud_rg1")
        # az acr create --resource-group casacloud_rg1 --name casaacr01 --sku Standard --location eastus
        name = main.get_by_label("Name", exact=True)
        name.press_sequentially("casa")
        expect(main.get_by_text("Too short: a registry's name has at least 5 characters")).to_be_visible()
        name.press_sequentially("-acr01")
        expect(main.get_by_text("No dashes")).to_be_visible()
        name.fill("casaacr01")
        expect(
            main.get_by_text("casaacr01 is available. Its login server will be casaacr01.azurecr.io.")
        ).to_be_visible()
        expect(main.get_by_text("Required: location.")).to_be_visible()
        main.get_by_role("combobox", name="Location").click()
        page.get_by_role("option", name="eastus", exact=True).click()
        expect(main.get_by_role("heading", name="Plan")).to_be_visible()
        expect(main.get_by_text("Create the resource group casacloud_rg1 in eastus.")).to_be_visible()
        expect(main.get_by_text("USD 20.00", exact=True)).to_be_visible()
        lines = main.get_by_test_id("stCode").first
        expect(lines).to_contain_text("--name casacloud_rg1 --location eastus")
        expect(lines).to_contain_text(
            "--resource-group casacloud_rg1 --name casaacr01 --sku Standard --location eastus"
        )
        expect(page).to_have_url(re.compile("new_name=casaacr01"))
        assert fits(page)
        page.screenshot(path=screenshots / "create-light-1280.png")

        main.get_by_role("button", name="Create registry", exact=True).click()
        expect(main.get_by_text("Registry casaacr01: created and verified")).to_be_visible()
        expect(main.get_by_text("Resource group casacloud_rg1: created and verified")).to_be_visible()
        assert fits(page)
        page.screenshot(path=screenshots / "created-light-1280.png")
        told = main.get_by_test_id("stCode").first.inner_text()
        assert re.fullmatch(r"localhost:\d+", told.strip())

        main.get_by_role("link", name="Open casaacr01").click()
        expect(page.get_by_role("heading", name="casaacr01")).to_be_visible()
        expect(page).to_have_url(re.compile(r"/registry\?registry=casaacr01"))
        settled(page)
        expect(main.get_by_text("casacloud_rg1 in casacloud, eastus")).to_be_visible()
        # az acr show --name casaacr01 --query loginServer --output tsv
        expect(main.get_by_text(told.strip(), exact=True).first).to_be_visible()
        # az acr login --name casaacr01
        main.get_by_role("link", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/sign-in\?registry=casaacr01"))
        expect(main.get_by_text("az acr login --name casaacr01", exact=True).first).to_be_attached()
        page.goto(f"{address}/inventory")
        settled(page)
        assert [(row[0], "Standard" in row) for row in cells(page)[1:]] == [("casaacr01", True)]
        page.context.close()


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 390), ("dark", 390)])
def test_the_form_of_the_url_on_every_screen(
    browser: Browser, address: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width, height=1500)
    page.goto(f"{address}/create?grouping=New&new_group=contoso-new-rg&new_name=casaacr01&new_location=westeurope")
    settled(page)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("The registry casaacr01 is already in use.").first).to_be_visible()
    expect(main.get_by_role("button", name="Create registry", exact=True)).to_be_disabled()
    main.get_by_text("The same in Bicep and Terraform").click()
    main.get_by_role("tab", name="Terraform").click()
    expect(main.get_by_text("azurerm_container_registry").first).to_be_visible()
    assert fits(page)
    page.screenshot(path=screenshots / f"create-{theme}-{width}.png")
    page.context.close()


def test_tab_goes_from_field_to_field(page: Page, address: str) -> None:
    page.goto(f"{address}/create?grouping=New")
    settled(page)
    page.get_by_role("combobox", name="Subscription").focus()
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        label = page.evaluate(
            """() => {
                const one = document.activeElement
                const group = one.closest('[role=radiogroup]')
                return one.getAttribute('aria-label') || group?.getAttribute('aria-label') || one.textContent || ''
            }"""
        )
        reached.append(label)
    fields = ["Location", "Name of the new group", "Name", "Login server", "SKU", "Permissions", "Public access"]
    seen = [label for label in reached if any(label.startswith(field) for field in fields)]
    assert seen == fields
