"""Jobs as a table for other programs."""

import csv
from collections.abc import Iterable
from io import StringIO

from services.jobs.jobs import JobSummary

_COLUMNS = ("id", "who", "name", "action", "target", "started", "ended", "state", "items", "recorded", "error")


def csv_of(jobs: Iterable[JobSummary]) -> str:
    """CSV with a head; times in UTC by ISO 8601. A cell that a spreadsheet would take for a formula begins with '."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for job in jobs:
        ended = job.ended.isoformat() if job.ended else ""
        figures = (job.state, job.items, job.recorded, job.error)
        row = (job.id, job.who, job.login, job.action, job.target, job.begun.isoformat(), ended, *figures)
        writer.writerow([f"'{cell}" if str(cell).startswith(("=", "+", "-", "@", "\t")) else cell for cell in row])
    return file.getvalue()
