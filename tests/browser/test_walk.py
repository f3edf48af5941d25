"""What a person does, in both themes, on a wide and on a narrow screen."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.seeds.bulk import bulk
from sandbox.server import Sandbox
from tests.support.console import act_until, cells, click_name, console, is_at, select_row, settled, window

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

    page.get_by_role("tab", name="Images").click()
    page.get_by_test_id("stMain").get_by_role("link", name="All repositories").click()
    expect(page).to_have_url(re.compile(r"/repositories\?registry=casaacr01"))
    settled(page)
    shot("repositories")

    click_name(page, "nodejstemplate", shown=page.get_by_role("heading", name="nodejstemplate"))
    settled(page)
    assert cells(page)[1][:3] == ["v1.0.0", "index", "linux/amd64"]
    shot("tags")

    page.get_by_role("tab", name="Manifests").click()
    expect(page).to_have_url(re.compile("show=Manifests"))
    settled(page)
    shot("manifests")

    page.get_by_role("tab", name="Tags").click()
    settled(page)
    click_name(page, "v1.0.0", shown=page.get_by_role("heading", name="nodejstemplate:v1.0.0"))
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
        expect(page.get_by_test_id("stSidebar").get_by_text("Sandbox: sample data")).to_be_attached()
        expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_filter_is_in_the_url_and_comes_back_from_it(page: Page, address: str) -> None:
    page.goto(f"{address}/inventory")
    settled(page)
    page.get_by_role("main").get_by_role("searchbox").fill("casaacr")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("search=casaacr"))
    settled(page)
    page.reload()
    settled(page)
    names = [row[0] for row in cells(page)[1:]]
    assert names == ["casaacr01"]


def inventory_with_costs(page: Page, address: str) -> None:
    """The inventory in its final order: the highest cost first, of one risk."""
    page.goto(f"{address}/inventory")
    settled(page)
    expect(page.get_by_text("Reading bills…")).to_have_count(0, timeout=30_000)
    settled(page)


def test_every_row_can_be_reached_by_the_keyboard_alone(page: Page, address: str) -> None:
    inventory_with_costs(page, address)
    names = [row[0] for row in cells(page)[1:]]
    page.get_by_test_id("data-grid-canvas").first.focus()
    for _ in range(names.index("casaacr01")):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    expect(page.get_by_role("heading", name="casaacr01")).to_be_visible()

    page.goto(f"{address}/repositories?registry=casaacr01")
    settled(page)
    page.get_by_test_id("data-grid-canvas").first.focus()
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open repository").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="nodejstemplate")).to_be_visible()
    settled(page)
    page.get_by_test_id("data-grid-canvas").first.focus()
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open image").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="nodejstemplate:v1.0.0")).to_be_visible()


def test_names_open_what_they_name_and_back_is_one_step_to_each_page(page: Page, address: str) -> None:
    inventory_with_costs(page, address)
    steps = (
        ("casaacr01", "registry=casaacr01", "casaacr01"),
        ("Repositories and tags", "registry=casaacr01", "Repositories and tags"),
        ("nodejstemplate", "registry=casaacr01&repository=nodejstemplate", "nodejstemplate"),
        ("v1.0.0", "registry=casaacr01&repository=nodejstemplate&reference=v1.0.0", "nodejstemplate:v1.0.0"),
    )
    visited = [(page.url, "Inventory")]
    for name, query, heading in steps:
        if name == "Repositories and tags":
            page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
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
        is_at(page, url)


def heading_is(page: Page, name: str) -> None:
    # While a page opens on another registry, what it was before fades below the title that is announced.
    expect(page.get_by_role("heading", name=name, exact=True)).to_have_count(1)
    settled(page)


def choose_place(page: Page, name: str) -> None:
    """Chooses a registry in the sidebar, once the page stands."""
    settled(page)
    page.get_by_test_id("stSidebar").get_by_role("combobox", name=re.compile("^Registry")).click()
    page.get_by_role("option", name=name, exact=True).click()


def test_paths_tabs_and_the_sidebar_s_registry_are_one_step_each(page: Page, address: str) -> None:
    main, sidebar = page.get_by_test_id("stMain"), page.get_by_test_id("stSidebar")
    of_hub = f"{address}/repository?registry=contosohub&repository=api/orders"
    page.goto(f"{address}/image?registry=contosohub&repository=api/orders&reference=latest")
    heading_is(page, "api/orders:latest")
    visited = [(page.url, "api/orders:latest")]

    def went(heading: str, url: str) -> None:
        heading_is(page, heading)
        expect(page).to_have_url(re.compile(re.escape(address) + url))
        visited.append((page.url, heading))

    main.get_by_role("link", name="api/orders", exact=True).click()
    went("api/orders", r"/repository\?registry=contosohub&repository=api(/|%2F)orders$")
    main.get_by_role("link", name="contosohub", exact=True).click()
    went("contosohub", r"/registry\?registry=contosohub$")
    sidebar.get_by_role("link", name="Storage").click()
    went("Storage of contosohub", r"/storage\?registry=contosohub$")
    choose_place(page, "contosodev")
    went("Storage of contosodev", r"/storage\?registry=contosodev$")
    sidebar.get_by_role("link", name="Repositories and tags").click()
    went("Repositories and tags", r"/repositories\?registry=contosodev$")
    sidebar.get_by_role("link", name="Overview").click()
    went("Overview", "/$")
    for url, heading in reversed(visited[:-1]):
        page.go_back()
        is_at(page, url)
        heading_is(page, heading)

    page.goto(of_hub)
    heading_is(page, "api/orders")
    page.get_by_role("tab", name="Manifests").click()
    expect(page).to_have_url(re.compile("show=Manifests"))
    settled(page)
    with_tab = page.url
    main.get_by_role("link", name="Registries", exact=True).click()
    heading_is(page, "Inventory")
    expect(page).to_have_url(f"{address}/inventory")
    page.go_back()
    is_at(page, with_tab)
    heading_is(page, "api/orders")
    expect(page.get_by_role("tab", name="Manifests")).to_have_attribute("aria-selected", "true")


def test_a_path_leads_to_the_same_page_with_less_in_its_address(page: Page, address: str) -> None:
    page.goto(f"{address}/webhooks?registry=contosohub&webhook=scanhook")
    heading_is(page, "scanhook")
    page.get_by_test_id("stMain").get_by_role("link", name="Webhooks", exact=True).click()
    heading_is(page, "Webhooks")
    expect(page).to_have_url(f"{address}/webhooks?registry=contosohub")
    page.go_back()
    heading_is(page, "scanhook")
    expect(page).to_have_url(f"{address}/webhooks?registry=contosohub&webhook=scanhook")


def test_two_tabs_are_at_two_registries(page: Page, address: str) -> None:
    other = page.context.new_page()
    for tab, name in ((page, "contosohub"), (other, "contosodev")):
        tab.goto(f"{address}/registry?registry={name}")
        heading_is(tab, name)
    for tab, name in ((page, "contosohub"), (other, "contosodev")):
        tab.get_by_test_id("stSidebar").get_by_role("link", name="Access review").click()
        heading_is(tab, f"Access to {name}")
        expect(tab).to_have_url(f"{address}/access?registry={name}")
        box = tab.get_by_test_id("stSidebar").get_by_role("combobox", name=re.compile("^Registry"))
        expect(box).to_have_value(name)


def test_another_registry_takes_with_it_what_was_typed_for_the_one_before(page: Page, address: str) -> None:
    page.goto(f"{address}/access?registry=contosohub&repository=api/orders")
    typed = page.get_by_label("Repository (optional)")
    expect(typed).to_have_value("api/orders")
    settled(page)
    choose_place(page, "contosodev")
    expect(page).to_have_url(f"{address}/access?registry=contosodev")
    settled(page)
    expect(typed).to_have_value("")


def test_another_registry_keeps_the_tab(page: Page, address: str) -> None:
    page.goto(f"{address}/costs?registry=contosohub&show=Months")
    heading_is(page, "Cost review")
    choose_place(page, "contosodev")
    expect(page).to_have_url(f"{address}/costs?registry=contosodev&show=Months")
    heading_is(page, "Cost review")
    expect(page.get_by_role("tab", name="Months")).to_have_attribute("aria-selected", "true")


def test_on_a_narrow_screen_a_link_closes_the_sidebar(browser: Browser, address: str) -> None:
    page = window(browser, "light", 390)
    page.goto(f"{address}/registry?registry=contosohub")
    heading_is(page, "contosohub")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inventory").click()
    heading_is(page, "Inventory")
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    page.context.close()


def test_an_old_link_with_a_filter_leads_to_the_inventory_in_one_step(page: Page, address: str) -> None:
    page.goto(f"{address}/registry?registry=contosohub")
    heading_is(page, "contosohub")
    page.goto(f"{address}/?sku=Basic")
    heading_is(page, "Inventory")
    expect(page).to_have_url(f"{address}/inventory?sku=Basic")
    page.go_back()
    heading_is(page, "contosohub")


def test_all_tags_are_filtered_and_those_that_are_selected_are_planned_together(page: Page, address: str) -> None:
    page.goto(f"{address}/repository?registry=contosoci&repository=ci/runner")
    settled(page)
    page.get_by_role("searchbox", name="Filter").fill("*7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("filter=%2A7"))
    settled(page)
    names = [row[0] for row in cells(page)[1:]]
    assert names and all(name.endswith("7") for name in names)
    expect(page.get_by_text(re.compile("^[0-9,]+ of [0-9,]+ tags$"))).to_be_visible()
    for number, name in enumerate(names[:2], 1):
        act_until(page.get_by_text(f"{number} selected"), lambda name=name: select_row(page, re.escape(name)))
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
