"""Overview by hand: each entry opens its place, and the clean-up potential is measured when it is asked for."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import click_name, is_at, settled

pytestmark = pytest.mark.browser


def test_what_needs_attention_is_one_click_from_its_place(page: Page, address: str, screenshots: Path) -> None:
    page.goto(address)
    expect(page.get_by_text("Over the included storage").first).to_be_visible(timeout=30_000)
    settled(page)
    page.screenshot(path=screenshots / "overview-light-1280.png")
    page.get_by_role("link", name=re.compile("Over the included storage.*contosobuild, EUR")).click()
    expect(page).to_have_url(re.compile(r"/registry\?registry=contosobuild$"))
    expect(page.get_by_role("heading", name="contosobuild")).to_be_visible()
    page.go_back()
    settled(page)
    page.get_by_role("link", name=re.compile("Admin user on.*2 registries")).click()
    expect(page).to_have_url(re.compile(r"/inventory\?finding=Admin"))


def test_the_biggest_waste_opens_its_clean_up(page: Page, address: str) -> None:
    page.goto(f"{address}/?show=Clean-up+potential")
    page.get_by_role("button", name="Measure clean-up potential").wait_for(timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Measure clean-up potential").click()
    expect(page.get_by_text("contosopayments is unknown")).to_be_visible(timeout=60_000)
    settled(page)
    expect(page.get_by_text(re.compile(r"MiB untagged in \d+ of 12 registries"))).to_be_visible()
    click_name(page, "ci/cache")
    is_at(page, f"{address}/cleanup?registry=contosoci&repository=ci/cache&leftovers=true")
