"""The ways back from a deletion: soft delete, or a push of the manifests that its record kept."""

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Progress, counter
from services.connection.session import AzureSession
from services.deletion.records import DeletionRecord
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.jobs.running import RunningJob
from services.registries.registry import Registry
from services.restore.job_runs import put_back_items, run_put_back
from services.restore.kept import KEPT, kept_manifests_of
from services.restore.put_back import PutBackItem, PutBackPlan, read_put_back_plan
from services.wording import counted
from ui.deletion.restore import Wanted, deleted_by
from ui.elements.errors import show_error
from ui.elements.notices import dialog
from ui.elements.table import show_rows
from ui.elements.text import plain, short
from ui.elements.writing import confirm, counted_action, dialog_panel, may_write
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime import connection
from ui.runtime.database import database


def _run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    report(0, len(job.open), "images")
    count = counter(report, "images", len(job.open))
    client = session.registry(job.login_server)
    return run_put_back(client, database(), job, running, lambda result: count(0, result))


def _forget(job: Job) -> None:
    image_loaders.forget_written(job.who, job.login_server, job.repository)
    for item in job.items:
        image_loaders.manifest_row.clear(job.who, job.login_server, job.repository, item.digest)
        for tag in item.tags:
            image_loaders.tag.clear(job.who, job.login_server, job.repository, tag)


PUT_BACK = JobKind("Bring back images", "Bringing back", _run, _forget)


@dialog("Bring back", width="medium")
def bring_back(who: str, registry: Registry, record: DeletionRecord, deleted: tuple[Wanted, ...]) -> None:
    """Pushes what a deletion deleted from the manifests that its record kept, after a plan that says which can be."""
    client = connection.session(who).registry(registry.login_server)
    with dialog_panel():
        with st.spinner("Reading which layers the registry still has"):
            kept = kept_manifests_of(database(), record.id, {digest for digest, _ in deleted})
            plan = read_put_back_plan(client, registry.name, record.repository, record.id, deleted, kept)
        if plan.items:
            ready, of = len(plan.unblocked), counted(len(plan.items), "manifest")
            st.markdown(f"**{ready:,} of {of}** can be brought back into {plain(record.repository)}:")
            show_rows([_row(item) for item in plan.items], "What is brought back")
        label = counted_action("Bring back", len(plan.unblocked), "manifest")
        if confirm(plan, label, ready=bool(plan.unblocked), effect=plan.items):
            details = details_of(PutBackPlan, plan)
            begin_and_show(
                who, PUT_BACK, registry.login_server, put_back_items(plan), details, repository=record.repository
            )


def _row(item: PutBackItem) -> dict[str, object]:
    return {
        "Tags": ", ".join(item.tags) or None,
        "Digest": short(item.digest),
        "Can be brought back": item.blocker or "Yes",
    }


def show_way_back(who: str, registry: Registry, record: DeletionRecord) -> None:
    """Says whether what a deletion deleted can be had again, and leads to it; nothing where it deleted nothing."""
    deleted = deleted_by(record)
    if not deleted:
        return
    show_jobs(who, PUT_BACK, only=lambda job: plan_of(PutBackPlan, job).record == record.id)
    policy = registry_loaders.soft_delete(who, registry)
    here = {"registry": registry.name}
    if policy.days == 0:
        _show_kept(who, registry, record, deleted)
        link_to(pages.SETTINGS, "Turn on soft delete", **here)
        return
    label = "Restore what this deletion deleted"
    link_to(pages.DELETED, label, **here, repository=record.repository, record=record.id)


def _show_kept(who: str, registry: Registry, record: DeletionRecord, deleted: tuple[Wanted, ...]) -> None:
    """Says what is kept of a deletion, with a button that brings it back."""
    try:
        kept = kept_manifests_of(database(), record.id, {digest for digest, _ in deleted})
    except ServiceError as error:
        show_error(error)
        return
    if not kept:
        st.markdown(
            "Soft delete is off, and none of its manifests is kept: what was deleted can't be restored. A record keeps "
            f"them for {KEPT.days} days."
        )
        return
    st.markdown(
        f"Soft delete is off. {counted(len(kept), 'manifest is', 'manifests are')} kept with this record for "
        f"{KEPT.days} days: an image can be brought back only where the registry still has all of its layers. It soon "
        "removes layers that no other image has."
    )
    if st.button("Bring back", icon=":material/undo:", disabled=not may_write()):
        bring_back(who, registry, record, deleted)
