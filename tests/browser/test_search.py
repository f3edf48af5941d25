"""The search in the sidebar, by keyboard, from any page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.console import cells, click_name, is_at, settled

pytestmark = pytest.mark.browser


def search(page: Page, text: str) -> None:
    box = page.get_by_role("searchbox", name="Find anything")
    box.fill(text)
    box.press("Enter")


def test_a_name_typed_from_anywhere_opens_with_enter(page: Page, address: str) -> None:
    page.goto(f"{address}/roles")
    settled(page)
    search(page, "orders")
    is_at(page, f"{address}/repository?registry=contosohub&repository=api/orders")
    expect(page.get_by_role("heading", name="api/orders")).to_be_visible()


def test_a_pasted_pull_line_opens_its_image_and_what_is_not_there_offers_the_nearest(page: Page, address: str) -> None:
    page.goto(f"{address}/push")
    settled(page)
    search(page, "docker pull casaacr01/nodejstemplate:v1.0.0")
    expect(page).to_have_url(
        re.compile(r"/image\?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0$"), timeout=20_000
    )
    settled(page)
    search(page, "casaacr01/nodejstemplate:v1.0.7")
    expect(page.get_by_text("nodejstemplate has no tag v1.0.7.")).to_be_visible()
    settled(page)
    page.get_by_test_id("stSidebar").get_by_role("button", name="nodejstemplate", exact=True).click()
    expect(page).to_have_url(re.compile(r"/repository\?registry=casaacr01&repository=nodejstemplate$"))


def test_another_result_opens_within_the_same_page(page: Page, address: str) -> None:
    page.goto(f"{address}/registry?registry=casaacr01")
    settled(page)
    search(page, "contosod")
    results = page.get_by_test_id("stSidebar")
    for name in ("contosodata", "contosodev"):
        results.get_by_role("button", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(rf"/registry\?registry={name}$"))
        settled(page)


def offered(page: Page, name: str) -> Locator:
    return page.locator('[class*="st-key-suggestions-"]').get_by_role("button", name=name)


def test_what_is_typed_suggests_and_the_arrows_and_enter_open_it(page: Page, address: str) -> None:
    page.goto(f"{address}/roles")
    settled(page)
    box = page.get_by_role("searchbox", name="Find anything")
    box.press_sequentially("ord")
    orders = offered(page, "api/orders")
    expect(orders).to_be_visible()
    settled(page)
    expect(box).to_have_value("ord")
    expect(box).to_be_focused()
    box.press("ArrowDown")
    expect(orders).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    is_at(page, f"{address}/repository?registry=contosohub&repository=api/orders")
    settled(page)
    expect(box).to_have_value("")


def test_enter_opens_the_best_also_once_what_was_typed_has_been_sent(page: Page, address: str) -> None:
    page.goto(f"{address}/roles")
    settled(page)
    box = page.get_by_role("searchbox", name="Find anything")
    box.press_sequentially("orders")
    expect(offered(page, "api/orders")).to_be_visible()
    settled(page)
    box.press("Enter")
    is_at(page, f"{address}/repository?registry=contosohub&repository=api/orders")


def test_a_word_of_the_language_is_completed_and_typed_on(page: Page, address: str) -> None:
    page.goto(f"{address}/search")
    settled(page)
    box = page.get_by_role("searchbox", name="Search", exact=True)
    box.press_sequentially("regi")
    word = offered(page, "registry:")
    expect(word).to_be_visible()
    settled(page)
    assert page.url == f"{address}/search"
    word.press("Enter")
    expect(box).to_have_value("registry:")
    expect(box).to_be_focused()
    settled(page)
    page.keyboard.type("casaacr01")
    page.keyboard.press("Enter")
    is_at(page, f"{address}/search?q=registry:casaacr01")
    page.go_back()
    is_at(page, f"{address}/search")
    expect(box).to_have_value("")


def test_a_layer_of_an_image_leads_to_the_images_that_have_it(page: Page, address: str) -> None:
    page.goto(
        f"{address}/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0&show=Layers%20and%20history"
    )
    settled(page)
    layer = next(cell.strip() for cell in cells(page)[1] if re.fullmatch("[0-9a-f]{12}", cell.strip()))
    click_name(page, layer)
    expect(page).to_have_url(re.compile(r"/search\?q=layer(:|%3A)sha256"))
    box = page.get_by_role("searchbox", name="Search", exact=True)
    expect(box).to_have_value(re.compile(f"^layer:sha256:{layer}"))
