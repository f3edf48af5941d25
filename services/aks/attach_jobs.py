"""Many registries attached as a job, which another process continues."""

from collections import Counter
from collections.abc import Callable, Sequence

from services.aks.attach import Attached, AttachPlan, apply_attach
from services.connection.errors import ServiceError
from services.connection.parallel import Progress, counter, parallel_map
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of

AttachPlans = tuple[AttachPlan, ...]


def attach_items(plans: Sequence[AttachPlan]) -> tuple[JobItem, ...]:
    """An item for each pair of a cluster and a registry, by their names; by ids where two pairs have the same names."""
    return tuple(JobItem(name, "") for name in _names(plans))


def _names(plans: Sequence[AttachPlan]) -> list[str]:
    names = [f"{plan.cluster.name} ← {plan.registry.name}" for plan in plans]
    times = Counter(names)
    return [
        name if times[name] == 1 else f"{plan.cluster.id} ← {plan.registry.id}"
        for name, plan in zip(names, plans, strict=True)
    ]


def run_attach(
    session: AzureSession,
    job: Job,
    running: RunningJob,
    report: Progress,
    on_done: Callable[[AttachPlan], None] = lambda _plan: None,
) -> Answer:
    """Attaches the pairs of the job that have no result, each read and planned again: one that can pull by now is
    already done. `on_done` is called with each that is attached.

    A refusal is recorded for its pair alone. Raises ServiceError where the job goes on elsewhere.
    """
    plans = plan_of(AttachPlans, job)
    names = {item.name for item in job.open}
    left = [(name, plan) for name, plan in zip(_names(plans), plans, strict=True) if name in names]
    report(0, len(left), "pairs")
    count = counter(report, "pairs", len(left))

    def add(index: int, result: Attached | ServiceError) -> None:
        name, plan = left[index]
        if isinstance(result, ServiceError):
            if goes_on(result):
                raise result
            running.add_result(name, outcome_of(result), str(result))
        else:
            running.add_result(name, result.outcome)
            if result.outcome.is_done:
                on_done(plan)
        count(index, result)

    parallel_map(lambda one: apply_attach(session, one[1]), left, name=lambda one: one[0], done=add, stop=running.stop)
    return Answer("")
