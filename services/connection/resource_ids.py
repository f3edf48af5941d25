"""Ids of Resource Manager: taken apart, and compared as Azure compares them."""

from dataclasses import dataclass

from azure.mgmt.core.tools import parse_resource_id


@dataclass(frozen=True)
class ResourceId:
    """Where a resource is. `kind` is provider and type in lower case: microsoft.containerregistry/registries.

    `kind` and `name` are those of the resource at the top, a registry for its webhook; `child` is the name of the
    resource itself where it is below another. Each is "" where the id lacks it.
    """

    subscription: str = ""
    group: str = ""
    kind: str = ""
    name: str = ""
    child: str = ""


def parse_id(resource_id: str) -> ResourceId:
    """An id's parts, in the case that they are written in; all "" for what is no id of a subscription's resource."""
    found = parse_resource_id(resource_id)
    if "subscription" not in found:
        return ResourceId()
    place = ResourceId(str(found["subscription"]), str(found.get("resource_group", "")))
    if "namespace" not in found:
        return place
    child = found["resource_name"] if "last_child_num" in found else ""
    kind = f"{found['namespace']}/{found['type']}".lower()
    return ResourceId(place.subscription, place.group, kind, str(found["name"]), str(child))


def same_id(one: str, other: str) -> bool:
    """Whether two ids, of resources or of principals, are the same one: case counts for nothing."""
    return one.casefold() == other.casefold()
