"""The console as a process of its own, and how a test waits for what Streamlit shows."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Browser, Locator, Page, expect

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 90


@contextmanager
def console(data: Path, script: str = "app.py", **settings: str) -> Iterator[str]:
    """`streamlit run app.py` on a free port with its sandbox in `data`; yields its address."""
    with console_process(data, script, **settings) as (address, _process):
        yield address


@contextmanager
def console_process(
    data: Path, script: str = "app.py", *, uvicorn_host: str = "", port: int = 0, **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, with the process: to be killed. `uvicorn_host`: run by uvicorn, which listens there. `port`: a free one
    that the settings name."""
    port = port or free_port()
    if uvicorn_host:
        command = ["uvicorn", "app:app", "--host", uvicorn_host, "--port", str(port)]
    else:
        command = ["streamlit", "run", script, "--server.port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACR_CONSOLE", "AZURE"))}
    environment |= {
        "ACR_CONSOLE_DATA": str(data / "console"),
        "ACR_CONSOLE_SANDBOX_DATA": str(data / "sandbox"),
        "HOME": str(data),
        "PYTHONFAULTHANDLER": "1",
        **settings,
    }
    log = data / "console.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://localhost:{port}"
    try:
        _await_health(process, address, log)
        yield address, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        _await_end(process, log)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await_end(process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for the process to end, asked a second time as by a second Ctrl-C. One that does not is aborted, and what
    its threads were at is the failure."""
    for again in (signal.SIGTERM, signal.SIGABRT):
        try:
            process.wait(20)
            return
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, again)
    process.wait(20)
    raise AssertionError(f"the console did not end:\n{log.read_text(errors='replace')}")


def _await_health(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)  # Between two looks at a process that has no other way to say that it is up.
    raise AssertionError(f"the console did not start:\n{log.read_text(errors='replace')}")


def window(browser: Browser, theme: str = "light", width: int = 1280, height: int = 900) -> Page:
    """A page in a browser of its own: nothing is shared with another. `page.context.close()` ends it."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
    )
    context.set_default_timeout(20_000)
    return context.new_page()


def settled(page: Page) -> None:
    """Waits until the script has run, and the browser has loaded the code of every element that is shown: on a busy
    machine a chart's takes longer than anything else. What is read in the background may still run."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=30_000)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=30_000)


def is_at(page: Page, address: str) -> None:
    """Waits until the page is at an address. Within a query "/" is the same as "%2F": Streamlit writes now one, now
    the other, by whether the link or the page was the last to write it."""
    page.wait_for_url(lambda url: unquote(url) == unquote(address), wait_until="commit", timeout=20_000)


def choose_action(page: Page, name: str) -> None:
    """Chooses in the menu of a page's further actions."""
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=name, exact=True).click()


def act_until(shown: Locator, act: Callable[[], None]) -> None:
    """Does what a person does, and again where `shown` does not come. Parts that come late to a page may put what is
    pressed or typed at that moment out of it: who sees that does it again."""
    for _ in range(3):
        act()
        try:
            expect(shown).to_be_visible(timeout=8_000)
            return
        except AssertionError:
            settled(shown.page)
            if shown.is_visible():
                return
    expect(shown).to_be_visible()


def choose(page: Page, label: str, name: str, shown: Locator) -> None:
    """Chooses in a box by the keyboard alone, until `shown` is there: Enter chooses nothing where its open list was
    closed."""
    page.wait_for_load_state("networkidle")

    def type_name() -> None:
        if page.get_by_role("listbox").count():
            page.keyboard.press("Escape")
        page.get_by_role("combobox", name=label, exact=True).focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(name)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")

    act_until(shown, type_name)


def cells(page: Page, index: int = 0) -> list[list[str]]:
    """The text of a table's rows, header first, from the hidden grid that Streamlit keeps for screen readers."""
    grid = page.get_by_test_id("stDataFrame").nth(index).locator("table[role='grid']")
    expect(grid).to_be_attached()
    return [row.locator("th, td").all_inner_texts() for row in grid.locator("tr").all()]


def select_row(page: Page, text: str, index: int = 0) -> None:
    """Clicks the selection box of the row that holds `text`."""
    frame = page.get_by_test_id("stDataFrame").nth(index)
    rows = cells(page, index)
    at = next(number for number, row in enumerate(rows) if any(re.fullmatch(text, cell.strip()) for cell in row))
    height = _row_height(frame)
    frame.click(position={"x": 16, "y": height * at + height / 2})


def click_name(page: Page, name: str, index: int = 0, shown: Locator | None = None) -> None:
    """Clicks the name of a row, in a table's first column; again where `shown` does not come: a table is a canvas,
    which Playwright cannot wait for."""
    frame = page.get_by_test_id("stDataFrame").nth(index)

    def click() -> None:
        at = next(number for number, row in enumerate(cells(page, index)) if name in (cell.strip() for cell in row))
        height = _row_height(frame)
        frame.click(position={"x": 70, "y": height * at + height / 2})
        # On the page that opens the pointer would rest on whatever is there, whose help may cover what is pressed next.
        page.mouse.move(0, 0)

    if shown:
        act_until(shown, click)
    else:
        click()


def _row_height(frame: Locator) -> float:
    box = frame.bounding_box()
    assert box
    shown = int(frame.locator("table[role='grid']").get_attribute("aria-rowcount") or "1")
    # Small tables show every row; larger ones the default number of rows and a part of one.
    return box["height"] / shown if shown <= 10 else 31.0
