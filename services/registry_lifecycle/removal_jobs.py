"""A registry deleted as a job, which another process continues."""

from services.arm.resource_groups import ids_in_group
from services.commands import registries as az_registries
from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import record_item, report_states
from services.registries.registry import Registry
from services.registries.settling import settled_registry
from services.registry_lifecycle.removal import RemovalPlan, apply_removal


def removal_items(plan: RemovalPlan) -> tuple[JobItem, ...]:
    """The one item of the job of a plan."""
    return (JobItem(f"Registry {plan.registry.name}", ""),)


def run_removal(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Deletes the registry as the job has planned; where another process began it, once Azure has ended what that sent.

    The answer says whether its resource group is empty now. Raises ServiceError as `apply_removal`, recorded for the
    item.
    """
    plan = plan_of(RemovalPlan, job)
    say = report_states(report, plan.registry.name)

    def change() -> Outcome:
        if job.attempt > 1:
            settled_registry(session, plan.registry.id, say, running.stop)
        return apply_removal(session, plan, say, running.stop)

    for item in job.open:
        record_item(running, item.name, change)
    gone = all(Outcome(result.outcome).is_done for result in running.read().results.values())
    return Answer(_about_group(session, plan.registry) if gone and not running.stop.is_set() else "")


def _about_group(session: AzureSession, registry: Registry) -> str:
    """That nothing else is in the resource group, or that it is not known; "" where something is."""
    group = registry.resource_group
    try:
        listed = ids_in_group(session, registry.subscription_id, group)
    except ServiceError as error:
        return f"Whether the resource group {group} is empty now is unknown: {error.cause}"
    below = f"{registry.id.casefold()}/"
    if any(not f"{one.casefold()}/".startswith(below) for one in listed):  # Azure may still list the registry.
        return ""
    line = az_registries.delete_group(registry.subscription_id, group)
    return f"The resource group {group} is empty now, and stays. To delete it:\n\n{line}"
