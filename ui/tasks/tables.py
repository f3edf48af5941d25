"""The tables of a registry's tasks and of their runs."""

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa
import streamlit as st

from services.tasks.runs import Run
from services.tasks.tasks import Task
from ui.elements.columns import ago_column
from ui.elements.selectable_table import openable
from ui.elements.table import UTC


def show_tasks(tasks: Sequence[Task], runs: Sequence[Run] | None, key: str) -> str | None:
    """One row a task, those whose last run failed first; returns the name of the opened one. `runs`: the last one of
    each; None: unknown."""
    latest = {run.task: run for run in runs or ()}

    def last(task: Task) -> Run | None:
        return latest.get(task.name)

    def last_run(task: Task) -> str:
        if found := last(task):
            return found.status
        return "Unknown" if runs is None else "None listed"

    opened = openable(
        sorted(tasks, key=lambda task: (not getattr(last(task), "failed", False), task.name.casefold())),
        lambda task: {
            "Name": task.name,
            "Status": task.status,
            "Last run": last_run(task),
            "Last run at": getattr(last(task), "created", None),
            "Runs": task.runs or "Only by hand",
            "Does": task.does,
        },
        f"tasks of {key}",
        "Tasks, one per row",
        columns={"Last run at": ago_column(), "Does": st.column_config.TextColumn(width="large")},
        types={"Last run at": UTC},
    )
    return opened.name if opened else None


def show_runs(runs: Sequence[Run], key: str, *, of_one: bool = False) -> str | None:
    """One row a run, the newest first; returns the id of the opened one. `of_one`: all are of one task."""
    opened = openable(
        runs,
        lambda run: {
            "Run": run.id,
            **({} if of_one else {"Task": run.task or "None"}),
            "State": run.status,
            "Trigger": run.trigger,
            "Created": run.created,
            "Duration": run.duration.total_seconds() if run.duration is not None else None,
            "Error": run.error,
        },
        f"runs of {key}",
        "Runs, the newest first",
        columns={"Created": ago_column(), "Duration": st.column_config.NumberColumn("Duration (s)", format="%,.0f")},
        types={"Created": UTC, "Duration": pa.float64()},
    )
    return opened.id if opened else None


def in_words(duration: timedelta | None) -> str:
    """'2 min 5 s'; "" where it is unknown."""
    if duration is None:
        return ""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "under 1 s"
