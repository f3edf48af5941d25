"""The roles as a person sees them: a question answered, and the chart of what each may do."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import choose, settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_what_each_role_may_do(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/roles")
    page.get_by_role("tab", name="What each role may do").click(timeout=30_000)
    chart = page.get_by_role("figure", name=re.compile("^What each role allows in Legacy mode"))
    expect(chart).to_be_visible()
    expect(chart.get_by_text("AcrDelete")).to_be_visible()
    # Drawn while its tab was closed, it would be wider or narrower than its page.
    assert chart.evaluate("found => Math.abs(found.clientWidth - found.parentElement.clientWidth)") < 2
    expect(page).to_have_url(re.compile(r"show=What"))
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"roles-{theme}-{width}.png", full_page=True)
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_the_question_is_answered_by_the_keyboard_and_its_url_can_be_sent(page: Page, address: str) -> None:
    page.goto(f"{address}/roles")
    answer = page.get_by_test_id("stAlert").first
    expect(answer).to_contain_text("AcrPush", timeout=30_000)
    settled(page)
    choose(page, "Registry", "contosopayments", page.get_by_text("ABAC permissions"))
    expect(answer).to_contain_text("Container Registry Repository Writer")
    choose(page, "Use case", "Clean-up job", answer.get_by_text("Container Registry Repository Contributor"))
    page.get_by_role("textbox", name="Repositories").fill("team/payments/")
    page.keyboard.press("Enter")
    expect(answer).to_contain_text("all below team/payments/")
    settled(page)
    page.goto(page.url)
    expect(answer).to_contain_text("Container Registry Repository Contributor", timeout=30_000)
    expect(answer).to_contain_text("all below team/payments/")
    expect(page.get_by_test_id("stCode")).to_contain_text("repositories/content/delete")
