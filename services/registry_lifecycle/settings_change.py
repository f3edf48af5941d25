"""Changing a registry's settings: planned, checked again, sent in one request, read back one by one.

https://learn.microsoft.com/rest/api/containerregistry/registries/update
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event

from azure.mgmt.containerregistry import models

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_definitions import PermissionBlock
from services.connection.changes import Outcome, changed, refused, unknown
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.pricing.sku_choice import Needs, lacks
from services.registries.reading import get_registry
from services.registries.registry import MODES, Registry
from services.registries.skus import sku_of
from services.registry_lifecycle.settings import (
    LABELS,
    MOST_IP_RULES,
    MOST_RETENTION_DAYS,
    MOST_SOFT_DELETE_DAYS,
    Difference,
    Settings,
    differences,
    settings_of,
)
from services.registry_lifecycle.settings_commands import settings_lines
from services.registry_lifecycle.settings_warnings import settings_warnings
from services.registry_lifecycle.stopped_pulls import StoppedPulls

# Azure has both in one object: a change of one sends the other as it was read.
_NETWORK_RULE_SET = frozenset({"default_action", "ip_rules"})


@dataclass(frozen=True)
class SettingsPlan:
    """`registry` as it was read. Nothing is sent while there are `blockers`; `warnings` say what the change affects."""

    registry: Registry
    wanted: Settings
    differences: tuple[Difference, ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(one.field for one in self.differences)


def plan_settings(
    registry: Registry,
    wanted: Settings,
    *,
    caller_permissions: tuple[PermissionBlock, ...] | None = None,
    caller_address: str = "",
    stopped: StoppedPulls | None = None,
) -> SettingsPlan:
    """What would change, what blocks it, and what to know.

    `caller_permissions`: those at the registry, None where they were not read: then Azure decides. `caller_address`:
    the IP address of the caller, "" where it is not known. `stopped`: the clusters that may stop pulling; None where
    the change does not bear on pulls.
    """
    now = settings_of(registry)
    found = differences(now, wanted)
    warnings = settings_warnings(registry, now, wanted, caller_address)
    stops = stopped.warnings if stopped else ()
    blockers = (*_blockers(registry, now, wanted), *_permission_blockers(registry, caller_permissions)) if found else ()
    lines = settings_lines(registry, wanted, {one.field for one in found})
    return SettingsPlan(registry, wanted, found, blockers, (*stops, *warnings), lines)


def _blockers(registry: Registry, now: Settings, wanted: Settings) -> Iterable[str]:
    if registry.unsettled:
        yield f"{registry.unsettled}."
    yield from _soft_delete_blockers(registry, now, wanted)
    sku = sku_of(registry.sku)
    if sku is None:
        yield _retired_reason(registry)
    else:
        yield from lacks(sku, _needs(now, wanted))
    if len(wanted.ip_rules) > MOST_IP_RULES and wanted.ip_rules != now.ip_rules:
        yield f"A registry has at most {MOST_IP_RULES} IP rules: there are {len(wanted.ip_rules)}."
    if wanted.retention_days is not None and not 0 <= wanted.retention_days <= MOST_RETENTION_DAYS:
        yield f"Retention is 0 to {MOST_RETENTION_DAYS} days, not {wanted.retention_days}."


def _soft_delete_blockers(registry: Registry, now: Settings, wanted: Settings) -> Iterable[str]:
    """Limits of the preview: container-registry-soft-delete-policy#preview-limitations."""
    days = wanted.soft_delete_days
    if wanted.retention_days is not None and days:
        if not now.soft_delete_days:
            yield "Azure allows no soft delete while untagged manifests are deleted by a policy: keep them first."
        elif now.retention_days is None:
            yield "Azure allows no retention policy while soft delete is on: turn soft delete off first."
    if days and not now.soft_delete_days and registry.replicas:
        yield "Azure allows no soft delete on a geo-replicated registry: delete its replicas first."
    if days is not None and not 0 <= days <= MOST_SOFT_DELETE_DAYS:
        yield f"Soft delete keeps what is deleted for 1 to {MOST_SOFT_DELETE_DAYS} days, not {days}."


_NEEDS_OF = {
    "public_access": Needs(restricted_network=True),
    "default_action": Needs(restricted_network=True),
    "ip_rules": Needs(restricted_network=True),
    "data_endpoints": Needs(data_endpoints=True),
    "anonymous_pull": Needs(anonymous_pull=True),
    "retention_days": Needs(retention=True),
}


def unavailable_settings(registry: Registry) -> dict[str, str]:
    """The settings that the registry's SKU does not have: why, by the name in Settings."""
    sku = sku_of(registry.sku)
    if sku is None:
        return dict.fromkeys(LABELS, _retired_reason(registry))
    found = {name: next(lacks(sku, needs), "") for name, needs in _NEEDS_OF.items()}
    return {name: why for name, why in found.items() if why}


def _retired_reason(registry: Registry) -> str:
    return f"{registry.sku} is retired, and its settings can't be changed: move to Basic, Standard or Premium first."


def _permission_blockers(registry: Registry, caller_permissions: tuple[PermissionBlock, ...] | None) -> Iterable[str]:
    if caller_permissions is not None and not blocks_grant(
        caller_permissions, Permission.WRITE_REGISTRY, registry.access.mode
    ):
        yield (
            "You may not change this registry (Microsoft.ContainerRegistry/registries/write). Owner, Contributor or "
            "Container Registry Contributor and Data Access Configuration Administrator is enough."
        )


def _needs(now: Settings, wanted: Settings) -> Needs:
    """What the change needs of the SKU, beyond what the registry has already."""
    restricted = (
        (not wanted.public_access and now.public_access)
        or (wanted.default_action == "Deny" and now.default_action != "Deny")
        or bool(set(wanted.ip_rules) - set(now.ip_rules))
    )
    return Needs(
        restricted_network=restricted,
        data_endpoints=wanted.data_endpoints and not now.data_endpoints,
        anonymous_pull=wanted.anonymous_pull and not now.anonymous_pull,
        retention=wanted.retention_days is not None and wanted.retention_days != now.retention_days,
    )


@dataclass(frozen=True)
class SettingsResult:
    """The outcome of each difference, as read back. `error` says why some were refused; `unplanned`:
    settings that changed at the same time and were not in the plan."""

    outcomes: tuple[tuple[Difference, Outcome], ...]
    unplanned: tuple[Difference, ...] = ()
    error: ServiceError | None = None


def apply_settings(
    session: AzureSession,
    plan: SettingsPlan,
    report: Callable[[str], None] = lambda _state: None,
    stop: Event | None = None,
) -> SettingsResult:
    """Sends the differences, and nothing else, in one request; then reads them back.

    NOT_TRIED: `stop` was set before. CHANGED: the registry has it. NOT_CONFIRMED: Azure accepted it, and the registry
    does not show it yet or could not be read. REFUSED: Azure refused the request, and the registry does not have it.
    Raises ServiceError where nothing was changed: refused by the plan or by Azure, or the planned settings have changed
    since (ChangedMeanwhile); also where the answer was lost and nothing can be read back.
    """
    title = f"Could not change the settings of {plan.registry.name}"
    if plan.blockers or not plan.differences:
        raise refused(title, " ".join(plan.blockers) or "No setting would change.")
    report("checking again")
    now = get_registry(session, plan.registry.id)
    wanted = _require_unchanged(title, plan, now)
    if stop and stop.is_set():
        return SettingsResult(tuple((one, Outcome.NOT_TRIED) for one in plan.differences))
    report("changing")
    failure: ServiceError | None = None
    # The soft delete policy is in the preview of the API alone.
    preview = "soft_delete_days" in plan.fields
    clients = session.registries_preview if preview else session.registries
    client = clients(now.subscription_id).registries
    try:
        with as_service_error(title):
            client.begin_update(now.resource_group, now.name, _patch_body(wanted, plan.fields)).result()
    except ServiceError as error:
        failure = error
    report("verifying")
    try:
        found = settings_of(get_registry(session, now.id))
    except ServiceError as error:
        if failure:
            raise unknown(failure) from error
        return SettingsResult(tuple((one, Outcome.NOT_CONFIRMED) for one in plan.differences))
    otherwise = Outcome.REFUSED if failure else Outcome.NOT_CONFIRMED
    outcomes = tuple(
        (one, Outcome.CHANGED if getattr(found, one.field) == getattr(wanted, one.field) else otherwise)
        for one in plan.differences
    )
    if failure and not any(outcome is Outcome.CHANGED for _, outcome in outcomes):
        raise failure
    unplanned = tuple(one for one in differences(settings_of(now), found) if one.field not in plan.fields)
    # A failure although every change is there: only the answer was lost.
    return SettingsResult(outcomes, unplanned, failure if any(one is Outcome.REFUSED for _, one in outcomes) else None)


def watched_fields(fields: frozenset[str]) -> frozenset[str]:
    """The settings that must be as planned for a change of `fields`: these, and what Azure has in one object with
    them."""
    return fields | (_NETWORK_RULE_SET if fields & _NETWORK_RULE_SET else frozenset())


def _require_unchanged(title: str, plan: SettingsPlan, now: Registry) -> Settings:
    """The current settings with the plan's differences. Raises ServiceError where one of the planned settings has
    changed since."""
    planned, current = settings_of(plan.registry), settings_of(now)
    watched = watched_fields(plan.fields)
    changes = [one for one in differences(planned, current) if one.field in watched]
    if changes:
        raise changed(title, " ".join(f"{one.label}: {one.after} now, no longer {one.before}." for one in changes))
    wanted = replace(current, **{name: getattr(plan.wanted, name) for name in plan.fields})
    if blockers := plan_settings(now, wanted).blockers:
        raise changed(title, f"Blocked since it was planned: {' '.join(blockers)}")
    return wanted


def _patch_body(wanted: Settings, fields: frozenset[str]) -> models.RegistryUpdateParameters:
    """The body of a PATCH of these settings. Azure leaves what is not in it as it is, and replaces all tags."""
    properties = models.RegistryPropertiesUpdateParameters()
    if "public_access" in fields:
        properties.public_network_access = "Enabled" if wanted.public_access else "Disabled"
    if fields & _NETWORK_RULE_SET:
        rules = [models.IPRule(action="Allow", ip_address_or_range=rule) for rule in wanted.ip_rules]
        properties.network_rule_set = models.NetworkRuleSet(default_action=wanted.default_action, ip_rules=rules)
    if "trusted_services" in fields:
        properties.network_rule_bypass_options = "AzureServices" if wanted.trusted_services else "None"
    if "data_endpoints" in fields:
        properties.data_endpoint_enabled = wanted.data_endpoints
    if "admin_user" in fields:
        properties.admin_user_enabled = wanted.admin_user
    if "anonymous_pull" in fields:
        properties.anonymous_pull_enabled = wanted.anonymous_pull
    if "mode" in fields:
        properties.role_assignment_mode = MODES[wanted.mode]
    if policies := _policies(wanted, fields):
        properties.policies = policies
    update = models.RegistryUpdateParameters()
    if fields - {"tags"}:
        update.properties = properties
    if "tags" in fields:
        update.tags = dict(wanted.tags)
    return update


def _policies(wanted: Settings, fields: frozenset[str]) -> models.Policies | None:
    policies = models.Policies()
    if "retention_days" in fields:
        days = wanted.retention_days
        policies.retention_policy = (
            models.RetentionPolicy(status="disabled")
            if days is None
            else models.RetentionPolicy(status="enabled", days=days)
        )
    if "arm_audience_tokens" in fields:
        status = "enabled" if wanted.arm_audience_tokens else "disabled"
        policies.azure_ad_authentication_as_arm_policy = models.AzureADAuthenticationAsArmPolicy(status=status)
    if "soft_delete_days" in fields:
        days = wanted.soft_delete_days
        # The SDK's model leaves it out, and sends what is put into it.
        policies["softDeletePolicy"] = {"status": "enabled", "retentionDays": days} if days else {"status": "disabled"}
    return policies if fields & {"retention_days", "arm_audience_tokens", "soft_delete_days"} else None
