"""A token's life in the browser: made, its password seen once and used, disabled, removed. And that the views fit."""

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.support.console import cells, choose, choose_action, console, select_row, settled, window
from tests.support.documents import OCI_INDEX

pytestmark = pytest.mark.browser

NAME = "contoso-device"


def pulls(line: str, password: str, data: Path, repository: str) -> bool:
    """Whether a client that signs in as the line says may pull: what the registry grants for the password."""
    found = re.search(r"docker login (\S+) --username (\S+)", line)
    assert found
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"https://{found[1]}/v2/{repository}/manifests/v1.0.0",
            auth=(found[2], password),
            headers={"Accept": OCI_INDEX},
            verify=str(data / "sandbox" / "ca.pem"),
            timeout=10,
        )
    return answer.status_code == 200


def test_a_token_is_made_used_disabled_and_removed(page: Page, tmp_path: Path) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        page.goto(f"{address}/registry?registry=casaacr01&show=Access")
        settled(page)
        page.get_by_role("link", name="Tokens").click()
        expect(page.get_by_text("No tokens")).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Create token").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name").fill(NAME)
        page.keyboard.press("Tab")
        expect(dialog.get_by_text(f"--name {NAME}-scope-map")).to_be_visible()
        choose(page, "Repositories", "nodejstemplate", dialog.get_by_text("--repository nodejstemplate content/read"))
        page.keyboard.press("Tab")  # While the list of names is open, nothing else can be reached.
        dialog.get_by_role("button", name="Create token").click()
        expect(page.get_by_role("heading", name=NAME)).to_be_visible()
        expect(page.get_by_text(f"Token {NAME}: created and verified.")).to_be_visible()
        expect(page).to_have_url(re.compile(f"token={NAME}"))

        settled(page)
        page.get_by_role("button", name="Generate password").click()
        dialog.get_by_role("button", name="Generate password").click()
        expect(dialog.get_by_text("Copy it now")).to_be_visible()
        password, line = (code.inner_text() for code in dialog.locator("code").all()[:2])
        assert len(password) > 30
        assert pulls(line, password, tmp_path, "nodejstemplate")
        assert not pulls(line, "wrong", tmp_path, "nodejstemplate")
        dialog.get_by_role("button", name="Done").click()
        expect(dialog).to_have_count(0)
        settled(page)
        assert password not in page.content()
        assert password not in page.url
        assert [row[0] for row in cells(page)[1:]] == ["password1"]
        page.reload()
        settled(page)
        assert password not in page.content()

        settled(page)
        choose_action(page, "Disable token")
        dialog.get_by_role("button", name="Disable token").click()
        expect(page.get_by_text(": changed and verified")).to_be_visible()
        assert not pulls(line, password, tmp_path, "nodejstemplate")

        settled(page)
        choose_action(page, "Delete token")
        expect(dialog.get_by_role("button", name="Delete token")).to_be_disabled()
        dialog.get_by_role("textbox", name="Type the name to confirm").fill(NAME)
        page.keyboard.press("Enter")
        dialog.get_by_role("button", name="Delete token").click()
        expect(page.get_by_text(f"Token {NAME}: deleted and verified.")).to_be_visible()
        expect(page.get_by_text("No tokens")).to_be_visible()
        expect(page).not_to_have_url(re.compile("token="))


def test_a_password_dialog_that_is_put_away_by_its_cross_is_gone_too(page: Page, tmp_path: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/tokens?registry=contosobase&token=plant-gateway")
        settled(page)
        page.get_by_role("button", name="Generate password").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Generate password").click()
        expect(dialog.get_by_text("Copy it now")).to_be_visible()
        password = dialog.locator("code").first.inner_text()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        settled(page)
        expect(page.get_by_test_id("stDataFrame").locator("table[role='grid']")).to_have_attribute("aria-rowcount", "3")
        assert password not in page.content()


@pytest.mark.parametrize(
    ("path", "row", "kind"),
    [
        ("webhooks?registry=contosohub", "scanhook", "Webhooks"),
        ("tokens?registry=contosobase", "plant-gateway", "Tokens"),
    ],
)
def test_a_row_opens_what_it_stands_for_and_the_way_back_leads_back(
    page: Page, address: str, path: str, row: str, kind: str
) -> None:
    page.goto(f"{address}/{path}")
    expect(page.get_by_role("heading", name=kind, exact=True)).to_be_visible()
    settled(page)
    select_row(page, row)
    expect(page.get_by_role("heading", name=row, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"={row}$"))
    settled(page)
    page.get_by_test_id("stMain").get_by_role("link", name=kind, exact=True).click()
    expect(page.get_by_role("heading", name=kind, exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile(row))
    settled(page)
    # Chosen no more: it does not open again by itself.
    page.reload()
    settled(page)
    expect(page.get_by_role("heading", name=kind, exact=True)).to_be_visible()


VIEWS = (
    ("webhooks", "webhooks?registry=contosohub"),
    ("webhook", "webhooks?registry=contosohub&webhook=scanhook"),
    ("replicas", "replicas?registry=contosohub"),
    ("tokens", "tokens?registry=contosobase"),
    ("token", "tokens?registry=contosobase&token=plant-gateway"),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_views_fit(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, path in VIEWS:
        page.goto(f"{address}/{path}")
        expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=30_000)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        page.screenshot(path=screenshots / f"{name}-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()
