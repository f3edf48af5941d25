"""Signing in and assigning roles in the browser: each tool's lines, what the registry grants, a role assigned and
removed, a principal chosen by name."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, click_name, console, select_row, settled, window

pytestmark = pytest.mark.browser

SOMEONE = "5c1d0000-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_how_to_sign_in_and_what_one_may_do(
    browser: Browser, address: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/sign-in?registry=contosopayments&repository=team/payments/api")
    expect(page.get_by_text("az acr login --name contosopayments", exact=True).first).to_be_attached()
    settled(page)
    page.get_by_role("button", name="Check my permissions").click()
    expect(page.get_by_text("Asked just now")).to_be_visible()
    settled(page)
    found = {row[0]: row[1] for row in cells(page)[1:]}
    assert found["sign in"] == found["pull"] == "✓ yes"
    page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"sign-in-{theme}-{width}.png")
    page.get_by_test_id("stRadio").get_by_text("GitHub Actions").click()
    expect(page.get_by_text("id-token: write").first).to_be_attached()
    expect(page).to_have_url(re.compile("tool=GitHub"))
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_a_role_is_assigned_by_a_link_and_removed(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        wanted = f"role=AcrPush&principal={SOMEONE}&kind=User"
        page.goto(f"{address}/assign?registry=casaacr01&{wanted}")
        expect(page.get_by_text("Press a name to remove")).to_be_visible(timeout=30_000)
        settled(page)
        page.get_by_role("button", name="Plan assignment").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("AcrPush for the user 5c1d0000… (not in the directory) on casaacr01")).to_be_visible()
        expect(dialog.get_by_text("az role assignment create").first).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "assign-light-1280.png")
        dialog.get_by_role("button", name="Assign role").click()
        expect(page.get_by_text("AcrPush on casaacr01: created and verified.")).to_be_visible(timeout=30_000)
        expect(page).to_have_url(re.compile(f"principal={SOMEONE}"))
        settled(page)
        holders = page.get_by_test_id("stDataFrame").locator("table[role='grid']")
        expect(holders).to_contain_text("AcrPush")
        select_row(page, "AcrPush")
        settled(page)
        page.get_by_role("button", name="Remove AcrPush").click()
        expect(dialog.get_by_text("No longer: pull, push")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "remove-light-1280.png")
        dialog.get_by_role("button", name="Remove assignment").click()
        expect(page.get_by_text("AcrPush on casaacr01: deleted and verified.")).to_be_visible(timeout=30_000)
        settled(page)
        expect(holders).not_to_contain_text("AcrPush")


def test_the_form_writes_what_it_holds_into_the_url(page: Page, address: str) -> None:
    page.goto(f"{address}/assign?registry=contosopayments")
    expect(page.get_by_text("Press a name to remove")).to_be_visible(timeout=30_000)
    settled(page)
    search = page.get_by_role("searchbox", name="Principal").or_(page.get_by_role("textbox", name="Principal"))
    search.fill("lead")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stDataFrame").first.locator("table[role='grid']")).to_contain_text("payments-lead@")
    settled(page)
    click_name(page, "Payments lead", shown=page.get_by_role("button", name="Change"))
    settled(page)
    expect(page.get_by_text(re.compile("payments-lead@"))).to_be_visible()
    expect(page).to_have_url(re.compile("kind=User"))
    settled(page)
    page.get_by_role("button", name="Change").click()
    settled(page)
    search.fill(SOMEONE)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Use this object id").click()
    expect(page).to_have_url(re.compile(f"principal={SOMEONE}"))
    settled(page)
    page.get_by_role("radio", name="Group").click()
    expect(page).to_have_url(re.compile("kind=Group"))
    settled(page)
    page.reload()
    expect(page.get_by_text("5c1d0000… (not in the directory)").first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("radio", name="Group")).to_be_checked()
