"""Growth of a registry and of all, in both themes and widths."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, console, settled, window

pytestmark = pytest.mark.browser

SIZES = [("light", 1280), ("light", 390), ("dark", 1280), ("dark", 390)]


@pytest.fixture(scope="module")
def recorded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with snapshots of contosohub on several days, each smaller than the one after."""
    data = tmp_path_factory.mktemp("growth")
    with console(data) as address:
        page = window(browser)
        page.goto(f"{address}/storage?registry=contosohub")
        expect(page.get_by_role("figure", name=re.compile("has the most"))).to_be_visible(timeout=60_000)
        page.context.close()
        with closing(sqlite3.connect(data / "console" / "console.db", timeout=30)) as db, db:
            names = [row[1] for row in db.execute("PRAGMA table_info(snapshots)")]
            smaller = [f"{name} * 10 / ?" if name.endswith("_bytes") else name for name in names if name != "day"]
            copied = f"INSERT INTO snapshots (day, {', '.join(name for name in names if name != 'day')}) "
            copied += f"SELECT date(day, ?), {', '.join(smaller)} FROM snapshots "
            copied += "WHERE day = (SELECT max(day) FROM snapshots)"
            for age in (40, 20, 8, 1):
                db.execute(copied, (f"-{age} days", *[10 + age] * sum("?" in one for one in smaller)))
        yield address


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize(("theme", "width"), SIZES)
def test_growth_of_a_registry(browser: Browser, recorded: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    page.goto(f"{recorded}/storage?registry=contosohub&show=Growth")
    chart = page.get_by_role("figure", name=re.compile("^Areas of the bytes by repository"))
    expect(chart).to_be_visible(timeout=60_000)
    settled(page)
    assert fits(page)
    table = next(at for at in range(page.get_by_test_id("stDataFrame").count()) if "In 30 days" in cells(page, at)[0])
    assert "web/storefront" in [row[0] for row in cells(page, table)]
    chart.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"growth-{theme}-{width}.png")
    page.context.close()


@pytest.mark.parametrize(("theme", "width"), SIZES)
def test_growth_of_all_registries_by_tag(
    browser: Browser, recorded: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width)
    page.goto(f"{recorded}/?show=Growth")
    chart = page.get_by_role("figure", name=re.compile("^Areas of the bytes by registry"))
    expect(chart).to_be_visible(timeout=60_000)
    settled(page)
    assert fits(page)
    expect(page.get_by_text(re.compile(r"^Unknown of \d+ of \d+ registries"))).to_be_visible()
    chart.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"growth-of-all-{theme}-{width}.png")
    page.context.close()
