"""What each further session costs in memory where all look at the same data."""

from contextlib import ExitStack

from benchmarks import processes
from benchmarks.browser_tab import BrowserTab
from benchmarks.rerun import read
from benchmarks.results import Row, under
from benchmarks.views import INVENTORY, TAGS

SESSIONS = 10
MIB = 1024 * 1024


def measure() -> list[Row]:
    with processes.console("app.py", "estate") as console, ExitStack() as open_tabs:
        for view in (INVENTORY, TAGS):
            read(console, view)
        _open(console, open_tabs)
        one = console.resident_bytes()
        for _ in range(SESSIONS - 1):
            _open(console, open_tabs)
        grown = (console.resident_bytes() - one) / (SESSIONS - 1) / MIB
    return [under("Memory of each further session on inventory and repository, MiB", grown, 5)]


def _open(console: processes.Console, open_tabs: ExitStack) -> None:
    """A tab that has looked at both views, and stays."""
    tab = open_tabs.enter_context(BrowserTab(console.address))
    for view in (INVENTORY, TAGS):
        tab.run(view.page, view.query)
