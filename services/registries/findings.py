"""What to look at in a registry: each finding with its reason, its risk and the `az` line that changes it.

Zone redundancy and content trust are no findings: every tier is zone redundant in a region with zones, whatever the
property says (zone-redundancy.md); content trust can't be enabled any more since 2026-05-31
(container-registry-content-trust.md).
"""

from dataclasses import dataclass
from enum import StrEnum

from services.commands import registries as az_registries
from services.commands import settings as az_settings
from services.registries.registry import Mode, Registry

NEARLY_FULL = 0.9


class Risk(StrEnum):
    """How soon to look at it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Finding:
    """`title` fits a table cell; `reason` is what was seen, `risk_text` what may come of it, `fix` a shell line.

    `in_settings`: a setting of the registry is what changes it (services/registry_lifecycle/settings.py).
    `about_storage`: it is about the storage that the SKU includes.
    """

    title: str
    risk: Risk
    reason: str
    risk_text: str
    fix: str
    in_settings: bool = False
    about_storage: bool = False


def findings_of(registry: Registry) -> tuple[Finding, ...]:
    """All findings of one registry, the highest risk first."""
    checks = (
        _not_succeeded,
        _classic,
        _admin_user,
        _anonymous_pull,
        _nearly_full,
        _open_to_all,
        _legacy_mode,
        _arm_audience,
        _no_retention,
    )
    found = [finding for check in checks if (finding := check(registry))]
    return tuple(sorted(found, key=lambda finding: list(Risk).index(finding.risk)))


def unread_findings(registry: Registry) -> tuple[str, ...]:
    """What `findings_of` did not look for, as what it needs could not be read, or is not read yet."""
    return ("Included storage",) if registry.stored_bytes is None else ()


def _not_succeeded(registry: Registry) -> Finding | None:
    if not registry.unsettled:
        return None
    return Finding(
        f"Provisioning {registry.provisioning_state.lower() or 'unknown'}",
        Risk.HIGH,
        f"{registry.unsettled}.",
        "Pushes, pulls or further changes may fail.",
        az_registries.show_registry(registry.name),
    )


def _classic(registry: Registry) -> Finding | None:
    if registry.sku != "Classic":
        return None
    return Finding(
        "Classic SKU",
        Risk.HIGH,
        "The registry keeps its images in a storage account of its own (Classic).",
        "Classic is retired: operations are refused, and no feature of the managed SKUs is there.",
        az_settings.update_registry(registry.name, "--sku", "Standard"),
    )


def _admin_user(registry: Registry) -> Finding | None:
    if not registry.access.admin_user:
        return None
    return Finding(
        "Admin user on",
        Risk.HIGH,
        "The admin account is enabled: one shared name, two passwords that do not expire.",
        "Whoever holds a password may push and delete everything, and the log names no person.",
        az_settings.update_registry(registry.name, "--admin-enabled", "false"),
        in_settings=True,
    )


def _anonymous_pull(registry: Registry) -> Finding | None:
    if not registry.access.anonymous_pull:
        return None
    return Finding(
        "Anonymous pull",
        Risk.HIGH,
        "Anonymous pull is enabled, for every repository of the registry.",
        "Anyone who reaches the registry reads every image in it. All anonymous pulls share one rate limit.",
        az_settings.update_registry(registry.name, "--anonymous-pull-enabled", "false"),
        in_settings=True,
    )


def _nearly_full(registry: Registry) -> Finding | None:
    stored, included = registry.stored_bytes, registry.included_bytes
    if stored is None or not included or stored < NEARLY_FULL * included:
        return None
    over = stored > included
    return Finding(
        "Over the included storage" if over else "Nearly at included storage",
        Risk.MEDIUM,
        f"{stored / included:.0%} of the storage that {registry.sku} includes is used.",
        "Storage beyond what is included is billed by the GiB; nothing stops, the registry goes on to its own cap.",
        az_registries.show_usage(registry.name),
        about_storage=True,
    )


def _open_to_all(registry: Registry) -> Finding | None:
    # Basic and Standard can't restrict public access: there it is no finding, but the SKU.
    if registry.sku != "Premium" or not registry.network.open_to_all:
        return None
    return Finding(
        "Open to all networks",
        Risk.MEDIUM,
        "Public access is open to all networks, though Premium can restrict it.",
        "A leaked credential works from anywhere.",
        az_settings.update_registry(registry.name, "--default-action", "Deny"),
        in_settings=True,
    )


def _legacy_mode(registry: Registry) -> Finding | None:
    if registry.access.mode is Mode.ABAC or registry.sku == "Classic":
        return None
    return Finding(
        "Legacy permissions",
        Risk.LOW,
        "Roles count for the whole registry (LegacyRegistryPermissions); Reader and Contributor can pull everything.",
        "Nobody can be given one repository only. Switching makes AcrPull and AcrPush void: assign new roles first.",
        az_settings.update_registry(registry.name, "--role-assignment-mode", "rbac-abac"),
        in_settings=True,
    )


def _arm_audience(registry: Registry) -> Finding | None:
    if not registry.access.arm_audience_tokens or registry.sku == "Classic":
        return None
    return Finding(
        "ARM tokens accepted",
        Risk.LOW,
        "Tokens made for Azure Resource Manager are accepted for signing in to the registry.",
        "A token that leaks from any Azure tool opens the registry too. Older clients and `az aks check-acr` need it.",
        az_settings.refuse_arm_audience_tokens(registry.name),
        in_settings=True,
    )


def _no_retention(registry: Registry) -> Finding | None:
    # The retention policy is a Premium preview.
    if registry.sku != "Premium" or registry.access.retention_days is not None:
        return None
    return Finding(
        "No retention policy",
        Risk.LOW,
        "Untagged manifests are never deleted automatically.",
        "They are billed until someone deletes them. The policy covers Docker media types only, and what is untagged "
        "after it is on.",
        az_settings.enable_retention(registry.name, 30),
        in_settings=True,
    )
