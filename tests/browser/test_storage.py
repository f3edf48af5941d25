"""What takes the bytes, as a person sees it: the map, its tables, and the way to an image."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.seeds.bulk import bulk
from sandbox.server import Sandbox
from tests.support.console import cells, choose, click_name, console, settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_registry_to_what_an_image_takes(
    browser: Browser, address: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{address}/storage?registry=contosoci")
    expect(page.get_by_text("what Azure bills")).to_be_visible()
    settled(page)
    bars = page.get_by_role("figure", name="ci/cache has the most")
    expect(bars.get_by_text("ci/storefront")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"storage-{theme}-{width}.png")

    page.get_by_role("tab", name="Treemap").click()
    chart = page.get_by_role("figure", name=re.compile("^The registry's storage as areas"))
    expect(chart.get_by_text("Several smaller parts")).to_be_visible()
    settled(page)
    page.screenshot(path=screenshots / f"storage-map-{theme}-{width}.png")
    page.get_by_role("tab", name="Repositories").click()
    settled(page)
    click_name(page, "ci/storefront", shown=page.get_by_role("heading", name="Images of ci/storefront"))
    expect(page).to_have_url(re.compile("repository=ci%2Fstorefront|repository=ci/storefront"))
    settled(page)
    page.get_by_role("heading", name=re.compile("^Images of")).scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"storage-images-{theme}-{width}.png")
    click_name(page, "v1.0.0", shown=page.get_by_role("heading", name="ci/storefront:v1.0.0"))
    expect(page.get_by_text(re.compile("stored: .* unique, .* shared with other images"))).to_be_visible()
    strangers = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert strangers == []
    page.context.close()


def test_a_repository_of_the_url_comes_back_and_is_chosen_by_the_keyboard_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/storage?registry=contosohub&repository=api/orders")
    expect(page.get_by_role("heading", name="Images of api/orders")).to_be_visible()
    settled(page)
    choose(page, "Repository", "web/admin", page.get_by_role("heading", name="Images of web/admin"))
    assert "v1.0.0" in [row[0] for row in cells(page)[1:]]


def test_a_bar_opens_the_images_of_its_repository(page: Page, address: str) -> None:
    page.goto(f"{address}/storage?registry=contosohub")
    bars = page.get_by_role("figure", name="web/storefront has the most")
    expect(bars).to_be_visible(timeout=30_000)
    settled(page)
    box = bars.locator(".barlayer .trace").first.locator(".point").nth(2).bounding_box()
    assert box
    page.mouse.click(box["x"] + 20, box["y"] + 8)
    expect(page.get_by_role("heading", name="Images of api/orders")).to_be_visible()
    expect(page).to_have_url(re.compile("repository=api%2Forders|repository=api/orders"))


def test_a_large_registry_is_read_when_asked_for_and_the_read_can_be_stopped(page: Page, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", "walkthrough") as sandbox:
        bulk(sandbox.store, "contosobulk", 20, 260, tags=True, now=datetime(2026, 11, 1, tzinfo=UTC))
    slow = {"ACR_CONSOLE_SANDBOX_SEED": "walkthrough", "ACR_CONSOLE_SANDBOX_LATENCY_MS": "200"}
    with console(tmp_path, **slow) as address:
        page.goto(f"{address}/storage?registry=contosobulk")
        expect(page.get_by_text("5,200 manifests: reading them all takes a while")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Read all manifests").click()
        expect(page.get_by_text(re.compile("^Reading manifests: .* of 5,200"))).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text(re.compile("stopped, .* manifests not read"))).to_be_visible(timeout=30_000)
        expect(page.get_by_text(re.compile("^Totals are at least what is shown"))).to_be_visible()
