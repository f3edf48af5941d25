"""The plan for a new registry: what blocks it and what to know, before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from azure.mgmt.containerregistry import models

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_assignment_reading import group_permissions
from services.access.role_definitions import PermissionBlock
from services.arm.policy_restrictions import PolicyDenial, read_denials
from services.arm.providers import NAMESPACE, RegistryProvider, read_provider
from services.arm.resource_groups import DELETING, ResourceGroup, broken_group_rules, find_group
from services.arm.resource_tags import Tags, broken_tag_rules
from services.commands import registries as az_registries
from services.connection.errors import ServiceError
from services.connection.session import REGISTRY_PREVIEW, AzureSession
from services.pricing.estimates import Estimate, Use, estimate
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.pricing.sku_choice import Needs, lacks
from services.registries.reading import find_registry
from services.registries.registry import MODES, Mode, Registry
from services.registries.skus import Sku
from services.registry_lifecycle.names import NameCheck, NameScope, check_name, name_errors, name_warnings


@dataclass(frozen=True)
class RegistrySpec:
    """The registry to create. With `new_group` its resource group is created first, in the same location."""

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
    """What a plan depends on. None means: `group`, there is no such group; `name_check`, not asked or not answered;
    `existing`, the group has no registry of this name; `caller_permissions`, those at the group could not be read;
    `denials` (of Azure Policy), not asked or not answered, and `unread_policies` says why, "" where not asked."""

    provider: RegistryProvider
    group: ResourceGroup | None
    name_check: NameCheck | None
    existing: Registry | None
    caller_permissions: tuple[PermissionBlock, ...] | None
    denials: tuple[PolicyDenial, ...] | None = None
    unread_policies: str = ""


@dataclass(frozen=True)
class CreationPlan:
    """Nothing is sent while there are `blockers`. `cost` is that of the empty registry in a month of `days`; None where
    there are no prices."""

    spec: RegistrySpec
    steps: tuple[str, ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]
    cost: Estimate | None
    days: int


def read_creation_facts(session: AzureSession, spec: RegistrySpec) -> CreationFacts:
    """Reads what a plan depends on. Raises ServiceError where provider, group or registry can't be read.

    A name that breaks a rule, or one in a subscription without the provider, is not checked: Azure would only refuse.
    """
    provider = read_provider(session, spec.subscription_id)
    group = None
    if not tuple(broken_group_rules(spec.group)):
        group = find_group(session, spec.subscription_id, spec.group)
    name_check = existing = caller_permissions = denials = None
    unread_policies = ""
    if provider.registered and not tuple(name_errors(spec.name)):
        existing = find_registry(session, spec.subscription_id, spec.group, spec.name) if group else None
        try:
            name_check = check_name(session, spec.subscription_id, spec.name, spec.name_scope, spec.group)
        except ServiceError:
            name_check = None
        try:
            denials = read_policy_denials(session, spec, in_group=group is not None)
        except ServiceError as error:
            unread_policies = error.cause
    if group:
        try:
            caller_permissions = group_permissions(session, spec.subscription_id, group.name)
        except ServiceError:
            caller_permissions = None
    return CreationFacts(provider, group, name_check, existing, caller_permissions, denials, unread_policies)


def read_policy_denials(session: AzureSession, spec: RegistrySpec, *, in_group: bool) -> tuple[PolicyDenial, ...]:
    """The assignments of Azure Policy that deny this registry; `in_group`: its resource group exists. Raises
    ServiceError."""
    content = {"type": "Microsoft.ContainerRegistry/registries", "name": spec.name, **request_body(spec)}
    return read_denials(session, spec.subscription_id, spec.group if in_group else "", content, REGISTRY_PREVIEW)


def plan_creation(spec: RegistrySpec, facts: CreationFacts, prices: Prices | None, days: int = 30) -> CreationPlan:
    """What would be created, what it costs, what blocks it and what to know."""
    blockers = (
        *_provider_blockers(spec, facts.provider),
        *_group_blockers(spec, facts),
        *_name_blockers(spec, facts),
        *lacks(spec.sku, Needs(restricted_network=not spec.public_access)),
        *broken_tag_rules(spec.tags),
    )
    cost = estimate(spec.sku, Use(ZERO), prices, days) if prices and spec.sku in prices.registry_day else None
    group_step = (f"Create the resource group {spec.group} in {spec.location}.",) if spec.new_group else ()
    step = f"Create the {spec.sku} registry {spec.name} in {spec.group}, {spec.location}, and read it back."
    return CreationPlan(
        spec, (*group_step, step), blockers, tuple(_warnings(spec, facts, prices)), _commands(spec), cost, days
    )


def read_creation_plan(
    session: AzureSession, spec: RegistrySpec, prices: Prices | None = None, days: int = 30
) -> CreationPlan:
    """Reads what a plan depends on, and plans. Raises ServiceError as `read_creation_facts` does."""
    return plan_creation(spec, read_creation_facts(session, spec), prices, days)


def request_body(spec: RegistrySpec) -> Any:
    """The request body of the creation, as JSON."""
    registry = models.Registry(
        location=spec.location,
        sku=models.Sku(name=spec.sku.value),
        tags=dict(spec.tags),
        properties=models.RegistryProperties(
            admin_user_enabled=False,
            public_network_access="Enabled" if spec.public_access else "Disabled",
            role_assignment_mode=MODES[spec.mode],
        ),
    )
    body = registry.as_dict()
    if spec.name_scope is not NameScope.UNSECURE:  # Not in the API version of the SDK.
        body["properties"]["autoGeneratedDomainNameLabelScope"] = spec.name_scope.value
    return body


def _commands(spec: RegistrySpec) -> tuple[str, ...]:
    # az refuses capitals in the name of a registry; to Azure they are the same.
    name, scope = spec.name.lower(), spec.name_scope.value
    create = az_registries.create_registry(
        spec.subscription_id,
        spec.group,
        name,
        spec.sku.value,
        spec.location,
        abac=spec.mode is Mode.ABAC,
        public_access=spec.public_access,
        name_scope=scope,
        tags=spec.tags,
    )
    group = az_registries.create_group(spec.subscription_id, spec.group, spec.location)
    return (
        az_registries.check_name(spec.subscription_id, name, name_scope=scope, group=spec.group),
        *((group,) if spec.new_group else ()),
        create,
        az_registries.show_login_server(name),
    )


def _provider_blockers(spec: RegistrySpec, provider: RegistryProvider) -> Iterator[str]:
    if provider.state == "Registering":
        yield f"{NAMESPACE} is being registered in the subscription: check again in a minute."
    elif not provider.registered:
        state = provider.state or "state not reported"
        yield f"{NAMESPACE} is not registered in the subscription ({state}): register it first."
    if not provider.offers(spec.location):
        yield f"Azure offers this subscription no registries in {spec.location or 'no location'}."


def _group_blockers(spec: RegistrySpec, facts: CreationFacts) -> Iterator[str]:
    group = facts.group
    if spec.new_group:
        yield from broken_group_rules(spec.group)
        if group:
            yield f"The resource group {group.name} exists already ({group.location}): choose it as existing."
    elif group is None:
        yield f"There is no resource group {spec.group}." if spec.group else "No resource group is chosen."
    if group and group.state == DELETING:
        yield f"The resource group {group.name} is being deleted with all its resources: choose another."
    # The permission mode does not matter for creating a registry: any will do.
    if facts.caller_permissions is not None and not blocks_grant(
        facts.caller_permissions, Permission.WRITE_REGISTRY, Mode.LEGACY
    ):
        yield (
            f"You may not create registries in {spec.group} (Microsoft.ContainerRegistry/registries/write). "
            "Contributor on the group is enough."
        )


def _name_blockers(spec: RegistrySpec, facts: CreationFacts) -> Iterator[str]:
    yield from name_errors(spec.name)
    if facts.existing:
        yield f"{facts.existing.name} is in this resource group already: creating it again would change it."
    elif facts.name_check and not facts.name_check.available:
        yield (
            facts.name_check.message
            or f"The name {spec.name} is not available ({facts.name_check.reason or 'no reason given'})."
        )


def _warnings(spec: RegistrySpec, facts: CreationFacts, prices: Prices | None) -> Iterator[str]:
    yield from name_warnings(spec.name)
    if facts.name_check is None and facts.provider.registered and not tuple(name_errors(spec.name)):
        yield "Whether the name is available could not be read: Azure checks it on creation."
    if facts.group and facts.caller_permissions is None:
        yield "Whether you may create registries there could not be read: Azure checks it on creation."
    if prices and spec.sku not in prices.registry_day:
        yield f"The price list of {spec.location} has no {spec.sku} registry: it may not be available there."
    for denial in facts.denials or ():
        yield (
            f"Azure Policy denies it: {denial.assignment} ({denial.assignment_id}). Azure refuses the creation, unless "
            "an exemption applies."
        )
    if facts.unread_policies:
        yield (
            f"Whether an Azure Policy forbids it could not be read ({facts.unread_policies.rstrip('.')}): Azure checks "
            "it on creation."
        )
    location = facts.provider.location(spec.location)
    if location and location.has_zones is False:
        yield f"{location.display_name} has no availability zones: the registry is not zone redundant there."
    if not spec.public_access:
        yield "Nothing can reach it until it has a private endpoint: neither this console nor any cluster."
    if spec.mode is Mode.ABAC:
        yield (
            "In ABAC mode AcrPull and AcrPush have no effect, and Owner and Contributor can't read images: assign "
            "Container Registry Repository Reader or Writer instead."
        )
