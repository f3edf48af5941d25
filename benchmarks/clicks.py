"""From a click to the first rows of a table in Chromium, against pages that show the same tables from memory."""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa
from playwright.sync_api import Browser, Page

from benchmarks import processes
from benchmarks.browser_tab import BrowserTab
from benchmarks.rerun import read
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio
from benchmarks.views import INVENTORY, MATRIX, TAGS, View
from tests.support.chromium import chromium
from tests.support.console import settled, window

ROUNDS = 7
IMAGE = "image?registry=contosoci&repository=ci%2Frunner&reference="
IS_THERE = "text => [...document.querySelectorAll('table[role=grid] td')].some(cell => cell.innerText.trim() === text)"


class Click(NamedTuple):
    """From the page at `start`, which has no such table, by the link `label`; `floor_label` is that from memory."""

    view: View
    start: str
    label: str
    floor_label: str


def measure() -> list[Row]:
    with processes.console("app.py", "estate") as console, TemporaryDirectory() as folder, chromium() as browser:
        tables = {view: _table(console, view) for view in (INVENTORY, TAGS, MATRIX)}
        for view, table in tables.items():
            file = Path(folder) / f"{view.page}.arrow"
            with pa.ipc.new_stream(file, table.schema) as stream:
                stream.write_table(table)
        with processes.console("benchmarks/memory_app.py", "estate", BENCHMARK_TABLES=folder) as memory:
            image = IMAGE + _first(tables[TAGS])
            clicks = (
                Click(INVENTORY, "deletions", "Inventory", "Inventory"),
                Click(TAGS, image, "ci/runner", "To the repository"),
                Click(MATRIX, "deletions", "Pull matrix", "Pull matrix"),
            )
            return [_measured(browser, console, memory, tables, click) for click in clicks]


def _measured(
    browser: Browser,
    console: processes.Console,
    memory: processes.Console,
    tables: Mapping[View, pa.Table],
    click: Click,
) -> Row:
    awaited = _first(tables[click.view])
    ours, floor = window(browser), window(browser)

    def clicked(page: Page, label: str) -> float:
        link = page.get_by_role("link", name=label).first
        link.wait_for()
        begun = time.perf_counter()
        link.click()
        page.wait_for_function(IS_THERE, arg=awaited)
        took = time.perf_counter() - begun
        settled(page)
        page.go_back()
        page.wait_for_function(f"text => !({IS_THERE})(text)", arg=awaited)
        settled(page)
        return took

    for page, address, label in ((ours, console.address, click.label), (floor, memory.address, click.floor_label)):
        page.goto(f"{address}/{click.start}")
        settled(page)
        clicked(page, label)  # The browser has the page's code from here on, as in any session.
    pairs = by_turns(lambda: clicked(ours, click.label), lambda: clicked(floor, click.floor_label), ROUNDS)
    ours.context.close()
    floor.context.close()
    name = f"From a click to the first rows in Chromium: {click.view.title}, × the same table from memory"
    return at_most(name, median_ratio(pairs), 1.5)


def _table(console: processes.Console, view: View) -> pa.Table:
    """The first table that the view shows once all is read, as the browser gets it."""
    read(console, view)
    with BrowserTab(console.address) as tab:
        messages = tab.run(view.page, view.query)[1]
    elements = (message.delta.new_element for message in messages if message.delta.HasField("new_element"))
    data = next(element.dataframe.arrow_data.data for element in elements if element.WhichOneof("type") == "dataframe")
    return pa.ipc.open_stream(data).read_all()


def _first(table: pa.Table) -> str:
    """The first cell of the first column, as it is written."""
    return str(table.column(0)[0].as_py())
