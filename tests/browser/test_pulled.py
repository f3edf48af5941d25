"""Logging turned on as a person does, and the last pull that it then shows."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sandbox.seeds.places import APPS
from sandbox.server import Sandbox
from tests.support.console import console, settled, window
from tests.support.registry_clients import Registry

pytestmark = pytest.mark.browser


def test_logging_is_turned_on_and_the_next_pull_is_shown(browser: Browser, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with Sandbox.start(tmp_path / "azure") as sandbox:
        ready.write_text(json.dumps(sandbox.ready), encoding="utf-8")
        with console(tmp_path, ACR_CONSOLE_SANDBOX_READY_FILE=str(ready)) as address:
            turn_on_and_pull(browser, address, sandbox)


def turn_on_and_pull(browser: Browser, address: str, sandbox: Sandbox) -> None:
    page = window(browser)
    page.goto(f"{address}/repository?registry=contosodev&repository=hello")
    settled(page)
    expect(page.get_by_text("Last pull unknown. What happens in this registry is not logged.")).to_be_visible()
    page.get_by_role("button", name="Turn on logging").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Workspace").first).to_have_value("payments-logs (westeurope, kept 365 days)")
    expect(dialog.get_by_test_id("stCode").last).to_contain_text(f"--workspace /subscriptions/{APPS}/")
    settled(page)
    dialog.get_by_role("button", name="Turn on logging").click()
    expect(page.get_by_text("Logging of contosodev: created and verified.")).to_be_visible()
    expect(page.get_by_text("No event is logged yet")).to_be_visible()

    with Registry(sandbox.ready, "contosodev") as client:
        assert client("GET", "/v2/hello/manifests/latest").status_code == 200
    page.get_by_role("button", name="Refresh").click()
    settled(page)
    page.get_by_role("tab", name="Manifests").click()
    settled(page)
    expect(page.get_by_text("Last pull unknown.")).to_have_count(0)
    page.goto(f"{address}/image?registry=contosodev&repository=hello&reference=latest")
    settled(page)
    expect(page.get_by_text("1 pull in 30 days, last by console")).to_be_visible()
    page.context.close()
