"""Dialogs that create a task from a policy, run one, and enable, disable and delete one."""

from collections.abc import Callable
from datetime import time

import streamlit as st

from services.commands import tasks as az_tasks
from services.connection.changes import Outcome
from services.registries.registry import Registry
from services.tasks.changes import (
    TaskChange,
    apply_task,
    apply_task_removal,
    apply_task_status,
    plan_task_removal,
    plan_task_status,
    run_task,
)
from services.tasks.plan import DELETES, NewTask, plan_task, suggest_name
from services.tasks.schedules import WEEKDAYS, cron, describe_schedule
from services.tasks.tasks import Task
from services.wording import counted
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, dialog_panel
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run
from ui.tasks import reading

_DAILY = "Every day"


@dialog("Create ACR Task", width="large")
def create(who: str, registry: Registry, here: str, policy: str, commands: tuple[str, ...]) -> None:
    """Asks for a name and a time, shows the plan, and creates the task. `here`: the registry in the URL."""
    with dialog_panel():
        wanted = _ask(policy, commands)
        plan = plan_task(registry, reading.facts(who, registry), wanted)
        number = counted(len(commands), "command")
        st.markdown(f"**{number}** of acr purge in {plain(registry.name)}: {plain(describe_schedule(wanted.schedule))}")
        st.code("\n".join(commands), language=None, height=140 if len(commands) > 3 else "content")
        st.caption(
            f"A run ends after {counted(plan.seconds // 3600, 'hour')} at most. Azure bills its seconds, and runs no "
            "tasks in subscriptions on free credits."
        )
        confirm_and_run(
            plan,
            "Create ACR Task",
            f"{registry.name}, task {wanted.name}",
            lambda report: apply_task(connection.session(who), plan, report),
            lambda: reading.forget(who, registry, wanted.name),
            lambda result: _done(wanted.name, result),
            access=plan.own_identity,
            then=lambda: open_page(pages.TASKS, registry=here, task=wanted.name),
        )


def _ask(policy: str, commands: tuple[str, ...]) -> NewTask:
    with st.container(horizontal=True):
        name = st.text_input("Name", suggest_name(policy), help="5 to 50 letters, digits, hyphens and underscores")
        how_often = st.selectbox("Runs", [_DAILY, *(f"Every {day}" for day in WEEKDAYS)], width=180)
        at = st.time_input("Time (UTC)", time(1, 0), width=140)
    weekday = None if how_often == _DAILY else WEEKDAYS.index(how_often.removeprefix("Every "))
    return NewTask(name.strip(), commands, cron(at.hour, at.minute, weekday))


def _done(name: str, outcome: Outcome) -> str:
    return f"Task {plain(name)}: {WORDS[outcome]}."


@dialog("Run task", width="medium")
def run_now(who: str, registry: Registry, here: str, task: Task, forget: Callable[[], None]) -> None:
    """Shows what a run does, and starts one; where it deletes, the task's name is typed. `here`: the registry in the
    URL; `forget` drops what a run makes stale."""
    with dialog_panel():
        st.markdown(f"**{plain(task.name)}** runs once in {plain(registry.name)}, now:")
        st.code("\n".join(task.commands) or task.does, language=None, wrap_lines=True)
        started: list[str] = []

        def run(_report: object) -> str:
            started.append(run_task(connection.session(who), registry, task))
            return started[-1]

        confirm_and_run(
            PlainPlan(
                warnings=(DELETES,) if task.deletes else (), commands=(az_tasks.run_task(registry.name, task.name),)
            ),
            "Run task",
            f"{registry.name}, task {task.name}",
            run,
            forget,
            lambda found: f"Run {plain(found)} of {plain(task.name)} was started.",
            typed=task.name if task.deletes else "",
            effect=task.commands,
            then=lambda: open_page(pages.TASKS, registry=here, run=started[-1]),
        )


@dialog("Change status")
def change_status(who: str, registry: Registry, task: Task) -> None:
    """Disables an enabled task, or enables a disabled one."""
    with dialog_panel():
        plan = plan_task_status(registry, task, enabled=not task.enabled)
        effect = "Its triggers run it again." if plan.status == "Enabled" else "Nothing runs it until it is enabled."
        st.markdown(f"**{plain(task.name)}** will be {plan.status.lower()}. {effect}")
        _confirm(who, plan, f"{'Enable' if plan.status == 'Enabled' else 'Disable'} task")


@dialog("Delete task")
def delete(who: str, registry: Registry, here: str, task: Task) -> None:
    """Shows what will be deleted, and deletes it. `here`: the registry in the URL."""
    with dialog_panel():
        st.markdown(f"**{plain(task.name)}** will be deleted from {plain(registry.name)}. Its runs and logs stay.")
        _confirm(who, plan_task_removal(registry, task), "Delete task", here)


def _confirm(who: str, plan: TaskChange, label: str, here: str = "") -> None:
    apply = apply_task_status if plan.status else apply_task_removal
    confirm_and_run(
        plan,
        label,
        f"{plan.registry.name}, task {plan.task.name}",
        lambda report: apply(connection.session(who), plan, report),
        lambda: reading.forget(who, plan.registry, plan.task.name),
        lambda result: _done(plan.task.name, result),
        then=(lambda: open_page(pages.TASKS, registry=here)) if here else st.rerun,
    )
