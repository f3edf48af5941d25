"""The record of a promotion as a file: JSON, and HTML that needs nothing else."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from services.jobs.jobs import Job, JobItem
from services.jobs.record_page import facts_table, head_of, html_page, html_table, requests_of, time_text
from services.promotion.jobs import Promotion, promotions_of
from services.wording import counted, size


def record_of(job: Job) -> Mapping[str, Any]:
    """What was promoted, checked, done and answered, as JSON has it. Times in UTC by ISO 8601; sizes in bytes. What is
    None is unknown."""
    found = promotions_of(job)
    return {
        **head_of(job),
        "promotions": [_promotion(job, one) for one in found.images] if found else None,
        "not_checked": list(found.unchecked) if found else None,
        "not_promoted": [{"image": name, "reason": why} for name, why in found.left_out] if found else None,
        "items": [_item(job, item) for item in job.items],
        "requests": requests_of(job),
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
        "Started": time_text(job.begun),
        "Ended": time_text(job.ended) if job.ended else "not ended",
        "Target": record["target"],
        "Images": f"{number:,}" if promotions is not None else "unknown",
        "Not checked": ", ".join(record["not_checked"] or ()),
        "Error": record["error"],
        "Record": record["id"],
    }
    body = [
        f"<h1>Promotion of {counted(number, 'image') if number != 1 else 'an image'}</h1>",
        facts_table(facts),
        *(_image_part(one) for one in promotions or ()),
        *(("<p>What was checked before is unknown.</p>",) if promotions is None else ()),
        *(("<h2>Not promoted</h2>", html_table(record["not_promoted"])) if record["not_promoted"] else ()),
        "<h2>All results</h2>",
        html_table(record["items"]),
        "<h2>Requests to Azure</h2>",
        html_table(record["requests"]),
        "<h2>The same with az</h2>",
        f"<pre>{escape(chr(10).join(record['commands']))}</pre>",
    ]
    return html_page(f"Promotion to {record['target']}", body)


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
            facts_table(facts),
            "<h3>Checks</h3>",
            html_table(one["checks"]),
            "<h3>Result</h3>",
            html_table(one["items"]),
            "<h3>Signatures, SBOMs and attestations</h3>",
            why + (html_table(one["referrers"]) if one["referrers"] or not unknown else ""),
        ]
    )
