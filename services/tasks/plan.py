"""What a new task looks like, and what to know before it is created."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.access.role_definitions import PermissionBlock
from services.commands import tasks as az_tasks
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.registries.registry import Mode, Registry
from services.tasks.steps import COMMAND_SECONDS, MOST_SECONDS, is_purge, task_definition

TIMER = "retention"
ROLE = "Container Registry Tasks Contributor"
# What the identity of a task needs in ABAC mode to purge.
DELETES = "It deletes all that matches without asking, images that run too. Simulate the policy first."
ABAC_ROLES = ("Container Registry Repository Contributor", "Container Registry Repository Catalog Lister")
_WRITE = "Microsoft.ContainerRegistry/registries/tasks/write"
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry
_NAME = re.compile(r"[A-Za-z0-9_-]{5,50}")
_LONGEST = 50


@dataclass(frozen=True)
class NewTask:
    """A task as it is to be: commands of `acr purge` that run one after the other, by a timer in UTC."""

    name: str
    commands: tuple[str, ...]
    schedule: str


@dataclass(frozen=True)
class TaskFacts:
    """What a plan goes by: the names of the tasks that exist, None where they can't be read; the caller's permissions
    on the registry, None where they can't; whether the registry has IPv6 endpoints, None where that is unknown."""

    names: tuple[str, ...] | None
    permissions: tuple[PermissionBlock, ...] | None
    ipv6: bool | None


@dataclass(frozen=True)
class TaskPlan:
    """A task to be created. Nothing is sent while there are `blockers`. `own_identity`: it gets a system-assigned
    identity, and signs in to the registry as that."""

    registry: Registry
    wanted: NewTask
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]
    own_identity: bool

    @property
    def seconds(self) -> int:
        """After how many a run ends, whether it is done or not."""
        return min(MOST_SECONDS, COMMAND_SECONDS * len(self.wanted.commands))


def suggest_name(policy: str) -> str:
    """A task's name for a policy's: 'retention-old-builds'."""
    slug = re.sub(r"[^a-z0-9]+", "-", policy.casefold()).strip("-")
    return f"retention-{slug}"[:_LONGEST].rstrip("-")


def plan_task(registry: Registry, facts: TaskFacts, wanted: NewTask) -> TaskPlan:
    """What forbids the task, and what to know before it is created. Pure."""
    own_identity = registry.access.mode is Mode.ABAC
    blockers = tuple(_blockers(registry, facts, wanted))
    plan = TaskPlan(registry, wanted, blockers, tuple(_warnings(registry, facts)), (), own_identity)
    return TaskPlan(registry, wanted, blockers, plan.warnings, (_line(plan),), own_identity)


def _line(plan: TaskPlan) -> str:
    wanted, name = plan.wanted, plan.registry.name
    options = (wanted.schedule, plan.seconds)
    if len(wanted.commands) == 1:
        return az_tasks.create_task(name, wanted.name, wanted.commands[0], *options, own_identity=plan.own_identity)
    definition = task_definition(wanted.commands)
    return az_tasks.create_task_of_steps(name, wanted.name, definition, *options, own_identity=plan.own_identity)


def _blockers(registry: Registry, facts: TaskFacts, wanted: NewTask) -> Iterator[str]:
    if registry.sku == "Classic":
        yield "A Classic registry has no tasks."
    if not _NAME.fullmatch(wanted.name):
        yield "The name of a task has 5 to 50 letters, digits, hyphens and underscores."
    elif facts.names is None:
        yield "The tasks of the registry could not be read: a task of that name would be replaced."
    elif wanted.name.casefold() in {name.casefold() for name in facts.names}:
        yield f"There is a task {wanted.name} already."
    if not wanted.commands or not all(map(is_purge, wanted.commands)):
        yield "There is no command of acr purge to run."
    if facts.permissions is not None and not any(one.covers(_WRITE, data=False) for one in facts.permissions):
        yield f"You may not create tasks in {registry.name}: that takes {ROLE}, or Contributor."
    if reason := _network_refusal(registry):
        yield reason
    if facts.ipv6:
        yield "Tasks do not run in a registry that has IPv6 endpoints."


def _network_refusal(registry: Registry) -> str:
    """Why the registry's network rules refuse its tasks; "" where they don't, or it is unknown.

    https://learn.microsoft.com/azure/container-registry/allow-access-trusted-services
    """
    if registry.network.open_to_all:
        return ""
    rules = f"The network rules of {registry.name} ({registry.network.words}) refuse a task's agent"
    if registry.access.mode is not Mode.ABAC:
        return f"{rules}: it would need an agent pool in the registry's network, or a login that the console can't set."
    if registry.network.tasks_bypass is False:
        return f"{rules}: let tasks pass (networkRuleBypassAllowedForTasks), or use an agent pool in its network."
    return ""


def _warnings(registry: Registry, facts: TaskFacts) -> Iterator[str]:
    yield DELETES
    if registry.unsettled:
        yield f"{registry.unsettled}."
    if registry.access.mode is Mode.ABAC:
        yield (
            f"In ABAC mode a run fails until the task's own identity has {' and '.join(ABAC_ROLES)} on the registry: "
            "assign them once the task is created."
        )
        if not registry.network.open_to_all and registry.network.tasks_bypass is None:
            yield "Whether tasks pass the registry's network rules is unknown: Azure does not report it."
    if facts.permissions is None:
        yield "Whether you may create tasks is unknown: your permissions on the registry could not be read."
    if facts.ipv6 is None:
        yield "Whether the registry has IPv6 endpoints is unknown. Tasks do not run in one that has."
    if notice := registry.soft_delete.notice:
        yield notice


def read_ipv6(session: AzureSession, registry: Registry) -> bool | None:
    """Whether the registry has IPv6 endpoints (preview); None where that can't be read."""
    try:
        with as_service_error(f"Could not read the endpoints of {registry.name}"):
            client = session.registries_preview(registry.subscription_id)
            properties = client.registries.get(registry.resource_group, registry.name).properties
            return bool(properties and properties.get("endpointProtocol") == "IPv4AndIPv6")
    except ServiceError:
        return None
