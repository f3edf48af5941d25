"""The guide from the first push to the end of the repository, and a deletion of many: stopped, and interrupted."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.server import Sandbox
from tests.support.console import cells, choose, choose_action, click_name, console, console_process, settled, window
from tests.support.image_archives import FULL_NAME, Layout

pytestmark = pytest.mark.browser

NODE = "registry=casaacr01&repository=nodejstemplate"
RUNNER = "registry=contosoci&repository=ci/runner"


def outcomes(page: Page) -> dict[str, int]:
    """How many items came to which end, by the line above the table: of a long one, only what is in sight is drawn."""
    settled(page)
    line = page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^[0-9,]+ [a-z]")).first.inner_text()
    return {outcome: int(number) for number, outcome in (part.split(" ", 1) for part in line.split(" · "))}


def test_the_guide_from_the_first_push_to_the_end_of_the_repository(
    page: Page, tmp_path: Path, screenshots: Path
) -> None:
    with Sandbox.start(tmp_path / "sandbox", "walkthrough") as sandbox:
        sandbox.store.delete_repository("casaacr01", "nodejstemplate")
    built = Layout()
    saved = tmp_path / "nodejstemplate.tar"
    index = built.platforms("amd64", "arm64")
    saved.write_bytes(built.named(index, "docker.io/casacloud/nodejstemplate:v1.0.0", key=FULL_NAME).tar())
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        # docker tag and docker push of v1.0.0
        page.goto(f"{address}/push?registry=casaacr01")
        settled(page)
        page.get_by_test_id("stMain").locator("input[type=file]").set_input_files(saved)
        expect(page.get_by_role("textbox", name="Repository")).to_have_value("nodejstemplate")
        expect(page.get_by_text("nodejstemplate is new. v1.0.0 is a new tag.")).to_be_visible()
        settled(page)
        page.get_by_test_id("stMain").get_by_role("button", name="Push image").click()
        expect(page.get_by_text("Pushed and verified: v1.0.0 points to")).to_be_visible()

        # az acr repository list
        page.goto(f"{address}/repositories?registry=casaacr01")
        settled(page)
        assert [row[0] for row in cells(page)[1:]] == ["nodejstemplate"]

        # az acr repository show and show-tags
        page.goto(f"{address}/repository?{NODE}")
        settled(page)
        assert [row[0] for row in cells(page)[1:]] == ["v1.0.0"]
        page.get_by_role("tab", name="Attributes").click()
        shown = page.get_by_test_id("stCode").filter(has_text="changeableAttributes").inner_text()
        attributes = json.loads(shown[shown.index("{") :])
        assert (attributes["imageName"], attributes["manifestCount"], attributes["tagCount"]) == (
            "nodejstemplate",
            3,
            1,
        )
        assert all(attributes["changeableAttributes"].values())

        # docker tag and docker push of v1.0.1
        page.goto(f"{address}/image?{NODE}&reference=v1.0.0")
        settled(page)
        page.get_by_role("button", name="Add tag").click()
        page.get_by_role("dialog").get_by_label("Tag").fill("v1.0.1")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Add tag").click()
        expect(page.get_by_text("v1.0.1 points to")).to_be_visible()

        # az acr repository untag
        page.goto(f"{address}/repository?{NODE}")
        settled(page)
        choose_action(page, "Clean up")
        expect(page).to_have_url(re.compile("/cleanup"))
        settled(page)
        page.get_by_text("By name", exact=True).click()
        page.get_by_text("Remove tags only", exact=True).click()
        settled(page)
        choose(page, "Tags", "v1.0.1", page.get_by_text("1 tag stays: 1 not chosen"))
        page.keyboard.press("Escape")
        page.screenshot(path=screenshots / "remove-tags-light-1280.png")
        settled(page)
        page.get_by_role("button", name="Remove 1 tag").click()
        expect(page).to_have_url(re.compile("/deletions"))
        expect(page.get_by_role("heading", name="Remaining tags")).to_be_visible()
        assert outcomes(page) == {"deleted": 1}

        # az acr repository show-tags
        printed = page.get_by_test_id("stCode").filter(has_text="v1.0.0").first.inner_text()
        assert json.loads(printed) == ["v1.0.0"]

        # az acr repository delete
        page.goto(f"{address}/delete?{NODE}")
        settled(page)
        expect(page.get_by_text("with 1 tag", exact=True)).to_be_visible()
        go = page.get_by_role("button", name="Delete repository")
        expect(go).to_be_disabled()
        page.get_by_label("Type the name to confirm").fill("nodejstemplate")
        page.keyboard.press("Enter")
        expect(go).to_be_enabled()
        page.screenshot(path=screenshots / "delete-a-repository-light-1280.png")
        go.click()
        expect(page.get_by_text("Repository nodejstemplate: deleted and verified.")).to_be_visible()
        answer = json.loads(page.get_by_test_id("stCode").filter(has_text="manifestsDeleted").inner_text())
        assert len(answer["manifestsDeleted"]) == 3
        assert index["digest"] in answer["manifestsDeleted"]
        assert answer["tagsDeleted"] == ["v1.0.0"]

        # az acr repository list
        page.goto(f"{address}/repositories?registry=casaacr01")
        settled(page)
        expect(page.get_by_text("No repositories")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_plan_is_seen_before_anything_goes(
    browser: Browser, address: str, screenshots: Path, theme: str, width: int
) -> None:
    page = window(browser, theme, width)
    page.goto(f"{address}/delete?registry=contosohub&repository=api/orders&reference=v1.2.0")
    expect(page.get_by_role("button", name=re.compile("Delete 7 manifests"))).to_be_disabled()
    settled(page)
    if width == 1280:  # The effect, the confirmation and the way back are in sight together.
        for name in ("Delete 7 manifests", "Cancel"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        for text in ("Manifests to delete", "Pulls of these images fail"):
            expect(page.get_by_text(text)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"delete-an-image-{theme}-{width}.png")
    page.goto(f"{address}/cleanup?registry=contosoci&repository=ci/storefront&tags=*&leftovers=true")
    page.get_by_text("Delete all the same").click()
    expect(page.get_by_role("button", name=re.compile("Delete [0-9]+ manifests"))).to_be_disabled()
    settled(page)
    # The last: the one before it, of what stays, is folded.
    why = {cell.partition(" ")[0] for row in cells(page, -1) for cell in row}
    assert {"Chosen", "Part"} <= why
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"clean-up-{theme}-{width}.png")
    page.context.close()


def begin_to_delete_many(page: Page, address: str) -> None:
    """All of the repository's 100 manifests but the one that a Container Instance runs."""
    page.goto(f"{address}/cleanup?{RUNNER}&tags=*&days=0")
    page.get_by_text("Delete all the same").click()
    go = page.get_by_role("button", name=re.compile("Delete [0-9]+ manifests"))
    expect(go).to_be_visible()  # Another plan, whose name is typed into an empty field.
    settled(page)
    page.get_by_label("Type the name to confirm").fill("ci/runner")
    page.keyboard.press("Enter")
    go.click()
    expect(page).to_have_url(re.compile("/deletions"))
    expect(page.get_by_text(re.compile(r"Deleting manifests: [1-9]\d* of 99"))).to_be_visible()


def test_a_deletion_of_many_is_stopped(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_LATENCY_MS="400") as address:
        begin_to_delete_many(page, address)
        page.screenshot(path=screenshots / "deleting-light-1280.png")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("heading", name="Remaining tags")).to_be_visible()
        found = outcomes(page)
        assert found.keys() == {"deleted", "not tried"}
        assert sum(found.values()) == 99
        page.screenshot(path=screenshots / "stopped-light-1280.png")
        page.goto(f"{address}/repository?{RUNNER}")
        settled(page)
        expect(page.get_by_text(re.compile(rf"\b{found['not tried'] + 1} manifests")).first).to_be_visible()


def test_a_deletion_whose_console_was_killed_is_continued(page: Page, tmp_path: Path, screenshots: Path) -> None:
    lease = {"ACR_CONSOLE_LEASE_S": "3"}
    with console_process(tmp_path, ACR_CONSOLE_SANDBOX_LATENCY_MS="400", **lease) as (address, process):
        begin_to_delete_many(page, address)
        process.kill()
    with console(tmp_path, **lease) as address:
        page.goto(f"{address}/deletions")
        settled(page)
        rows = cells(page)
        assert len(rows) == 2
        assert rows[1][-1] in ("Running", "Interrupted", "Completed")
        click_name(page, rows[1][0])
        expect(page.get_by_role("heading", name="Remaining tags")).to_be_visible(timeout=60_000)
        found = outcomes(page)
        assert {"deleted"} <= found.keys() <= {"deleted", "already deleted"}
        assert sum(found.values()) == 99
        page.screenshot(path=screenshots / "continued-light-1280.png")
