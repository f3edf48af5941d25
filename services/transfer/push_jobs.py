"""Pushes as jobs of the database: what one is written down as, and the run, also where another process left it.

An archive that a browser uploaded is in the memory of one process: its push is recorded, and no other continues it.
One in the folder of archives (ACR_CONSOLE_ARCHIVES) is opened again, and must be the same file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.connection.changes import changed
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.running import RunningJob
from services.transfer.archive_images import Content
from services.transfer.archives import read_archive
from services.transfer.push import PushPlan, apply_push, read_push_plan

ACTION = "Push image"
INTERRUPTED = (
    "Its process ended, and with it the archive that the browser had uploaded. What has a result is in the registry. "
    "Push it again: what is there is skipped."
)
_SUFFIXES = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class ArchiveFile:
    """A file of the folder of archives, by its name there; `size` in bytes."""

    name: str
    size: int


def list_archives(folder: Path) -> tuple[ArchiveFile, ...]:
    """The archives in a folder, by name; not those of folders in it. Raises ServiceError where it can't be read."""
    try:
        inside = folder.resolve()
        found = [path for path in folder.iterdir() if path.name.endswith(_SUFFIXES) and path.is_file()]
        return tuple(
            ArchiveFile(path.name, path.stat().st_size)
            for path in sorted(found)
            if path.resolve().is_relative_to(inside)  # No link leads out.
        )
    except OSError as exc:
        raise ServiceError(
            "Could not list the archives on the server",
            f"{folder}: {exc.strerror or exc}.",
            "Check ACR_CONSOLE_ARCHIVES, and that the console may read that folder.",
            "NoArchives",
        ) from exc


def as_items(content: Content, plan: PushPlan) -> tuple[JobItem, ...]:
    """The blobs, the manifests, children before parents, and the tag."""
    names = _names(content)
    return (*(JobItem(name, digest) for digest, name in names.items()), JobItem(tag_item(plan.tag), plan.digest))


def tag_item(tag: str) -> str:
    """The name of the item that is the tag."""
    return f"tag {tag}"


def _names(content: Content) -> dict[str, str]:
    """The name of the item of each blob and manifest, by digest."""
    bodies = [json.loads(one.raw) for one in content.manifests]
    configs = {body["config"]["digest"] for body in bodies if isinstance(body.get("config"), dict)}
    blobs = {one.digest: f"{'config' if one.digest in configs else 'layer'} {one.digest}" for one in content.blobs}
    return {**blobs, **{one.digest: f"manifest {one.digest}" for one in content.manifests}}


def as_details(content: Content, plan: PushPlan, image: str, archive: ArchiveFile | None) -> Mapping[str, Any]:
    """What a push needs besides its items to be planned again. `image` is its key in the archive; `archive` is None for
    one that a browser uploaded."""
    return {
        "tag": plan.tag,
        "current": plan.current_digest,
        "digest": plan.digest,
        "sizes": {blob.digest: blob.size for blob in content.blobs},
        "sources": {blob.digest: blob.source for blob in plan.blobs if blob.source},
        "image": image,
        "archive": [archive.name, archive.size] if archive else [],
        **({} if archive else {"interrupted": INTERRUPTED}),
    }


def run_push(
    session: AzureSession,
    job: Job,
    running: RunningJob,
    progress: Progress,
    *,
    content: Content | None = None,
    plan: PushPlan | None = None,
    folder: Path | None = None,
) -> Answer:
    """Pushes what has no result in `job`, and records each blob, manifest and the tag as it is in the registry.

    `content` and `plan`: as they were confirmed, in the process that began it. Without them the archive is read again
    from the `folder`, and the push planned again: the tag is where it was planned, or at the image already. Returns
    early after a stop. Raises ServiceError as `apply_push`, and ArchiveGone, ArchiveChanged.
    """
    if not job.open:
        return Answer("")
    try:
        if content is None or plan is None:
            content = _content_again(job, folder, progress, running)
            plan = _plan_again(session, job, content)
        names = {**_names(content), plan.tag: tag_item(plan.tag)}
        apply_push(
            session.registry(job.login_server),
            content,
            plan,
            progress=progress,
            on_result=lambda name, outcome: running.add_result(names[name], outcome),
            stop=running.stop,
        )
    except ServiceError as error:
        if error.code == "Stopped" and running.stop.is_set():
            return Answer("")
        raise
    return Answer("")


def _content_again(job: Job, folder: Path | None, progress: Progress, running: RunningJob) -> Content:
    name, size = job.details["archive"]
    found = next((one for one in list_archives(folder) if one.name == name), None) if folder else None
    if folder is None or found is None:
        raise ServiceError(
            f"Could not continue the push of {job.repository}:{job.details['tag']}",
            f"The archive {name} is not on this replica.",
            "Push it again from where it is: what is there is skipped.",
            "ArchiveGone",
        )
    if found.size != size:
        raise _archive_changed(job, f"has {found.size:,} bytes, and had {size:,}")
    archive = read_archive(
        folder / name, progress=lambda done, of: progress(done, of, "the archive"), stop=running.stop
    )
    image = next((one for one in archive.images if one.key == job.details["image"]), None)
    if image is None:
        raise _archive_changed(job, "no longer has the image")
    content = image.prepare(lambda done, of: progress(done, of, "the archive"), running.stop)
    if content.digest != job.details["digest"] or {*_names(content)} != {item.digest for item in job.items}:
        raise _archive_changed(job, "has other content")
    return content


def _plan_again(session: AzureSession, job: Job, content: Content) -> PushPlan:
    """The plan from what the registry has now. Raises ServiceError where the tag is somewhere else."""
    details = job.details
    client = session.registry(job.login_server)
    plan = read_push_plan(client, content, job.repository, details["tag"], elsewhere=details["sources"])
    if plan.current_digest not in (details["current"], plan.digest):
        now = f"points to {plan.current_digest}" if plan.current_digest else "is gone"
        raise changed(f"Could not push {job.repository}:{plan.tag}", f"The tag {plan.tag} {now} now.")
    return plan


def _archive_changed(job: Job, how: str) -> ServiceError:
    return ServiceError(
        f"Could not continue the push of {job.repository}:{job.details['tag']}",
        f"The archive {job.details['archive'][0]} is not the one that was planned: it {how}.",
        "Plan the push again from the archive as it is now: what is there is skipped.",
        "ArchiveChanged",
    )
