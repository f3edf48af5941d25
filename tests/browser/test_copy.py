"""In the browser: a lock keeps a tag until it is taken off, an image is copied, and one is downloaded."""

import hashlib
import re
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.server import Sandbox
from tests.services.transfer.test_download import Shelf
from tests.support.console import cells, choose_action, console, settled
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with an image that has all its content, at team/app:v1.0.0."""
    data = tmp_path_factory.mktemp("copy")
    with Sandbox.start(data / "sandbox", "walkthrough") as sandbox:
        Shelf(OwnSandbox(sandbox, data / "faults.json")).index("v1.0.0")
    with console(data, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        yield address


def open_image(page: Page, address: str, repository: str = APP) -> None:
    page.goto(f"{address}/image?registry={REGISTRY}&repository={repository}&reference=v1.0.0")
    settled(page)


def set_tag_lock(page: Page, screenshot: Path | None = None) -> None:
    """Opens the tag's locks and turns the one against deletion."""
    choose_action(page, "Set tag locks")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Allow delete").click()
    expect(dialog.get_by_text("After the change")).to_be_visible()
    if screenshot:
        settled(page)
        page.screenshot(path=screenshot)
    dialog.get_by_role("button", name="Set locks").click()


def test_a_locked_tag_is_kept_until_it_is_unlocked(page: Page, whole: str, screenshots: Path) -> None:
    open_image(page, whole, "nodejstemplate")
    set_tag_lock(page, screenshots / "locks-light-1280.png")
    expect(page.get_by_text("Locks of the tag v1.0.0: changed and verified (locked against delete).")).to_be_visible()
    settled(page)
    choose_action(page, "Remove tag")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("The tag v1.0.0 is locked against deletion")).to_be_visible()
    expect(dialog.get_by_role("button", name="Remove tag")).to_be_disabled()
    page.keyboard.press("Escape")
    settled(page)
    set_tag_lock(page)
    expect(page.get_by_text("Locks of the tag v1.0.0: changed and verified (not locked).")).to_be_visible()
    settled(page)
    choose_action(page, "Remove tag")
    expect(dialog.get_by_role("button", name="Remove tag")).to_be_visible()


def test_an_image_is_copied_to_another_repository(page: Page, whole: str, screenshots: Path) -> None:
    open_image(page, whole)
    settled(page)
    choose_action(page, "Copy image")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("team/app-copy:v1.0.0 is new.")).to_be_visible()
    settled(page)
    page.screenshot(path=screenshots / "copy-light-1280.png")
    dialog.get_by_role("button", name="Copy image").click()
    expect(page.get_by_text(re.compile("team/app-copy:v1.0.0: created and verified"))).to_be_visible()
    page.goto(f"{whole}/repository?registry={REGISTRY}&repository=team/app-copy")
    settled(page)
    assert [row[0] for row in cells(page)[1:]] == ["v1.0.0"]


def test_an_image_is_downloaded_with_its_exact_length(
    page: Page, whole: str, tmp_path: Path, screenshots: Path
) -> None:
    open_image(page, whole)
    settled(page)
    choose_action(page, "Download image")
    link = page.get_by_role("dialog").get_by_role("link", name=re.compile("^Download"))
    expect(link).to_be_visible()
    page.screenshot(path=screenshots / "download-light-1280.png")
    text = page.get_by_role("dialog").get_by_text(re.compile(r"\(([\d,]+) bytes\)")).inner_text()
    length = int(re.sub(r".*\(([\d,]+) bytes\).*", r"\1", text).replace(",", ""))
    with page.context.expect_event("download") as event:
        link.click()
    file = tmp_path / "image.tar"
    assert event.value.suggested_filename == "team-app-v1.0.0.tar"
    event.value.save_as(file)
    assert file.stat().st_size == length
    with tarfile.open(file) as tar:
        for member in tar:
            if member.name.startswith("blobs/"):
                content = tar.extractfile(member)
                assert content and hashlib.sha256(content.read()).hexdigest() == member.name[-64:]
    url = str(link.get_attribute("href"))
    asked = urllib.request.Request(url if url.startswith("http") else whole + url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert int(answer.headers["Content-Length"]) == length == len(answer.read())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{whole}/download/nonsense", timeout=30)
