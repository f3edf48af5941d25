"""Tasks created, enabled, disabled, run and deleted: planned, checked again, sent, read back."""

from collections.abc import Callable
from dataclasses import dataclass

from azure.mgmt.containerregistrytasks import models

from services.access.role_assignment_reading import caller_permissions_or_none
from services.commands import tasks as az_tasks
from services.connection.changes import Outcome, changed, refused, remove, write
from services.connection.errors import ServiceError, as_service_error, says_not_found
from services.connection.session import AzureSession
from services.registries.registry import Registry
from services.tasks.plan import TIMER, TaskFacts, TaskPlan, plan_task, read_ipv6
from services.tasks.steps import encode, task_definition
from services.tasks.tasks import Task, get_task, list_tasks

Report = Callable[[str], None]


def _silent(_state: str) -> None:
    pass


def read_facts(session: AzureSession, registry: Registry) -> TaskFacts:
    """Asks for what a plan goes by. What can't be read is None; of tasks, too, where one could not be understood."""
    names: tuple[str, ...] | None = None
    try:
        listed = list_tasks(session, registry)
        names = None if listed.refused else tuple(task.name for task in listed.values)
    except ServiceError:
        pass
    return TaskFacts(names, caller_permissions_or_none(session, registry), read_ipv6(session, registry))


def apply_task(session: AzureSession, plan: TaskPlan, report: Report = _silent) -> Outcome:
    """Creates the task as planned. CREATED: it is there so, as read back. NOT_CONFIRMED: Azure took it, and it does not
    show, or could not be read.

    Raises ServiceError where nothing was created: refused by the plan, by Azure, or since there is one of that name.
    """
    wanted, registry = plan.wanted, plan.registry
    title = f"Could not create the task {wanted.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = plan_task(registry, read_facts(session, registry), wanted)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    report("creating")
    client = session.tasks(registry.subscription_id).tasks
    found = write(
        title,
        lambda: client.create(registry.resource_group, registry.name, wanted.name, _body(plan)),
        lambda: get_task(session, registry, wanted.name),
        lambda task: _is(task, plan),
        says_not_found,
    )
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED


def _body(plan: TaskPlan) -> models.Task:
    identity = models.IdentityProperties(type=models.ResourceIdentityType.SYSTEM_ASSIGNED)
    source = models.SourceRegistryCredentials(identity="[system]")
    properties = models.TaskProperties(
        status=models.TaskStatus.ENABLED,
        platform=models.PlatformProperties(os=models.OS.LINUX, architecture=models.Architecture.AMD64),
        timeout=plan.seconds,
        step=models.EncodedTaskStep(encoded_task_content=encode(task_definition(plan.wanted.commands))),
        trigger=models.TriggerProperties(
            timer_triggers=[
                models.TimerTrigger(name=TIMER, schedule=plan.wanted.schedule, status=models.TriggerStatus.ENABLED)
            ]
        ),
        credentials=models.Credentials(source_registry=source) if plan.own_identity else None,
    )
    location = plan.registry.location
    return models.Task(location=location, properties=properties, identity=identity if plan.own_identity else None)


def _is(task: Task, plan: TaskPlan) -> bool:
    timers = [(timer.schedule, timer.enabled) for timer in task.timers]
    return (
        task.enabled
        and task.commands == plan.wanted.commands
        and timers == [(plan.wanted.schedule, True)]
        and bool(task.principal_id) is plan.own_identity
    )


@dataclass(frozen=True)
class TaskChange:
    """A task that is enabled (`status` Enabled), disabled (Disabled), or deleted (""), as it was shown."""

    registry: Registry
    task: Task
    status: str
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]


def plan_task_status(registry: Registry, task: Task, *, enabled: bool) -> TaskChange:
    """A status that it has already is a blocker."""
    status = "Enabled" if enabled else "Disabled"
    blockers = (f"{task.name} is {status.lower()} already.",) if task.enabled is enabled else ()
    line = az_tasks.set_task_status(registry.name, task.name, status)
    return TaskChange(registry, task, status, blockers, (), (line,))


def plan_task_removal(registry: Registry, task: Task) -> TaskChange:
    """There is nothing that blocks it."""
    warnings = (
        ("Its identity is deleted with it, and leaves its role assignments behind.",) if task.principal_id else ()
    )
    return TaskChange(registry, task, "", (), warnings, (az_tasks.delete_task(registry.name, task.name),))


def apply_task_status(session: AzureSession, plan: TaskChange, report: Report = _silent) -> Outcome:
    """Enables or disables the task as planned: CHANGED or NOT_CONFIRMED.

    Raises ServiceError where it is left as it was: refused, or it has changed since it was shown.
    """
    registry, task = plan.registry, plan.task
    title = f"Could not {'enable' if plan.status == 'Enabled' else 'disable'} the task {task.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    _check_again(session, plan, title, report)
    report("changing")
    client = session.tasks(registry.subscription_id).tasks
    body = models.TaskUpdateParameters(properties=models.TaskPropertiesUpdateParameters(status=plan.status))
    found = write(
        title,
        lambda: client.update(registry.resource_group, registry.name, task.name, body),
        lambda: get_task(session, registry, task.name),
        lambda now: now.status == plan.status,
        says_not_found,
    )
    return Outcome.CHANGED if found else Outcome.NOT_CONFIRMED


def apply_task_removal(session: AzureSession, plan: TaskChange, report: Report = _silent) -> Outcome:
    """Deletes the task: DELETED, ALREADY_DONE, or NOT_CONFIRMED. Its runs stay.

    Raises ServiceError where it is left as it was: refused, or it has changed since it was shown.
    """
    registry, task = plan.registry, plan.task
    title = f"Could not delete the task {task.name}"
    try:
        _check_again(session, plan, title, report)
    except ServiceError as error:
        if says_not_found(error):
            return Outcome.ALREADY_DONE
        raise
    report("deleting")
    client = session.tasks(registry.subscription_id).tasks
    return remove(
        title,
        lambda: client.delete(registry.resource_group, registry.name, task.name),
        lambda: get_task(session, registry, task.name),
        says_not_found,
    )


def _check_again(session: AzureSession, plan: TaskChange, title: str, report: Report) -> None:
    report("checking again")
    if get_task(session, plan.registry, plan.task.name) != plan.task:
        raise changed(title, "The task has changed since it was shown.")


def run_task(session: AzureSession, registry: Registry, task: Task) -> str:
    """Has Azure run the task now, as it was shown: the id of the run. Raises ServiceError."""
    title = f"Could not run the task {task.name}"
    now = get_task(session, registry, task.name)
    if now != task:
        raise changed(title, "The task has changed since it was shown.")
    with as_service_error(title):
        client = session.tasks(registry.subscription_id).registries
        request = models.TaskRunRequest(task_id=f"{registry.id}/tasks/{task.name}")
        run = client.schedule_run(registry.resource_group, registry.name, request)
        found = run.properties.run_id if run and run.properties else None
        if not found:
            raise ValueError("the id of the run is missing")
        return found
