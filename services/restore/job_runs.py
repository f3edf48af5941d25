"""Runs the restore of a job, from its beginning or from where another process left it."""

from collections.abc import Callable
from dataclasses import replace

from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem, JobResult
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of
from services.restore.plan import RestoreItem, RestorePlan
from services.restore.run import RestoreResult, apply_restore


def restore_items(plan: RestorePlan) -> tuple[JobItem, ...]:
    """What a plan restores, in its order."""
    return tuple(JobItem(item.name, item.digest, (item.tag,) if item.tag else ()) for item in plan.unblocked)


def run_restore(client: RegistryClient, job: Job, running: RunningJob, on_item: Callable[[object], None]) -> Answer:
    """Restores what has no result in `job`, and records each result. `on_item` is called with each. Raises
    ServiceError."""
    plan = plan_of(RestorePlan, job)
    names = {item.name for item in job.open}
    left = replace(plan, items=tuple(item for item in plan.unblocked if item.name in names))
    incomplete = False

    def end(item: RestoreItem, result: RestoreResult | ServiceError) -> None:
        nonlocal incomplete
        on_item(result)
        if isinstance(result, ServiceError):
            if goes_on(result):
                raise result
            running.add_result(item.name, outcome_of(result), str(result))
        else:
            incomplete = incomplete or not result.outcome.is_done
            running.add_results([(item.name, JobResult(result.outcome, result.cause))])

    apply_restore(client, left, on_result=end, stop=running.stop)
    return Answer("", complete=not incomplete)


def results_of(job: Job) -> tuple[int, int]:
    """How many items are restored, of how many."""
    done = sum(result.outcome in (Outcome.RESTORED, Outcome.ALREADY_DONE) for result in job.results.values())
    return done, len(job.items)
