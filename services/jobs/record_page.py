"""The record of a job as JSON and as a page that needs nothing else: what all of them have."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from services.jobs.jobs import Job

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;overflow-wrap:anywhere}h3{font-size:1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}th{font-weight:600}pre{white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:#f5f5f5;padding:.6rem}"
)


def head_of(job: Job) -> Mapping[str, Any]:
    """What was done by whom and when, and how it ended, as JSON has it. Times in UTC by ISO 8601."""
    return {
        "id": job.id,
        "action": job.action,
        "state": job.state,
        "by": job.login or job.who.rpartition("/")[2],
        "started": job.begun.isoformat(),
        "ended": job.ended.isoformat() if job.ended else None,
        "error": job.error or None,
        "target": job.target,
    }


def requests_of(job: Job) -> list[Mapping[str, Any]]:
    """What was sent to Azure that changes something, as JSON has it."""
    return [
        {
            "method": one.method,
            "target": one.target,
            "status": one.status,
            "request_id": one.request_id or None,
            "correlation_id": one.correlation_id or None,
        }
        for one in job.sent
    ]


def html_page(title: str, body: Iterable[str]) -> str:
    """A page without a script, a link or a picture. `body` is HTML, `title` text."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def facts_table(facts: Mapping[str, Any]) -> str:
    """A table of two columns, of what has a value."""
    return html_table([{"": name, " ": value} for name, value in facts.items() if value], head=False)


def time_text(moment: datetime) -> str:
    """The time to the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def html_table(rows: Iterable[Mapping[str, Any]], *, head: bool = True) -> str:
    """A table; whatever others wrote in it is text. A list in a cell is joined by commas."""
    listed: Sequence[Mapping[str, Any]] = tuple(rows)
    if not listed:
        return "<p>None recorded.</p>"
    names = "".join(f"<th>{escape(name.replace('_', ' ').capitalize())}</th>" for name in listed[0]) if head else ""
    lines = ("".join(f"<td>{escape(_cell(cell))}</td>" for cell in row.values()) for row in listed)
    return f"<table>{f'<tr>{names}</tr>' if names else ''}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _cell(cell: object) -> str:
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    return "" if cell is None else str(cell)
