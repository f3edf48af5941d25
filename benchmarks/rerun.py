"""What a rerun of each view takes the server once its data is read, against a page of the console that is blank."""

import time

from benchmarks import processes
from benchmarks.browser_tab import BrowserTab, kinds
from benchmarks.results import Row, under
from benchmarks.rounds import Pair, by_turns, median_ratio
from benchmarks.views import INVENTORY, VIEWS, View

ROUNDS = 20
# People do not press twice in so short a time; and without it, a delayed TCP acknowledgement is measured too.
PAUSE_S = 0.06
# A view of data that is being read shows its progress, and is run again each second until all is in.
READ_WITHIN_S = 30


def measure() -> list[Row]:
    with (
        processes.console("app.py", "estate") as console,
        processes.console("benchmarks/blank_app.py", "estate") as blank,
    ):
        return [
            under(f"Warm rerun: {view.title}, × a blank page", median_ratio(_reruns(console, blank, view)), 3)
            for view in VIEWS
        ]


def _reruns(console: processes.Console, blank: processes.Console, view: View) -> list[Pair]:
    read(console, view)
    with BrowserTab(console.address) as tab, BrowserTab(blank.address) as other:
        for _ in range(3):
            _paced(tab, view)
            _paced(other, INVENTORY)
        return by_turns(lambda: _paced(tab, view), lambda: _paced(other, INVENTORY), ROUNDS)


def read(console: processes.Console, view: View) -> None:
    """Opens `view` in tabs of its own until its table is there and nothing is being read any more."""
    until = time.monotonic() + READ_WITHIN_S
    while True:
        with BrowserTab(console.address) as tab:
            shown = kinds(tab.run(view.page, view.query)[1])
        if "dataframe" in shown and "progress" not in shown:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{view.title} shows no table, only {shown}")
        time.sleep(0.5)


def _paced(tab: BrowserTab, view: View) -> float:
    time.sleep(PAUSE_S)
    return tab.run(view.page, view.query)[0]
