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
from services.wording import size

NEARLY_FULL = 0.9
OVER_INCLUDED = "Over the included storage"


class Risk(StrEnum):
    """How soon to look at it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FixIn(StrEnum):
    """Where in the console a finding is fixed."""

    NOWHERE = "nowhere"
    SETTING = "a setting of the registry"
    ABAC_SWITCH = "the dry run of ABAC mode"
    STORAGE = "what the registry stores"
    SKU = "another SKU"


@dataclass(frozen=True)
class Finding:
    """`title` fits a table cell; `reason` is what was seen, `risk_text` what may come of it, `fix` a shell line.

    `setting` is the field of services/registry_lifecycle/settings.py that fixes it, where `fix_in` is SETTING.
    `about_storage`: it is about the storage that the SKU includes.
    """

    title: str
    risk: Risk
    reason: str
    risk_text: str
    fix: str
    fix_in: FixIn = FixIn.NOWHERE
    setting: str = ""
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


def unread_findings(registry: Registry, *, reading: bool = False) -> tuple[str, ...]:
    """What `findings_of` did not look for, as what it needs could not be read, or is not read yet; while `reading`
    only the former."""
    if registry.stored_bytes is not None or (reading and not registry.unread):
        return ()
    return ("Included storage",)


def passed_checks(registry: Registry) -> tuple[str, ...]:
    """What `findings_of` looked at and found as it should be, as labels. What the SKU can't have is not among them."""
    stored, included = registry.stored_bytes, registry.included_bytes
    access = registry.access
    passed = {
        "Last operation succeeded": not registry.unsettled,
        "SKU is not retired": registry.sku != "Classic",
        "Admin user disabled": not access.admin_user,
        "Anonymous pull disabled": not access.anonymous_pull,
        "Within the included storage": stored is not None and bool(included) and stored < NEARLY_FULL * (included or 0),
        "Networks restricted": not registry.network.open_to_all,
        "Permissions by repository": access.mode is Mode.ABAC,
        "ARM tokens refused": not access.arm_audience_tokens,
        "Untagged manifests deleted": access.retention_days is not None,
    }
    return tuple(label for label, holds in passed.items() if holds)


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
        fix_in=FixIn.SKU,
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
        fix_in=FixIn.SETTING,
        setting="admin_user",
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
        fix_in=FixIn.SETTING,
        setting="anonymous_pull",
    )


def _nearly_full(registry: Registry) -> Finding | None:
    stored, included = registry.stored_bytes, registry.included_bytes
    if stored is None or not included or stored < NEARLY_FULL * included:
        return None
    over, fee = stored > included, size(included).replace(".0 ", " ")
    return Finding(
        OVER_INCLUDED if over else "Nearly at included storage",
        Risk.MEDIUM,
        f"{size(stored - included)} beyond the {fee} that {registry.sku} includes."
        if over
        else f"{stored / included:,.0%} of the {fee} that {registry.sku} includes is used.",
        "Storage beyond what is included is billed by the GiB; nothing stops, the registry goes on to its own cap.",
        az_registries.show_usage(registry.name),
        fix_in=FixIn.STORAGE,
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
        fix_in=FixIn.SETTING,
        setting="default_action",
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
        fix_in=FixIn.ABAC_SWITCH,
    )


def _arm_audience(registry: Registry) -> Finding | None:
    if not registry.access.arm_audience_tokens or registry.sku == "Classic":
        return None
    return Finding(
        "ARM tokens accepted",
        Risk.LOW,
        "Tokens made for Azure Resource Manager are accepted for signing in to the registry.",
        "A token that leaks from any Azure tool opens the registry too. Older clients and az aks check-acr need it.",
        az_settings.refuse_arm_audience_tokens(registry.name),
        fix_in=FixIn.SETTING,
        setting="arm_audience_tokens",
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
        fix_in=FixIn.SETTING,
        setting="retention_days",
    )
