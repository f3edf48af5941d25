"""A deleted image restored in the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import cells, console, select_row, settled

pytestmark = pytest.mark.browser


def test_a_deleted_image_is_restored_with_its_platforms(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/deleted?registry=contosodev")
        settled(page)
        expect(page.get_by_text("soft delete: On, 14 days")).to_be_visible()
        assert "v1.0.1" in {row[0] for row in cells(page)[1:]}
        select_row(page, "v1.0.1")
        settled(page)
        page.get_by_role("button", name="Restore", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("az acr manifest restore")).to_be_visible()
        page.screenshot(path=screenshots / "restore-light-1280.png")
        dialog.get_by_role("button", name="Restore 1 item").click()
        expect(page.get_by_text("v1.0.1: restored and verified.")).to_be_visible()
        settled(page)
        assert "v1.0.1" not in {row[0] for row in cells(page)[1:]}
        page.goto(f"{address}/image?registry=contosodev&repository=demo&reference=v1.0.1")
        settled(page)
        expect(page.get_by_text("linux/amd64").first).to_be_visible()
