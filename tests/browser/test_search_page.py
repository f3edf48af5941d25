"""From a digest, pasted into the search of any page, to its image; by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, click_name, console, settled, window

pytestmark = pytest.mark.browser


def image_in(page: Page) -> str:
    """The name of the image in the first row."""
    return next(cell.strip() for cell in cells(page)[1] if cell.strip().startswith("nodejstemplate@"))


def test_a_pasted_digest_leads_to_its_image(browser: Browser, tmp_path: Path) -> None:
    with console(tmp_path) as address:
        page = window(browser)
        page.goto(f"{address}/search")
        settled(page)
        page.get_by_role("button", name="Index registries").click()
        expect(page.get_by_text(re.compile(r"registries: \d+ indexed"))).to_be_visible(timeout=60_000)
        settled(page)
        page.get_by_role("button", name="Dismiss").click()
        settled(page)
        box = page.get_by_role("searchbox", name="Search", exact=True)
        box.fill("nodejstemplate size:>0b")
        box.press("Enter")
        expect(page.get_by_text("Images", exact=False).first).to_be_visible(timeout=30_000)
        settled(page)
        expect(page).to_have_url(re.compile(r"/search\?q=nodejstemplate"))
        click_name(page, image_in(page))
        expect(page).to_have_url(re.compile(r"/image\?registry=casaacr01&repository=nodejstemplate&reference=sha256"))
        digest = page.url.rpartition("reference=")[2].replace("%3A", ":")
        page.goto(f"{address}/roles")
        settled(page)
        anywhere = page.get_by_role("searchbox", name="Find anything")
        anywhere.fill(digest)
        anywhere.press("Enter")
        expect(page).to_have_url(re.compile(r"/search\?q=sha256"), timeout=30_000)
        settled(page)
        click_name(page, image_in(page))
        expect(page).to_have_url(re.compile(r"/image\?registry=casaacr01"))
        page.context.close()
