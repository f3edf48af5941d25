"""An archive is uploaded in the browser, pushed, and opened as the image that it is."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.console import cells, click_name, console, settled, window
from tests.support.image_archives import FULL_NAME, Layout

pytestmark = pytest.mark.browser


def test_an_archive_is_uploaded_and_pushed(browser: Browser, tmp_path: Path, screenshots: Path) -> None:
    made = Layout()
    index = made.platforms("amd64", "arm64")
    archive = tmp_path / "node-template.tar"
    archive.write_bytes(made.named(index, "docker.io/contoso/node-template:v2.0.0", key=FULL_NAME).tar())
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        for theme, width in (("light", 1280), ("dark", 390)):
            page = window(browser, theme, width, height=1100)
            page.goto(f"{address}/push?registry=casaacr01")
            settled(page)
            main = page.get_by_test_id("stMain")
            main.locator("input[type=file]").set_input_files(archive)
            push = main.get_by_role("button", name="Push image")
            expect(push).to_be_enabled()
            expect(main.get_by_role("textbox", name="Repository")).to_have_value("node-template")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            page.screenshot(path=screenshots / f"push-{theme}-{width}.png")
            push.click()
            expect(main.get_by_text("Pushed and verified")).to_be_visible()
            settled(page)
            page.screenshot(path=screenshots / f"pushed-{theme}-{width}.png")
            # Loaded anew, it has not pushed again: the end of the push is still told, and nothing is under way.
            page.reload()
            settled(page)
            expect(main.get_by_text("Pushed and verified")).to_have_count(1)
            main.get_by_role("link", name="Open image").click()
            expect(page.get_by_role("heading", name="node-template:v2.0.0")).to_be_visible()
            settled(page)
            expect(page.get_by_text(index["digest"]).first).to_be_visible()
            page.context.close()
        page = window(browser)
        page.goto(f"{address}/repository?registry=casaacr01&repository=node-template")
        settled(page)
        assert [row[:2] for row in cells(page)[1:]] == [["v2.0.0", "index"]]
        page.context.close()


def test_a_push_is_stopped_in_another_tab_and_a_reload_shows_its_end(
    browser: Browser, tmp_path: Path, screenshots: Path
) -> None:
    made = Layout()
    archives = tmp_path / "archives"
    archives.mkdir()
    (archives / "large.tar").write_bytes(
        made.named(made.platforms(*(f"a{number}" for number in range(10))), "contoso/large:v1", key=FULL_NAME).tar()
    )
    settings = {
        "ACR_CONSOLE_SANDBOX_SEED": "walkthrough",
        "ACR_CONSOLE_SANDBOX_LATENCY_MS": "400",
        "ACR_CONSOLE_ARCHIVES": str(archives),
    }
    with console(tmp_path, **settings) as address:
        page = window(browser)
        page.goto(f"{address}/push?registry=casaacr01")
        settled(page)
        main = page.get_by_test_id("stMain")
        main.get_by_role("radio", name="On the server").click()
        main.get_by_role("combobox", name="Archive on the server").click()
        page.get_by_role("option", name="large.tar").click()
        push = main.get_by_role("button", name="Push image")
        expect(push).to_be_enabled(timeout=60_000)
        settled(page)
        push.click()
        expect(main.get_by_text("Pushing large:v1, layers")).to_be_visible()
        other = window(browser)  # Another browser: nothing of the first one's session.
        other.goto(f"{address}/deletions")
        settled(other)
        click_name(other, cells(other)[1][0])
        other.get_by_test_id("stMain").get_by_role("button", name="Stop").click(timeout=30_000)
        expect(main.get_by_text("Stopped. The tag was not set.")).to_be_visible(timeout=30_000)
        page.reload()
        settled(page)
        expect(main.get_by_text("Stopped. The tag was not set.")).to_have_count(1)
        page.screenshot(path=screenshots / "push-stopped-light-1280.png")
        main.get_by_role("link", name="Record").click()
        settled(page)
        expect(page.get_by_role("heading", name="Push image")).to_be_visible()
        page.screenshot(path=screenshots / "push-stopped-record-light-1280.png")
        for tab in (page, other):
            tab.context.close()
