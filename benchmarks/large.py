"""From a click to what a page shows in Chromium, on an estate of 500 registries, against the small one."""

import time
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect

from benchmarks import processes
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio
from tests.support.chromium import chromium
from tests.support.console import settled, window

SIZE = "estate:500:40:250"
ROUNDS = 5
# Until usages and catalogues of 500 registries are read.
READ_WITHIN_MS = 600_000
IS_THERE = (
    "([title, text]) => document.querySelector('h1')?.innerText.startsWith(title) && (text"
    " ? document.body.innerText.includes(text)"
    " : document.querySelector('[data-testid=stDataFrame] table[role=grid] td') !== null)"
)


class Click(NamedTuple):
    """By the link `label` of the sidebar to a page of this title, which shows a table, or `text`."""

    label: str
    title: str
    text: str = ""


CLICKS = (
    Click("Inventory", "Inventory"),
    Click("Pull matrix", "Pull matrix"),
    Click("Search", "Search", "in the index"),
    Click("Storage", "Storage of"),
)


def measure() -> list[Row]:
    with (
        processes.console("app.py", "estate") as small,
        processes.console("app.py", SIZE) as large,
        chromium() as browser,
    ):
        pages = [_opened(browser, large, "contoso0001"), _opened(browser, small, "contosohub")]
        return [_measured(click, *pages) for click in CLICKS]


def _opened(browser: Browser, console: processes.Console, registry: str) -> Page:
    """A tab in which all that the clicks show was read once; the sidebar is at the registry."""
    page = window(browser)
    for path in ("inventory", "matrix", f"storage?registry={registry}"):
        page.goto(f"{console.address}/{path}")
        page.wait_for_function("() => document.querySelector('h1')")
        settled(page)
        expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=READ_WITHIN_MS)
    button = page.get_by_role("button", name="Read all manifests")
    if button.count():
        button.click()
    page.wait_for_function(IS_THERE, arg=["Storage of", ""], timeout=READ_WITHIN_MS)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=READ_WITHIN_MS)
    return page


def _measured(click: Click, large: Page, small: Page) -> Row:
    def clicked(page: Page) -> float:
        page.get_by_test_id("stSidebar").get_by_role("link", name="Activity", exact=True).click()
        page.wait_for_function("() => document.querySelector('h1')?.innerText === 'Activity'")
        settled(page)
        link = page.get_by_test_id("stSidebar").get_by_role("link", name=click.label, exact=True)
        link.wait_for()
        begun = time.perf_counter()
        link.click()
        page.wait_for_function(IS_THERE, arg=[click.title, click.text], timeout=60_000)
        return time.perf_counter() - begun

    for page in (large, small):
        clicked(page)
    pairs = by_turns(lambda: clicked(large), lambda: clicked(small), ROUNDS)
    name = f"From a click to the table in Chromium on 500 registries of 5 million manifests: {click.label}"
    return at_most(f"{name}, × the small estate", median_ratio(pairs), 2)
