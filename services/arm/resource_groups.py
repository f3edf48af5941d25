"""Resource groups: those of a subscription, one by its name, and a new one."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from azure.mgmt.resource.resources import models

from services.arm.pages import items
from services.connection.answers import checked, read_entries
from services.connection.errors import as_service_error, if_there, says_not_found
from services.connection.parallel import Partial
from services.connection.session import AzureSession

DELETING = "Deleting"


@dataclass(frozen=True)
class ResourceGroup:
    """`location`: where the group's metadata is; its resources can be elsewhere. `state` is Azure's: Succeeded, or
    Deleting until everything in it is deleted."""

    name: str
    location: str
    state: str


def usual_location(groups: Iterable[ResourceGroup]) -> str:
    """Where most of the groups are; "" where there is none."""
    counts = Counter(group.location for group in groups)
    return max(counts, key=lambda name: (counts[name], name), default="")


def broken_group_rules(name: str) -> Iterator[str]:
    """Why a new group can't have this name, a sentence for each broken rule.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
    """
    if not 1 <= len(name) <= 90:
        yield f"A resource group's name has 1 to 90 characters: this one has {len(name)}."
    if found := sorted({sign for sign in name if not re.fullmatch(r"[\w\-.()]", sign)}):
        yield (
            "A resource group's name has letters, digits, underscores, dashes, periods and parentheses only, not "
            f"{' '.join('a space' if sign.isspace() else sign for sign in found)}."
        )
    if name.endswith("."):
        yield "A resource group's name does not end in a period."


def list_groups(session: AzureSession, subscription_id: str) -> Partial[ResourceGroup]:
    """The groups that the identity can see, by name. Raises ServiceError."""
    with as_service_error("Could not list the resource groups"):
        groups = session.groups_and_providers(subscription_id).resource_groups
        found = read_entries("resource groups", items(session, groups.list), _group)
    return replace(found, values=tuple(sorted(found.values, key=lambda group: group.name.casefold())))


def find_group(session: AzureSession, subscription_id: str, name: str) -> ResourceGroup | None:
    """The group of this name, whatever its case; None if it does not exist. Raises ServiceError."""

    def read() -> ResourceGroup:
        with as_service_error(f"Could not read the resource group {name}"):
            return checked(_group(session.groups_and_providers(subscription_id).resource_groups.get(name)))

    return if_there(read, says_not_found)


def ids_in_group(session: AzureSession, subscription_id: str, name: str) -> tuple[str, ...]:
    """The ids of the resources in a group that the identity can see. Raises ServiceError."""
    with as_service_error(f"Could not list what is in the resource group {name}"):
        listed = session.groups_and_providers(subscription_id).resources.list_by_resource_group
        found = read_entries(f"resources of {name}", items(session, listed, name), _id)
    return found.all_values()


def _id(model: models.GenericResourceExpanded) -> str:
    if not model.id:
        raise ValueError("a resource without an id")
    return model.id


def create_group(session: AzureSession, subscription_id: str, name: str, location: str) -> ResourceGroup:
    """Creates a group. A PUT: one that is there already would lose its tags, so look before. Raises ServiceError."""
    with as_service_error(f"Could not create the resource group {name}"):
        client = session.groups_and_providers(subscription_id).resource_groups
        return checked(_group(client.create_or_update(name, models.ResourceGroup(location=location))))


def _group(model: models.ResourceGroup) -> ResourceGroup:
    if not model.name:
        raise ValueError("a resource group without a name")
    return ResourceGroup(
        model.name, model.location or "", (model.properties.provisioning_state if model.properties else "") or ""
    )
