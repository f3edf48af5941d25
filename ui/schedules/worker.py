"""The worker of a console process: plans the runs of schedules that are due, under the console's own identity."""

import logging
import threading

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database.engine import read_clock
from services.deletion.plan import DeletionPlan
from services.policies.run_record import policy_run
from services.schedules.claiming import (
    ClaimedRun,
    claim_run,
    end_run,
    fail_run,
    has_work,
    keep_lease,
    link_job,
    queue_due,
    record_plan,
    release_run,
)
from services.schedules.planning import PlannedRun, plan_scheduled_run
from services.schedules.runs import RunState
from ui.deletion import deletions
from ui.jobs.looking import look_until
from ui.loaders import contents
from ui.runtime import connection
from ui.runtime.database import database, shared_answers, shared_contents
from ui.runtime.settings import read_settings

_LOG = logging.getLogger("acr_console")
# Between two looks for schedules that are due.
LOOK_EVERY_S = 5


def work_until(stopped: threading.Event) -> None:
    """Plans what is due until `stopped` is set, in a thread of its own."""
    look_until(stopped, LOOK_EVERY_S, work_once, "Scheduled runs cannot be planned")


def work_once(stopped: threading.Event) -> int:
    """Plans all runs that are due now and that no other process plans; returns how many. None where the console has no
    identity of its own. Raises ServiceError where that can't sign in, or the database can't be read."""
    # Where there is nothing to do, nothing signs in.
    if not connection.has_own_identity() or not has_work(database()):
        return 0
    session, who, lease = connection.own_session(), connection.own_who(), read_settings().lease
    queue_due(database(), who)
    number = 0
    while not stopped.is_set() and (run := claim_run(database(), who, lease)):
        stop = threading.Event()
        with keep_lease(database(), run, lease, stop, stopped):
            _plan(session, who, run, stop)
        number += 1
    return number


def _plan(session: AzureSession, who: str, run: ClaimedRun, stop: threading.Event) -> None:
    """Plans one run, and records what it proposes, or why it failed."""
    _LOG.info("Planning the scheduled run %s of %s", run.id, run.registry)
    try:
        planned = _read(session, who, run, stop)
    except ServiceError as error:
        if stop.is_set():
            release_run(database(), run)
            return
        _LOG.warning("The scheduled run %s failed: %s", run.id, error)
        fail_run(database(), run, str(error))
        return
    except Exception as error:
        _LOG.exception("The scheduled run %s failed", run.id)
        fail_run(database(), run, f"The console failed ({type(error).__name__}); the log has the details.")
        raise
    state = record_plan(database(), run, planned.figures, planned.parts)
    if state is RunState.STARTED:
        _start(session, who, run, planned)


def _read(session: AzureSession, who: str, run: ClaimedRun, stop: threading.Event) -> PlannedRun:
    return plan_scheduled_run(
        session,
        who,
        run.rules,
        run.registry,
        answers=shared_answers(),
        asks_clusters=run.asks_clusters,
        clock=lambda: read_clock(database()),
        known=contents.known_manifests(who, run.registry),
        store=shared_contents(),
        stop=stop,
    )


def _start(session: AzureSession, who: str, run: ClaimedRun, planned: PlannedRun) -> None:
    """Begins the deletions of a run that needs no approval, each once, as jobs of the console's own identity."""
    problem = ""
    version = (run.policy, run.version)
    followed = policy_run(run.rules, version, planned.figures.above, run=run.id, by_itself=True)
    for part in planned.plan.parts:
        if not isinstance(part.plan, DeletionPlan):
            continue
        name = part.name
        try:
            deletions.delete_manifests(
                who,
                planned.registry,
                part.plan,
                within=lambda db, job, name=name: link_job(db, run, name, job),  # type: ignore[misc]
                session=session,
                policy=followed,
            )
        except ServiceError as error:
            if error.code == "AlreadyBegun":
                continue
            problem = str(error)
            break
    end_run(database(), run, problem)
