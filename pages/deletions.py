"""Activity: what was done through this console, each job with its progress and the result of each item."""

from typing import get_args

import streamlit as st

from services.connection.errors import ServiceError
from services.deletion.records import Action, DeletionRecord, deleted_as_az_prints
from ui.deletion import deletions
from ui.deletion.activity import show_all
from ui.deletion.fates import fates_without_result, show_fates, show_remaining_tags
from ui.elements.errors import panel, show_error
from ui.elements.notices import show_done
from ui.elements.page import empty, header
from ui.elements.skeleton import Shape
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write
from ui.jobs import record as job_record
from ui.jobs import runs
from ui.jobs.follow import rerun_on_change
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, step
from ui.roles.requests import show_requests
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()


def is_running(record: DeletionRecord) -> bool:
    job = runs.under_way(who, record.id)
    return job.running if job else record.runs


def show_one(record: DeletionRecord) -> None:
    header(
        f"{record.action.capitalize()}: {plain(record.repository)}",
        plain(f"{record.login_server}/{record.repository}, started {ago(record.begun)} ({exact(record.begun)})"),
        None,
        lambda: None,
        (step(pages.DELETIONS), last_step(record.repository)),
    )
    inventory = registry_loaders.inventory(who)
    registry = selection.find(inventory.value.registries.values, record.login_server)
    if registry is None:
        show_progress(inventory, "inventory", shape=Shape.TABLE)
        registry = selection.find(inventory.value.registries.values, record.login_server)
        if registry is None and inventory.running:
            st.stop()
    if job := runs.under_way(who, record.id):
        show_progress(job, f"deletion {record.id}")
        if job.error:
            show_error(job.error)
    elif record.runs:
        show_run_elsewhere(record)
    elif record.error:
        st.error(plain(record.error), icon=":material/error:")
    running = is_running(record)
    fates = dict(record.fates)
    if not running:
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


def show_run_elsewhere(record: DeletionRecord) -> None:
    st.info("Running in another process of the console. Refresh shows what it has done since.", icon=":material/dns:")
    if st.button("Stop", icon=":material/stop_circle:", disabled=not may_write()):
        runs.stop(who, record.id)
        st.toast("It stops within seconds: what is under way ends first.")


def _state_of(record_id: str) -> object:
    job = runs.find(who, record_id)
    return job and (job.runs, job.ended)


def show_record(record_id: str) -> None:
    try:
        job = runs.find(who, record_id)
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
        header(pages.DELETIONS.title, "", None, lambda: None)
        show_done()
        show_requests(who)
        show_all(who)
