"""What a person does, in both themes, on a wide and on a narrow screen."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.seeds.bulk import bulk
from sandbox.server import Sandbox
from tests.support.console import cells, choose, click_name, console, select_row, settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_inventory_to_an_image(
    browser: Browser, address: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width)

    def shot(name: str) -> None:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=screenshots / f"{name}-{theme}-{width}.png")

    page.goto(f"{address}/inventory")
    expect(page.get_by_role("heading", name="Inventory")).to_be_visible()
    settled(page)
    expect(page.get_by_text("1 subscription (contoso-restricted)")).to_be_visible()
    shot("inventory")

    select_row(page, "casaacr01")
    expect(page.get_by_role("heading", name="casaacr01")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/registry\?registry=casaacr01"))
    expect(page.get_by_test_id("stMain").get_by_role("link", name="Sign in")).to_be_visible()
    shot("registry")

    page.get_by_test_id("stMain").get_by_role("link", name="Repositories and tags").click()
    expect(page).to_have_url(re.compile(r"/repositories\?registry=casaacr01"))
    settled(page)
    shot("repositories")

    select_row(page, "nodejstemplate")
    expect(page.get_by_role("heading", name="nodejstemplate")).to_be_visible()
    settled(page)
    assert cells(page)[1][:3] == ["v1.0.0", "index", "linux/amd64"]
    shot("tags")

    page.get_by_role("tab", name="Manifests").click()
    expect(page).to_have_url(re.compile("show=Manifests"))
    settled(page)
    shot("manifests")

    page.get_by_role("tab", name="Tags").click()
    settled(page)
    click_name(page, "v1.0.0")
    expect(page.get_by_role("heading", name="nodejstemplate:v1.0.0")).to_be_visible()
    shot("image")
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_busy_repository(browser: Browser, address: str, screenshots: Path, theme: str) -> None:
    page = window(browser, theme, 1280)
    orders = f"{address}/repository?registry=contosohub&repository=api/orders"
    page.goto(orders)
    settled(page)
    assert {"linux/amd64", "linux/arm64"} <= set(cells(page)[1][2].split(","))
    page.screenshot(path=screenshots / f"busy-tags-{theme}-1280.png")
    page.goto(f"{orders}&show=Manifests")
    settled(page)
    kinds = {row[1] for row in cells(page)[1:]}
    assert {"index of platforms", "platform of the index above", "refers to the one above"} <= kinds
    page.screenshot(path=screenshots / f"busy-manifests-{theme}-1280.png")
    select_row(page, "platform of the index above")
    expect(page.get_by_role("heading", name=re.compile("^Layers"))).to_be_visible()
    settled(page)
    page.get_by_role("heading", name=re.compile("^History")).scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"busy-image-{theme}-1280.png")
    page.context.close()


def test_nothing_is_asked_of_another_host(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("", "registry?registry=contosohub", "repository?registry=contosohub&repository=tools/markdown-viewer"):
        page.goto(f"{address}/{path}")
        settled(page)
    page.goto(f"{address}/image?registry=contosohub&repository=tools/markdown-viewer&reference=latest")
    settled(page)
    strangers = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert strangers == []


def test_a_deep_link_into_a_cold_process_runs_the_shell(page: Page, tmp_path: Path) -> None:
    with console(tmp_path) as cold:
        page.goto(f"{cold}/repository?registry=casaacr01&repository=nodejstemplate")
        settled(page)
        expect(page.get_by_role("heading", name="nodejstemplate")).to_be_visible()
        expect(page.get_by_test_id("stSidebar").get_by_text("Sandbox")).to_be_attached()
        expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_filter_is_in_the_url_and_comes_back_from_it(page: Page, address: str) -> None:
    page.goto(f"{address}/inventory")
    settled(page)
    page.get_by_role("searchbox").fill("casaacr")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("search=casaacr"))
    settled(page)
    page.reload()
    settled(page)
    names = [row[0] for row in cells(page)[1:]]
    assert names == ["casaacr01"]


def test_every_row_can_be_reached_by_the_keyboard_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/inventory")
    settled(page)
    names = [row[0] for row in cells(page)[1:]]
    page.get_by_test_id("data-grid-canvas").first.focus()
    for _ in range(names.index("casaacr01")):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    expect(page.get_by_role("heading", name="casaacr01")).to_be_visible()

    page.goto(f"{address}/repositories?registry=casaacr01")
    settled(page)
    choose(page, "Repository", "nodejstemplate", page.get_by_role("heading", name="nodejstemplate"))
    settled(page)
    page.get_by_test_id("data-grid-canvas").first.focus()
    page.keyboard.press("Shift+Space")
    page.get_by_role("button", name="Open image").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="nodejstemplate:v1.0.0")).to_be_visible()


def test_names_open_what_they_name_and_back_is_one_step_to_each_page(page: Page, address: str) -> None:
    page.goto(f"{address}/inventory")
    settled(page)
    steps = (
        ("casaacr01", "registry=casaacr01", "casaacr01"),
        ("Repositories and tags", "registry=casaacr01", "Repositories and tags"),
        ("nodejstemplate", "registry=casaacr01&repository=nodejstemplate", "nodejstemplate"),
        ("v1.0.0", "registry=casaacr01&repository=nodejstemplate&reference=v1.0.0", "nodejstemplate:v1.0.0"),
    )
    visited = [(page.url, "Inventory")]
    for name, query, heading in steps:
        if name == "Repositories and tags":
            page.get_by_role("main").get_by_role("link", name=name).click()
        else:
            click_name(page, name)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        settled(page)
        assert urlsplit(page.url).query == query
        visited.append((page.url, heading))
    for url, heading in reversed(visited[:-1]):
        page.go_back()
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        settled(page)
        expect(page).to_have_url(url)


def test_all_tags_are_filtered_and_those_that_are_selected_are_planned_together(page: Page, address: str) -> None:
    page.goto(f"{address}/repository?registry=contosoci&repository=ci/runner")
    settled(page)
    page.get_by_role("searchbox", name="Filter").fill("*7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("filter=%2A7"))
    settled(page)
    names = [row[0] for row in cells(page)[1:]]
    assert names and all(name.endswith("7") for name in names)
    expect(page.get_by_text(re.compile(f"^{len(names)} of [0-9,]+ tags$"))).to_be_visible()
    for name in names[:2]:
        select_row(page, re.escape(name))
        settled(page)
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Delete images").click()
    expect(page.get_by_role("heading", name="Delete 2 images")).to_be_visible()
    settled(page)
    expect(page.get_by_role("button", name=re.compile("^Delete [0-9]+ manifests$"))).to_be_disabled()
    page.go_back()
    expect(page.get_by_role("searchbox", name="Filter")).to_have_value("*7")


def test_a_slow_read_shows_progress_and_what_is_there_and_can_be_stopped(page: Page, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", "walkthrough") as sandbox:
        bulk(sandbox.store, "contosobulk", 600, 1, tags=True, now=datetime(2026, 11, 1, tzinfo=UTC))
    slow = {"ACR_CONSOLE_SANDBOX_SEED": "walkthrough", "ACR_CONSOLE_SANDBOX_LATENCY_MS": "400"}
    with console(tmp_path, **slow) as address:
        page.goto(f"{address}/repositories?registry=contosobulk")
        expect(page.get_by_text(re.compile("^Reading repositories: .* of 600"))).to_be_visible(timeout=30_000)
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text(re.compile("stopped, .* repositories not read"))).to_be_visible(timeout=30_000)
        settled(page)
        assert len(cells(page)) > 1
