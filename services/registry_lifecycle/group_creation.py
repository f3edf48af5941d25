"""Creates a resource group alone: planned, checked again, sent, read back."""

from dataclasses import dataclass

from services.arm.resource_groups import DELETING, ResourceGroup, broken_group_rules, create_group, find_group
from services.commands import registries as az_registries
from services.connection.changes import Outcome, changed, refused, write
from services.connection.errors import says_not_found
from services.connection.session import AzureSession


@dataclass(frozen=True)
class GroupPlan:
    """Creates the group `name` in `location`. Nothing is sent while there are `blockers`; `commands` do the same."""

    subscription_id: str
    name: str
    location: str
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def plan_group(subscription_id: str, name: str, location: str, existing: ResourceGroup | None) -> GroupPlan:
    """What creating a group would do; `existing` has its name, None where there is none. Pure."""
    blockers = list(broken_group_rules(name))
    if existing and existing.state == DELETING:
        blockers.append(f"The resource group {existing.name} is being deleted: wait until it is gone.")
    elif existing:
        blockers.append(f"The resource group {existing.name} already exists, in {existing.location}.")
    line = az_registries.create_group(subscription_id, name, location)
    return GroupPlan(subscription_id, name, location, tuple(blockers), commands=(line,))


def apply_group(session: AzureSession, plan: GroupPlan) -> Outcome:
    """Creates the group; CREATED, or NOT_CONFIRMED where it could not be read back.

    Raises ServiceError: Refused (by the plan), ChangedMeanwhile where somebody created it since, and what Azure
    refuses.
    """
    title = f"Could not create the resource group {plan.name}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    again = plan_group(
        plan.subscription_id, plan.name, plan.location, find_group(session, plan.subscription_id, plan.name)
    )
    if again.blockers:
        raise changed(title, " ".join(again.blockers))
    return write_group(session, plan.subscription_id, plan.name, plan.location)


def write_group(session: AzureSession, subscription_id: str, name: str, location: str) -> Outcome:
    """Sends a new group and reads it back: CREATED or NOT_CONFIRMED. Look before: a group that is there would lose its
    tags. Raises ServiceError where it was not created, or that could not be read."""
    found = write(
        f"Could not create the resource group {name}",
        lambda: create_group(session, subscription_id, name, location),
        lambda: find_group(session, subscription_id, name),
        lambda group: group is not None,
        says_not_found,
    )
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED
