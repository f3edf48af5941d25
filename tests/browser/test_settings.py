"""A registry's settings changed in the browser, and a registry deleted by typing its name."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, console, settled, window

pytestmark = pytest.mark.browser


def test_a_setting_is_changed_and_a_registry_deleted(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/registry?registry=contosobuild")
        settled(page)
        page.get_by_role("button", name="Disable admin user").click()
        expect(page.get_by_role("heading", name="Settings of contosobuild")).to_be_visible()
        settled(page)
        expect(page.get_by_role("switch", name="Admin user")).not_to_be_checked()
        expect(page.get_by_text("refused at once")).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Change 1 setting").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("In contosobuild, in one request:")).to_be_visible()
        dialog.get_by_role("button", name="Change 1 setting now").click()
        expect(page.get_by_text("contosobuild: 1 setting changed and verified.")).to_be_visible()
        expect(page.get_by_text("No changes yet")).to_be_visible()
        expect(page.get_by_role("switch", name="Admin user")).not_to_be_checked()
        settled(page)
        page.get_by_role("button", name="Dismiss").click()

        page.goto(f"{address}/settings?registry=contosodev")
        settled(page)
        page.get_by_text("Show what would be deleted").click()
        expect(page.get_by_text("Its images can't be restored")).to_be_visible()
        go = page.get_by_role("button", name="Delete registry")
        expect(go).to_be_disabled()
        page.get_by_label("Type the name to confirm").fill("contosodev")
        page.keyboard.press("Enter")
        expect(go).to_be_enabled()
        page.screenshot(path=screenshots / "delete-a-registry-light-1280.png")
        go.click()
        expect(page.get_by_text(re.compile("Registry contosodev: deleted and verified"))).to_be_visible()
        settled(page)
        page.get_by_test_id("stMain").get_by_role("link", name="Inventory").click()
        expect(page.get_by_role("heading", name="Inventory")).to_be_visible()
        settled(page)
        assert "contosodev" not in {row[0] for row in cells(page)[1:]}


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_the_settings_are_readable_in_both_themes_and_widths(
    browser: Browser, address: str, theme: str, width: int, screenshots: Path
) -> None:
    page = window(browser, theme, width)
    page.goto(f"{address}/settings?registry=contosohub")
    settled(page)
    page.get_by_text("Selected networks (IP rules)").click()
    expect(page.get_by_text("nothing can reach the registry then")).to_be_visible()
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"settings-{theme}-{width}.png")
    page.context.close()
