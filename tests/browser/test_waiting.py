"""Before Azure has answered anything, even the sign-in, every page has its title, and the sidebar leads on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import ROOT, console, console_process
from tests.support.fault_walk import VIEWS

pytestmark = pytest.mark.browser

NEVER_MS = "600000"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console whose sandbox answers nothing. It is killed at the end: a sign-in that runs would be waited for."""
    data = tmp_path_factory.mktemp("held")
    with console_process(data, ACR_CONSOLE_SANDBOX_LATENCY_MS=NEVER_MS) as (address, process):
        yield address
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def _waits(page: Page) -> None:
    """The outline of what comes is shown, one title above it, and the script still runs."""
    expect(page.get_by_test_id("stSkeletonElement").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "running")


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_opened_by_its_address_has_its_title_before_azure_answers(page: Page, held: str, view: str) -> None:
    address, query = VIEWS[view]
    page.goto(f"{held}/{address}?{urlencode(query)}")
    title = page.get_by_role("heading", level=1)
    expect(title).to_be_visible(timeout=30_000)
    named = query.get("repository") or query.get("registry", "")
    if address in ("registry", "repository", "image", "settings", "sign-in", "delete", "cleanup"):
        expect(title).to_contain_text(named)
    _waits(page)
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name="Roles")).to_be_visible()


def test_a_link_leads_to_a_page_s_title_before_azure_answers(page: Page, held: str) -> None:
    page.goto(f"{held}/tokens?registry=contosohub")
    expect(page.get_by_role("heading", level=1, name="Tokens")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="contosohub").click()
    expect(page.get_by_role("heading", level=1, name="contosohub")).to_be_visible()
    _waits(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Roles").click()
    expect(page.get_by_role("heading", level=1, name="Roles")).to_be_visible()
    _waits(page)


CLICKED_WHILE_READING = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import time
import streamlit as st
from ui.elements.notices import dialog, forget_shown
from ui.estate.progress import show_readings
from ui.runtime import background

forget_shown()


def read(reading):
    for done in range(1, 100_000):
        if reading.stop.wait(0.05):
            return
        reading.report(done, 100, "parts")


@dialog("Asked")
def ask():
    if st.button("Within"):
        st.session_state["within"] = st.session_state.get("within", 0) + 1
    st.text(f"{{st.session_state.get('within', 0)}} within")


if "readings" not in st.session_state:
    st.session_state["readings"] = [background.start(None, read), background.start(None, read)]
first, second = st.session_state["readings"]
time.sleep(0.3)
show_readings([first], "first")
background.show_progress(second, "second", stop="")
if st.button("Click"):
    st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1
st.text(f"{{st.session_state.get('clicks', 0)}} clicks")
if st.button("Ask"):
    ask()
"""


def test_no_click_is_lost_while_a_page_runs_again_with_what_is_read(page: Page, tmp_path: Path) -> None:
    script = tmp_path / "reading.py"
    script.write_text(CLICKED_WHILE_READING)
    with console(tmp_path, str(script)) as address:
        page.goto(address)
        for clicks in range(1, 21):
            page.get_by_role("button", name="Click", exact=True).click()
            expect(page.get_by_text(f"{clicks} clicks", exact=True)).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Ask").click()
        for clicks in range(1, 21):
            page.get_by_role("button", name="Within").click()
            expect(page.get_by_text(f"{clicks} within", exact=True)).to_be_visible(timeout=20_000)
