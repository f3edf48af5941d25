"""Registries are indexed: as a job, whose progress and end any page may show."""

import streamlit as st

from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.index.index_jobs import IndexPlan, index_items, run_indexing, targets_of
from services.index.scope import INDEXED, count_states
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.registries.registry import Registry
from ui.elements.errors import panel
from ui.elements.outcomes import result_line
from ui.elements.writing import may_write
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_stopped
from ui.loaders import index as loader
from ui.runtime.database import shared_contents
from ui.runtime.settings import read_settings

# Names in the title of a job; the rest is counted.
_NAMED = 3


def _run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    return run_indexing(session, job, running, report, loader.store_of(job.who), shared_contents())


INDEX_REGISTRIES = JobKind("Index registries", "Indexing", _run, lambda job: loader.forget(job.who))


EVERYTHING = "Index everything again"


def index_menu(who: str, registries: tuple[Registry, ...]) -> None:
    """The button that brings the index up to date, and a menu with the one that reads everything again."""
    off = not targets_of(registries) or not may_write()
    tip = "Reads the catalogues, and the repositories whose last update or counts have changed"
    if st.button("Index registries", icon=":material/sync:", type="primary", disabled=off, help=tip):
        _begin(who, registries, everything=False)
    if st.menu_button("More", [EVERYTHING], icon=":material/more_horiz:", disabled=off) == EVERYTHING:
        _begin(who, registries, everything=True)


def _begin(who: str, registries: tuple[Registry, ...], *, everything: bool) -> None:
    targets = targets_of(registries)
    names = ", ".join(one.name for one in targets[:_NAMED])
    more = len(targets) - _NAMED
    settings = read_settings()
    plan = IndexPlan(targets, settings.index_reads, everything, settings.index_configs)
    with panel():
        begin_and_show(
            who,
            INDEX_REGISTRIES,
            f"{names} and {more:,} more" if more > 0 else names,
            index_items(targets),
            details_of(IndexPlan, plan),
        )


def show_indexing(who: str) -> None:
    """The jobs that index, and those that this session has seen end, until dismissed."""
    show_jobs(who, INDEX_REGISTRIES, _show_end, stop="Stop")


def _show_end(job: Job) -> None:
    count = count_states(job.results[one.name].outcome if one.name in job.results else "" for one in job.items)
    mark = ":green[:material/check:]" if count.whole == len(job.items) else ":orange[:material/warning:]"
    st.markdown(f"{mark} {count.sentence}.")
    for name, result in job.results.items():
        if result.outcome != INDEXED:
            st.markdown(result_line(name, result.outcome, result.cause))
    show_stopped(job)
