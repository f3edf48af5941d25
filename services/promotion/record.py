"""The record of a promotion as a file: JSON, and HTML that needs nothing else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from services.jobs.jobs import Job, JobItem
from services.promotion.jobs import Promotion, promotions_of
from services.wording import counted, size

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;overflow-wrap:anywhere}h3{font-size:1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}th{font-weight:600}pre{white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:#f5f5f5;padding:.6rem}"
)


def record_of(job: Job) -> Mapping[str, Any]:
    """What was promoted, checked, done and answered, as JSON has it. Times in UTC by ISO 8601; sizes in bytes. What is
    None is unknown."""
    found = promotions_of(job)
    return {
        "id": job.id,
        "action": job.action,
        "state": job.state,
        "by": job.login or job.who.rpartition("/")[2],
        "started": job.begun.isoformat(),
        "ended": job.ended.isoformat() if job.ended else None,
        "error": job.error or None,
        "target": job.target,
        "promotions": [_promotion(job, one) for one in found.images] if found else None,
        "not_checked": list(found.unchecked) if found else None,
        "not_promoted": [{"image": name, "reason": why} for name, why in found.left_out] if found else None,
        "items": [_item(job, item) for item in job.items],
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


def _promotion(job: Job, one: Promotion) -> Mapping[str, Any]:
    names = set(one.items)
    return {
        "source": one.source,
        "digest": one.digest or None,
        "size": one.size,
        "manifests": one.manifests or None,
        "platforms": list(one.platforms),
        "checks": [{"check": check.name, "result": check.verdict.value, "reason": check.why} for check in one.checks],
        "referrers": [{"name": name, "type": kind} for name, kind in one.referrers],
        "referrers_unknown": one.unread or None,
        "items": [_item(job, item) for item in job.items if item.name in names],
    }


def _item(job: Job, item: JobItem) -> Mapping[str, Any]:
    result = job.results.get(item.name)
    return {
        "name": item.name,
        "digest": item.digest or None,
        "result": result.outcome if result else "no result",
        "reason": (result.cause if result else "") or None,
    }


def as_json(job: Job) -> str:
    """`record_of` as text."""
    return json.dumps(record_of(job), indent=2, ensure_ascii=False) + "\n"


def as_html(job: Job) -> str:
    """The record as a page: without a script, a link or a picture; whatever others wrote is text."""
    record = record_of(job)
    promotions = record["promotions"]
    number = len(promotions or ())
    facts = {
        "State": record["state"],
        "By": record["by"],
        "Started": _time(job.begun),
        "Ended": _time(job.ended) if job.ended else "not ended",
        "Target": record["target"],
        "Images": f"{number:,}" if promotions is not None else "unknown",
        "Not checked": ", ".join(record["not_checked"] or ()),
        "Error": record["error"],
        "Record": record["id"],
    }
    body = [
        f"<h1>Promotion of {counted(number, 'image') if number != 1 else 'an image'}</h1>",
        _facts(facts),
        *(_image_part(one) for one in promotions or ()),
        *(("<p>What was checked before is unknown.</p>",) if promotions is None else ()),
        *(("<h2>Not promoted</h2>", _table(record["not_promoted"])) if record["not_promoted"] else ()),
        "<h2>All results</h2>",
        _table(record["items"]),
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


def _image_part(one: Mapping[str, Any]) -> str:
    known = one["size"] is not None
    facts = {
        "Digest": one["digest"] or "unknown",
        "Size": f"{size(one['size'])} in {counted(one['manifests'] or 0, 'manifest')}" if known else "unknown",
        "Platforms": ", ".join(one["platforms"]) or "one",
    }
    unknown = one["referrers_unknown"]
    why = f"<p>Unknown whether there are more: {escape(unknown)}</p>" if unknown else ""
    return "\n".join(
        [
            f"<h2>{escape(one['source'])}</h2>",
            _facts(facts),
            "<h3>Checks</h3>",
            _table(one["checks"]),
            "<h3>Result</h3>",
            _table(one["items"]),
            "<h3>Signatures, SBOMs and attestations</h3>",
            why + (_table(one["referrers"]) if one["referrers"] or not unknown else ""),
        ]
    )


def _facts(facts: Mapping[str, Any]) -> str:
    return _table([{"": name, " ": value} for name, value in facts.items() if value], head=False)


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
