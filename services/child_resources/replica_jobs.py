"""Replicas added and deleted as jobs, which another process continues."""

from collections.abc import Callable

from services.arm.settling import wait_until_settled
from services.child_resources.replications import (
    ReplicaPlan,
    apply_replica,
    apply_replica_removal,
    list_replications,
)
from services.connection.changes import Outcome, changed
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import record_item, report_states
from services.registries.registry import Replication
from services.registries.settling import settled_registry


def replica_items(plan: ReplicaPlan) -> tuple[JobItem, ...]:
    """The one item of the job of a plan."""
    return (JobItem(f"Replica of {plan.registry.name} in {plan.region}", ""),)


def run_replica(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Adds the replica as the job has planned; where another process began it, once Azure has ended what that sent.

    Raises ServiceError as `apply_replica`, recorded for the item.
    """
    plan = plan_of(ReplicaPlan, job)

    def change() -> Outcome:
        if job.attempt > 1 and (there := _settled(session, plan, running, report)):
            if there.provisioning_state == "Succeeded":
                return Outcome.ALREADY_DONE
            state = there.provisioning_state or "not reported"
            raise changed(f"Could not add a replica in {plan.region}", f"There is one now (state: {state}).")
        return apply_replica(session, plan, report_states(report, plan.registry.name), running.stop)

    return _run(job, running, change)


def run_replica_removal(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Deletes the replica as the job has planned; where another process began it, once Azure has ended what that sent.

    Raises ServiceError as `apply_replica_removal`, recorded for the item.
    """
    plan = plan_of(ReplicaPlan, job)

    def change() -> Outcome:
        if job.attempt > 1:
            _settled(session, plan, running, report)
        return apply_replica_removal(session, plan, report_states(report, plan.registry.name), running.stop)

    return _run(job, running, change)


def _run(job: Job, running: RunningJob, change: Callable[[], Outcome]) -> Answer:
    outcomes = [record_item(running, item.name, change) for item in job.open]
    return Answer("Azure copies its images there in the background." if Outcome.CREATED in outcomes else "")


def _settled(session: AzureSession, plan: ReplicaPlan, running: RunningJob, report: Progress) -> Replication | None:
    """The replica of the plan's region once no operation on it, or on its registry, runs; None where there is none."""
    say = report_states(report, plan.registry.name)

    def find() -> Replication | None:
        listed = list_replications(session, plan.registry)
        there = next((one for one in listed.values if one.region == plan.region), None)
        if there is None:
            listed.all_values()  # One that could not be understood may be this.
        return there

    settled_registry(session, plan.registry.id, say, running.stop)
    return wait_until_settled(find, lambda one: one.provisioning_state, say, running.stop)
