"""Deletions as jobs of the database: what a plan is written down as, and the record that pages show."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from services.connection.data_plane import RegistryClient
from services.connection.parallel import Partial, parallel_map
from services.deletion.plan import DeletionItem, DeletionPlan, Why
from services.deletion.records import GONE, STILL_THERE, Action, DeletionRecord, Fate, RecordedItem
from services.deletion.repository import RepositoryDeletionPlan
from services.images.repositories import find_manifest_row, find_tag
from services.images.tagging import UntagItem, UntagPlan
from services.jobs.jobs import Job, JobItem, JobResult


def record_of(job: Job) -> DeletionRecord:
    """The record of a job. Raises ValueError where it is no deletion's."""
    action: Action = next(one for one in get_args(Action) if one == job.action)
    return DeletionRecord(
        job.id,
        action,
        job.login_server,
        job.repository,
        job.begun,
        tuple(RecordedItem(item.name, item.digest, item.tags) for item in job.items),
        {name: Fate(result.outcome, result.cause) for name, result in job.results.items()},
        job.ended,
        job.answer,
        job.error,
        job.damaged_lines,
        job.runs,
    )


def finished_job_of(record: DeletionRecord, who: str) -> Job:
    """The job of a record that was a file: for reading alone, nobody continues it."""
    return Job(
        record.id,
        who,
        record.action,
        record.login_server,
        record.repository,
        {},
        record.begun,
        tuple(JobItem(item.name, item.digest, item.tags) for item in record.items),
        {name: JobResult(fate.outcome, fate.cause) for name, fate in record.fates.items()},
        0,
        False,
        False,
        record.ended,
        record.answer,
        record.error,
        record.damaged_lines,
    )


def as_items(plan: DeletionPlan | UntagPlan | RepositoryDeletionPlan) -> tuple[JobItem, ...]:
    """What a plan deletes, in its order."""
    if isinstance(plan, UntagPlan):
        return tuple(JobItem(item.tag, item.digest) for item in plan.unblocked)
    if isinstance(plan, DeletionPlan):
        return tuple(JobItem(item.digest, item.digest, item.tags) for item in plan.unblocked)
    tags: dict[str, list[str]] = {}
    for tag, digest in plan.tags:
        tags.setdefault(digest, []).append(tag)
    return tuple(JobItem(digest, digest, tuple(tags.get(digest, ()))) for digest in plan.digests)


def as_details(plan: DeletionPlan | UntagPlan | RepositoryDeletionPlan) -> Mapping[str, Any]:
    """What a plan needs besides its items to be made again of them."""
    if isinstance(plan, UntagPlan):
        return {"registry": plan.registry}
    if isinstance(plan, RepositoryDeletionPlan):
        return {"tags": plan.tags, "hidden": plan.hidden}
    return {
        "registry": plan.registry,
        "by_name": plan.by_name,
        "running": sorted(plan.running),
        "notes": plan.notes,
        "pulled": {digest: at and at.isoformat() for digest, at in plan.pulled.items()},
        "items": {item.digest: [item.why, item.of, item.size, item.breaks, item.after] for item in plan.unblocked},
    }


def deletion_plan_of(job: Job) -> DeletionPlan:
    """The plan of the items that have no result yet, as they were planned.

    What had to be deleted before one of them, and is gone, it waits for no longer.
    """
    gone = {name for name, result in job.results.items() if Fate(result.outcome).is_gone}
    items = []
    for item in job.open:
        why, of, size, breaks, after = job.details["items"][item.digest]
        left = tuple(digest for digest in after if digest not in gone)
        items.append(DeletionItem(item.digest, Why(why), of, item.tags, size, tuple(breaks), left))
    details = job.details
    return DeletionPlan(
        details["registry"],
        job.repository,
        tuple(items),
        details["by_name"],
        frozenset(details["running"]),
        notes=tuple(details.get("notes", ())),
        pulled={digest: at and datetime.fromisoformat(at) for digest, at in details.get("pulled", {}).items()},
    )


def untag_plan_of(job: Job) -> UntagPlan:
    """The plan of the tags that have no result yet."""
    items = tuple(UntagItem(item.name, item.digest, "") for item in job.open)
    return UntagPlan(job.details["registry"], job.repository, items, ())


def repository_plan_of(job: Job) -> RepositoryDeletionPlan:
    """The plan of a repository's deletion, as it was."""
    tags = tuple((tag, digest) for tag, digest in job.details["tags"])
    return RepositoryDeletionPlan(job.repository, tuple(item.digest for item in job.items), tags, job.details["hidden"])


def look(client: RegistryClient, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """What the registry has now of the items without a recorded result; a request each."""

    def seen(item: RecordedItem) -> tuple[str, Fate]:
        if item.is_tag:
            tag = find_tag(client, record.repository, item.name)
            if tag and tag.digest != item.digest:
                return item.name, Fate(STILL_THERE, f"It points to {tag.digest} now.")
            return item.name, Fate(STILL_THERE if tag else GONE)
        row = find_manifest_row(client, record.repository, item.digest)
        return item.name, Fate(STILL_THERE if row else GONE)

    return parallel_map(seen, record.open, server=client.login_server, name=lambda item: item.name)
