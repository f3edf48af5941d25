"""Events of a registry as a table for other programs."""

import csv
from collections.abc import Callable, Iterable
from io import StringIO

from services.pulls.events import RegistryEvent
from services.wording import cell_text

_COLUMNS = ("time", "operation", "repository", "tag", "digest", "identity", "name", "address", "client", "result")


def csv_of(events: Iterable[RegistryEvent], name: Callable[[str], str]) -> str:
    """CSV with a head; times in UTC by ISO 8601; `name` of an identity. A cell that a spreadsheet would take for a
    formula begins with '."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in events:
        of = (one.operation, one.repository, one.tag, one.digest, one.identity, name(one.identity))
        writer.writerow([one.at.isoformat(), *map(cell_text, (*of, one.address, one.agent, one.result))])
    return file.getvalue()
