"""A registry created as a job, which another process continues."""

from collections.abc import Callable
from dataclasses import replace

from services.arm.resource_groups import find_group
from services.arm.settling import wait_until_settled
from services.commands import registries as az_registries
from services.connection.changes import Outcome, changed
from services.connection.errors import ServiceError
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job, JobItem
from services.jobs.plans import plan_of
from services.jobs.running import RunningJob
from services.jobs.work import goes_on, outcome_of, report_states
from services.registries.reading import find_registry
from services.registries.registry import Registry
from services.registry_lifecycle.creation import ItemResult, apply_creation, spec_differences
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec


def creation_items(spec: RegistrySpec) -> tuple[JobItem, ...]:
    """The resource group, where it is new, and the registry."""
    group = (JobItem(_group_name(spec), ""),) if spec.new_group else ()
    return (*group, JobItem(_registry_name(spec), ""))


def _group_name(spec: RegistrySpec) -> str:
    return f"Resource group {spec.group}"


def _registry_name(spec: RegistrySpec) -> str:
    return f"Registry {spec.name}"


def is_registry_created(job: Job, spec: RegistrySpec) -> bool:
    """Whether the job has created its registry, or found it created."""
    result = job.results.get(_registry_name(spec))
    return result is not None and Outcome(result.outcome).is_done


def registry_id_of(spec: RegistrySpec) -> str:
    """The resource id of the registry to create."""
    group = f"/subscriptions/{spec.subscription_id}/resourceGroups/{spec.group}"
    return f"{group}/providers/Microsoft.ContainerRegistry/registries/{spec.name}"


def run_creation(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    """Creates the registry as the job has planned, and its group where that is new. Where another process began it,
    once Azure has ended what that sent: what is there as planned is done, what is missing is planned again.

    The answer says what is not as specified, and which group was left empty. Raises ServiceError as `apply_creation`,
    recorded for the registry, where no group is left.
    """
    plan = plan_of(CreationPlan, job)
    say = report_states(report, plan.spec.name)

    try:
        answer = _create(session, plan, job, running, say)
    except ServiceError as error:
        if goes_on(error):
            raise
        if error.code == "Stopped":
            return Answer("")
        group = running.read().results.get(_group_name(plan.spec))
        if not group or Outcome(group.outcome).is_done:  # Else it is the group that was refused.
            running.add_result(_registry_name(plan.spec), outcome_of(error), str(error))
        if not (left := _leftover(running, plan.spec)):
            raise
        return Answer(left, complete=False)
    left = _leftover(running, plan.spec)
    return replace(answer, text="\n\n".join(filter(None, (answer.text, left))))


def _create(
    session: AzureSession, plan: CreationPlan, job: Job, running: RunningJob, say: Callable[[str], None]
) -> Answer:
    spec = plan.spec
    if job.attempt > 1:
        spec = _without_group_that_is_there(session, spec, job, running)
        if found := _settled(session, spec, running, say):
            return _take_as_done(spec, found, running)
    if not running.read().open:
        return Answer("")

    def add(result: ItemResult) -> None:
        if result.outcome is not Outcome.NOT_TRIED:
            outcome = outcome_of(result.error) if result.outcome is Outcome.REFUSED and result.error else result.outcome
            running.add_result(result.what, outcome, str(result.error) if result.error else "")

    done = apply_creation(session, replace(plan, spec=spec), say, running.stop, add)
    add(done.creation)
    return Answer("\n\n".join(done.differences), complete=not done.differences)


def _without_group_that_is_there(
    session: AzureSession, spec: RegistrySpec, job: Job, running: RunningJob
) -> RegistrySpec:
    """The specification, with the group as one that exists where it does: the process before has created it, or
    somebody else. Raises ServiceError where it is somewhere else than planned."""
    name = _group_name(spec)
    if not spec.new_group or name in job.results:
        return replace(spec, new_group=False)
    group = find_group(session, spec.subscription_id, spec.group)
    if group is None:
        return spec
    if group.location != spec.location:
        running.add_result(name, Outcome.REFUSED, f"It exists now, in {group.location}.")
        where = f"The resource group {group.name} exists now, in {group.location}, not {spec.location}."
        raise changed(f"Could not create the resource group {spec.group}", where)
    running.add_result(name, Outcome.ALREADY_DONE)
    return replace(spec, new_group=False)


def _settled(
    session: AzureSession, spec: RegistrySpec, running: RunningJob, say: Callable[[str], None]
) -> Registry | None:
    if spec.new_group:
        return None  # Without its group there is no registry.
    return wait_until_settled(
        lambda: find_registry(session, spec.subscription_id, spec.group, spec.name),
        lambda registry: registry.provisioning_state,
        say,
        running.stop,
    )


def _take_as_done(spec: RegistrySpec, found: Registry, running: RunningJob) -> Answer:
    """Records a registry that is there as planned. Raises ServiceError where it is another one, or in no good state."""
    if running.stop.is_set():
        return Answer("")
    title = f"Could not create the registry {spec.name}"
    if found.unsettled:
        raise changed(title, f"There is one now. {found.unsettled}.")
    if others := tuple(spec_differences(spec, found)):
        raise changed(title, f"There is one now that is not as planned. {' '.join(others)}")
    running.add_result(_registry_name(spec), Outcome.ALREADY_DONE)
    return Answer("")


def _leftover(running: RunningJob, spec: RegistrySpec) -> str:
    """The group that is there although its registry is not; "" where there is none."""
    results = running.read().results
    group, registry = results.get(_group_name(spec)), results.get(_registry_name(spec))
    if not group or not Outcome(group.outcome).is_done:
        return ""
    if registry and registry.outcome != Outcome.REFUSED:
        return ""
    line = az_registries.delete_group(spec.subscription_id, spec.group)
    since = "was created for it" if group.outcome == Outcome.CREATED else "exists since, perhaps created for it,"
    return (
        f"The resource group {spec.group} {since} and stays, empty. Choose it as an existing group next "
        f"time, or delete it:\n\n{line}"
    )
