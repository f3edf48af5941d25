"""Registries read from Resource Manager."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

from azure.mgmt.containerregistry import models

from services.arm.pages import items
from services.arm.providers import location_name
from services.arm.subscriptions import Subscription, list_in_each, list_subscriptions
from services.connection.answers import checked, read_entries, time_or_none
from services.connection.errors import ServiceError, as_service_error, if_there, says_not_found
from services.connection.parallel import Partial, Progress, Refusal, counter, parallel_map
from services.connection.resource_ids import parse_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession
from services.registries.graph import GRAPH_FROM, rows_by_subscription
from services.registries.registry import (
    REGISTRY_KIND,
    Access,
    Mode,
    Network,
    PrivateEndpoint,
    Registry,
    Replication,
    SoftDelete,
    Usage,
)
from services.wording import counted


def list_registries(
    session: AzureSession,
    *,
    progress: Progress | None = None,
    listed: Callable[[Partial[Registry]], None] | None = None,
    stop: Event | None = None,
) -> Partial[Registry]:
    """Every registry of every subscription that the identity sees, by name, with usages and replicas.

    A subscription that refuses is a Refusal of the result; a registry whose usages refuse is there, with `unread`.
    `progress(done, of, what)` and `listed(registries without usages)` are called in the caller's thread. After `stop`
    the rest stays without usages. Raises ServiceError where nothing can be listed.
    """
    subscriptions = list_subscriptions(session)
    found = registries_of(session, subscriptions.values, progress=progress, stop=stop)
    found = replace(found, refused=subscriptions.refused + found.refused)
    if listed:
        listed(found)
    detailed = parallel_map(
        lambda registry: _with_details(session, registry),
        found.values,
        done=counter(progress, "registries", len(found.values)),
        stop=stop,
    )
    with_usages = {registry.id: registry for registry in detailed.values}
    return Partial(
        tuple(with_usages.get(registry.id, registry) for registry in found.values), found.refused, found.untried
    )


def registries_of(
    session: AzureSession,
    subscriptions: Iterable[Subscription],
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Partial[Registry]:
    """Every registry of these subscriptions, by name, without usages and replicas.

    One request a subscription; from `GRAPH_FROM` subscriptions on, one query for each thousand registries, and one
    request for each subscription of which that does not tell (`services.registries.graph`).
    """
    subscriptions = tuple(subscriptions)
    known: Mapping[str, list[Any]] = {}
    if len(subscriptions) >= GRAPH_FROM and not (stop and stop.is_set()):
        known = rows_by_subscription(session, (one.id for one in subscriptions))

    def list_one(subscription: Subscription) -> Partial[Registry]:
        title = f"registries of {subscription.name}"
        if rows := known.get(subscription.id):
            return read_entries(title, rows, lambda row: registry_from(models.Registry(row), subscription))
        with as_service_error(f"Could not list the {title}"):
            listed = items(session, session.registries(subscription.id).registries.list)
            return read_entries(title, listed, lambda model: registry_from(model, subscription))

    return list_in_each(list_one, subscriptions, progress=progress, stop=stop)


def get_registry(session: AzureSession, resource_id: str) -> Registry:
    """One registry, by its resource id, with usages and replicas. Raises ServiceError."""
    return _with_details(session, describe_registry(session, resource_id))


def describe_registry(session: AzureSession, resource_id: str) -> Registry:
    """One registry, by its resource id, without usages and replicas: one request. Raises ServiceError."""
    where = parse_id(resource_id)
    if where.kind != REGISTRY_KIND or not where.group:
        raise not_found(resource_id)
    return _read(session, where.subscription, where.group, where.name)


def find_registry(session: AzureSession, subscription_id: str, group: str, name: str) -> Registry | None:
    """The registry of this name in a resource group, whatever its case, without usages and replicas; None where Azure
    says that there is none. Raises ServiceError."""
    return if_there(lambda: _read(session, subscription_id, group, name), says_not_found)


def _read(session: AzureSession, subscription_id: str, group: str, name: str) -> Registry:
    with as_service_error(f"Could not read the registry {name}"):
        model = session.registries(subscription_id).registries.get(group, name)
        return checked(registry_from(model, Subscription(subscription_id, subscription_id, "", "")))


def _with_details(session: AzureSession, registry: Registry) -> Registry:
    """`registry` with its usages, its soft delete policy and, on Premium, its replicas; what refuses is named in
    `unread`."""
    client = session.registries(registry.subscription_id)
    unread: list[Refusal] = []
    usages: tuple[Usage, ...] | None = None
    replicas: tuple[Replication, ...] | None = ()
    try:
        with as_service_error(f"Could not read the usage of {registry.name}"):
            answer = client.registries.list_usages(registry.resource_group, registry.name)
            if not isinstance(answer.value, list):
                raise ValueError("'value' is no list")
            read = read_entries(f"usages of {registry.name}", answer.value, _usage)
        usages = read.values
        unread += (Refusal("usage", refusal.error) for refusal in read.refused)
    except ServiceError as error:
        unread.append(Refusal("usage", error))
    if registry.sku == "Premium":
        try:
            with as_service_error(f"Could not read the replicas of {registry.name}"):
                listed = items(session, client.replications.list, registry.resource_group, registry.name)
                found = read_entries(
                    f"replicas of {registry.name}", listed, lambda model: replication_from(model, registry.location)
                )
            # Where one could not be understood, their number is not known.
            replicas = None if found.refused else tuple(one for one in found.values if not one.home)
            unread += (Refusal("replicas", refusal.error) for refusal in found.refused)
        except ServiceError as error:
            replicas = None
            unread.append(Refusal("replicas", error))
    return replace(
        registry,
        usages=usages,
        replicas=replicas,
        unread=tuple(unread),
        soft_delete=_read_soft_delete(session, registry),
    )


def _read_soft_delete(session: AzureSession, registry: Registry) -> SoftDelete:
    """The policy by the preview of the API: the API version of the SDK leaves it out."""
    try:
        with as_service_error(f"Could not read the soft delete policy of {registry.name}"):
            client = session.registries_preview(registry.subscription_id)
            model = client.registries.get(registry.resource_group, registry.name)
            policies = model.properties.policies if model.properties else None
            policy: Any = policies.get("softDeletePolicy") if policies else None
            if not policy:
                return SoftDelete(unread="Azure does not report the policy.")
            days = int(policy["retentionDays"])
            return SoftDelete(days if policy["status"] == "enabled" else 0, "", days)
    except ServiceError as error:
        return SoftDelete(unread=error.cause)


def registry_from(model: models.Registry, subscription: Subscription) -> Registry:
    """The SDK's model as a Registry. Old registries lack most settings: absent is what Azure then does.

    Raises one of `MALFORMED` for a model that is none, as where its id is not that of a registry.
    """
    properties = model.properties or models.RegistryProperties()
    resource_id = model.id or ""
    where = parse_id(resource_id)
    if where.kind != REGISTRY_KIND or not where.group:
        raise ValueError("its id is not that of a registry")
    return Registry(
        id=resource_id,
        name=model.name or where.name,
        login_server=properties.login_server or "",
        subscription_id=subscription.id,
        subscription=subscription.name,
        resource_group=where.group,
        location=location_name(model.location or ""),
        sku=sdk_text(model.sku.name) if model.sku else "Classic",
        provisioning_state=sdk_text(properties.provisioning_state),
        created=time_or_none(properties.creation_date),
        network=_network(properties),
        access=_access(properties),
        tags=tuple(sorted((model.tags or {}).items())),
    )


def _network(properties: models.RegistryProperties) -> Network:
    rules = properties.network_rule_set
    connections = properties.private_endpoint_connections or []
    return Network(
        public_access=sdk_text(properties.public_network_access) != "Disabled",
        default_action=sdk_text(rules.default_action) if rules else "Allow",
        ip_rules=tuple(rule.ip_address_or_range for rule in (rules.ip_rules if rules else None) or ()),
        trusted_services=sdk_text(properties.network_rule_bypass_options) != "None",
        private_endpoints=tuple(_private_endpoint(connection) for connection in connections),
        data_endpoints=tuple(properties.data_endpoint_host_names or ()) if properties.data_endpoint_enabled else (),
        tasks_bypass=properties.network_rule_bypass_allowed_for_tasks,
    )


def _private_endpoint(connection: models.PrivateEndpointConnection) -> PrivateEndpoint:
    properties = connection.properties
    endpoint = properties.private_endpoint if properties else None
    state = properties.private_link_service_connection_state if properties else None
    return PrivateEndpoint((endpoint.id if endpoint else "") or "", sdk_text(state.status if state else None))


def _access(properties: models.RegistryProperties) -> Access:
    policies = properties.policies
    retention = policies.retention_policy if policies else None
    as_arm = policies.azure_ad_authentication_as_arm_policy if policies else None
    encryption = properties.encryption
    return Access(
        mode=Mode.ABAC if sdk_text(properties.role_assignment_mode).startswith("Abac") else Mode.LEGACY,
        admin_user=bool(properties.admin_user_enabled),
        anonymous_pull=bool(properties.anonymous_pull_enabled),
        arm_audience_tokens=sdk_text(as_arm.status if as_arm else None) != "disabled",
        retention_days=retention.days if retention and sdk_text(retention.status) == "enabled" else None,
        customer_key=sdk_text(encryption.status if encryption else None) == "enabled",
    )


# Ten times the bytes that any SKU holds.
_LARGEST_USAGE = 2**50


def _usage(model: models.RegistryUsage) -> Usage:
    if model.current_value is None:
        raise ValueError("its current value is missing")
    if not 0 <= model.current_value <= _LARGEST_USAGE:
        raise ValueError(f"its current value is {model.current_value}")
    limit = model.limit if model.limit is not None and model.limit >= 0 else None
    return Usage(model.name or "", model.current_value, limit, sdk_text(model.unit))


def replication_from(model: models.Replication, home: str) -> Replication:
    """The SDK's model as a Replication of a registry whose location is `home`."""
    if not model.name or not model.location:
        raise ValueError("a replica without name or location")
    properties = model.properties or models.ReplicationProperties()
    status = properties.status
    region = location_name(model.location)
    return Replication(
        name=model.name,
        region=region,
        home=region == location_name(home),
        provisioning_state=sdk_text(properties.provisioning_state),
        status=(status.display_status if status else "") or "",
        status_at=time_or_none(status.timestamp if status else None),
        # Old answers lack it: then there was nothing to turn off.
        routed=properties.region_endpoint_enabled is not False,
    )


def not_found(name: str, unread: Sequence[str] = ()) -> ServiceError:
    """For a registry that an URL names and no subscription has; `unread`: the subscriptions that could not be read, in
    which it may be."""
    if unread:
        names = ", ".join(unread[:3]) + (f" and {len(unread) - 3} more" if len(unread) > 3 else "")
        return ServiceError(
            f"Unknown whether there is a registry {name}",
            f"{counted(len(unread), 'subscription')} could not be read: {names}. The others have no registry of that "
            "name.",
            "Refresh to read again; where Azure refuses, ask for Reader on the subscription.",
            "NotRead",
        )
    return ServiceError(
        f"There is no registry {name} here",
        "None of the subscriptions that this identity sees has a registry of that name.",
        "It may be deleted, renamed, or in a subscription or tenant without access: see the sidebar for who asks.",
        "ResourceNotFound",
    )
