"""Jobs as a table for other programs."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

from services.jobs.jobs import JobSummary, named_target
from services.wording import cell_text

_COLUMNS = ("id", "who", "name", "action", "target", "started", "ended", "state", "items", "recorded", "error", "named")


def csv_of(jobs: Iterable[JobSummary], names: Mapping[str, str]) -> str:
    """CSV with a head; times in UTC by ISO 8601. A cell that a spreadsheet would take for a formula begins with '.

    The last column is the target with the registry's name, of `names` by login server."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for job in jobs:
        ended = job.ended.isoformat() if job.ended else ""
        figures = (job.state, job.items, job.recorded, job.error, named_target(job.target, names))
        row = (job.id, job.who, job.login, job.action, job.target, job.begun.isoformat(), ended, *figures)
        writer.writerow([cell_text(cell) if isinstance(cell, str) else cell for cell in row])
    return file.getvalue()
