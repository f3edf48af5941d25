"""Tasks, runs and logs, as they were read last."""

import streamlit as st

from services.connection.parallel import Partial
from services.registries.registry import Registry
from services.tasks import runs, tasks
from services.tasks.changes import read_facts
from services.tasks.plan import TaskFacts
from services.tasks.runs import Run, RunLog
from services.tasks.tasks import Task
from ui.loaders.registries import BY_ID, Loaded, read_now
from ui.runtime import connection


@st.cache_resource(ttl="2m", show_spinner="Reading tasks", max_entries=200, hash_funcs=BY_ID)
def list_tasks(who: str, registry: Registry) -> Loaded[Partial[Task]]:
    return read_now(tasks.list_tasks(connection.session(who), registry))


@st.cache_resource(ttl="30s", show_spinner="Reading runs", max_entries=200, hash_funcs=BY_ID)
def list_runs(who: str, registry: Registry, task: str = "") -> Partial[Run]:
    """The latest runs of the registry, or of one task."""
    return runs.list_runs(connection.session(who), registry, task)


@st.cache_resource(ttl="30s", show_spinner="Reading runs", max_entries=200, hash_funcs=BY_ID)
def last_runs(who: str, registry: Registry) -> Partial[Run]:
    """The last run of each task. Those that are not among the registry's latest runs are asked for by task."""
    found = list_runs(who, registry)
    newest = runs.latest_runs(found.values)
    if len(found.values) + len(found.refused) < runs.MOST_RUNS:
        return Partial(newest, found.refused)
    known = {run.task for run in newest}
    names = [task.name for task in list_tasks(who, registry).value.values if task.name not in known]
    more = runs.last_runs(connection.session(who), registry, names)
    return Partial((*newest, *more.values), (*found.refused, *more.refused))


@st.cache_resource(ttl="30s", show_spinner="Reading run", max_entries=200, hash_funcs=BY_ID)
def get_run(who: str, registry: Registry, run: str) -> Run:
    return runs.get_run(connection.session(who), registry, run)


@st.cache_resource(ttl="30s", show_spinner="Reading log", max_entries=50, hash_funcs=BY_ID)
def read_log(who: str, registry: Registry, run: str) -> RunLog | None:
    return runs.read_log(connection.session(who), registry, run)


@st.cache_resource(ttl="2m", show_spinner="Checking the registry", max_entries=200, hash_funcs=BY_ID)
def facts(who: str, registry: Registry) -> TaskFacts:
    """What a plan of a new task goes by."""
    return read_facts(connection.session(who), registry)


def forget(who: str, registry: Registry, task: str = "", run: str = "") -> None:
    """Drops the tasks and runs that were read, those of one task, and one run with its log."""
    list_tasks.clear(who, registry)
    facts.clear(who, registry)
    for one in {"", task}:
        list_runs.clear(who, registry, one)
    last_runs.clear(who, registry)
    get_run.clear(who, registry, run)
    read_log.clear(who, registry, run)
