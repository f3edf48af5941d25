"""Replicas of a Premium registry in other regions: listed, added, removed.

https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.arm.providers import location_name
from services.arm.resources import get_resource
from services.commands import child_resources as az_child_resources
from services.connection.answers import checked, read_entries
from services.connection.changes import Outcome, changed, refused, remove, write
from services.connection.errors import as_service_error, says_not_found
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pricing.estimates import Estimate, estimate, use_of
from services.pricing.prices import Prices
from services.registries.reading import get_registry, replication_from
from services.registries.registry import Registry, Replication
from services.registries.skus import Sku, sku_of


def list_replications(session: AzureSession, registry: Registry) -> Partial[Replication]:
    """All regions, the home region first. Empty where there is none but that. Raises ServiceError."""
    with as_service_error(f"Could not list the replicas of {registry.name}"):
        client = session.registries(registry.subscription_id).replications
        listed = items(session, client.list, registry.resource_group, registry.name)
        found = read_entries(
            f"replicas of {registry.name}", listed, lambda model: replication_from(model, registry.location)
        )
    return replace(found, values=tuple(sorted(found.values, key=lambda one: (not one.home, one.region))))


def get_replication(session: AzureSession, registry: Registry, name: str) -> Replication:
    """One region's. Raises ServiceError."""
    with as_service_error(f"Could not read the replica {name}"):
        client = session.registries(registry.subscription_id).replications
        model = client.get(registry.resource_group, registry.name, name)
        return checked(replication_from(model, registry.location))


def replica_regions(session: AzureSession, registry: Registry) -> tuple[str, ...]:
    """Where Azure offers replicas to this subscription, as the provider says: eastus2 and the like, by name. Raises
    ServiceError."""
    subscription = f"/subscriptions/{registry.subscription_id}"
    provider = get_resource(session, f"{subscription}/providers/Microsoft.ContainerRegistry")
    with as_service_error("Could not read where replicas are offered"):
        kinds = {kind["resourceType"].casefold(): kind["locations"] for kind in provider["resourceTypes"]}
        return tuple(sorted(location_name(name) for name in kinds["registries/replications"]))


@dataclass(frozen=True)
class ReplicaPlan:
    """A region to be added, or deleted. Estimates are the registry's, a month's; None where there are no prices."""

    registry: Registry
    region: str
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]
    before: Estimate | None = None
    after: Estimate | None = None


def plan_replica(
    registry: Registry,
    there: tuple[Replication, ...],
    region: str,
    offered: tuple[str, ...],
    prices: Prices | None,
    days: int,
) -> ReplicaPlan:
    """What forbids another region, what to know before, and what the registry then costs."""
    blockers: list[str] = []
    if sku_of(registry.sku) is not Sku.PREMIUM:
        blockers.append(f"{registry.sku} has no replicas: change the SKU to Premium first.")
    if region == registry.location:
        blockers.append(f"The registry is at home in {region}.")
    elif region in {one.region for one in there}:
        blockers.append(f"There is a replica in {region} already.")
    if region not in offered:
        blockers.append(f"Azure offers no replicas in {region}.")
    if registry.unsettled:
        blockers.append(f"{registry.unsettled}.")
    warnings: list[str] = []
    network = registry.network
    host = f"*.{region}.data.{registry.login_server.partition('.')[2] or 'azurecr.io'}"
    if network.private_endpoints:
        warnings.append(
            f"Clients that come by a private endpoint need a DNS record for the data endpoint in {region} ({host}): "
            "see that their private DNS zone gets it."
        )
    if network.data_endpoints:
        warnings.append(f"Clients behind a firewall must be let through to the data endpoint in {region} ({host}).")
    before, after = _estimates(registry, 1, prices, days)
    line = az_child_resources.add_replica(registry.name, region)
    return ReplicaPlan(registry, region, tuple(blockers), tuple(warnings), (line,), before, after)


def read_replica_plan(
    session: AzureSession, registry_id: str, region: str, prices: Prices | None = None, days: int = 30
) -> ReplicaPlan:
    """Reads the registry, its regions and those that Azure offers, and plans. Raises ServiceError."""
    registry = get_registry(session, registry_id)
    there, offered = list_replications(session, registry).all_values(), replica_regions(session, registry)
    return plan_replica(registry, there, region, offered, prices, days)


def plan_replica_removal(
    registry: Registry,
    there: tuple[Replication, ...],
    region: str,
    hooks: tuple[str, ...] | None,
    prices: Prices | None,
    days: int,
) -> ReplicaPlan:
    """What forbids removing a region, and what to know before. `hooks`: the names of the webhooks there, None
    where they could not be read."""
    blockers: list[str] = []
    found = next((one for one in there if one.region == region), None)
    if region == registry.location:
        blockers.append(f"{region} is the home region: it is deleted only with the registry.")
    elif found is None:
        blockers.append(f"There is no replica in {region}.")
    warnings = [
        f"Clients near {region} are served from farther away then, and what they pull crosses regions, which is billed."
    ]
    if hooks:
        warnings.append(f"Webhooks in {region} hear nothing any more: {', '.join(hooks)}.")
    if hooks is None:
        warnings.append(f"Whether there are webhooks in {region} could not be read.")
    before, after = _estimates(registry, -1, prices, days)
    line = az_child_resources.remove_replica(registry.name, found.name if found else region)
    return ReplicaPlan(registry, region, tuple(blockers), tuple(warnings), (line,), before, after)


def _estimates(
    registry: Registry, more: int, prices: Prices | None, days: int
) -> tuple[Estimate | None, Estimate | None]:
    use = use_of(registry)
    if not prices or not use or use.replicas + more < 0:
        return None, None
    after = replace(use, replicas=use.replicas + more)
    return estimate(Sku.PREMIUM, use, prices, days), estimate(Sku.PREMIUM, after, prices, days)


def apply_replica(
    session: AzureSession,
    plan: ReplicaPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> Outcome:
    """Adds the region as planned, and waits for Azure: minutes. Images are copied after that. CREATED: it is there, as
    read back. NOT_CONFIRMED: Azure accepted it, and it does not show, or could not be read. NOT_TRIED: `stop` was set
    before.

    Raises ServiceError where nothing was added: refused by the plan, by Azure, or since the registry has changed.
    """
    title = f"Could not add a replica of {plan.registry.name} in {plan.region}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    again = read_replica_plan(session, plan.registry.id, plan.region)
    if again.blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(again.blockers)}")
    if stop and stop.is_set():
        return Outcome.NOT_TRIED
    registry = again.registry
    report(f"adding {plan.region}")
    client = session.registries(registry.subscription_id).replications
    body = models.Replication(location=plan.region)
    found = write(
        title,
        lambda: client.begin_create(registry.resource_group, registry.name, plan.region, body).result(),
        lambda: get_replication(session, registry, plan.region),
        lambda one: one.region == plan.region and one.provisioning_state == "Succeeded",
        says_not_found,
    )
    return Outcome.CREATED if found else Outcome.NOT_CONFIRMED


def apply_replica_removal(
    session: AzureSession,
    plan: ReplicaPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> Outcome:
    """Deletes the region's replica as planned, and waits for Azure. No image is lost: the other regions have them all.

    DELETED: it is gone, as read back. ALREADY_DONE: it was gone before. NOT_CONFIRMED: Azure accepted it, and it is
    still there or could not be read. NOT_TRIED: `stop` was set before. Raises ServiceError where it is not deleted.
    """
    title = f"Could not delete the replica of {plan.registry.name} in {plan.region}"
    if plan.blockers:
        raise refused(title, " ".join(plan.blockers))
    report("checking again")
    registry = plan.registry
    listed = list_replications(session, registry)
    name = next((one.name for one in listed.values if one.region == plan.region), None)
    if name is None:
        listed.all_values()  # Where one could not be understood, it may be this.
        return Outcome.ALREADY_DONE
    if stop and stop.is_set():
        return Outcome.NOT_TRIED
    report(f"deleting {plan.region}")
    client = session.registries(registry.subscription_id).replications
    return remove(
        title,
        lambda: client.begin_delete(registry.resource_group, registry.name, name).result(),
        lambda: get_replication(session, registry, name),
        says_not_found,
    )
