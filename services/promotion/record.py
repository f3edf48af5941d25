"""The record of a promotion as a file: JSON, and HTML that needs nothing else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from services.jobs.jobs import Job
from services.promotion.jobs import promotion_of
from services.wording import counted, size

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}th{font-weight:600}pre{white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:#f5f5f5;padding:.6rem}"
)


def record_of(job: Job) -> Mapping[str, Any]:
    """What was promoted, checked, done and answered, as JSON has it. Times in UTC by ISO 8601; sizes in bytes."""
    promotion = promotion_of(job)
    return {
        "id": job.id,
        "action": job.action,
        "state": job.state,
        "by": job.login or job.who.rpartition("/")[2],
        "started": job.begun.isoformat(),
        "ended": job.ended.isoformat() if job.ended else None,
        "error": job.error or None,
        "target": job.target,
        "source": promotion.source if promotion else None,
        "digest": promotion.digest if promotion else None,
        "size": promotion.size if promotion else None,
        "manifests": promotion.manifests if promotion else None,
        "platforms": list(promotion.platforms) if promotion else None,
        "referrers": [{"name": name, "type": kind} for name, kind in promotion.referrers] if promotion else None,
        "checks": [{"check": one.name, "result": one.verdict.value, "reason": one.why} for one in promotion.checks]
        if promotion
        else None,
        "not_checked": list(promotion.unchecked) if promotion else None,
        "items": [
            {
                "name": item.name,
                "digest": item.digest or None,
                "result": result.outcome if (result := job.results.get(item.name)) else "no result",
                "reason": (result.cause if result else "") or None,
            }
            for item in job.items
        ],
        "requests": [
            {
                "method": one.method,
                "target": one.target,
                "status": one.status,
                "request_id": one.request_id or None,
                "correlation_id": one.correlation_id or None,
            }
            for one in job.sent
        ],
        "commands": list(job.details.get("commands") or ()),
    }


def as_json(job: Job) -> str:
    """`record_of` as text."""
    return json.dumps(record_of(job), indent=2, ensure_ascii=False) + "\n"


def as_html(job: Job) -> str:
    """The record as a page: without a script, a link or a picture; whatever others wrote is text."""
    record = record_of(job)
    platforms = ", ".join(record["platforms"] or ())
    facts = {
        "State": record["state"],
        "By": record["by"],
        "Started": _time(job.begun),
        "Ended": _time(job.ended) if job.ended else "not ended",
        "Source": record["source"],
        "Target": record["target"],
        "Digest": record["digest"],
        "Size": f"{size(record['size'])} in {counted(record['manifests'], 'manifest')}"
        if record["size"] is not None
        else "unknown",
        "Platforms": platforms or "one",
        "Error": record["error"],
        "Record": record["id"],
    }
    unchecked = [{"check": name, "result": "Not checked", "reason": ""} for name in record["not_checked"] or ()]
    body = [
        "<h1>Promotion of an image</h1>",
        _table([{"": name, " ": value} for name, value in facts.items() if value], head=False),
        "<h2>Checks</h2>",
        _table([*(record["checks"] or ()), *unchecked]),
        "<p>A signature that is there was not verified.</p>",
        "<h2>Result</h2>",
        _table(record["items"]),
        "<h2>Signatures, SBOMs and attestations</h2>",
        _table(record["referrers"] or ()),
        "<h2>Requests to Azure</h2>",
        _table(record["requests"]),
        "<h2>The same with az</h2>",
        f"<pre>{escape(chr(10).join(record['commands']))}</pre>",
    ]
    title = escape(f"Promotion to {record['target']}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _table(rows: Iterable[Mapping[str, Any]], *, head: bool = True) -> str:
    listed: Sequence[Mapping[str, Any]] = tuple(rows)
    if not listed:
        return "<p>None recorded.</p>"
    names = "".join(f"<th>{escape(name.replace('_', ' ').capitalize())}</th>" for name in listed[0]) if head else ""
    lines = (
        "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row.values()) for row in listed
    )
    return f"<table>{f'<tr>{names}</tr>' if names else ''}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
