"""The pull matrix as a person sees it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_squares_and_rows(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/matrix")
    chart = page.get_by_role("figure", name=re.compile("^Pull matrix: a row for each cluster"))
    expect(chart).to_be_visible(timeout=30_000)
    settled(page)
    expect(chart.get_by_text("aks-platform")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"matrix-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_a_pair_is_found_by_the_keyboard_and_its_filter_is_in_the_url(page: Page, address: str) -> None:
    page.goto(f"{address}/matrix")
    expect(page.get_by_role("figure", name=re.compile("^Pull matrix: a row for each cluster"))).to_be_visible(
        timeout=30_000
    )
    settled(page)
    page.get_by_role("searchbox", name="Search").fill("casaacr01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("6 pairs shown")).to_be_visible()
    expect(page).to_have_url(re.compile("search=casaacr01"))
    settled(page)
    # Of a table as wide as this the grid holds the columns in sight only; rows are all there.
    grid = page.get_by_test_id("stDataFrame").locator("table[role='grid']")
    expect(grid).to_have_attribute("aria-rowcount", "7")
    expect(grid.locator("tr", has_text="aks1").first).to_contain_text("no role")


def test_a_click_on_a_square_leads_to_the_checker(page: Page, address: str) -> None:
    page.goto(f"{address}/matrix?search=casaacr01")
    chart = page.get_by_role("figure", name=re.compile("^Pull matrix: a row for each cluster"))
    expect(chart).to_be_visible(timeout=30_000)
    settled(page)
    rows = [label.text_content() for label in chart.locator(".ytick text").all()]
    box = chart.locator("g.points path.point").nth(rows.index("aks1")).bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("aks1 from casaacr01: – no role.")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Check this pair").click()
    expect(page).to_have_url(re.compile("aks.*cluster=aks1"))
    expect(page.get_by_text("can't pull from").first).to_be_visible(timeout=30_000)
