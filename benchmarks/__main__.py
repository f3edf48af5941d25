"""`python -m benchmarks [name …]`: measures, prints a table, and writes results.json beside this file."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    access,
    at_hand,
    calls,
    clicks,
    costs,
    deleting,
    gate,
    index,
    index_search,
    inventory,
    journal,
    large,
    parsing,
    people,
    policies,
    pull_check,
    pulls,
    push,
    reading,
    rerun,
    running,
    sessions,
)
from benchmarks.results import Row, machine, table, write

MEASURES: dict[str, Callable[[], list[Row]]] = {
    "calls": calls.measure,
    "reading": reading.measure,
    "parsing": parsing.measure,
    "deleting": deleting.measure,
    "journal": journal.measure,
    "index": index.measure,
    "index_search": index_search.measure,
    "policies": policies.measure,
    "running": running.measure,
    "at_hand": at_hand.measure,
    "access": access.measure,
    "inventory": inventory.measure,
    "pulls": pulls.measure,
    "pull_check": pull_check.measure,
    "costs": costs.measure,
    "rerun": rerun.measure,
    "clicks": clicks.measure,
    "large": large.measure,
    "sessions": sessions.measure,
    "gate": gate.measure,
    "people": people.measure,
    "push": push.measure,
}
RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> int:
    """The exit status: 1 where a bar is missed."""
    if unknown := set(names) - MEASURES.keys():
        print(f"No measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    # As the console does when it starts (app.py): what was imported is not walked through in what is measured.
    gc.collect()
    gc.freeze()
    rows: list[Row] = []
    for name in names or MEASURES:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += MEASURES[name]()
    write(rows, RESULTS)
    print(table(rows), machine(os.cpu_count()), sep="\n\n")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
