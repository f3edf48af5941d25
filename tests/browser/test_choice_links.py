"""Links by which a page opens one of its list: a button pressed afterwards runs the page for what the link opened."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import settled

pytestmark = pytest.mark.browser


def _refresh(page: Page) -> None:
    page.locator("[class*='st-key-refresh']").get_by_role("button").first.click()


def test_a_button_after_a_link_to_a_cluster_is_for_that_cluster(page: Page, address: str) -> None:
    page.goto(f"{address}/aks?registry=contosopayments")
    page.get_by_test_id("stPageLink").filter(has_text="aks-secure").click(timeout=60_000)
    again = page.get_by_role("button", name="Check again")
    expect(again).to_be_visible(timeout=30_000)
    settled(page)
    expect(page.get_by_text(re.compile("aks-secure can"))).to_be_visible(timeout=30_000)
    settled(page)
    again.click()
    settled(page)
    expect(page.get_by_text("Choose a cluster")).to_have_count(0)
    expect(page.get_by_text(re.compile("aks-secure can"))).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Attach registry").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("path", ["push", "tokens"])
def test_a_button_after_a_link_to_a_registry_is_for_that_registry(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}/{path}")
    expect(page.get_by_text("Choose a registry")).to_be_visible(timeout=60_000)
    settled(page)
    page.get_by_test_id("stMain").get_by_test_id("stPageLink").filter(has_text="contosopayments").click()
    expect(page).to_have_url(f"{address}/{path}?registry=contosopayments")
    settled(page)
    _refresh(page)
    settled(page)
    expect(page.get_by_text("Choose a registry")).to_have_count(0)
    expect(page).to_have_url(f"{address}/{path}?registry=contosopayments")


def test_back_to_another_cluster_is_kept_by_the_next_button(page: Page, address: str) -> None:
    page.goto(f"{address}/aks?registry=contosopayments")
    page.get_by_test_id("stPageLink").filter(has_text="aks-secure").click(timeout=60_000)
    again = page.get_by_role("button", name="Check again")
    expect(again).to_be_visible(timeout=30_000)
    settled(page)
    page.go_back()
    expect(page.get_by_text("Choose a cluster")).to_be_visible()
    settled(page)
    _refresh(page)
    settled(page)
    expect(page.get_by_text("Choose a cluster")).to_be_visible(timeout=30_000)
