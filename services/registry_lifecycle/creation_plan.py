"""A registry that somebody wants, and what is in the way of it: planned before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_assignment_reading import group_permissions
from services.access.role_definitions import PermissionBlock
from services.arm.providers import NAMESPACE, RegistryProvider, read_provider
from services.arm.resource_groups import DELETING, ResourceGroup, broken_group_rules, find_group
from services.arm.resource_tags import Tags, broken_tag_rules
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.pricing.estimates import Estimate, Use, estimate
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.pricing.sku_choice import Needs, lacks
from services.registries.reading import find_registry
from services.registries.registry import Mode, Registry
from services.registries.skus import Sku
from services.registry_lifecycle.names import NameCheck, NameScope, check_name, name_errors, name_warnings


@dataclass(frozen=True)
class RegistrySpec:
    """What to make. With `new_group` the resource group is made first, in the same location."""

    subscription_id: str
    group: str
    new_group: bool
    name: str
    sku: Sku
    location: str
    mode: Mode = Mode.LEGACY
    public_access: bool = True
    name_scope: NameScope = NameScope.UNSECURE
    tags: Tags = ()


@dataclass(frozen=True)
class CreationFacts:
    """What there is where the registry shall be. None: no such group; not asked or not told; no registry so named in
    the group; the caller's permissions at the group unknown."""

    provider: RegistryProvider
    group: ResourceGroup | None
    name: NameCheck | None
    there: Registry | None
    own: tuple[PermissionBlock, ...] | None


@dataclass(frozen=True)
class CreationPlan:
    """`blockers` are in the way, and nothing is sent while there are any; `warnings` are to be known. `cost` is that of
    a month of `days`, empty as the registry is; None where there are no prices."""

    order: RegistrySpec
    steps: tuple[str, ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    cost: Estimate | None
    days: int


def read_ground(session: AzureSession, order: RegistrySpec) -> CreationFacts:
    """Looks at all that a plan needs to know. Raises ServiceError where provider, group or registry can't be read.

    Azure is not asked about a name that breaks a rule, nor while its provider is not registered: it only refuses.
    """
    provider = read_provider(session, order.subscription_id)
    group = None
    if not tuple(broken_group_rules(order.group)):
        group = find_group(session, order.subscription_id, order.group)
    name = there = own = None
    if provider.registered and not tuple(name_errors(order.name)):
        there = find_registry(session, order.subscription_id, order.group, order.name) if group else None
        try:
            name = check_name(session, order.subscription_id, order.name, order.name_scope, order.group)
        except ServiceError:
            name = None
    if group:
        try:
            own = group_permissions(session, order.subscription_id, group.name)
        except ServiceError:
            own = None
    return CreationFacts(provider, group, name, there, own)


def plan_creation(order: RegistrySpec, ground: CreationFacts, prices: Prices | None, days: int = 30) -> CreationPlan:
    """What would be made, what it costs, and what stands against it."""
    blockers = (
        *_provider_blockers(order, ground.provider),
        *_group_blockers(order, ground),
        *_name_blockers(order, ground),
        *lacks(order.sku, Needs(restricted_network=not order.public_access)),
        *broken_tag_rules(order.tags),
    )
    cost = estimate(order.sku, Use(ZERO), prices, days) if prices and order.sku in prices.registry_day else None
    make_group = (f"Make the resource group {order.group} in {order.location}.",) if order.new_group else ()
    make = f"Create the {order.sku} registry {order.name} in {order.group}, {order.location}, and read it back."
    return CreationPlan(order, (*make_group, make), blockers, tuple(_warnings(order, ground, prices)), cost, days)


def _provider_blockers(order: RegistrySpec, provider: RegistryProvider) -> Iterator[str]:
    if provider.state == "Registering":
        yield f"{NAMESPACE} is being registered in the subscription: look again in a minute."
    elif not provider.registered:
        yield f"{NAMESPACE} is not registered in the subscription ({provider.state or 'no state'}): register it first."
    if not provider.offers(order.location):
        yield f"Registries are not offered in {order.location or 'no location'}, not to this subscription."


def _group_blockers(order: RegistrySpec, ground: CreationFacts) -> Iterator[str]:
    group = ground.group
    if order.new_group:
        yield from broken_group_rules(order.group)
        if group:
            yield f"The resource group {group.name} is there already ({group.location}): choose it as existing."
    elif group is None:
        yield f"There is no resource group {order.group}." if order.group else "No resource group is chosen."
    if group and group.state == DELETING:
        yield f"The resource group {group.name} is being deleted, with all that is in it: choose another."
    # As the mode of a registry that is not there yet decides nothing about writing it, any will do.
    if ground.own is not None and not blocks_grant(ground.own, Permission.WRITE_REGISTRY, Mode.LEGACY):
        yield (
            f"You may not create registries in {order.group} (Microsoft.ContainerRegistry/registries/write). "
            "Contributor on the group may."
        )


def _name_blockers(order: RegistrySpec, ground: CreationFacts) -> Iterator[str]:
    yield from name_errors(order.name)
    if ground.there:
        yield f"{ground.there.name} is in this resource group already: creating it again would change it."
    elif ground.name and not ground.name.available:
        yield ground.name.message or f"The name {order.name} is not free ({ground.name.reason or 'no reason told'})."


def _warnings(order: RegistrySpec, ground: CreationFacts, prices: Prices | None) -> Iterator[str]:
    yield from name_warnings(order.name)
    if ground.name is None and ground.provider.registered and not tuple(name_errors(order.name)):
        yield "Whether the name is free could not be asked: Azure will say."
    if ground.group and ground.own is None:
        yield "Whether you may create registries there could not be read: Azure will say."
    if prices and order.sku not in prices.registry_day:
        yield f"The price list of {order.location} has no {order.sku} registry: it may not be offered there."
    if not order.public_access:
        yield "Nobody reaches it until it has a private endpoint, neither this console nor a cluster."
    if order.mode is Mode.ABAC:
        yield (
            "With ABAC permissions AcrPull and AcrPush do nothing, nor do Owner and Contributor reach images: give "
            "Container Registry Repository Reader and Writer instead."
        )
