"""In the browser: two tags are compared, and one image is promoted; its record is found and loaded as a file."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import act_until, cells, choose, choose_action, console, select_row, settled, window

pytestmark = pytest.mark.browser
REPOSITORY = "repository?registry=contosohub&repository=api/orders"


def choose_tags(page: Page, *names: str) -> None:
    for number, name in enumerate(names, 1):
        select_row(page, re.escape(name))
        expect(page.get_by_text(f"{number} selected")).to_be_visible()
    settled(page)


def test_two_tags_are_compared(page: Page, address: str, screenshots: Path) -> None:
    page.goto(f"{address}/{REPOSITORY}")
    settled(page)
    choose_tags(page, "v1.2.1", "v1.2.0")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("larger, 1 layer differs.*10 packages changed"))).to_be_visible()
    settled(page)
    page.screenshot(path=screenshots / "compare-light-1280.png")
    page.get_by_role("tab", name="Packages").click()
    expect(page.get_by_text("6 packages are the same")).to_be_visible()
    settled(page)
    assert ["debian/libc6", "deb", "Changed", "2.36-9+deb12u10", "2.36-9+deb12u13"] in cells(page)
    # The address can be sent: the same view opens from it.
    sent = page.url
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("heading", name=re.compile("smaller"))).to_be_visible()
    page.goto(sent)
    settled(page)
    expect(page.get_by_text("6 packages are the same")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 390)])
def test_a_comparison_fits(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    page.goto(f"{address}/compare?registry=contosohub&repository=api/orders&reference=v1.2.0&with=v1.2.1")
    settled(page)
    expect(page.get_by_role("heading", name=re.compile("larger, 1 layer differs"))).to_be_visible()
    page.screenshot(path=screenshots / f"compare-{theme}-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_an_image_is_promoted_and_its_record_found(
    page: Page, tmp_path_factory: pytest.TempPathFactory, screenshots: Path
) -> None:
    with console(tmp_path_factory.mktemp("promote")) as address:
        page.goto(f"{address}/image?registry=contosohub&repository=api/orders&reference=v1.2.1")
        settled(page)
        choose_action(page, "Promote image")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Choose a target registry to see the plan.")).to_be_visible()
        choose(page, "Target registry", "contosobase", dialog.get_by_text("api/orders:v1.2.1 is new."))
        expect(
            dialog.get_by_text("A signature was found (cosign, Notation). This console does not verify it.")
        ).to_be_visible()
        dialog.get_by_text("Lock the tag in the target").click()
        expect(dialog.get_by_text(re.compile("--write-enabled false"))).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "promote-light-1280.png")
        dialog.get_by_role("button", name="Promote image").click()
        expect(page.get_by_text("Lock of api/orders:v1.2.1: changed and verified")).to_be_visible(timeout=60_000)
        settled(page)
        page.goto(f"{address}/deletions")
        settled(page)
        page.get_by_test_id("stDataFrame").first.wait_for()
        assert any("Promote image" in cell for row in cells(page) for cell in row)
        page.goto(f"{address}/image?registry=contosohub&repository=api/orders&reference=v1.2.1")
        settled(page)
        page.get_by_role("link", name="Record").first.click()
        expect(page.get_by_text("Checks before")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "promotion-record-light-1280.png")
        with page.expect_download() as loaded:
            page.get_by_role("button", name="Download as JSON").click()
        record = json.loads(Path(loaded.value.path()).read_text())
        assert record["state"] == "Completed"
        (promotion,) = record["promotions"]
        assert [one["result"] for one in promotion["checks"]] == ["Found, not verified", "Passed"]


def test_several_images_are_promoted_from_the_tags_to_the_record(
    page: Page, tmp_path_factory: pytest.TempPathFactory, screenshots: Path
) -> None:
    with console(tmp_path_factory.mktemp("promote-many")) as address:
        page.goto(f"{address}/{REPOSITORY}")
        settled(page)
        choose_tags(page, "v1.2.1", "v1.2.0")
        dialog = page.get_by_role("dialog")
        choose_target = dialog.get_by_text("Choose a target registry to see the plan.")
        act_until(choose_target, lambda: page.get_by_role("button", name="Promote images").click())
        choose(page, "Target registry", "contosobase", dialog.get_by_text("api/orders:v1.2.1 is new."))
        expect(dialog.get_by_text("A signature was found").first).to_be_visible()
        dialog.get_by_text("Lock the tags in the target").click()
        expect(dialog.get_by_text(re.compile("--write-enabled false"))).to_have_count(2)
        settled(page)
        page.screenshot(path=screenshots / "promote-many-light-1280.png")
        dialog.get_by_role("button", name="Promote 2 images").click()
        expect(page.get_by_text("Lock of api/orders:v1.2.1: changed and verified")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("Lock of api/orders:v1.2.0: changed and verified")).to_be_visible(timeout=60_000)
        page.get_by_role("link", name="Record").first.click()
        expect(page.get_by_role("heading", name="Promoted")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "promotion-record-many-light-1280.png")
        with page.expect_download() as loaded:
            page.get_by_role("button", name="Download as JSON").click()
        record = json.loads(Path(loaded.value.path()).read_text())
        assert record["state"] == "Completed"
        assert len(record["promotions"]) == 2
        for one in record["promotions"]:
            assert one["checks"][0]["result"] == "Found, not verified"
            assert {item["result"] for item in one["items"]} <= {"created", "changed", "already_done"}
