"""A registry's ACR Tasks: a table of them with their runs, one task, and one run with its log."""

import streamlit as st

from services.commands import tasks as az_tasks
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.registries.registry import Registry
from services.tasks.plan import ABAC_ROLES
from services.tasks.runs import MOST_RUNS, Run
from services.tasks.tasks import Task
from services.wording import counted, size
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.table import show_facts
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write, show_read_only
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, open_page, registry_steps, step
from ui.runtime import connection
from ui.tasks import dialogs, reading
from ui.tasks.tables import in_words, show_runs, show_tasks

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}
name, run_id = st.query_params.get("task", ""), st.query_params.get("run", "")


def runs_of(registry: Registry, task: str = "") -> Partial[Run] | ServiceError:
    """The latest runs, or why they can't be read: the tasks are shown all the same."""
    try:
        return reading.list_runs(who, registry, task)
    except ServiceError as error:
        return error


def last_of(registry: Registry) -> Partial[Run] | ServiceError:
    """The last run of each task, or why they can't be read."""
    try:
        return reading.last_runs(who, registry)
    except ServiceError as error:
        return error


def forget(registry: Registry, task: str, run: str = "") -> None:
    """Drops what was read of tasks, and of the registry: a run may have deleted images."""
    reading.forget(who, registry, task, run)
    registry_loaders.forget_registry(who, registry)
    contents.forget(who, registry.login_server)


def show_all(registry: Registry, tasks: Partial[Task]) -> None:
    runs, last = runs_of(registry), last_of(registry)
    show_partial(Part(tasks, "task"), *([] if isinstance(last, ServiceError) else [Part(last, "run")]))
    for run in () if isinstance(last, ServiceError) else last.values:
        if run.failed:
            warn_of(run)
    if tasks.values:
        known = None if isinstance(last, ServiceError) or last.refused else last.values
        if opened := show_tasks(tasks.values, known, registry.id):
            open_page(pages.TASKS, **here, task=opened)
    elif not tasks.refused:
        empty(":material/event_repeat:", "No tasks", "A retention policy can become one: see acr purge on its page.")
    st.subheader("Last runs", anchor=False)
    show_last_runs(registry, runs)
    az_lines(az_tasks.list_tasks(registry.name), az_tasks.list_runs(registry.name))


def warn_of(run: Run) -> None:
    """The last run of a task that failed, with the way to its log."""
    with st.container(horizontal=True, vertical_alignment="center"):
        parts = (f"{plain(run.task or 'A command')}: {plain(run.status)} {ago(run.created)}", plain(run.error))
        st.error(": ".join(filter(None, parts)), icon=":material/error:")
        link_to(pages.TASKS, "Show log", **here, run=run.id)


def show_last_runs(registry: Registry, runs: Partial[Run] | ServiceError, task: str = "") -> None:
    if isinstance(runs, ServiceError):
        show_error(runs)
        return
    if not runs.values:
        if not runs.refused:
            st.markdown("No runs listed. Azure keeps runs for a limited time.")
        return
    if len(runs.values) == MOST_RUNS:
        st.caption(f"The latest {MOST_RUNS}")
    if opened := show_runs(runs.values, task or registry.id, of_one=bool(task)):
        open_page(pages.TASKS, **here, run=opened)


def show_one(registry: Registry, task: Task) -> None:
    runs = runs_of(registry, task.name)
    if not isinstance(runs, ServiceError):
        show_partial(Part(runs, "run"))
        if runs.values and runs.values[0].failed:
            warn_of(runs.values[0])
    show_facts(
        {
            "Status": plain(task.status) or "Not reported",
            "Runs": plain(task.runs) or "Only by hand",
            "Signs in as": plain(task.signs_in_as) or "The registry itself",
            "Timeout": counted(task.timeout, "second") if task.timeout else "Not reported",
            "Created": f"{ago(task.created)} ({exact(task.created)})" if task.created else "Not reported",
        }
    )
    if task.principal_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Its identity needs {' and '.join(ABAC_ROLES)} on the registry.", width="content")
            link_to(pages.ASSIGN_ROLE, "Assign role", **here, principal=task.principal_id)
    act(registry, task)
    st.code("\n".join(task.commands) or task.does, language=None, wrap_lines=True)
    st.subheader("Last runs", anchor=False)
    show_last_runs(registry, runs, task.name)
    az_lines(az_tasks.run_task(registry.name, task.name), az_tasks.list_runs(registry.name))


def act(registry: Registry, task: Task) -> None:
    """The actions of one task."""
    status, delete = f"{'Disable' if task.enabled else 'Enable'} task", "Delete task"
    with actions:
        able = may_write() and task.enabled
        if st.button("Run task", icon=":material/play_arrow:", type="primary", disabled=not able):
            dialogs.run_now(who, registry, here["registry"], task, lambda: forget(registry, task.name))
        chosen = st.menu_button("More", [status, delete], icon=":material/more_horiz:", disabled=not may_write())
    if chosen == status:
        dialogs.change_status(who, registry, task)
    elif chosen == delete:
        dialogs.delete(who, registry, here["registry"], task)


def show_run(registry: Registry, tasks: Partial[Task], run: Run) -> None:
    if run.failed:
        st.error(plain(run.error) or plain(run.status), icon=":material/error:")
    show_facts(
        {
            "State": plain(run.status) or "Not reported",
            "Task": plain(run.task) or "None",
            "Trigger": run.trigger,
            "Started": f"{ago(run.started)} ({exact(run.started)})" if run.started else "Not reported",
            "Duration": in_words(run.duration) or ("Not over" if not run.over else "Not reported"),
        }
    )
    if run.task:
        link_to(pages.TASKS, f"Show task {plain(run.task)}", **here, task=run.task)
    st.subheader("Log", anchor=False)
    known = next((one for one in tasks.values if one.name.casefold() == run.task.casefold()), None)
    if not may_write(access=True) and not (known and known.purges):
        st.info("The log of a build may contain secrets, which not everyone here may see.", icon=":material/lock:")
    else:
        show_log(registry, run)
    az_lines(az_tasks.show_log(registry.name, run.id))


def show_log(registry: Registry, run: Run) -> None:
    with panel():
        log = reading.read_log(who, registry, run.id)
        if log is None or not log.text.strip():
            st.markdown("No log." if run.over else "No log yet: refresh in a while.")
            return
        if log.left_out:
            st.caption(f"The end of the log: the first {size(log.left_out)} are left out.")
        st.code(log.text, language=None, wrap_lines=True, height=560 if log.text.count("\n") > 22 else "content")


listed = selection.registry_of_url(who, pages.TASKS)
current = name or run_id
below = (step(pages.TASKS, **here), last_step(current)) if current else (last_step(pages.TASKS.title),)
tasks: Partial[Task] | None = None
run: Run | None = None
at, failure, registry = None, None, listed
try:
    registry = registry_loaders.registry(who, listed.id).value
    loaded = reading.list_tasks(who, registry)
    tasks, at = loaded.value, loaded.at
    run = reading.get_run(who, registry, run_id) if run_id else None
except ServiceError as error:
    failure = error
actions = header(
    plain(f"Run {run_id}" if run_id else name or pages.TASKS.title),
    f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
    at,
    lambda: forget(registry, name, run_id),
    (*registry_steps(listed.name, **here), *below),
)
show_done()
show_read_only()
if failure:
    show_error(failure)
elif tasks is not None and run:
    show_run(registry, tasks, run)
elif tasks is not None and not name:
    show_all(registry, tasks)
elif tasks is not None:
    task = next((one for one in tasks.values if one.name.casefold() == name.casefold()), None)
    if task:
        show_one(registry, task)
    else:
        show_partial(Part(tasks, "task"))
        empty(":material/event_repeat:", "No such task", "It may have been deleted. Refresh the list.")
