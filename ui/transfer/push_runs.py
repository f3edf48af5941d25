"""Pushes as jobs: of an archive on the server any process continues one, of an archive that a browser uploaded none.

Closing a page stops none, and opening it again starts none twice.
"""

from dataclasses import replace
from functools import partial
from threading import Lock

from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, open_jobs
from services.jobs.running import RunningJob
from services.transfer.archive_images import Content
from services.transfer.push import PushPlan
from services.transfer.push_jobs import ACTION, ArchiveFile, as_details, as_items, run_push
from ui.elements.text import size
from ui.jobs import runs
from ui.jobs.kinds import JobKind
from ui.loaders import images as image_loaders
from ui.runtime.database import database
from ui.runtime.settings import read_settings

_lock = Lock()


def begin(
    who: str, login_server: str, content: Content, plan: PushPlan, image: str, archive: ArchiveFile | None
) -> str:
    """Begins the push of `plan`; returns the id of its job, or of one to the same tag that has not ended.

    `image` is its key in the archive; `archive` is None for one that a browser uploaded. Raises ServiceError
    (NoDatabase): then nothing was sent.
    """
    with _lock:
        if same := under_way(who, login_server, plan.repository, plan.tag):
            return same.id
        return runs.begin(
            who,
            replace(PUSH, run=partial(_run, content=content, plan=plan)),
            login_server,
            as_items(content, plan),
            as_details(content, plan, image, archive),
            repository=plan.repository,
            attempt=1 if archive else 0,
        )


def under_way(who: str, login_server: str, repository: str, tag: str) -> Job | None:
    """The push of `who` to that tag that has not ended, in any process. Raises ServiceError (NoDatabase)."""
    found = open_jobs(database(), who, [ACTION])
    return next((job for job in found if target_of(job) == (login_server, repository, tag)), None)


def target_of(job: Job) -> tuple[str, str, str]:
    """The login server, repository and tag that a job pushes to."""
    return job.login_server, job.repository, job.details["tag"]


def _run(
    session: AzureSession,
    job: Job,
    running: RunningJob,
    progress: Progress,
    *,
    content: Content | None = None,
    plan: PushPlan | None = None,
) -> Answer:
    def report(done: int, of: int, what: str) -> None:
        progress(done, of, f"{job.repository}:{job.details['tag']}, {what}")

    folder = read_settings().archives
    return run_push(session, job, running, report, content=content, plan=plan, folder=folder)


def _forget(job: Job) -> None:
    details = job.details
    tagged = (details["digest"], *((details["current"],) if details["current"] else ()))
    image_loaders.forget_pushed(job.who, job.login_server, job.repository, details["tag"], *tagged)


PUSH = JobKind(ACTION, "Pushing", _run, _forget, amount=size)
