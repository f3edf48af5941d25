"""The guide's last part in the browser: the check fails and says why, attach mends it, the check passes; and back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import console, settled, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_checker(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/aks?cluster=aks1&registry=casaacr01")
    expect(page.get_by_text("aks1 can't pull from casaacr01")).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_text("Ids to copy").click()
    # The guide's two identities, and its kubelet identity's client id.
    for known in (
        "7d2f894e-14ab-41d0-b83d-dda90d45c7d6",
        "d55c1efa-7418-42a5-9dc4-34467aba4ca0",
        "a7283972-89ef-4ce1-a630-3925cb926d3c",
    ):
        expect(page.get_by_test_id("stCode").filter(has_text=known, visible=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.screenshot(path=screenshots / f"aks-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_the_guide_s_story_from_refused_to_attached_and_back(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/aks?cluster=aks1&registry=casaacr01")
        expect(page.get_by_text("aks1 can't pull from casaacr01")).to_be_visible(timeout=30_000)
        settled(page)
        page.get_by_role("button", name="Attach registry").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("AcrPull for the kubelet identity of aks1 on casaacr01")).to_be_visible()
        expect(dialog.get_by_text("az role assignment create").first).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "attach-light-1280.png")
        dialog.get_by_role("button", name="Attach registry").click()
        expect(page.get_by_text("aks1 can pull from casaacr01")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("Role assignment on casaacr01: created and verified.")).to_be_visible()
        expect(page.get_by_text("A new role takes up to ten minutes")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "attached-light-1280.png")

        settled(page)
        page.get_by_role("button", name="Detach registry").click()
        expect(dialog.get_by_text("Afterwards no known role lets the cluster pull.")).to_be_visible()
        settled(page)
        dialog.get_by_role("button", name="Detach registry").click()
        expect(page.get_by_text("aks1 can't pull from casaacr01")).to_be_visible(timeout=30_000)


def test_an_abac_registry_gets_the_role_that_counts_there(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/aks?cluster=aks-platform&registry=contosopayments")
        expect(page.get_by_text("aks-platform can't pull from contosopayments")).to_be_visible(timeout=30_000)
        settled(page)
        page.get_by_role("button", name="Attach registry").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Container Registry Repository Reader for the kubelet identity")).to_be_visible()
        dialog.get_by_text("Some repositories").click()
        expect(dialog.get_by_text("Name at least one repository.")).to_be_visible()
        expect(dialog.get_by_role("button", name="Attach registry")).to_have_count(0)
        dialog.get_by_role("textbox", name="Repositories").fill("team/payments/")
        page.keyboard.press("Enter")
        expect(dialog.get_by_text("for all below team/payments/")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "attach-abac-light-1280.png")
        dialog.get_by_role("button", name="Attach registry").click()
        expect(page.get_by_text("Role assignment on contosopayments: created and verified.")).to_be_visible(
            timeout=30_000
        )
        settled(page)
        page.get_by_role("textbox", name="Repository (optional)").fill("team/payments/api")
        page.keyboard.press("Enter")
        expect(page.get_by_text("aks-platform can pull from contosopayments")).to_be_visible(timeout=30_000)
        page.goto(f"{address}/aks?cluster=aks-platform&registry=contosopayments&repository=team/other")
        expect(page.get_by_text("aks-platform can't pull from contosopayments")).to_be_visible(timeout=30_000)


def test_the_control_plane_s_grant_is_named_for_the_mistake_it_is(page: Page, address: str) -> None:
    page.goto(f"{address}/aks?cluster=aks-payments&registry=contosohub")
    expect(page.get_by_text("never pulls images: a common mistake").first).to_be_visible(timeout=30_000)
