"""Timers of tasks under the sandbox's clock: what fell due is run before the next request is answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from sandbox.documents.errors import Document
from sandbox.state import State
from sandbox.storage.store import timestamp
from sandbox.tasks.cron import parse
from sandbox.tasks.runs import begin
from sandbox.tasks.tasks import TASK_TYPE

# Of one timer after a long sleep: the latest.
_MOST_MISSED = 10
_SEARCHED = timedelta(days=60)


class Timers:
    """When the next timer is due; None until that was looked for."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._next: datetime | None = None

    def forget(self) -> None:
        """Looks again: tasks have changed."""
        self._next = None

    @property
    def due(self) -> bool:
        """Whether `run` has something to do. Cheap."""
        return self._next is None or self._state.clock() >= self._next

    def run(self) -> None:
        """Runs what is due, in the order of its times."""
        now = self._state.clock()
        due = sorted(
            (
                (at, number, task, timer)
                for number, task in enumerate(self._state.store.list_resources(TASK_TYPE))
                for at, timer in self._missed(task, now)
            ),
            key=lambda one: one[:2],
        )
        for at, _number, task, timer in due:
            registry = self._state.store.get_resource(task["id"].rpartition("/tasks/")[0])
            if registry is None:
                continue
            occurrence = {"timerTriggerName": str(timer.get("name")), "scheduleOccurrence": timestamp(at)}
            begin(self._state, registry, task["name"], task["properties"]["step"], task, at, occurrence)
            task["_sandbox"]["checked"] = timestamp(now)
            self._state.store.put_resource(task)
        self._next = min(self._upcoming(now), default=now + _SEARCHED)

    def _missed(self, task: Document, now: datetime) -> Iterator[tuple[datetime, Document]]:
        checked = datetime.fromisoformat(task["_sandbox"]["checked"])
        for timer in _enabled_timers(task):
            missed: list[datetime] = []
            for at in parse(timer["schedule"]).after(checked):
                if at > now:
                    break
                missed = [*missed[1 - _MOST_MISSED :], at]
            yield from ((at, timer) for at in missed)

    def _upcoming(self, now: datetime) -> Iterator[datetime]:
        for task in self._state.store.list_resources(TASK_TYPE):
            for timer in _enabled_timers(task):
                yield from islice(parse(timer["schedule"]).after(now), 1)


def _enabled_timers(task: Document) -> Iterator[Document]:
    properties = task["properties"]
    if properties["status"] == "Enabled":
        timers = (properties.get("trigger") or {}).get("timerTriggers") or ()
        yield from (timer for timer in timers if timer.get("status") == "Enabled")
