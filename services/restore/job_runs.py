"""Runs what brings deleted images back as a job, from its beginning or from where another process left it."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Engine

from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem, JobResult
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of
from services.restore.kept import kept_manifests_of
from services.restore.plan import RestoreItem, RestorePlan
from services.restore.put_back import PutBackItem, PutBackPlan, apply_put_back
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


def put_back_items(plan: PutBackPlan) -> tuple[JobItem, ...]:
    """What a plan pushes back, in its order."""
    return tuple(JobItem(item.digest, item.digest, item.tags) for item in plan.unblocked)


def run_put_back(
    client: RegistryClient, engine: Engine, job: Job, running: RunningJob, on_item: Callable[[object], None]
) -> Answer:
    """Pushes back what has no result in `job`, from the manifests that the deletion's record kept, and records each
    result. `on_item` is called with each. Raises ServiceError."""
    plan = plan_of(PutBackPlan, job)
    names = {item.name for item in job.open}
    left = replace(plan, items=tuple(item for item in plan.unblocked if item.digest in names))

    def end(item: PutBackItem, result: Outcome | ServiceError) -> None:
        on_item(result)
        if not isinstance(result, ServiceError):
            running.add_result(item.digest, result)
        elif goes_on(result):
            raise result
        else:
            running.add_result(item.digest, outcome_of(result), str(result))

    apply_put_back(client, left, kept_manifests_of(engine, plan.record, names), end, running.stop)
    return Answer("")


def results_of(job: Job) -> tuple[int, int]:
    """How many items are restored, of how many."""
    done = sum(result.outcome in (Outcome.RESTORED, Outcome.ALREADY_DONE) for result in job.results.values())
    return done, len(job.items)
