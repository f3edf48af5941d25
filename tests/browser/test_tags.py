"""The guide's v1.0.1 in the browser: tagged, seen, removed again, and the digest the same throughout."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import cells, choose_action, console, settled

pytestmark = pytest.mark.browser


def test_a_tag_is_added_and_removed(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        repository = f"{address}/repository?registry=casaacr01&repository=nodejstemplate"
        page.goto(f"{address}/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0")
        settled(page)
        page.get_by_role("button", name="Add tag").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Tag").fill("v1.0.1")
        page.keyboard.press("Enter")
        expect(dialog.get_by_text("is new. It will point to")).to_be_visible()
        page.screenshot(path=screenshots / "add-a-tag-light-1280.png")
        dialog.get_by_role("button", name="Add tag").click()
        expect(page.get_by_text("v1.0.1 points to")).to_be_visible()

        page.goto(repository)
        settled(page)
        rows = {row[0]: row for row in cells(page)[1:]}
        assert set(rows) == {"v1.0.0", "v1.0.1"}
        assert rows["v1.0.0"][4] == rows["v1.0.1"][4]

        page.goto(f"{address}/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.1")
        settled(page)
        choose_action(page, "Remove tag")
        page.get_by_role("dialog").get_by_role("button", name="Remove tag").click()
        expect(page.get_by_text("Tag v1.0.1: deleted and verified.")).to_be_visible()

        page.goto(repository)
        settled(page)
        assert [row[0] for row in cells(page)[1:]] == ["v1.0.0"]
