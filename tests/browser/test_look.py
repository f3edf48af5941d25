"""What holds for every page: short before its tabs, legible, and without an error in the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.console import settled, window
from tests.support.fault_walk import VIEWS

pytestmark = pytest.mark.browser

TWO_SCREENS = 1800
LEAST_CONTRAST = 4.5
CONTRAST = (Path(__file__).parents[1] / "support" / "contrast.js").read_text()
# How far down a page's tabs begin; without tabs, where the page ends.
HEIGHT = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const block = main.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect();
  const tabs = main.querySelector('[data-testid=stTabs]');
  return (tabs ? tabs.getBoundingClientRect().top : block.bottom) - block.top;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_short_legible_and_without_errors(
    browser: Browser, address: str, screenshots: Path, theme: str
) -> None:
    page = window(browser, theme)
    wrong: list[str] = []
    view = ""
    page.on("console", lambda message: wrong.append(f"{view}: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"{view}: {error}"))
    for view, (path, query) in VIEWS.items():
        page.goto(f"{address}/{path}?" + "&".join(f"{name}={value}" for name, value in query.items()))
        expect(page.get_by_role("heading").first).to_be_visible()
        settled(page)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(
            0, timeout=60_000
        )  # All has been read.
        settled(page)
        height = page.evaluate(HEIGHT)
        if height > TWO_SCREENS:
            wrong.append(f"{view}: {height:.0f} pixels before its tabs")
        faint = {one["text"]: one["ratio"] for one in page.evaluate(CONTRAST) if one["ratio"] < LEAST_CONTRAST}
        wrong += [f"{view}: {ratio:.2f} : 1 for {text!r}" for text, ratio in faint.items()]
        page.screenshot(path=screenshots / f"look-{view.replace(' ', '-')}-{theme}.png")
    page.context.close()
    assert not wrong, "\n".join(wrong)
