"""Activity: what was done through this console, each job with its progress and the result of each item."""

from typing import get_args

import streamlit as st

from services.connection.errors import ServiceError
from services.deletion.job_records import record_of
from services.deletion.records import UNKNOWN, Action, DeletionRecord, Fate, deleted_as_az_prints, fates_of_open
from services.jobs.jobs import Job, find_job
from ui.deletion import deletions
from ui.deletion.activity import show_all
from ui.deletion.activity_log import name_of
from ui.deletion.fates import fates_without_result, show_fates, show_remaining_tags
from ui.deletion.put_back import show_way_back
from ui.elements.errors import panel, show_error
from ui.elements.notices import show_done
from ui.elements.page import empty, header
from ui.elements.skeleton import Shape
from ui.elements.text import ago, exact, plain
from ui.jobs import record as job_record
from ui.jobs import runs
from ui.jobs.azure_log import show_azure_log
from ui.jobs.deletion import show_deletion_files, show_policy
from ui.jobs.follow import rerun_on_change
from ui.jobs.notices import show_overdue, show_running, show_stop
from ui.jobs.sent import show_sent
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, step
from ui.pulls.registry_events import forget_shown_events
from ui.roles.requests import show_requests
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.database import database

who = connection.who()


def is_running(record: DeletionRecord) -> bool:
    job = runs.under_way(who, record.id)
    return job.running if job else record.runs


def show_confirmed(job: Job) -> None:
    """What the plan deleted although it runs, or may run: who began the job had said so."""
    if notes := job.details.get("notes"):
        st.caption(plain(f"Confirmed: {' '.join(notes)}"))


def header_of(record: DeletionRecord, by: str = "") -> None:
    header(
        f"{record.action.capitalize()}: {plain(record.repository)}",
        plain(f"{record.login_server}/{record.repository}, started {ago(record.begun)} ({exact(record.begun)}){by}"),
        None,
        lambda: None,
        (step(pages.DELETIONS), last_step(record.repository)),
    )


def show_one(record: DeletionRecord) -> None:
    header_of(record)
    if begun := runs.find(who, record.id):
        show_policy(begun, name_of(who, begun.login))
    inventory = registry_loaders.inventory(who)
    registry = selection.find(inventory.value.registries.values, record.login_server)
    if registry is None:
        show_progress(inventory, "inventory", shape=Shape.TABLE)
        registry = selection.find(inventory.value.registries.values, record.login_server)
        if registry is None and inventory.running:
            st.stop()
    if job := runs.under_way(who, record.id):
        show_running(who, record.id, job)
        if job.error:
            show_error(job.error)
    elif record.runs:
        show_run_elsewhere(record)
    elif record.error:
        st.error(plain(record.error), icon=":material/error:")
    running = is_running(record)
    fates = dict(record.fates)
    if not running:
        if recorded := runs.find(who, record.id):
            show_overdue(who, recorded)
        record = deletions.recorded(who, record.id) or record
        fates = {**record.fates, **fates_without_result(who, record, registry)}
        if registry and st.session_state.get(f"seen {record.id}") is None:
            st.session_state[f"seen {record.id}"] = True
            image_loaders.forget_repository(who, record.login_server, record.repository)
    show_fates(record, fates, running=running)
    if printed := deleted_as_az_prints(record):
        of_all = record.action == "delete repository"
        with st.expander("Deleted, as az prints it", expanded=of_all, icon=":material/data_object:"):
            st.code(printed, language=None)
    if registry and not running:
        show_remaining_tags(who, record, registry)
        show_way_back(who, registry, record)
    if ended := runs.find(who, record.id):
        show_confirmed(ended)
        show_deletion_files(ended)
        show_sent(ended)
        show_azure_log(ended)


def show_run_elsewhere(record: DeletionRecord) -> None:
    st.info("Running in another process of the console. Refresh shows what it has done since.", icon=":material/dns:")
    if (job := runs.find(who, record.id)) and not job.stop_requested:
        show_stop(who, job)


def show_of_another(job: Job) -> None:
    """The record of a job that somebody else began: to be read, and not stopped."""
    if job.action not in get_args(Action):
        job_record.show_record(job.who, job)
        return
    record = record_of(job)
    header_of(record, f", by {name_of(job.who, job.login)}")
    show_policy(job, name_of(job.who, job.login))
    if job.error:
        st.error(plain(job.error), icon=":material/error:")
    if job.runs:
        st.info("Running. Refresh shows what it has done since.", icon=":material/pending:")
    show_overdue(job.who, job)
    unknown = dict.fromkeys((item.name for item in record.open), Fate(UNKNOWN, "Its result is not recorded"))
    of_open = {} if job.runs else fates_of_open(record, ()) if record.completed else unknown
    show_fates(record, {**record.fates, **of_open}, running=job.runs)
    show_confirmed(job)
    show_deletion_files(job)
    show_sent(job)
    show_azure_log(job)


def _state_of(record_id: str) -> object:
    job = runs.find(who, record_id)
    return job and (job.runs, job.ended)


def show_record(record_id: str) -> None:
    try:
        job = runs.find(who, record_id)
        if not job and connection.sees_everyones_activity() and (job := find_job(database(), None, record_id)):
            show_of_another(job)
            return
        if job and job.action not in get_args(Action):
            job_record.show_record(who, job)
            return
        if job and not job.ended and job.attempt and not runs.under_way(who, job.id):
            rerun_on_change(lambda: _state_of(record_id), _state_of(record_id))
        record = deletions.recorded(who, record_id)
    except ServiceError as error:
        header(pages.DELETIONS.title, "", None, lambda: None, (step(pages.DELETIONS),))
        show_error(error)
        return
    if record:
        show_one(record)
    else:
        header(pages.DELETIONS.title, "", None, lambda: None, (step(pages.DELETIONS),))
        empty(
            ":material/history:",
            "No such record",
            "Another identity started it, or this console has another database.",
        )


with panel():
    if record_id := st.query_params.get("record", ""):
        show_record(record_id)
    else:
        header(pages.DELETIONS.title, "", None, lambda: forget_shown_events(who))
        show_done()
        show_requests(who)
        show_all(who, everyone=connection.sees_everyones_activity())
