"""Restoring what is soft deleted: the dialog, the job, and the way there from the record of a deletion."""

from collections.abc import Sequence

import streamlit as st

from services.connection.parallel import Progress, counter
from services.connection.session import AzureSession
from services.deletion.records import DeletionRecord
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.jobs.running import RunningJob
from services.registries.registry import Registry
from services.restore.job_runs import restore_items, run_restore
from services.restore.plan import RestoreItem, RestorePlan, Why, read_restore_plan
from services.wording import counted
from ui.elements.notices import dialog
from ui.elements.table import show_rows
from ui.elements.text import plain, short
from ui.elements.writing import confirm, counted_action, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, shown_jobs
from ui.loaders import contents
from ui.loaders import deleted as deleted_loader
from ui.loaders import images as image_loaders
from ui.runtime import connection

# A digest with a tag, or "".
Wanted = tuple[str, str]


def _run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    report(0, len(job.open), "images")
    count = counter(report, "images", len(job.open))
    return run_restore(session.registry(job.login_server), job, running, lambda result: count(0, result))


def _forget(job: Job) -> None:
    deleted_loader.deleted.clear(job.who, job.login_server)
    image_loaders.forget_written(job.who, job.login_server, job.repository)
    for item in plan_of(RestorePlan, job).unblocked:
        image_loaders.manifest_row.clear(job.who, job.login_server, job.repository, item.digest)
        if item.tag:
            image_loaders.tag.clear(job.who, job.login_server, job.repository, item.tag)


RESTORE = JobKind("Restore images", "Restoring", _run, _forget)


def show_restores(who: str, registry: Registry) -> None:
    """Shows the restores of a registry that are running, and those that this session has seen end."""
    show_jobs(who, RESTORE, only=lambda job: job.login_server == registry.login_server)


def is_restoring(who: str, registry: Registry, repository: str) -> bool:
    """Whether a restore in this repository has not ended."""
    at = (registry.login_server, repository)
    return any(not job.ended and (job.login_server, job.repository) == at for job in shown_jobs(who, RESTORE))


@dialog("Restore", width="medium")
def restore(who: str, registry: Registry, repository: str, wanted: Sequence[Wanted]) -> None:
    """Restores digests of a repository, each with a tag or "", after a plan; a tag that exists moves only if the box is
    ticked."""
    client = connection.session(who).registry(registry.login_server)
    known = contents.known_manifests(who, registry.login_server)
    with dialog_panel():
        with st.spinner("Reading what can be restored"):
            plan = read_restore_plan(client, registry.name, repository, wanted, known)
        ready = True
        if plan.unblocked:
            st.markdown(f"Into **{plain(repository)}**, each read back and compared with its digest:")
            show_rows([_row(item) for item in plan.unblocked], "What is restored")
        if moved := plan.moved:
            # The key has both digests: who agreed to move a tag from one did not agree to move it from another.
            key = f"move {repository} {[(item.tag, item.current_digest, item.digest) for item in moved]}"
            ready = st.checkbox(f"Move {counted(len(moved), 'existing tag')}", key=key)
        if is_restoring(who, registry, repository):
            st.info("A restore in this repository is in progress.", icon=":material/pending:")
            ready = False
        label = counted_action("Restore", len(plan.unblocked), "item")
        if confirm(plan, label, ready=ready and bool(plan.unblocked), effect=plan.items):
            details = details_of(RestorePlan, plan, plan.commands)
            begin_and_show(who, RESTORE, registry.login_server, restore_items(plan), details, repository=repository)


_REASONS = {
    Why.CHOSEN: "Chosen",
    Why.CHILD: "Platform of an index",
    Why.REFERRER: "Refers to an image",
    Why.ATTACHED: "Attached to an image",
}


def _row(item: RestoreItem) -> dict[str, object]:
    return {
        "Tag": item.tag or None,
        "Digest": short(item.digest),
        "Why": _REASONS[item.why],
        "Tag points to now": short(item.current_digest) if item.current_digest else "no such tag" if item.tag else None,
    }


def deleted_by(record: DeletionRecord) -> tuple[Wanted, ...]:
    """What a deletion is recorded to have deleted: digests, each with a tag, or "" where it had none."""
    gone = [item for item in record.items if (fate := record.fates.get(item.name)) and fate.is_deleted]
    return tuple((item.digest, tag) for item in gone for tag in ((item.name,) if item.is_tag else item.tags or ("",)))
