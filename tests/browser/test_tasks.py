"""A retention policy that becomes an ACR Task, in the browser: created, run, its log read; and that the views fit."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, console, settled, window

pytestmark = pytest.mark.browser

POLICY = """\
name: Old versions
rules:
  - {name: old, action: delete, older_than_days: 0}
  - {name: rest, action: delete untagged, older_than_days: 0}
"""


def test_a_policy_becomes_a_task_that_purges(page: Page, tmp_path: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        page.goto(f"{address}/policies?policy=new&registry=casaacr01")
        box = page.get_by_label("YAML", exact=True)
        box.fill(POLICY)
        box.press("Control+Enter")
        settled(page)
        page.get_by_role("tab", name="acr purge").click()
        settled(page)
        page.get_by_role("button", name="Create ACR Task").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Every day at 01:00 UTC")).to_be_visible()
        expect(dialog.get_by_text("images that run too")).to_be_visible()
        settled(page)
        dialog.get_by_role("button", name="Create ACR Task").click()
        expect(page.get_by_role("heading", name="retention-old-versions")).to_be_visible()
        expect(page.get_by_text("Task retention-old-versions: created and verified.")).to_be_visible()
        expect(page).to_have_url(re.compile("task=retention-old-versions"))

        settled(page)
        page.get_by_role("button", name="Run task").click()
        settled(page)
        dialog.get_by_role("textbox").fill("retention-old-versions")
        dialog.get_by_role("textbox").press("Tab")
        settled(page)
        dialog.get_by_role("button", name="Run task").click()
        expect(page.get_by_role("heading", name="Run ca1")).to_be_visible()
        expect(page.get_by_text(re.compile(r"Number of deleted tags: [1-9]")).first).to_be_visible()
        expect(page.get_by_text("was started")).to_be_visible()

        settled(page)
        page.get_by_test_id("stMain").get_by_role("link", name="Tasks", exact=True).click()
        expect(page.get_by_role("heading", name="Last runs")).to_be_visible()
        settled(page)
        assert "retention-old-versions" in cells(page)[1]


VIEWS = (
    "tasks?registry=contosohub",
    "tasks?registry=contosohub&task=build-toolbox",
    "tasks?registry=contosohub&run=ca3",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_views_fit(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    for number, path in enumerate(VIEWS):
        page.goto(f"{address}/{path}")
        expect(page.get_by_text("failed to run step ID: build: exit status 1").first).to_be_visible(timeout=30_000)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        page.screenshot(path=screenshots / f"tasks-{number}-{theme}-{width}.png", full_page=True)
    page.context.close()
