"""An estate of many registries, as a person finds one in it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.console import act_until, cells, click_name, console, settled, window

pytestmark = pytest.mark.browser


def test_one_of_many_registries_is_found_by_typing(browser: Browser, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="estate:60:2:20") as address:
        for theme, width in (("light", 1280), ("dark", 390)):
            page = window(browser, theme, width)
            page.goto(f"{address}/storage")
            expect(page.get_by_role("heading", name="Choose a registry")).to_be_visible(timeout=30_000)
            settled(page)
            page.screenshot(path=screenshots / f"choose-registry-{theme}-{width}.png")

            def type_name(page=page) -> None:  # type: ignore[no-untyped-def]
                field = page.get_by_role("searchbox", name="Filter")
                field.fill("contoso0017")
                field.press("Enter")

            # The grid that screen readers read is hidden from the eye.
            found = page.locator("table[role='grid'][aria-rowcount='2']")
            act_until(page.get_by_test_id("stDataFrame").filter(has=found), type_name)
            assert [row[0].strip() for row in cells(page)[1:]] == ["contoso0017"]
            click_name(page, "contoso0017", shown=page.get_by_role("heading", name="Storage of contoso0017"))
            expect(page.get_by_text("what Azure bills")).to_be_visible(timeout=30_000)
            page.context.close()
