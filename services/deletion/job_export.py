"""The record of a deletion as a file: JSON, and HTML that needs nothing else."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from services.deletion.by_policy import policy_run_of, policy_sentences
from services.jobs.jobs import Job
from services.jobs.record_page import facts_table, head_of, html_page, html_table, requests_of, time_text


def export_of(job: Job) -> Mapping[str, Any]:
    """What was to be deleted and the result of each item, as JSON has it. `policy` is None where it follows none;
    `approved_by` in it where nobody approved it. Times in UTC by ISO 8601."""
    followed = policy_run_of(job)
    head = head_of(job)
    return {
        **head,
        "policy": followed
        and {
            "name": followed.name,
            "id": followed.policy or None,
            "version": followed.version or None,
            "edited": followed.edited,
            "ceiling": {
                "manifests": followed.manifests,
                "share_percent": followed.share_percent,
                "gib": followed.gib,
            },
            "above_ceiling": list(followed.above),
            "scheduled_run": followed.run or None,
            "approved_by": None if followed.by_itself else head["by"],
        },
        "confirmed": list(job.details.get("notes") or ()),
        "items": [
            {
                "name": item.name,
                "digest": item.digest,
                "tags": list(item.tags),
                "result": found.outcome if (found := job.results.get(item.name)) else "no result",
                "reason": (found.cause if found else "") or None,
            }
            for item in job.items
        ],
        "requests": requests_of(job),
    }


def as_json(job: Job) -> str:
    """`export_of` as text."""
    return json.dumps(export_of(job), indent=2, ensure_ascii=False) + "\n"


def as_html(job: Job) -> str:
    """The record as a page: without a script, a link or a picture; whatever others wrote is text."""
    record = export_of(job)
    facts = {
        "State": record["state"],
        "By": record["by"],
        "Started": time_text(job.begun),
        "Ended": time_text(job.ended) if job.ended else "not ended",
        "Repository": record["target"],
        "Items": f"{len(job.items):,}",
        "Confirmed": " ".join(record["confirmed"]),
        "Error": record["error"],
        "Record": record["id"],
    }
    followed = policy_run_of(job)
    said = policy_sentences(followed, record["by"]) if followed else ()
    body = [
        f"<h1>{escape(job.title)}</h1>",
        facts_table(facts),
        *(("<h2>Policy</h2>", *(f"<p>{escape(one)}</p>" for one in said)) if said else ()),
        "<h2>Results</h2>",
        html_table(record["items"]),
        "<h2>Requests to Azure</h2>",
        html_table(record["requests"]),
    ]
    return html_page(f"{job.title}: {job.target}", body)
