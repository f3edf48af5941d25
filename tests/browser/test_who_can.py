"""Who may do what, and what a switch of the mode takes, as a person sees it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import select_row, settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_principals_and_the_dry_run(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/access?registry=contosohub")
    expect(page.get_by_text("principals with a role that reaches contosohub")).to_be_visible(timeout=30_000)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"access-{theme}-{width}.png")
    page.get_by_role("tab", name="Switch to ABAC").click()
    expect(page.get_by_text("would stop pulling").first).to_be_visible()
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"switch-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_from_a_row_to_its_reasons_to_all_registries_and_that_is_in_the_url(page: Page, address: str) -> None:
    page.goto(f"{address}/access?registry=contosohub")
    expect(page.get_by_text("principals with a role that reaches contosohub")).to_be_visible(timeout=30_000)
    settled(page)
    select_row(page, "contoso-scanner")
    expect(page.get_by_text("Contoso Image Cleaner (custom role), on the registry itself.").first).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Show all its registries").click()
    expect(page.get_by_text("contoso-scanner, service principal")).to_be_visible()
    expect(page).to_have_url(re.compile("show=One\\+principal"))
    expect(page).to_have_url(re.compile("principal=46cd9981"))
    again = page.url
    page.goto("about:blank")
    page.goto(again)
    expect(page.get_by_text("contoso-scanner, service principal")).to_be_visible(timeout=30_000)


def test_who_uses_images_is_chosen_and_kept_in_the_url(page: Page, address: str) -> None:
    page.goto(f"{address}/access?registry=contosohub&show=Switch+to+ABAC&all=platform-engineers")
    expect(page.get_by_text("# Container Registry Repository Contributor for platform-engineers")).to_be_visible(
        timeout=30_000
    )
