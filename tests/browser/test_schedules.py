"""A retention policy in the browser, from nothing to its first scheduled run, approved and done."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.server import Sandbox
from tests.support.console import cells, click_name, console, settled
from tests.support.own_sandbox import OwnSandbox

pytestmark = pytest.mark.browser

POLICY = """\
name: Pull requests
rules:
  - name: pull requests
    action: delete
    tags: pr-*
    at_least: 2
    older_than_days: 0
"""


def test_a_policy_from_nothing_to_its_first_scheduled_run(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", "walkthrough") as sandbox:
        own = OwnSandbox(sandbox, tmp_path / "faults.json")
        for number in (1, 2, 3):
            own.push(f"pr-{number}", number=number)
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        page.goto(f"{address}/policies")
        settled(page)
        page.get_by_role("button", name="Create policy").click()
        settled(page)
        page.get_by_role("textbox", name="YAML").fill(POLICY)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Delete pr-*: not updated for 0 days")).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Save policy").click()
        expect(page.get_by_text("Pull requests saved as version 1.")).to_be_visible()
        settled(page)
        page.get_by_role("tab", name="Schedule").click()
        settled(page)
        page.get_by_role("button", name="Schedule policy").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("casaacr01")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "schedule-dialog-light-1280.png")
        dialog.get_by_role("button", name="Save schedule").click()
        expect(page.get_by_text("Pull requests is scheduled: Every day at 03:00 UTC.")).to_be_visible()
        settled(page)

        page.get_by_role("button", name="Propose now").click()
        # The worker looks every few seconds, and the page follows it.
        expect(page.get_by_test_id("stMetric").filter(has_text="Waiting for approval")).to_contain_text(
            "1", timeout=60_000
        )
        settled(page)
        page.screenshot(path=screenshots / "schedule-light-1280.png")
        click_name(page, "casaacr01", shown=page.get_by_text("Nothing has changed since it was proposed."))
        settled(page)
        page.screenshot(path=screenshots / "proposal-light-1280.png")
        page.get_by_role("textbox", name="Type the name to confirm").fill("1 manifest")
        page.keyboard.press("Enter")
        settled(page)
        page.get_by_role("button", name="Approve and delete 1 manifest").click()

        expect(page.get_by_role("heading", name="Activity")).to_be_visible()
        expect(page.get_by_text("1 deletion started in casaacr01.")).to_be_visible()
        page.goto(f"{address}/repository?registry=casaacr01&repository=team/app")
        settled(page)
        assert [row[0] for row in cells(page)[1:]] == ["pr-3", "pr-2"]
        page.goto(f"{address}/deletions")
        settled(page)
        (job,) = cells(page)[1:]
        assert "Completed" in job and "casaacr01/team/app" in job
        page.goto(f"{address}/policies")
        settled(page)
        click_name(page, "Pull requests")
        settled(page)
        page.get_by_role("tab", name="Schedule").click()
        settled(page)
        (run,) = cells(page)[1:]
        assert "Approved: Completed" in run
