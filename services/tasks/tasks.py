"""Tasks of a registry, read: what they run, when, and as whom. https://learn.microsoft.com/rest/api/containerregistry"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from azure.mgmt.containerregistrytasks import models

from services.arm.pages import items
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import as_service_error
from services.connection.parallel import Partial
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.registry import Registry
from services.tasks.schedules import describe_schedule
from services.tasks.steps import commands_of, decode, is_purge


@dataclass(frozen=True)
class Timer:
    """A timer of a task; `schedule` is a cron expression in UTC."""

    name: str
    schedule: str
    enabled: bool


@dataclass(frozen=True)
class Task:
    """A task of a registry, whoever created it.

    `commands`: what the steps of a definition within the task run, one text a step; `source`: what it builds or runs
    otherwise, without what may be secret in its address. `other_triggers`: the enabled ones beside its timers.
    `principal_id`: of its system-assigned identity, "" without one. `signs_in_as`: how it signs in to its registry, ""
    for the registry's own token. `timeout` in seconds.
    """

    name: str
    status: str
    kind: str
    commands: tuple[str, ...]
    source: str
    timers: tuple[Timer, ...]
    other_triggers: tuple[str, ...]
    principal_id: str
    signs_in_as: str
    timeout: int | None
    created: datetime | None
    provisioning_state: str

    @property
    def enabled(self) -> bool:
        return self.status == "Enabled"

    @property
    def purges(self) -> bool:
        """Whether all that it does is acr purge, so that its log has names of images and no secret of a build."""
        return bool(self.commands) and not self.source and all(map(is_purge, self.commands))

    @property
    def deletes(self) -> bool:
        """Whether one of its commands is acr purge."""
        return any(map(is_purge, self.commands))

    @property
    def does(self) -> str:
        """What it runs, in a line."""
        return " && ".join(self.commands) or self.source or self.kind

    @property
    def runs(self) -> str:
        """When it runs by itself; "" where it doesn't."""
        timers = [describe_schedule(timer.schedule) for timer in self.timers if timer.enabled]
        return ", ".join((*timers, *self.other_triggers))


def list_tasks(session: AzureSession, registry: Registry) -> Partial[Task]:
    """All of them, by name. Raises ServiceError."""
    with as_service_error(f"Could not list the tasks of {registry.name}"):
        client = session.tasks(registry.subscription_id).tasks
        listed = items(session, client.list, registry.resource_group, registry.name)
        found = read_entries(f"tasks of {registry.name}", listed, task_from)
    return replace(found, values=tuple(sorted(found.values, key=lambda task: task.name.casefold())))


def get_task(session: AzureSession, registry: Registry, name: str) -> Task:
    """One task. Raises ServiceError."""
    with as_service_error(f"Could not read the task {name}"):
        client = session.tasks(registry.subscription_id).tasks
        return checked(task_from(client.get(registry.resource_group, registry.name, name)))


def task_from(model: models.Task) -> Task:
    """The SDK's model as a Task. Raises one of `MALFORMED` for what is none."""
    if not model.name:
        raise ValueError("its name is missing")
    properties = model.properties or models.TaskProperties()
    step, trigger = properties.step, properties.trigger
    encoded = step.encoded_task_content if isinstance(step, models.EncodedTaskStep) else ""
    definition = decode(encoded or "")
    credentials = properties.credentials.source_registry if properties.credentials else None
    return Task(
        name=model.name,
        status=sdk_text(properties.status),
        kind=_KINDS.get(sdk_text(step.type if step else ""), "System task" if step is None else sdk_text(step.type)),
        commands=commands_of(definition),
        source=_source(step),
        timers=tuple(
            Timer(one.name or "", one.schedule or "", sdk_text(one.status) != "Disabled")
            for one in (trigger.timer_triggers if trigger else None) or ()
        ),
        other_triggers=tuple(_other_triggers(trigger)),
        principal_id=(model.identity.principal_id if model.identity else "") or "",
        signs_in_as=_signs_in_as(credentials),
        timeout=properties.timeout,
        created=time_or_none(properties.creation_date),
        provisioning_state=sdk_text(properties.provisioning_state),
    )


_KINDS = {"EncodedTask": "Commands", "Docker": "Build", "FileTask": "Task file"}


def _source(step: models.TaskStepProperties | None) -> str:
    where = _without_secrets((step.context_path if step else "") or "")
    if isinstance(step, models.DockerBuildStep):
        return f"Build {step.docker_file_path or 'Dockerfile'} of {where or 'its context'}"
    if isinstance(step, models.FileTaskStep):
        return f"Run {step.task_file_path or 'its file'} of {where or 'its context'}"
    return f"With the context {where}" if where else ""


def _without_secrets(address: str) -> str:
    """An address without a user, a token and a query."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return urlunsplit(
            (parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, "", parts.fragment)
        )
    except ValueError:
        return ""


def _other_triggers(trigger: models.TriggerProperties | None) -> Iterator[str]:
    for one in (trigger.source_triggers if trigger else None) or ():
        if sdk_text(one.status) != "Disabled":
            yield "On a commit"
    base = trigger.base_image_trigger if trigger else None
    if base and sdk_text(base.status) != "Disabled":
        yield "On a new base image"


def _signs_in_as(credentials: models.SourceRegistryCredentials | None) -> str:
    if credentials is None:
        return ""
    if credentials.identity == "[system]":
        return "its own identity"
    if credentials.identity:
        return f"identity {credentials.identity}"
    return "nobody" if sdk_text(credentials.login_mode) == "None" else ""
