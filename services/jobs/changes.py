"""Changes of one request, as jobs that nobody continues: recorded before the request, and with how each ended.

What a process did that ended in the middle of one is read from Azure, as before any change. A change of more requests
is a job that another process continues (`services/jobs/work.py`).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Engine

from services.connection.changes import collect_sent
from services.connection.errors import ServiceError
from services.jobs.jobs import begin
from services.jobs.running import RunningJob

_LOG = logging.getLogger(__name__)
# Of a plan with thousands.
MOST_COMMANDS = 200


@dataclass(frozen=True)
class Change:
    """What is changed: `action` as its button says it, `target` (a registry, an image, a cluster) as text, and the
    shell lines of its plan, which have no secret."""

    action: str
    target: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """How a change ended, and whether all of it was done and verified. `text`: of a job its paragraphs, as text; of a
    change that is only recorded what its page said, as markdown."""

    text: str
    complete: bool = True


@contextmanager
def record_change(
    engine: Engine, who: str, change: Change, lease: timedelta, stop: threading.Event | None = None
) -> Iterator[Callable[[Answer], None]]:
    """Records that the change begins, and how it ends: with the answer that the function it yields is given, or
    with the error that is raised. `stop` is set where somebody asks for it, in any process.

    Raises ServiceError (NoDatabase) before anything is changed. Where the end alone can't be recorded, the record stays
    without one, and the change counts as interrupted.
    """
    said = {"commands": listed_commands(change.commands)}
    try:
        job = begin(engine, who, change.action, change.target, "", (), said, lease, attempt=0, logged=said)
    except ServiceError as error:
        raise nothing_changed(error) from error
    running = RunningJob(engine, job, lease, stop or threading.Event())
    answers: list[Answer] = []
    try:
        with collect_sent(running.sent):
            yield answers.append
    except ServiceError as error:
        _end(running, error=str(error))
        raise
    except Exception as error:
        _end(running, error=f"The console failed ({type(error).__name__})")
        raise
    except BaseException:
        if answers:  # Only what shows it was stopped.
            _end(running, answers[-1])
        else:
            running.abandon()  # Its script was stopped: how far it came is not known.
        raise
    _end(running, answers[-1] if answers else Answer(""))


def listed_commands(commands: Iterable[str]) -> list[str]:
    """The shell lines of a plan as its record has them: of thousands, the rest is counted."""
    lines = list(commands)
    further = len(lines) - MOST_COMMANDS
    return [*lines[:MOST_COMMANDS], *([f"# … and {further:,} more"] if further > 0 else [])]


def nothing_changed(error: ServiceError) -> ServiceError:
    """The error of a record that could not be made, before the change."""
    return replace(error, remedy=f"Nothing was changed. {error.remedy}")


def _end(running: RunningJob, answer: Answer | None = None, error: str = "") -> None:
    try:
        if answer:
            running.end(answer=answer.text, incomplete=not answer.complete)
        else:
            running.end(error=error)
    except ServiceError as problem:
        _LOG.warning("%s", problem)
